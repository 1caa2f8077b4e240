from __future__ import annotations

import threading

import pytest

from images.fetch.hosts import FAILURES, PAUSE, Hosts
from images.fetch.network import Deadline
from schemas import ImageHostGivenUp, ImageHostRefused, ImageNotFound, ImageUnreachable
from tests.support.clock import Clock

ILL = ImageUnreachable("ill")


@pytest.mark.parametrize("host", ["cdn.shop.example", "CDN.shop.example.", "a.images.example", "a.b.images.example"])
def test_hosts_that_are_listed(host: str) -> None:
    Hosts(["cdn.Shop.example", "*.images.example"], 1).check(host.lower())


@pytest.mark.parametrize(
    "host",
    ["shop.example", "xcdn.shop.example", "cdn.shop.example.evil.example", "images.example", "ximages.example", ""],
)
def test_hosts_that_are_not(host: str) -> None:
    with pytest.raises(ImageHostRefused, match="STORELENS_PICTURE_HOSTS"):
        Hosts(["cdn.shop.example", "*.images.example"], 1).check(host)


def test_a_host_is_listed_as_people_write_it_and_asked_for_as_it_is_sent() -> None:
    Hosts(["bücher.example"], 1).check("xn--bcher-kva.example")


def test_without_a_list_any_host_will_do() -> None:
    Hosts([], 1).check("anything.example")


def _fail(hosts: Hosts, error: Exception = ILL) -> str:
    try:
        with hosts.turn("a", Deadline(1), True):
            raise error
    except ImageHostGivenUp:
        return "given up"
    except type(error):
        return "tried"


def test_a_host_that_keeps_failing_is_given_up_on() -> None:
    hosts = Hosts([], 1)
    assert [_fail(hosts) for _ in range(FAILURES + 2)] == ["tried"] * FAILURES + ["given up"] * 2
    with hosts.turn("b", Deadline(1), True):
        pass


@pytest.mark.parametrize("sign", [None, ImageNotFound("gone"), ValueError("ours")])
def test_any_sign_of_life_counts(sign: Exception | None) -> None:
    hosts = Hosts([], 1)
    for _ in range(FAILURES - 1):
        _fail(hosts)
    if sign is None:
        with hosts.turn("a", Deadline(1), True):
            pass
    else:
        _fail(hosts, sign)
    assert [_fail(hosts) for _ in range(FAILURES)] == ["tried"] * FAILURES


def test_after_a_pause_it_is_tried_once_more_and_may_be_well() -> None:
    hosts = Hosts([], 1, pause=0)
    assert {_fail(hosts) for _ in range(3 * FAILURES)} == {"tried"}
    with hosts.turn("a", Deadline(1), True):
        pass


def test_after_a_pause_one_tries_and_the_others_do_not() -> None:
    clock = Clock()
    hosts = Hosts([], 2, clock=clock)
    for _ in range(FAILURES):
        _fail(hosts)
    assert _fail(hosts) == "given up"
    clock.now += PAUSE
    with hosts.turn("a", Deadline(1), True):
        assert _fail(hosts) == "given up"
    assert _fail(hosts) == "tried"


def test_waiting_for_a_turn_is_counted_where_somebody_waits_for_the_image() -> None:
    hosts = Hosts([], 1)
    with (
        hosts.turn("a", Deadline(1), True),
        pytest.raises(ImageUnreachable, match="busy"),
        hosts.turn("a", Deadline(0.01), False),
    ):
        pass


def test_waiting_for_a_turn_is_not_counted_in_a_job() -> None:
    hosts = Hosts([], 1)
    left: list[float] = []

    def wait() -> None:
        deadline = Deadline(10)
        with hosts.turn("a", deadline, True):
            left.append(deadline.left())

    waiting = threading.Thread(target=wait)
    with hosts.turn("a", Deadline(1), True):
        waiting.start()
        waiting.join(0.2)
    waiting.join()
    assert left[0] > 10 - 0.1  # half of what it waited: what else takes time here is next to nothing
