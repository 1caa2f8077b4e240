"""``python -m ingest`` with an encoder that needs no torch, prints where it should not and can be made to wait."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Sequence

from images.arrays import Vectors
from ingest import command
from ingest.job import run
from tests.support.encoders import HashEncoder


class Noisy(HashEncoder):
    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        print("a library's greeting")
        os.write(1, b"and one from native code\n")
        if os.environ.get("WAIT"):
            os.write(2, b"waiting\n")
            sys.stdin.readline()
        return super().encode_texts(texts)


if __name__ == "__main__":
    noisy = functools.partial(run, spec_of=lambda _: Noisy.spec, encoder_of=lambda _: Noisy())
    command.run = noisy  # type: ignore[attr-defined]
    sys.exit(command.main(sys.argv[1:]))
