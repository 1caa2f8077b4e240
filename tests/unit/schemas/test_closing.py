"""What several use is closed once, behind the last of them."""

from __future__ import annotations

import threading

from schemas.closing import Shared


class Closes:
    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> None:
        self.times += 1


def test_the_last_who_uses_it_closes_it() -> None:
    close = Closes()
    shared = Shared("value", close)
    with shared.used() as first, shared.used() as second:
        assert (first, second) == ("value", "value")
        shared.release()  # whoever made it
        assert close.times == 0
    assert close.times == 1


def test_unused_it_stays_open_for_whoever_made_it() -> None:
    close = Closes()
    shared = Shared("value", close)
    with shared.used():
        pass
    assert close.times == 0
    shared.release()
    assert close.times == 1


def test_it_is_closed_once_however_many_leave_at_once() -> None:
    close = Closes()
    shared = Shared("value", close)
    for _ in range(50):
        shared.acquire()
    threads = [threading.Thread(target=shared.release) for _ in range(51)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert close.times == 1
