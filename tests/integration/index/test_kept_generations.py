"""Listing, rolling back and removing generations, on every engine."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from pathlib import Path

import pytest

from index.edge.store import EmbeddedStore
from index.protocols import IndexStore
from ingest.command import main
from schemas import GenerationServes, GenerationUnknown, IndexDamaged
from tests.support.points import index_record, make_point, spec

OTHER = index_record(embedding=spec(model="other", fingerprint="1" * 64, precision="bfloat16"))


def _ingest(store: IndexStore, *numbers: int, other: bool = False) -> None:
    with store.lock():
        build = store.begin(OTHER if other else index_record())
        build.upsert([make_point(number) for number in numbers])
        build.commit()


def _served(store: IndexStore) -> list[int]:
    with closing(store.open()) as index:
        return [id.int for id in index.scan(None, 100)]


def _kept(store: IndexStore) -> list[tuple[str | None, int | None, bool]]:
    return [(each.model, each.products, each.serving) for each in store.generations()]


def _switch(store: IndexStore, name: str) -> str:
    with store.lock():
        return store.switch(name)


def test_every_generation_is_listed_oldest_first(store: IndexStore) -> None:
    assert store.generations() == []
    _ingest(store, 1)
    _ingest(store, 2, 3, other=True)
    assert _kept(store) == [("test", 1, False), ("other", 2, True)]
    old, new = store.generations()
    assert (old.precision, new.precision) == ("float32", "bfloat16")
    assert old.created == index_record().created


def test_one_that_does_not_serve_is_opened_by_its_name(store: IndexStore) -> None:
    _ingest(store, 1)
    _ingest(store, 2, 3, other=True)
    old, new = (each.name for each in store.generations())
    for name, numbers in ((old, [1]), (new, [2, 3])):
        with closing(store.open(name)) as index:
            assert [id.int for id in index.scan(None, 100)] == numbers
    assert _served(store) == [2, 3]
    with pytest.raises(GenerationUnknown, match=f"those kept are {old}, {new}"):
        store.open("../generations")


def test_rolling_back_serves_what_served_before(store: IndexStore) -> None:
    _ingest(store, 1)
    first = store.version()
    _ingest(store, 2, 3, other=True)
    second = store.version()
    old, new = (each.name for each in store.generations())
    assert _switch(store, old) == store.version() == first
    assert _served(store) == [1]
    assert _kept(store) == [("test", 1, True), ("other", 2, False)]
    assert _switch(store, old) == first
    assert _switch(store, new) == store.version() == second
    assert _served(store) == [2, 3]


def test_an_ingest_after_rolling_back_goes_on_from_what_serves(store: IndexStore) -> None:
    _ingest(store, 1)
    _ingest(store, 2, other=True)
    _switch(store, store.generations()[0].name)
    _ingest(store, 3)
    assert _served(store) == [1, 3]
    # And a new generation of the other model does not go on with the old one of it.
    _ingest(store, 4, other=True)
    assert _served(store) == [4]
    assert ("test", 2, False) in _kept(store)


def test_a_build_left_behind_outlives_a_switch(store: IndexStore) -> None:
    _ingest(store, 1)
    _ingest(store, 2, other=True)
    left = index_record(embedding=spec(fingerprint="2" * 64))
    with store.lock():
        store.begin(left).upsert([make_point(9)])
    old, new = (each.name for each in store.generations())
    _switch(store, old)
    _ingest(store, 3)
    assert _served(store) == [1, 3]
    assert [each.model for each in store.generations() if each.serving] == ["test"]
    assert new != old


def test_what_serves_is_not_removed(store: IndexStore) -> None:
    _ingest(store, 1)
    _ingest(store, 2, other=True)
    old, new = (each.name for each in store.generations())
    with store.lock(), pytest.raises(GenerationServes, match=f"{new} serves; switch"):
        store.remove(new)
    with store.lock():
        store.remove(old)
    assert [each.name for each in store.generations()] == [new]
    assert _served(store) == [2]


def test_unknown_names_list_the_known(store: IndexStore) -> None:
    with store.lock(), pytest.raises(GenerationUnknown, match="none is kept: ingest"):
        store.switch("000001-abcdef")
    _ingest(store, 1)
    with store.lock():
        store.begin(OTHER).upsert([make_point(2)])
    (kept,) = store.generations()
    for name in ("", ".", "..", "../generations", "*", "building", kept.name[:-1]):
        with store.lock(), pytest.raises(GenerationUnknown, match=f"those kept are {kept.name}"):
            store.switch(name)
        with store.lock(), pytest.raises(GenerationUnknown, match=f"those kept are {kept.name}"):
            store.remove(name)
    assert _served(store) == [1]


def test_a_build_left_behind_is_no_longer_gone_on_with_after_rolling_back(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path, "products")
    _ingest(store, 1)
    _ingest(store, 2)
    with store.lock():
        store.begin(index_record()).upsert([make_point(9)])
    old, new = (each.name for each in store.generations())
    _switch(store, old)
    with store.lock():
        build = store.begin(index_record())
        assert not build.resumed
        assert [id.int for id in build.index.scan(None, 9)] == [1]
        build.commit()
    assert {each.name for each in store.generations()} >= {old}
    assert new not in {each.name for each in store.generations()}


@pytest.mark.parametrize("damage", ["record.json", "shard"])
def test_a_damaged_generation_is_listed_and_removed_but_never_serves(tmp_path: Path, damage: str) -> None:
    store = EmbeddedStore(tmp_path, "products")
    _ingest(store, 1)
    _ingest(store, 2)
    old, new = (each.name for each in store.generations())
    path = tmp_path / "products" / "generations" / old / damage
    if path.is_dir():
        shutil.rmtree(path / "segments")
        (path / "edge_config.json").write_text("{")
    else:
        path.unlink()
    assert _kept(store) == [(None, None, False), ("test", 2, True)]
    with store.lock(), pytest.raises(IndexDamaged):
        store.switch(old)
    assert store.version() == new
    with store.lock():
        store.remove(old)
    assert [each.name for each in store.generations()] == [new]


def test_the_command_lists_switches_and_removes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = EmbeddedStore(tmp_path, "products")
    where = ["--data-dir", str(tmp_path)]
    assert main(["generations", *where]) == 0
    assert json.loads(capsys.readouterr().out) == {"generations": []}
    _ingest(store, 1)
    _ingest(store, 2, other=True)
    assert main(["generations", "list", *where]) == 0
    out, err = capsys.readouterr()
    old, new = json.loads(out)["generations"]
    assert (old["model"], old["products"], old["serving"]) == ("test", 1, False)
    assert (new["model"], new["precision"], new["serving"]) == ("other", "bfloat16", True)
    assert new["size"] > 0
    assert [line.split()[:3] for line in err.splitlines()[1:]] == [[old["name"], "1", "test"], ["*", new["name"], "1"]]
    assert main(["generations", "switch", *where, old["name"]]) == 0
    assert store.version() == old["name"]
    assert main(["generations", "remove", old["name"], *where]) == 1
    assert "serves" in capsys.readouterr().err
    assert main(["generations", *where, "remove", new["name"]]) == 0
    assert [each["name"] for each in json.loads(capsys.readouterr().out)["generations"]] == [old["name"]]


@pytest.mark.parametrize("arguments", [["switch"], ["remove"], ["list", "x"], ["drop", "x"], ["switch", "a", "b"]])
def test_a_wrong_command_line_exits_with_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["generations", *arguments])
    assert stopped.value.code == 2
