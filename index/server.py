"""A Qdrant server or cluster, through qdrant-client: a collection a generation, and an alias on the one that serves."""

from __future__ import annotations

import os
import re
import tempfile
import warnings
from collections.abc import Mapping
from contextlib import AbstractContextManager
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import ValidationError
from qdrant_client import QdrantClient, models

from index.catalog_index import DENSE, Latest
from index.locks import writer_lock
from index.reader import Reader
from index.server_engine import ServerEngine, answering
from index.settings import IndexSettings
from index.writer import Writer, continued, described
from schemas import ConfigurationError, IndexDamaged, IndexMissing, IndexRecord

_TIMEOUT_SECONDS = 60
_RECORD, _REVISION = "storelens_record", "storelens_revision"


class ServerStore:
    """An ``IndexStore`` on a server.

    Writes are in place and seen at once; only an index for another model is built beside the one
    that serves. Collections are called ``NAME--NNNNNN``, and the alias ``NAME`` is on the one that
    serves. A collection's metadata hold its record, and a revision that every commit raises.
    """

    def __init__(self, client: QdrantClient, collection: str, url: str) -> None:
        self._client = client
        self._alias = collection
        self.url = url

    @classmethod
    def connect(cls, settings: IndexSettings) -> ServerStore:
        """Nothing is asked of the server yet. Raises ConfigurationError when the address is none."""
        key = settings.qdrant_api_key.get_secret_value() if settings.qdrant_api_key else None
        try:
            # Names and passwords in the address are not for messages.
            parts = urlsplit(settings.qdrant_url or "")
            shown = f"{parts.scheme}://{parts.hostname}:{parts.port or 6333}"
            with warnings.catch_warnings():
                # It warns of a key sent without TLS, as is usual between containers.
                warnings.simplefilter("ignore", UserWarning)
                client = QdrantClient(
                    settings.qdrant_url, api_key=key, timeout=_TIMEOUT_SECONDS, check_compatibility=False
                )
        except ValueError as error:
            raise ConfigurationError(
                "STORELENS_QDRANT_URL is not an address such as http://localhost:6333", field="qdrant_url"
            ) from error
        return cls(client, settings.collection, shown)

    def open(self) -> Reader:
        collection = self._serving()
        if collection is None:
            raise IndexMissing(f"there is no index {self._alias!r} at {self.url}: ingest a catalog first")
        record, revision = self.description(collection)
        return Reader(ServerEngine(self._client, collection, self.url), record, f"{collection}.{revision}")

    def version(self) -> str | None:
        collection = self._serving()
        return f"{collection}.{self.description(collection)[1]}" if collection else None

    def record(self) -> IndexRecord | None:
        collection = self._serving()
        return self.description(collection)[0] if collection else None

    def lock(self) -> AbstractContextManager[None]:
        """Holds off other jobs of this user on this machine: a Qdrant server has no locks to offer."""
        name = sha256(f"{self.url} {self._alias}".encode()).hexdigest()[:16]
        return writer_lock(Path(tempfile.gettempdir()) / f"storelens-{os.getuid()}-{name}.lock")

    def latest(self, record: IndexRecord) -> Latest | None:
        serving = self._serving()
        if serving and not self.description(serving)[0].differences(record):
            collection, resumed = serving, False
        elif left := _going_on(self._unfinished(serving), record):
            collection, resumed = left, True
        else:
            return None
        base, revision = self.description(collection)
        engine = ServerEngine(self._client, collection, self.url)
        return Latest(Reader(engine, described(base, record), f"{collection}.{revision}"), resumed)

    def begin(self, record: IndexRecord) -> ServerBuild:
        serving = self._serving()
        if serving and not self.description(serving)[0].differences(record):
            return self._go_on(serving, record, in_place=True, fresh=False)
        self._refuse_foreign(serving)
        unfinished = self._unfinished(serving)
        left = _going_on(unfinished, record)
        for name in unfinished.keys() - {left}:
            with answering(self.url):
                self._client.delete_collection(name)
        if left:
            return self._go_on(left, record, in_place=False, fresh=serving is not None)
        return ServerBuild(self, self._client, self._create(record), record, fresh=serving is not None)

    def _go_on(self, collection: str, record: IndexRecord, *, in_place: bool, fresh: bool) -> ServerBuild:
        base, revision = self.description(collection)
        record = continued(base, record)
        build = ServerBuild(self, self._client, collection, record, fresh=fresh, resumed=not in_place)
        if record.fields != base.fields:
            # Stored values are widened by now: readers are told at once, not with the commit.
            self._describe(collection, record, revision + in_place)
        return build

    def _refuse_foreign(self, serving: str | None) -> None:
        with answering(self.url):
            taken = serving is None and self._client.collection_exists(self._alias)
        if taken:
            raise ConfigurationError(
                f"{self.url} has a collection {self._alias!r} that is not StoreLens's; choose another name",
                field="collection",
            )

    def _unfinished(self, serving: str | None) -> dict[str, IndexRecord]:
        """Builds that jobs left behind before their first commit."""
        others = {name: self.description(name) for name in self._collections() if name != serving}
        return {name: record for name, (record, revision) in others.items() if revision == 0}

    def _create(self, record: IndexRecord) -> str:
        last = max((int(name[-6:]) for name in self._collections()), default=0)
        name = f"{self._alias}--{last + 1:06d}"
        dimension = record.embedding.dimension
        with answering(self.url):
            self._client.create_collection(
                name,
                vectors_config={vector: _params(dimension, pictures=vector == "image") for vector in DENSE},
                sparse_vectors_config={"lexical": models.SparseVectorParams(modifier=models.Modifier.IDF)},
                metadata=_metadata(record, 0),
            )
        return name

    def publish(self, collection: str, record: IndexRecord) -> str:
        """Let a collection serve; the one that served before is kept, older ones go."""
        previous = self._serving()
        if previous != collection:
            with answering(self.url):
                drop = [models.DeleteAliasOperation(delete_alias=models.DeleteAlias(alias_name=self._alias))]
                create = models.CreateAlias(collection_name=collection, alias_name=self._alias)
                self._client.update_collection_aliases(
                    [*(drop if previous else []), models.CreateAliasOperation(create_alias=create)]
                )
        revision = self.description(collection)[1] + 1
        self._describe(collection, record, revision)
        for name in self._collections():
            if previous != collection and name not in (collection, previous):
                with answering(self.url):
                    self._client.delete_collection(name)
        return f"{collection}.{revision}"

    def _describe(self, collection: str, record: IndexRecord, revision: int) -> None:
        with answering(self.url):
            self._client.update_collection(collection, metadata=_metadata(record, revision))

    def description(self, collection: str) -> tuple[IndexRecord, int]:
        """Record and revision of a collection. Raises IndexDamaged when StoreLens did not write them."""
        with answering(self.url):
            metadata: Mapping[str, Any] = self._client.get_collection(collection).config.metadata or {}
        try:
            return IndexRecord.model_validate_json(metadata[_RECORD]), int(metadata[_REVISION])
        except (KeyError, TypeError, ValidationError) as error:
            raise IndexDamaged(
                f"collection {collection!r} at {self.url} has no StoreLens record in its metadata; remove it, "
                "or choose another collection name (servers before 1.16 keep no metadata)"
            ) from error

    def _serving(self) -> str | None:
        with answering(self.url):
            aliases = self._client.get_aliases().aliases
        return next((alias.collection_name for alias in aliases if alias.alias_name == self._alias), None)

    def _collections(self) -> list[str]:
        with answering(self.url):
            names = [collection.name for collection in self._client.get_collections().collections]
        return sorted(name for name in names if re.fullmatch(re.escape(self._alias) + r"--\d{6}", name))


class ServerBuild(Writer):
    """An ``IndexBuild`` in the collection that serves, or beside it where the model is another."""

    def __init__(
        self,
        store: ServerStore,
        client: QdrantClient,
        collection: str,
        record: IndexRecord,
        *,
        fresh: bool,
        resumed: bool = False,
    ) -> None:
        engine = ServerEngine(client, collection, store.url)
        super().__init__(engine, Reader(engine, record, "building"))
        self._store = store
        self._collection = collection
        self._record = record
        self.fresh = fresh
        self.resumed = resumed

    def optimize(self) -> None:
        """Servers do that by themselves."""

    def commit(self) -> str:
        return self._store.publish(self._collection, self._record)

    def discard(self) -> None:
        """What was written stays; a collection that never served is gone on with, or removed, by the next build."""


def _going_on(unfinished: Mapping[str, IndexRecord], record: IndexRecord) -> str | None:
    """The last of the unfinished builds that this record can go on with."""
    return max((name for name, left in unfinished.items() if not left.differences(record)), default=None)


def _params(dimension: int, pictures: bool) -> models.VectorParams:
    int8 = models.ScalarQuantizationConfig(type=models.ScalarType.INT8, quantile=0.99, always_ram=True)
    return models.VectorParams(
        size=dimension,
        distance=models.Distance.COSINE,
        multivector_config=models.MultiVectorConfig(comparator=models.MultiVectorComparator.MAX_SIM)
        if pictures
        else None,
        quantization_config=models.ScalarQuantization(scalar=int8),
    )


def _metadata(record: IndexRecord, revision: int) -> dict[str, Any]:
    # As one string: the server merges metadata, and a field that went would stay.
    return {_RECORD: record.model_dump_json(), _REVISION: revision}
