"""``python -m evaluation COMMAND``: how good, how fast, and is the index in order?"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from evaluation.commands import audit, benchmarks, calibrate, labels, paraphrases, queries, search, splits
from index import CommandParser
from schemas import StoreLensError


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit 0 with the result on stdout, 1 when it could not be measured, 2 for bad arguments."""
    parser = CommandParser("python -m evaluation", description="How good, how fast?")
    commands = parser.add_subparsers(dest="command", required=True)
    for subject in (search, queries, calibrate, labels, paraphrases, audit, splits, benchmarks):
        subject.add_commands(commands)
    given = parser.parse_args(arguments)
    try:
        print(given.run(given))
    except StoreLensError as error:
        print(f"error: {error.message}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("error: interrupted", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
