"""What every engine does with writes, and what of them a reader sees when."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from index.edge.engine import EdgeEngine
from index.edge.store import EmbeddedStore
from index.paths import field_path
from index.protocols import CatalogIndex, IndexStore, Leg, Names, Point
from schemas import (
    RECORD_FORMAT,
    All,
    BadVectors,
    Decided,
    FieldKind,
    IndexLocked,
    IndexMissing,
    Match,
    Missing,
    Not,
    stored_fields,
)
from tests.integration.index.conftest import Engine
from tests.support.points import DIMENSION, FIELDS, index_record, make_point, spec, unit

ODD_NAMES = [
    "with space",
    "dotted.name",
    'quo"ted',
    "[0]",
    "a[]",
    "back\\slash",
    "%22",
    "",
    "new\nline",
    "ünï 😀",
    "../../up",
    "*",
    "x" * 300,
]


def _ingest(store: IndexStore, *numbers: int, fields: dict[str, FieldKind] | None = None) -> str:
    with store.lock():
        build = store.begin(index_record(fields or FIELDS))
        build.upsert([make_point(n, {"brand": f"b{n}", "stock": n}) for n in numbers])
        return build.commit()


def _numbers(index: CatalogIndex) -> list[int]:
    return [id.int for id in index.scan(None, 1000)]


def test_nothing_serves_before_the_first_commit(store: IndexStore) -> None:
    assert store.version() is None
    assert store.record() is None
    with pytest.raises(IndexMissing, match="ingest a catalog first"):
        store.open()
    with store.lock():
        store.begin(index_record()).upsert([make_point(1)])
    assert store.version() is None
    with pytest.raises(IndexMissing):
        store.open()


def test_a_commit_serves_and_changes_the_version(store: IndexStore) -> None:
    first = _ingest(store, 1, 2)
    assert store.version() == first
    with closing(store.open()) as index:
        assert index.generation == first
        assert index.record == store.record() == index_record()
        assert _numbers(index) == [1, 2]
    second = _ingest(store, 3)
    assert store.version() == second != first
    with closing(store.open()) as index:
        assert _numbers(index) == [1, 2, 3]


def test_an_upsert_replaces_the_whole_point(store: IndexStore) -> None:
    _ingest(store, 1)
    with store.lock():
        build = store.begin(index_record())
        build.upsert([make_point(1, {"stock": 5}, vectors=("title",), words="")])
        build.commit()
    with closing(store.open()) as index:
        stored = index.fetch([UUID(int=1)], ["image", "title", "text"])[UUID(int=1)]
        assert set(stored.vectors) == {"title"}
        assert stored.payload["fields"] == {"stock": 5}
        assert index.query([Leg("lexical", "lexical", "red shoes")], None, 5) == [[]]


def test_decisions_are_written_beside_everything_else(store: IndexStore) -> None:
    with store.lock():
        build = store.begin(index_record())
        build.upsert([make_point(n, {"brand": "a"}) for n in (1, 2, 3)])
        before = build.index.fetch([UUID(int=1)], ["image"])[UUID(int=1)]
        build.decide({UUID(int=1): {"action": "block"}, UUID(int=2): {"action": "review"}, UUID(int=3): None})
        build.commit()
    with closing(store.open()) as index:
        after = index.fetch([UUID(int=1)], ["image"])[UUID(int=1)]
        assert after.payload == before.payload | {"moderation": {"action": "block"}}
        assert np.array_equal(after.vectors["image"], before.vectors["image"])
        vectors = index.vectors([UUID(int=1), UUID(int=9)], ["image", "title"])
        assert vectors.keys() == {UUID(int=1)}
        assert np.array_equal(vectors[UUID(int=1)]["image"], before.vectors["image"])
        assert index.scan(Decided(("block", "review")), 9) == [UUID(int=1), UUID(int=2)]
        assert index.count(All((Match("brand", "keyword", ("a",)), Not(Decided(("block",)))))) == 2
    with store.lock():
        build = store.begin(index_record())
        build.decide({UUID(int=1): None, UUID(int=2): {"action": "block"}})
        build.decide({})
        assert build.index.scan(Decided(("block", "review")), 9) == [UUID(int=2)]
        build.commit()


def test_annotations_set_some_keys_and_leave_all_else(store: IndexStore) -> None:
    with store.lock():
        build = store.begin(index_record())
        build.upsert([make_point(n, {"brand": "a", "stock": 1}) for n in (1, 2)])
        before = build.index.fetch([UUID(int=1)], ["image"])[UUID(int=1)]
        build.annotate({UUID(int=1): {"fields": {"brand": "b"}, "predicted": {"hue": {"label": "red"}}}})
        build.annotate({})
        after = build.index.fetch([UUID(int=1)], ["image"])[UUID(int=1)]
        assert after.payload == before.payload | {"fields": {"brand": "b"}, "predicted": {"hue": {"label": "red"}}}
        assert np.array_equal(after.vectors["image"], before.vectors["image"])
        assert build.index.scan(Match("brand", "keyword", ("b",)), 9) == [UUID(int=1)]
        build.commit()


def test_set_payload_leaves_vectors_alone(store: IndexStore) -> None:
    with store.lock():
        build = store.begin(index_record())
        build.upsert([make_point(1, {"brand": "old", "stock": 1})])
        build.set_payload({UUID(int=1): {"fields": {"brand": "new"}, "title_key": "other"}})
        stored = build.index.fetch([UUID(int=1)], ["image"])[UUID(int=1)]
        assert stored.payload == {"fields": {"brand": "new"}, "title_key": "other"}
        assert set(stored.vectors) == {"image"}
        assert build.index.count(Match("brand", "keyword", ("new",))) == 1
        assert build.index.count(Match("brand", "keyword", ("old",))) == 0
        assert build.index.named(Names(titles=("other",)), None, 5) == [UUID(int=1)]
        build.set_payload({})


def test_delete_removes_points(store: IndexStore) -> None:
    with store.lock():
        build = store.begin(index_record())
        build.upsert([make_point(n) for n in (1, 2, 3)])
        build.delete([UUID(int=2), UUID(int=99)])
        build.delete([])
        build.optimize()
        build.commit()
    with closing(store.open()) as index:
        assert _numbers(index) == [1, 3]


def test_vectors_of_nothing_are_fine(store: IndexStore) -> None:
    with store.lock():
        build = store.begin(index_record())
        build.upsert([])
        build.upsert([make_point(1, vectors=(), words="")])
        assert build.index.count() == 1
        legs = [Leg("text->image", "image", unit(DIMENSION, seed=1)), Leg("lexical", "lexical", "shoes")]
        assert build.index.query(legs, None, 5) == [[], []]


_GOOD = unit(DIMENSION, seed=1)


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("title", unit(DIMENSION - 1, seed=1)),
        ("title", unit(1, DIMENSION, seed=1)),
        ("image", _GOOD),
        ("image", np.empty((0, DIMENSION), np.float32)),
        ("title", np.full(DIMENSION, np.nan, np.float32)),
        ("image", np.stack([_GOOD, np.full(DIMENSION, np.inf, np.float32)])),
        ("text", _GOOD * 3),
        ("text", _GOOD.astype(np.float64)),
        ("text", np.zeros(DIMENSION, np.float32)),
    ],
    ids=["dimension", "shape", "flat image", "no rows", "nan", "inf", "length", "float64", "zero"],
)
def test_a_bad_vector_keeps_the_whole_batch_out(store: IndexStore, name: Any, bad: Any) -> None:
    with store.lock():
        build = store.begin(index_record())
        broken = make_point(2)
        broken.vectors[name] = bad
        with pytest.raises(BadVectors, match=f"{name} vector of point {broken.id}"):
            build.upsert([make_point(1), broken])
        assert build.index.count() == 0


def test_another_model_starts_afresh_while_the_old_one_serves(store: IndexStore) -> None:
    first = _ingest(store, 1, 2)
    other = index_record(embedding=spec(fingerprint="1" * 64, dimension=8))
    with store.lock():
        build = store.begin(other)
        assert build.fresh
        assert not build.resumed
        assert build.index.count() == 0
        assert store.version() == first
        with pytest.raises(BadVectors):
            build.upsert([make_point(1)])
        point = make_point(3, vectors=())
        point.vectors["title"] = unit(8, seed=1)
        build.upsert([point])
        with closing(store.open()) as index:
            assert _numbers(index) == [1, 2]
        second = build.commit()
    assert store.version() == second != first
    with closing(store.open()) as index:
        assert _numbers(index) == [3]
        assert index.record.embedding == other.embedding


def test_another_precision_or_name_of_the_same_model_goes_on(store: IndexStore) -> None:
    _ingest(store, 1)
    with store.lock():
        build = store.begin(index_record(embedding=spec(precision="bfloat16", model="/elsewhere")))
        assert not build.fresh
        assert build.index.count() == 1


def test_a_build_left_behind_is_gone_on_with(store: IndexStore) -> None:
    _ingest(store, 1)
    other = index_record(embedding=spec(fingerprint="1" * 64))
    with store.lock():
        store.begin(other).upsert([make_point(2)])
    with store.lock():
        build = store.begin(other.model_copy(update={"fields": {**FIELDS, "late": "bool"}}))
        assert (build.fresh, build.resumed) == (True, True)
        assert build.index.record.fields == {**FIELDS, "late": "bool"}
        assert build.index.count() == 1
        build.upsert([make_point(3)])
        build.commit()
    with closing(store.open()) as index:
        assert _numbers(index) == [2, 3]


def test_a_build_left_behind_for_another_model_is_dropped(store: IndexStore) -> None:
    _ingest(store, 1)
    with store.lock():
        store.begin(index_record(embedding=spec(fingerprint="1" * 64))).upsert([make_point(2)])
    with store.lock():
        build = store.begin(index_record(embedding=spec(fingerprint="2" * 64)))
        assert (build.fresh, build.resumed) == (True, False)
        assert build.index.count() == 0
    with store.lock():
        assert store.begin(index_record()).index.count() == 1


def test_average_words_and_creation_stay_what_they_were(store: IndexStore) -> None:
    _ingest(store, 1)
    first = store.record()
    assert first is not None
    with store.lock():
        later = index_record().model_copy(update={"average_words": 99.0, "created": first.created.replace(year=2030)})
        build = store.begin(later)
        assert build.index.record.average_words == first.average_words
        assert build.index.record.created == first.created


def _made(number: int, row: dict[str, Any], kinds: dict[str, FieldKind]) -> Point:
    """A product of a row, with the fields that it has by these kinds."""
    point = make_point(number, words="red shoes")
    row = {"id": f"p{number}", **row}
    return replace(point, payload=point.payload | {"product": row, "fields": stored_fields(row, kinds)})


NUMBERS: dict[str, FieldKind] = {"size": "integer", "year": "integer", "ok": "bool"}
TEXTS: dict[str, FieldKind] = {"size": "keyword", "year": "float", "ok": "keyword"}
ROWS: list[dict[str, Any]] = [
    {"size": 1, "year": 1999, "ok": True},
    {"size": [2, "S"], "ok": [False, "maybe"]},
    {"size": "S"},
    {},
]


def test_values_of_a_field_that_changes_its_kind_are_made_anew(store: IndexStore) -> None:
    def commit(kinds: dict[str, FieldKind], *more: Point) -> None:
        with store.lock():
            build = store.begin(index_record(kinds))
            assert build.index.record.fields == {**FIELDS, **kinds}
            build.upsert(more)
            build.optimize()
            build.commit()

    commit({**FIELDS, **NUMBERS}, *(_made(number, row, NUMBERS) for number, row in enumerate(ROWS, 1)))
    with closing(store.open()) as index:
        assert index.ordered("size", True, None, 9) == [(UUID(int=2), 2.0), (UUID(int=1), 1.0)]
        vectors = index.fetch([UUID(int=1)], ["image"])[UUID(int=1)].vectors["image"]
    commit(TEXTS, _made(5, {"size": "XL", "year": 0.5}, TEXTS))
    with closing(store.open()) as index:  # what numbers had to leave out is there
        assert dict(index.facet("size", None, 9)) == {"1": 1, "2": 1, "S": 2, "XL": 1}
        assert dict(index.facet("ok", None, 9)) == {"true": 1, "false": 1, "maybe": 1}
        assert index.ordered("year", False, None, 9) == [(UUID(int=5), 0.5), (UUID(int=1), 1999.0)]
        assert index.scan(Match("size", "keyword", ("2", "XL")), 9) == [UUID(int=2), UUID(int=5)]
        assert index.scan(Missing("size"), 9) == [UUID(int=4)]
        np.testing.assert_allclose(index.fetch([UUID(int=1)], ["image"])[UUID(int=1)].vectors["image"], vectors)
    commit(NUMBERS)
    with closing(store.open()) as index:
        assert index.ordered("size", False, None, 9) == [(UUID(int=1), 1.0), (UUID(int=2), 2.0)]
        assert index.scan(Match("ok", "bool", (True,)), 9) == [UUID(int=1)]
        assert index.scan(Missing("size"), 9) == [UUID(int=3), UUID(int=4), UUID(int=5)]


def test_numbers_of_an_index_from_before_get_their_one_form(store: IndexStore) -> None:
    kinds: dict[str, FieldKind] = {"size": "keyword", "year": "float"}
    old = index_record(kinds).model_copy(update={"format": 2})
    point = make_point(1, {"size": "42.0", "year": 1999.0})
    point.payload["product"] = {"id": "p1", "size": 42.0, "year": 1999.0}
    with store.lock():
        build = store.begin(old)
        build.upsert([point, make_point(2, {"size": "M"})])
        build.commit()
    with store.lock():
        store.begin(index_record({"size": "keyword", "year": "integer"})).commit()
    with closing(store.open()) as index:
        assert dict(index.facet("size", None, 9)) == {"42": 1, "M": 1}
        assert index.facet("year", None, 9) == [(1999, 1)]
        assert index.record.format == RECORD_FORMAT


def test_fields_may_have_any_name(store: IndexStore) -> None:
    kinds: dict[str, FieldKind] = dict.fromkeys(ODD_NAMES, "keyword")
    with store.lock():
        build = store.begin(index_record(kinds))
        build.upsert([make_point(n, {name: str(n)}) for n, name in enumerate(ODD_NAMES, 1)])
        build.commit()
    with closing(store.open()) as index:
        for n, name in enumerate(ODD_NAMES, 1):
            assert index.scan(Match(name, "keyword", (str(n),)), 9) == [UUID(int=n)], name
            assert index.scan(Not(Missing(name)), 9) == [UUID(int=n)], name
            assert index.facet(name, None, 9) == [(str(n), 1)], name
            assert index.values([UUID(int=n)], ODD_NAMES) == {UUID(int=n): {name: str(n)}}, name
    assert len({field_path(name) for name in ODD_NAMES}) == len(ODD_NAMES)


def test_an_empty_index_gets_its_payload_indexes_all_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Made one by one, each would have all the others written again."""

    def never(*_: object) -> None:
        raise AssertionError("a payload index was made alone")

    monkeypatch.setattr(EdgeEngine, "index_payload", never)
    store = EmbeddedStore(tmp_path, "products")
    values: dict[FieldKind, str | int | float | bool] = {"keyword": "a", "integer": 1, "float": 1.5, "bool": True}
    kinds: dict[str, FieldKind] = dict(zip(ODD_NAMES, 4 * list(values), strict=False))
    with store.lock():
        build = store.begin(index_record(kinds))
        build.upsert([make_point(1, {name: values[kind] for name, kind in kinds.items()})])
        build.commit()
    more: dict[str, FieldKind] = {f"more {number}": "integer" for number in range(20)}
    with store.lock():
        build = store.begin(index_record(more))
        build.upsert([make_point(2, dict.fromkeys(more, 7))])
        build.commit()
    with closing(store.open()) as index:
        for name in more:
            assert index.facet(name, None, 9) == [(7, 1)]
            assert index.scan(Missing(name), 9) == [UUID(int=1)]
        for name, kind in kinds.items():
            if kind == "float":
                assert index.ordered(name, False, None, 9) == [(UUID(int=1), 1.5)]
            else:
                assert index.facet(name, None, 9) == [(values[kind], 1)]


def test_ids_may_be_any_uuid(store: IndexStore) -> None:
    ids = [0, 1, 2**63, 2**64 - 1, 2**64, 2**127, 2**128 - 1]
    _ingest(store, *ids)
    with closing(store.open()) as index:
        assert _numbers(index) == ids
        assert index.scan(None, 9, UUID(int=2**64 - 1)) == [UUID(int=n) for n in ids[4:]]
        assert index.fetch([UUID(int=2**128 - 1)])[UUID(int=2**128 - 1)].payload["id"] == f"p{2**128 - 1}"


def test_one_writer_at_a_time(store: IndexStore) -> None:
    with store.lock(), pytest.raises(IndexLocked, match="another job is writing"), store.lock():
        pass
    with store.lock():
        pass


def test_a_second_store_sees_what_the_first_committed(engine: Engine, tmp_path: Path) -> None:
    if engine.__name__ != "embedded":
        pytest.skip("one handle is one connection on a server, and the emulator lives in one client")
    (one,), (other,) = engine(tmp_path), engine(tmp_path)
    version = _ingest(one, 1)
    assert other.version() == version
    with closing(other.open()) as index, closing(one.open()) as second:
        assert _numbers(index) == _numbers(second) == [1]
