"""Work done ahead by other threads, in order and in bounded memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Executor, Future
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def prefetch(
    executor: Executor,
    work: Callable[[Item], Result],
    items: Iterable[Item],
    window: int,
    cost: Callable[[Item], int],
) -> Generator[tuple[Item, Result]]:
    """Each item with what ``work`` makes of it, in the order of ``items``.

    Items are taken, and results kept, up to a total ``cost`` of ``window``, or one item where that
    alone costs more. What ``work`` raises is raised here; what is still waiting is then given up.
    """
    under_way: deque[tuple[Item, int, Future[Result]]] = deque()
    spent = 0
    try:
        for item in items:
            price = cost(item)
            while under_way and spent + price > window:
                done, its_price, future = under_way.popleft()
                spent -= its_price
                yield done, future.result()
            under_way.append((item, price, executor.submit(work, item)))
            spent += price
        while under_way:
            done, _, future = under_way.popleft()
            yield done, future.result()
    finally:
        for _, _, future in under_way:
            future.cancel()
