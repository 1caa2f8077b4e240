"""The commands of ``python -m evaluation``, a file for those of one subject.

Each module has ``add_commands``, which gives a parser its commands with ``run``: what makes of their arguments the text
that goes to stdout.
"""
