from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.splits.duplicates import CatalogDuplicates, Why
from evaluation.splits.leaks import Leak, find_leaks, read_split
from evaluation.splits.maker import SHARES, clusters, make_split, read_shares, write_split
from schemas import ConfigurationError

IDS = [f"p{number}" for number in range(40)]
WHY: tuple[Why, ...] = ("same image", "near-duplicate", "same group", "same text")


def of_products(*duplicates: tuple[Why, list[str]], categories: int = 4, count: int = 40) -> CatalogDuplicates:
    return CatalogDuplicates({f"p{n}": f"category {n % categories}" for n in range(count)}, list(duplicates), [], 0)


@given(
    st.lists(st.tuples(st.sampled_from(WHY), st.lists(st.sampled_from(IDS), min_size=2, max_size=4, unique=True))),
    st.integers(0, 3),
)
def test_a_split_of_whole_clusters_leaks_nothing(duplicates: list[tuple[Why, list[str]]], seed: int) -> None:
    found = of_products(*duplicates)
    split = make_split(clusters(found), SHARES, seed)
    assert split.keys() == found.products.keys()
    assert find_leaks(found, split) == []


def test_parts_have_their_shares_of_the_whole_and_of_every_category() -> None:
    found = of_products(count=1000)
    split = make_split(clusters(found), SHARES, 0)
    for part, share in SHARES.items():
        its = [id for id in split if split[id] == part]
        assert len(its) == pytest.approx(share * 1000, abs=3)
        for category in range(4):
            assert sum(found.products[id] == f"category {category}" for id in its) == pytest.approx(share * 250, abs=3)
    assert make_split(clusters(found), SHARES, 0) == split != make_split(clusters(found), SHARES, 1)


def test_many_small_categories_and_a_large_cluster_leave_the_whole_its_shares() -> None:
    large = [f"p{number}" for number in range(60)]
    found = of_products(("same group", large), categories=100, count=300)
    split = make_split(clusters(found), SHARES, 0)
    assert {split[id] for id in large} == {"train"}
    for part, share in SHARES.items():
        assert sum(of == part for of in split.values()) == pytest.approx(share * 300, abs=5)


def test_duplicates_of_duplicates_are_one_cluster() -> None:
    found = clusters(of_products(("same image", ["p1", "p2"]), ("near-duplicate", ["p2", "p3"]), count=5))
    assert sorted(sorted(cluster.ids) for cluster in found) == [["p0"], ["p1", "p2", "p3"], ["p4"]]


def test_each_pair_of_two_parts_is_a_leak_for_each_reason_and_a_copy_is_no_near_duplicate() -> None:
    found = of_products(
        ("same image", ["p1", "p2"]),
        ("same text", ["p1", "p2", "p3"]),
        ("near-duplicate", ["p1", "p2", "p4"]),
        ("same group", ["p5", "p6"]),
        ("same group", ["p7", "p8"]),
    )
    split = {"p1": "train", "p2": "test", "p3": "train", "p4": "train", "p5": "test", "p6": "test", "p7": "train"}
    leaks = {(leak.a, leak.b, leak.why) for leak in find_leaks(found, split)}
    assert leaks == {
        ("p1", "p2", "same image"),
        ("p1", "p2", "same text"),
        ("p2", "p3", "same text"),
        ("p2", "p4", "near-duplicate"),
    }
    assert Leak("p1", "p2", "same image", "train", "test") in find_leaks(found, split)


def test_of_very_many_duplicates_every_product_that_leaks_is_named_without_all_pairs() -> None:
    ids = [f"q{number:05}" for number in range(5000)]
    split = {id: ("train", "test", "dev")[n % 3] for n, id in enumerate(ids)}
    leaks = find_leaks(CatalogDuplicates(dict.fromkeys(ids), [("same text", ids)], [], 0), split)
    assert {id for leak in leaks for id in (leak.a, leak.b)} == set(ids)
    assert len(leaks) < 3 * len(ids)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('{"id": "a", "split": "train"}\n{"id": "b"}', "line 2: split: .*required"),
        ('{"id": "a", "split": "train"}\n{"id": ["b"], "split": "test"}', "line 2: id: .*string"),
        ('{"id": "a", "split": "train"}\nb,test', "line 2: is not JSON"),
        ('{"id": "a", "split": ""}', "line 1: split: "),
        ('{"id": "a", "split": "train"}', "all products are in 'train'"),
        ("", "has no products of a split"),
    ],
)
def test_a_split_that_is_none_is_refused_and_its_line_named(tmp_path: Path, content: str, reason: str) -> None:
    path = tmp_path / "split.jsonl"
    path.write_text(content)
    with pytest.raises(ConfigurationError, match=reason):
        read_split(path)


def test_a_product_in_two_parts_is_a_leak_and_one_that_is_repeated_is_not(tmp_path: Path) -> None:
    rows = [("a", "train"), ("b", "test"), ("a", "test"), ("b", "test"), (7, "test")]
    path = tmp_path / "split.jsonl"
    path.write_text("".join(json.dumps({"id": id, "split": part}) + "\n" for id, part in rows))
    assert read_split(path) == (
        {"a": "train", "b": "test", "7": "test"},
        [Leak("a", "a", "same product", "train", "test")],
    )


@pytest.mark.parametrize(
    "shares", [["train"], ["train=1"], ["train=1", "train=2"], ["a=0", "b=1"], ["a=nan", "b=1"], ["=1", "b=1"]]
)
def test_shares_that_are_none_are_refused(shares: list[str]) -> None:
    with pytest.raises(ConfigurationError, match="--shares"):
        read_shares(shares)


def test_shares_need_not_add_up_and_a_split_is_written_whole(tmp_path: Path) -> None:
    shares = read_shares(["learn=3", "try=1"])
    assert shares == {"learn": 0.75, "try": 0.25}
    made = write_split(tmp_path / "split.jsonl", of_products(("same group", ["p0", "p4"])), shares, 0)
    assert (made["splits"], made["clusters"], made["leaks"]) == ({"learn": 30, "try": 10}, 39, 0)
    split, _ = read_split(tmp_path / "split.jsonl")
    assert split["p0"] == split["p4"] and len(split) == 40
    with pytest.raises(ConfigurationError, match="could not be written"):
        write_split(tmp_path / "none" / "split.jsonl", of_products(), shares, 0)
