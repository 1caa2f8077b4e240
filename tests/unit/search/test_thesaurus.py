"""Other words for a word, from the data that is shipped."""

from __future__ import annotations

import pytest

from search.thesaurus import BROADER, KIND, SAME, Thesaurus, thesaurus


@pytest.mark.parametrize(
    ("word", "other"),
    [
        ("couch", "sofa"),
        ("sofas", "couch"),
        ("aubergine", "eggplant"),
        ("garbage can", "trash can"),
        ("jumper", "sweater"),
        ("calves", "calf"),
        ("leaf", "leaves"),
    ],
)
def test_words_of_the_same_meaning(word: str, other: str) -> None:
    assert (other, SAME) in thesaurus().synonyms(word)


def test_kinds_of_a_thing_count_less() -> None:
    small = Thesaurus(["seat\t", "sofa,couch\t0", "bench:2\t0"], ["red"])
    assert small.synonyms("couch") == [("sofa", SAME), ("seat", BROADER)]
    assert small.synonyms("seat") == [("sofa", KIND), ("couch", KIND), ("bench", KIND)]


@pytest.mark.parametrize("word", ["quickly", "laptop", "berries", "shelves", "boxes", "red", "skipping", "baked"])
def test_words_that_are_english(word: str) -> None:
    assert thesaurus().knows(word)


@pytest.mark.parametrize("word", ["asdfgh", "tomatto", "jackt", "", "zzs", "zzes"])
def test_words_that_are_not(word: str) -> None:
    assert not thesaurus().knows(word)
    assert thesaurus().synonyms(word) == []
