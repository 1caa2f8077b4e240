"""Which fields there are, and of what kind each is, by the whole catalog and by what they were."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog import STANDARD_FIELDS
from ingest.catalog import Before, Catalog
from ingest.columns.kinds import Votes, decide, too_many, vote, votes_of
from ingest.readers import open_reader
from ingest.settings import IngestSettings
from schemas import MAX_FIELDS, MAX_NESTING, Change, FieldKind, fit


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


FREE = MAX_FIELDS - len(STANDARD_FIELDS)


@pytest.mark.parametrize("format", ["jsonl", "csv", "nested"])
def test_the_commonest_are_fields_in_whatever_order_rows_come(tmp_path: Path, format: str) -> None:
    rare: list[dict[str, Any]] = [{f"k{number:03}": number} for number in range(FREE + 50)]
    rows = [{"id": str(n), "title": "x", **own} for n, own in enumerate([*rare, *[{"kg": 1.5, "w": 3}] * 2])]
    names = [*rows[0], *(name for own in rare[1:] for name in own), "kg", "w"]
    for ordered in (rows, rows[::-1]):
        path = tmp_path / ("c.csv" if format == "csv" else "c.jsonl")
        if format == "csv":
            cells = [[str(row.get(name, "")) for name in names] for row in ordered]
            path.write_text("".join(",".join(line) + "\n" for line in [names, *cells]))
        elif format == "nested":
            nested = [{"id": row["id"], "title": "x", "a": dict([*row.items()][2:])} for row in ordered]
            path.write_text("".join(json.dumps(row) + "\n" for row in nested))
        else:
            path.write_text("".join(json.dumps(row) + "\n" for row in ordered))
        a = "a." if format == "nested" else ""
        with _opened(path) as catalog:
            assert catalog.fields_left_out == [f"{a}k{number:03}" for number in range(FREE - 2, FREE + 50)]
            assert len(catalog.kinds) == MAX_FIELDS
            assert (catalog.kinds[f"{a}kg"], catalog.kinds[f"{a}w"]) == ("float", "integer")
            if format == "csv":  # what is no field is a number all the same
                row = next(row for row in catalog.rows() if "k300" in row.values)
                assert row.values["k300"] == 300


def test_names_that_are_looked_at_do_not_grow_with_the_catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("columns.survey", "columns.reading"):
        monkeypatch.setattr(f"ingest.{module}.MAX_NAMES", 1_000)
    path = tmp_path / "c.jsonl"
    with path.open("w") as file:
        for n in range(4_000):
            often: dict[str, Any] = {"kg": 1.5, "a": {"w": n}} if n > 1_000 and n % 3 else {}
            own = {f"k{n}": 1, f"l{n}": [{}], "a": {f"k{n}": {"x": n}} | often.get("a", {})}
            file.write(json.dumps({"id": str(n), "title": "x", **often, **own}) + "\n")
    with _opened(path) as catalog:
        assert (catalog.kinds["kg"], catalog.kinds["a.w"]) == ("float", "integer")
        assert len(catalog.kinds) == MAX_FIELDS
        assert len(catalog.fields_left_out) < 1_000
        assert sum(1 for _ in catalog.rows()) == 4_000


def test_what_no_product_may_have_is_no_field(tmp_path: Path) -> None:
    deep: Any = {"x": 1}
    for _ in range(MAX_NESTING):
        deep = {"x": deep}
    wrong = {"": 1, "not": 1, "\ud800": 1, "n" * 300: 1, "deep": deep, "in": {"\ud800": 1}, "long": {"n" * 300: 1}}
    path = tmp_path / "c.jsonl"
    rows = [{"id": "1", "title": "x", **wrong, "a": {"b": 1}}, {"id": "2"} | {f"k{n}": n for n in range(1_001)}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with _opened(path) as catalog:
        assert catalog.kinds == STANDARD_FIELDS | {"a.b": "integer"}


@given(st.lists(st.dictionaries(st.sampled_from("abcdef"), st.sampled_from(["integer", "text"]), max_size=4)))
def test_what_the_index_has_stays_and_nothing_commoner_is_left_out(products: list[dict[str, str]]) -> None:
    votes: dict[str, Votes] = {}
    for product in products:
        for name, kind in product.items():
            votes.setdefault(name, Votes())[kind] += 1
    left_out = too_many(votes, {f"old{number}" for number in range(MAX_FIELDS - 3)} | {"a"})
    assert "a" not in left_out
    chosen = votes.keys() - {*left_out, "a"}
    assert len(chosen) == min(2, len(votes.keys() - {"a"}))
    assert min((votes[name].total() for name in chosen), default=99) >= max(
        (votes[name].total() for name in left_out), default=0
    )
    assert not votes or set(too_many(votes, {f"old{number}" for number in range(MAX_FIELDS + 9)})) == votes.keys()
