"""What ``python -m ingest`` does besides a job: a file for each command, which its first argument names.

Each has ``main``, which takes the other arguments and returns the exit status; what it raises of ``StoreLensError``,
``ingest.command`` says on stderr.
"""
