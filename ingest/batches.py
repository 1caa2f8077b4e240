"""Items some at a time: ``itertools.batched``, which Python 3.11 does not have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")


def batched(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Lists of ``size`` items, the last of what is left; taken when they are asked for, and not ahead."""
    remaining = iter(items)
    while batch := list(islice(remaining, size)):
        yield batch
