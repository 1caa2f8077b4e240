"""Items some at a time: ``itertools.batched``, which Python 3.11 does not have."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")


def batched(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Lists of ``size`` items, the last of what is left; taken when they are asked for, and not ahead."""
    remaining = iter(items)
    while batch := list(islice(remaining, size)):
        yield batch


def batched_by_weight(
    items: Iterable[Item], size: int, weight: Callable[[Item], int], most: int
) -> Iterator[list[Item]]:
    """The same, and a batch is full as well once its items weigh ``most``, the last of them perhaps far more."""
    batch: list[Item] = []
    weighs = 0
    for item in items:
        batch.append(item)
        weighs += weight(item)
        if len(batch) == size or weighs >= most:
            yield batch
            batch, weighs = [], 0
    if batch:
        yield batch
