from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.named import asked_numbers


def asked(words: str) -> dict[str, str]:
    return {number.key: number.surety for number in reversed(asked_numbers(words))}


@pytest.mark.parametrize(
    ("words", "key"),
    [
        ("KT-INS115-BLK", "ktins115blk"),
        ("kt ins115 blk mug", "ktins115blk"),
        ("mug ktins115blk", "ktins115blk"),
        ("KT/INS115/BLK, large", "ktins115blk"),
        ("sku:KT-INS115-BLK", "ktins115blk"),
        ("(KT_INS115_BLK)", "ktins115blk"),
        ("KT-INS115-BLK手机壳", "ktins115blk"),
        ("drill 4006381333931", "4006381333931"),
        ("4006381 333931", "4006381333931"),
        ("90.7500 drill", "907500"),
        ("star-striped-blue", "starstripedblue"),
        ("ＭＨ０１", "mh01"),
    ],
)
def test_what_is_written_as_numbers_are_is_sure(words: str, key: str) -> None:
    assert asked(words)[key] in ("certain", "sure")


@pytest.mark.parametrize(
    ("words", "key", "surety"),
    [
        ("iphone15", "iphone15", "likely"),
        ("500ml", "500ml", "likely"),
        ("iphone 15 case", "iphone15", "possible"),
        ("501", "501", "possible"),
        ("mug", "mug", "possible"),
        ("90.750 drill", "90750", "possible"),
    ],
)
def test_a_name_a_measure_or_a_single_word_may_be_one(words: str, key: str, surety: str) -> None:
    assert asked(words)[key] == surety


@pytest.mark.parametrize("words", ["size 42", "red running shoes", "set of 6 cups", "2024 calendar", "a4 paper"])
def test_words_and_small_figures_among_others_are_no_numbers(words: str) -> None:
    single = {word.lower() for word in words.split()}
    assert not single & set(asked(words))


@given(st.text(max_size=200))
def test_any_request_can_be_asked(words: str) -> None:
    numbers = asked_numbers(words)
    assert len(numbers) <= 64 * 8
    lengths = [number.end - number.start for number in numbers]
    assert lengths == sorted(lengths, reverse=True)
