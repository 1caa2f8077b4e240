"""What kind a field is, by the whole catalog and by what it was."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.catalog import Before, Catalog
from ingest.kinds import Votes, decide, vote, votes_of
from ingest.readers import open_reader
from ingest.settings import IngestSettings
from schemas import Change, FieldKind, fit


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, 2.0, 3], "integer"),
        ([1, 2.5], "float"),
        ([True, False], "bool"),
        ([1, "x"], "keyword"),
        ([42.0, 42, "42"], "integer"),
        ([42.0, 42, "42", "M"], "keyword"),
        ([41.5, 42, "42.0"], "float"),
        (["1", "2"], "keyword"),
        ([1] * 9 + ["odd"], "integer"),
        ([True] * 9 + ["odd"], "bool"),
        ([[1, 2], [3, 4.5]], "float"),
        ([[1, "x"], 2], "keyword"),
        ([2**53 + 2], "float"),
        ([1, "n/a", "unknown"], "integer"),
    ],
)
def test_a_new_field(values: list[Any], kind: FieldKind) -> None:
    votes = Votes(vote for value in values for _, vote in votes_of(value, "size") if vote)
    assert decide(votes, None) == kind
    assert decide(votes, kind) == kind


@pytest.mark.parametrize(
    ("before", "numbers", "texts", "after"),
    [
        ("float", 1, 0, "integer"),
        ("float", 5, 5, "integer"),
        ("integer", 4, 5, "keyword"),
        ("keyword", 9, 1, "integer"),
        ("keyword", 8, 2, "keyword"),
        ("float", 0, 0, "float"),
        ("bool", 0, 1, "keyword"),
    ],
)
def test_a_field_changes_where_most_of_the_catalog_says_so(
    before: FieldKind, numbers: int, texts: int, after: FieldKind
) -> None:
    assert decide(Votes(integer=numbers, text=texts), before) == after


_counts = st.dictionaries(
    st.sampled_from(["bool", "integer", "float", "text", "integer_text", "float_text", "cut"]), st.integers(0, 9)
)


@given(_counts, st.sampled_from([None, "keyword", "integer", "float", "bool"]))
def test_the_same_catalog_says_the_same_every_night(counts: dict[str, int], before: FieldKind | None) -> None:
    kind = decide(Votes(counts), before)
    assert decide(Votes(counts), kind) == kind


_scalars = st.booleans() | st.integers(-9, 9) | st.sampled_from([1.5, 2.0, "2", "2.5", "x", "true", "007"])


@given(st.lists(_scalars, min_size=1, max_size=12), st.randoms())
def test_order_does_not_matter_and_at_most_half_is_lost(values: list[Any], order: Any) -> None:
    votes = Counter(map(vote, values))
    shuffled = values[:]
    order.shuffle(shuffled)
    kind = decide(votes, None)
    assert decide(Counter(map(vote, shuffled)), None) == kind
    lost = sum(bool(fit(value, kind).unfit) for value in values)
    assert 10 * lost <= len(values)


def _opened(path: Path, before: Before | None = None) -> Any:
    settings = IngestSettings(catalog=str(path))
    return Catalog(open_reader(settings), settings, before)


def test_kinds_are_of_the_whole_catalog_and_say_what_changed(tmp_path: Path) -> None:
    rows = [{"id": str(n), "title": "x", "kg": 2.5, "size": {"w": n, "name": "M"}} for n in range(10)]
    path = tmp_path / "c.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with _opened(path) as catalog:
        found = {name: catalog.kinds[name] for name in ("kg", "size.w", "size.name", "price")}
        assert found == {"kg": "float", "size.w": "integer", "size.name": "keyword", "price": "float"}
        assert not catalog.kind_changes
    with _opened(path, Before(kinds={"kg": "keyword", "size.w": "float", "gone": "bool"})) as catalog:
        changes = {"kg": Change(before="keyword", after="float"), "size.w": Change(before="float", after="integer")}
        assert catalog.kind_changes == changes
        assert catalog.new_values
    others = Votes(text=30)
    before = Before(kinds={"kg": "keyword"}, others=lambda name, points: others if len(points) == 10 else Votes())
    with _opened(path, before) as catalog:
        assert catalog.kinds["kg"] == "keyword"  # products that stay say that it is text
        assert not catalog.kind_changes
