"""What a job may ask before it decides whether it has anything to write."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID

from index.edge.store import EmbeddedStore
from index.protocols import IndexStore, Latest, Point
from schemas import RECORD_FORMAT, IndexRecord
from tests.support.points import FIELDS, index_record, make_point, spec


def _point(number: int, images: Sequence[str] = ()) -> Point:
    made = make_point(number, {"brand": "b"})
    listed: dict[str, Any] = {"pictures": [{"at": at, "hash": hash} for at, hash in enumerate(images)]}
    made.payload.update(listed, hashes={"words": f"w{number}", "row": f"r{number}"})
    return made


def _ingest(store: IndexStore, *points: Point, record: IndexRecord | None = None) -> str:
    with store.lock():
        build = store.begin(record or index_record())
        build.upsert(points)
        return build.commit()


def _latest(store: IndexStore, record: IndexRecord | None = None) -> tuple[list[int], bool] | None:
    """The points of what is latest, and whether it was left behind; closed again."""
    latest = store.latest(record or index_record())
    if latest is None:
        return None
    with closing(latest.index) as index:
        return [id.int for id in index.scan(None, 100)], latest.resumed


def test_the_latest_is_what_a_build_would_go_on_with(store: IndexStore) -> None:
    with store.lock():
        assert _latest(store) is None
    _ingest(store, _point(1))
    other = index_record(embedding=spec(fingerprint="1" * 64))
    crops = index_record().model_copy(update={"crops_per_image": 6})
    with store.lock():
        assert _latest(store) == ([1], False)
        assert _latest(store, other) is None
        assert _latest(store, crops) is None
        assert store.begin(other).index.count() == 0
        store.begin(other).upsert([_point(5)])
    with store.lock():
        assert _latest(store, other) == ([5], True)
        assert _latest(store) == ([1], False)
        # Asking changes nothing.
        assert _latest(store, other) == ([5], True)
        assert store.begin(other).index.count() == 1


def test_other_crops_of_the_images_start_afresh(store: IndexStore) -> None:
    _ingest(store, _point(1))
    crops = index_record().model_copy(update={"crops_per_image": 6})
    with store.lock():
        build = store.begin(crops)
        assert (build.fresh, build.index.count(), build.index.record.crops_per_image) == (True, 0, 6)
        build.upsert([_point(2)])
        build.commit()
    served = store.record()
    assert served is not None
    assert served.crops_per_image == 6


def test_the_latest_has_the_fields_of_the_build_to_come(store: IndexStore) -> None:
    _ingest(store, _point(1))
    wider = index_record({"stock": "float", "size": "keyword"})
    with store.lock():
        latest = store.latest(wider)
        assert latest is not None
        latest.index.close()
        assert latest.index.record.fields == {**FIELDS, "stock": "float", "size": "keyword"}
        build = store.begin(wider)
        assert build.index.record.fields == latest.index.record.fields
        assert build.index.record.average_words == latest.index.record.average_words


def test_the_latest_copies_nothing(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path, "products")
    _ingest(store, _point(1))
    with store.lock():
        latest = store.latest(index_record())
        assert latest is not None
        assert latest.index.generation == store.version()
        assert not (tmp_path / "products" / "building").exists()
        latest.index.close()


def test_payloads_come_in_parts(store: IndexStore) -> None:
    _ingest(store, _point(1, ["a"]), _point(2), make_point(3))
    ids = [UUID(int=n) for n in (3, 2, 1, 9)]
    with closing(store.open()) as index:
        assert index.payloads(ids, ["hashes", "pictures"]) == {
            UUID(int=1): {"hashes": {"words": "w1", "row": "r1"}, "pictures": [{"at": 0, "hash": "a"}]},
            UUID(int=2): {"hashes": {"words": "w2", "row": "r2"}, "pictures": []},
            UUID(int=3): {},
        }
        assert index.payloads(ids[:2], ["hashes.row"]) == {UUID(int=3): {}, UUID(int=2): {"hashes": {"row": "r2"}}}
        assert index.payloads([], ["hashes"]) == {}


def test_images_are_found_by_their_bytes(store: IndexStore) -> None:
    with store.lock():
        build = store.begin(index_record())
        build.upsert([_point(1, ["a", "b"]), _point(2, ["b", "c"]), _point(3)])
        found = build.index.with_images(["a", "b", "c", "d"])
        assert found.keys() == {"a", "b", "c"}
        assert (found["a"], found["c"]) == (UUID(int=1), UUID(int=2))
        assert found["b"] in (UUID(int=1), UUID(int=2))
        build.set_payload({UUID(int=1): _point(1, ["b"]).payload})
        assert build.index.with_images(["a", "b"]).keys() == {"b"}
        build.delete([UUID(int=1), UUID(int=2)])
        assert build.index.with_images(["a", "b", "c"]) == build.index.with_images([]) == {}


def test_an_index_of_the_first_format_is_gone_on_with(store: IndexStore) -> None:
    old = index_record().model_copy(update={"format": 1})
    _ingest(store, make_point(1), record=old)
    with store.lock():
        latest = store.latest(index_record())
        assert isinstance(latest, Latest)
        with closing(latest.index) as index:
            assert index.record.format == 1
            assert index.with_images(["a"]) == {}
        build = store.begin(index_record())
        assert build.index.record.format == RECORD_FORMAT
        build.upsert([_point(2, ["a"])])
        assert build.index.with_images(["a"]) == {"a": UUID(int=2)}
        build.commit()


def test_a_record_of_an_earlier_version_can_be_read() -> None:
    written = index_record().model_dump(mode="json")
    del written["views"]
    assert IndexRecord.model_validate(written | {"format": 1}).crops_per_image == 1
