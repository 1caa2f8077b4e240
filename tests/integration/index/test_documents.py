"""Documents beside the index, on every engine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest
from qdrant_client import models

from index import IndexSettings, IndexStore, open_store
from index.documents import Documents
from index.edge.store import EmbeddedStore
from index.server.store import ServerStore
from schemas import (
    DOCUMENT_KINDS,
    MAX_DOCUMENT_BYTES,
    MAX_DOCUMENTS,
    DocumentChanged,
    DocumentDamaged,
    DocumentInvalid,
    DocumentKind,
    DocumentNotFound,
    IndexUnavailable,
)
from tests.integration.index.conftest import Engine
from tests.integration.index.jobs import start
from tests.support.points import index_record, make_point, spec
from tests.support.qdrant_server import qdrant_server

SOFAS = {"groups": [["sofa", "couch"]]}
SHOES = {"one_way": [{"from": "trainers", "to": ["running shoes", "sneakers"]}], "language": "en"}
BODIES: dict[DocumentKind, dict[str, Any]] = {
    "synonyms": {**SOFAS, **SHOES},
    "rules": {"when": {"query": {"is": "sofa"}, "from": "2026-11-01T00:00:00Z"}, "then": {"hide": ["1"]}},
    "label-sets": {"labels": [{"name": "cat", "texts": ["a cat"]}, {"name": "dog"}], "templates": ["a photo of {}"]},
    "policies": {"rules": [{"name": "knives", "prompts": ["a knife"], "threshold": 0.25, "action": "review"}]},
    "calibrations": {"model": "builtin", "legs": {"lexical": [0.5, 1]}},
}


@pytest.fixture
def documents(store: IndexStore) -> Documents:
    return store.documents


def _names(documents: Documents, kind: DocumentKind) -> dict[str, int]:
    return {one.name: one.version for one in documents.names(kind)}


@pytest.mark.parametrize("kind", DOCUMENT_KINDS)
def test_what_is_written_is_read(documents: Documents, kind: DocumentKind) -> None:
    written = documents.write(kind, "first", BODIES[kind])
    read = documents.read(kind, "first")
    assert read == written
    assert (read.kind, read.name, read.version, read.content) == (kind, "first", 1, BODIES[kind])
    assert documents.read_all() == [read]
    assert _names(documents, kind) == {"first": 1}


def test_every_write_is_a_version_and_no_number_comes_again(documents: Documents) -> None:
    seen = {documents.version()}

    def version() -> str:
        seen.add(now := documents.version())
        return now

    for number in (1, 2, 3):
        assert documents.write("synonyms", "house", SOFAS).version == number
        version()
    documents.delete("synonyms", "house")
    version()
    with pytest.raises(DocumentNotFound, match="there is no document 'house' of synonyms"):
        documents.read("synonyms", "house")
    assert (documents.names("synonyms"), documents.read_all()) == ([], [])
    assert documents.write("synonyms", "house", SHOES, expected=0).version == 5
    version()
    assert len(seen) == 6
    assert version() == documents.version()


def test_a_write_replaces_what_it_expects_and_nothing_else(documents: Documents) -> None:
    with pytest.raises(DocumentChanged, match="is not there, not 3"):
        documents.write("synonyms", "house", SOFAS, expected=3)
    documents.write("synonyms", "house", SOFAS, expected=0)
    with pytest.raises(DocumentChanged, match="is of version 1, and was to be new"):
        documents.write("synonyms", "house", SHOES, expected=0)
    assert documents.write("synonyms", "house", SHOES, expected=1).version == 2
    for late in (
        lambda: documents.write("synonyms", "house", SOFAS, 1),
        lambda: documents.delete("synonyms", "house", 1),
    ):
        with pytest.raises(DocumentChanged, match="is of version 2, not 1: read it again"):
            late()
    assert documents.read("synonyms", "house").content == SHOES
    documents.delete("synonyms", "house", expected=2)
    with pytest.raises(DocumentNotFound):
        documents.delete("synonyms", "house")


def test_what_is_wrong_is_refused_before_anything_is_written(documents: Documents) -> None:
    before = documents.version()
    for name in ("", "House", "a/b", "..", ".a", "a.1", "-a", "ä", "a" * 65, "a\n"):
        with pytest.raises(DocumentInvalid, match="is no name for a document"):
            documents.write("synonyms", name, SOFAS)
        with pytest.raises(DocumentInvalid, match="is no name for a document"):
            documents.read("synonyms", name)
    with pytest.raises(DocumentInvalid, match=r"^groups\.0: .*at least 2 items"):
        documents.write("synonyms", "house", {"groups": [["sofa"]]})
    with pytest.raises(DocumentInvalid, match=f"larger than {MAX_DOCUMENT_BYTES:,} bytes"):
        documents.write("calibrations", "house", {"a": "é" * (MAX_DOCUMENT_BYTES // 2)})
    assert (documents.version(), documents.read_all()) == (before, [])


def test_there_is_a_most_of_a_kind(documents: Documents, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_DOCUMENTS == 200
    monkeypatch.setattr("index.documents.MAX_DOCUMENTS", 2)
    for name in ("a", "b"):
        documents.write("synonyms", name, SOFAS)
    with pytest.raises(DocumentInvalid, match="there are 2 synonyms already"):
        documents.write("synonyms", "c", SOFAS)
    assert documents.write("synonyms", "b", SHOES).version == 2
    assert documents.write("policies", "c", BODIES["policies"]).version == 1
    # What was deleted takes no place, and very old deletions are forgotten.
    for round in range(12):
        documents.delete("synonyms", "b")
        documents.write("synonyms", "b", SHOES)
        documents.write("calibrations", f"c{round}", {})
        documents.delete("calibrations", f"c{round}")
    assert documents.write("calibrations", "c0", {}).version == 1
    assert documents.write("calibrations", "c11", {}).version == 3


def test_documents_stay_through_ingests_switches_and_rollbacks(store: IndexStore) -> None:
    store.documents.write("synonyms", "house", SOFAS)
    assert (store.version(), store.generations()) == (None, [])
    for fingerprint in ("a" * 64, "b" * 64):
        with store.lock():
            build = store.begin(index_record(embedding=spec(fingerprint=fingerprint)))
            build.upsert([make_point(1)])
            build.commit()
    store.documents.write("policies", "knives", BODIES["policies"])
    first, second = (generation.name for generation in store.generations())
    with store.lock():
        store.switch(first)
        assert [index.count() for index in store.open_all()] == [1, 1]
        store.remove(second)
    assert [generation.name for generation in store.generations()] == [first]
    assert [document.name for document in store.documents.read_all()] == ["knives", "house"]
    with closing(store.open()) as index:
        assert index.count() == 1


def test_another_store_of_the_same_collection_reads_what_one_has_written(store: IndexStore, tmp_path: Path) -> None:
    other = _again(store, tmp_path)
    before = other.version()
    store.documents.write("synonyms", "house", SOFAS)
    assert other.version() != before
    assert other.read("synonyms", "house").content == SOFAS
    assert other.write("synonyms", "house", SHOES, expected=1).version == 2
    assert store.documents.read("synonyms", "house").content == SHOES


def _again(store: IndexStore, folder: Path) -> Documents:
    """The documents of the same collection, as another process opens them."""
    if isinstance(store, EmbeddedStore):
        return EmbeddedStore(folder, "products").documents
    assert isinstance(store, ServerStore)
    return ServerStore(store.client, store.settings, store.url).documents


def test_of_two_collections_each_has_its_own(engine: Engine, tmp_path: Path) -> None:
    ours, theirs = engine(tmp_path / "a"), engine(tmp_path / "b")
    first, second = next(ours).documents, next(theirs).documents
    first.write("synonyms", "house", SOFAS)
    assert second.read_all() == []
    for rest in (ours, theirs):
        next(rest, None)


class TestFiles:
    """What only the embedded documents can meet."""

    @pytest.fixture
    def documents(self, tmp_path: Path) -> Documents:
        return EmbeddedStore(tmp_path, "products").documents

    @pytest.fixture
    def file(self, documents: Documents, tmp_path: Path) -> Path:
        documents.write("synonyms", "house", SOFAS)
        documents.write("synonyms", "shoes", SHOES)
        return tmp_path / "products/documents/synonyms/house.1.json"

    @pytest.mark.parametrize(
        "harm",
        [
            b"",
            b'{"changed": "2026-',
            b"\xff\xfe",
            b"[]",
            b'{"changed": "2026-11-26T00:00:00Z", "body": {"groups": []}}',
            b"[" * 100_000,
            b" " * (3 * MAX_DOCUMENT_BYTES),
        ],
        ids=["empty", "cut off", "no text", "no document", "nothing in it", "deep", "huge"],
    )
    def test_a_damaged_one_is_said_and_the_others_are_read(
        self, harm: bytes, documents: Documents, file: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        before = documents.version()
        assert len(documents.read_all()) == 2
        file.write_bytes(harm)
        assert documents.version() != before
        for _ in range(2):
            assert [document.name for document in documents.read_all()] == ["shoes"]
        said = [record.getMessage() for record in caplog.records]
        assert len(said) == 1
        assert said[0].startswith("version 1 of the document 'house' of synonyms cannot be read (")
        with pytest.raises(DocumentDamaged, match="write it anew, or delete it"):
            documents.read("synonyms", "house")
        assert _names(documents, "synonyms") == {"house": 1, "shoes": 1}
        assert documents.write("synonyms", "house", SHOES, expected=1).version == 2
        assert documents.read("synonyms", "house").content == SHOES

    def test_a_damaged_one_can_be_deleted(self, documents: Documents, file: Path) -> None:
        file.write_bytes(b"")
        documents.delete("synonyms", "house")
        assert _names(documents, "synonyms") == {"shoes": 1}

    def test_one_that_is_edited_is_read_anew(self, documents: Documents, file: Path) -> None:
        documents.read_all()
        kept = json.loads(file.read_text(encoding="utf-8"))
        file.write_text(json.dumps(kept | {"body": SHOES}), encoding="utf-8")
        assert documents.read("synonyms", "house").content == SHOES

    def test_what_an_older_version_let_be_written_is_read(self, documents: Documents, tmp_path: Path) -> None:
        documents.write("calibrations", "house", {"foo": 1})
        kept = tmp_path / "products/documents/calibrations/house.1.json"
        kept.rename(kept.with_name("search.1.json"))
        assert documents.read("calibrations", "search").content == {"foo": 1}
        with pytest.raises(DocumentInvalid):
            documents.write("calibrations", "search", {"foo": 1}, expected=1)

    def test_what_else_lies_there_is_nobodys(self, documents: Documents, file: Path) -> None:
        for name in ("house.json", "house.01.json", ".house.1.json.aside", "HOUSE.1.json", "notes.txt"):
            file.with_name(name).write_text("?", encoding="utf-8")
        file.with_name("folder.1.json").mkdir()
        assert _names(documents, "synonyms") == {"house": 1, "shoes": 1}

    def test_of_processes_that_write_at_once_each_counts(self, tmp_path: Path) -> None:
        """Each adds its groups to what it has read, and tries again where another was quicker."""
        jobs = [start(_add_groups, tmp_path, writer) for writer in "abc"]
        for process, report in jobs:
            assert report.recv() == "done"
            process.join()
        document = EmbeddedStore(tmp_path, "products").documents.read("synonyms", "all")
        assert document.version == 30
        assert sorted(group[0] for group in document.content["groups"]) == sorted(
            f"{writer}{number}" for writer in "abc" for number in range(10)
        )
        assert [path.name for path in (tmp_path / "products/documents/synonyms").iterdir()] == ["all.30.json"]


def _add_groups(folder: Path, writer: str, report: Connection) -> None:
    _add(EmbeddedStore(folder, "products").documents, writer, 10)
    report.send("done")


def _add(documents: Documents, writer: str, times: int) -> None:
    for number in range(times):
        while True:
            try:
                read = documents.read("synonyms", "all")
                groups, version = read.content["groups"], read.version
            except DocumentNotFound:
                groups, version = [], 0
            try:
                documents.write("synonyms", "all", {"groups": [*groups, [f"{writer}{number}", "x"]]}, version)
                break
            except DocumentChanged:
                continue


class TestServer:
    """What only the documents of a server can meet."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[ServerStore]:
        with qdrant_server() as server:
            self.server = server
            opened = open_store(IndexSettings(qdrant_url=server.url, data_dir=tmp_path))
            assert isinstance(opened, ServerStore)
            yield opened

    def test_of_writers_at_once_each_counts(self, store: ServerStore, tmp_path: Path) -> None:
        stores = [open_store(IndexSettings(qdrant_url=store.url, data_dir=tmp_path)) for _ in range(3)]
        with ThreadPoolExecutor() as threads:
            list(threads.map(lambda one: _add(one[0].documents, one[1], 4), zip(stores, "abc", strict=True)))
        document = store.documents.read("synonyms", "all")
        assert (document.version, len(document.content["groups"])) == (12, 12)
        names = [collection.name for collection in self.server.client.get_collections().collections]
        assert names == ["products--documents.synonyms.all.12"]

    def test_looking_for_changes_is_one_question(self, store: ServerStore) -> None:
        for name in "abc":
            store.documents.write("synonyms", name, SOFAS)
        store.documents.read_all()
        self.server.asked.clear()
        store.documents.version()
        assert self.server.asked == ["GET /collections"]

    def test_a_writer_who_comes_late_does_not_win_with_a_number_that_is_free_again(
        self, store: ServerStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store.documents.write("synonyms", "house", SOFAS)
        late = open_store(store.settings).documents
        late.read_all()
        create, asked = self.server.client.create_collection, list[str]()

        def others_first(name: str, *rest: Any, **options: Any) -> Any:
            if not asked:
                asked.append(name)
                for version in (2, 3):
                    create(name.replace(".2", f".{version}"), *rest, **options)
                self.server.client.delete_collection(name)
            return create(name, *rest, **options)

        monkeypatch.setattr(self.server.client, "create_collection", others_first)
        with pytest.raises(DocumentChanged):
            late.write("synonyms", "house", SHOES, expected=1)
        assert _names(store.documents, "synonyms") == {"house": 3}

    def test_a_write_whose_answer_is_lost_counts_once(
        self, store: ServerStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        create = self.server.client.create_collection
        bad = iter([True])

        def lost(name: str, *rest: Any, **options: Any) -> Any:
            create(name, *rest, **options)
            if next(bad, False):
                raise ValueError("timed out")

        monkeypatch.setattr(self.server.client, "create_collection", lost)
        assert store.documents.write("synonyms", "house", SOFAS, expected=0).version == 1
        assert store.documents.read("synonyms", "house").content == SOFAS

    def test_a_collection_that_has_none_is_said(self, store: ServerStore, caplog: pytest.LogCaptureFixture) -> None:
        self.server.client.create_collection("products--documents.synonyms.house.4", {})
        self.server.client.create_collection(
            "products--documents.unknown.house.4", {"image": models.VectorParams(size=2, distance=models.Distance.DOT)}
        )
        assert store.documents.read_all() == []
        assert ["products--documents.synonyms.house.4" in record.getMessage() for record in caplog.records] == [True]
        assert store.documents.write("synonyms", "house", SOFAS).version == 5

    def test_a_server_that_is_away_is_no_empty_one(self, store: ServerStore) -> None:
        self.server.bad_day = lambda _: (500, "no")
        for ask in (store.documents.version, store.documents.read_all, lambda: store.documents.read("rules", "a")):
            with pytest.raises(IndexUnavailable):
                ask()
        with pytest.raises(IndexUnavailable):
            store.documents.write("synonyms", "house", SOFAS)


def test_a_writer_that_died_before_it_removed_what_it_replaced_has_written(store: IndexStore, tmp_path: Path) -> None:
    documents = store.documents
    documents.write("synonyms", "house", SOFAS)
    with _dying(store, tmp_path):
        documents.write("synonyms", "house", SHOES, expected=1)
    assert documents.read("synonyms", "house").content == SHOES
    assert _names(documents, "synonyms") == {"house": 2}
    with _dying(store, tmp_path):
        documents.delete("synonyms", "house", expected=2)
    assert documents.read_all() == []
    assert documents.write("synonyms", "house", SOFAS, expected=0).version == 4
    assert documents.read_all() == [documents.read("synonyms", "house")]


@contextmanager
def _dying(store: IndexStore, folder: Path) -> Iterator[None]:
    """What is removed within is there again afterwards, as where the writer died after it had written."""
    if isinstance(store, EmbeddedStore):
        files = {path: path.read_bytes() for path in folder.glob("products/documents/*/*.json")}
        assert files
        yield
        for path, written in files.items():
            assert not path.exists()
            path.write_bytes(written)
    else:
        assert isinstance(store, ServerStore)
        client, prefix = store.client, f"{store.settings.collection}--documents."
        names = [one.name for one in client.get_collections().collections if one.name.startswith(prefix)]
        assert names
        metadata = {name: client.get_collection(name).config.metadata for name in names}
        yield
        for name in names:
            assert not client.collection_exists(name)
            client.create_collection(
                name, vectors_config={}, sharding_method=models.ShardingMethod.CUSTOM, metadata=metadata[name]
            )
