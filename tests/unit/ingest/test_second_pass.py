"""Work ahead: in order, never more than the window, and failures that surface."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.second_pass import prefetch


@given(costs=st.lists(st.integers(1, 9), max_size=40), window=st.integers(1, 12))
def test_results_come_in_order_and_the_window_holds(costs: list[int], window: int) -> None:
    taken: list[int] = []
    given_out = 0

    def items() -> Iterator[tuple[int, int]]:
        for number, cost in enumerate(costs):
            # One item is in hand while the window waits for room.
            held = sum(costs[given_out : len(taken)])
            assert held <= max(window, *costs)
            taken.append(number)
            yield number, cost

    with ThreadPoolExecutor(2) as executor:
        for item, result in prefetch(executor, lambda pair: pair[0] * 2, items(), window, cost=lambda pair: pair[1]):
            assert item[0] == given_out
            assert result == item[0] * 2
            given_out += 1
    assert given_out == len(costs)


def test_work_goes_on_while_the_consumer_is_busy() -> None:
    both = threading.Barrier(2, timeout=10)
    with ThreadPoolExecutor(2) as executor:
        list(prefetch(executor, lambda _: both.wait(), range(2), window=2, cost=lambda _: 1))


def test_a_failure_surfaces_and_what_waits_is_given_up() -> None:
    done: list[int] = []

    def work(item: int) -> None:
        if item == 0:
            raise RuntimeError("poisoned")
        done.append(item)

    with ThreadPoolExecutor(1) as executor, pytest.raises(RuntimeError, match="poisoned"):
        list(prefetch(executor, work, range(1000), window=10, cost=lambda _: 1))
    assert len(done) <= 10
