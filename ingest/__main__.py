"""``python -m ingest``: what it does is in ``ingest.command``, which takes half a second to import."""

from ingest.signals import answer, end_at_once, leave_to_python

if __name__ == "__main__":
    answer(end_at_once)  # first of all: the first process of a container is deaf to a signal that it has no handler for
    import sys

    from ingest.command import main

    status = main(sys.argv[1:])
    leave_to_python()
    sys.exit(status)
