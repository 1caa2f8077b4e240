"""``python -m ingest``: see ``ingest.command``."""

from __future__ import annotations

import signal
import sys


def main() -> int:
    # First of all: the first process of a container is deaf to a signal that it has no handler for.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        from ingest.command import main

        return main(sys.argv[1:])
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
