"""The collections of one index on a Qdrant server, and the alias on the one that serves."""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from pydantic import ValidationError
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import UnexpectedResponse

from index.engine import IMAGE_GRAPH
from index.protocols import DENSE
from index.server.engine import answering
from schemas import IndexDamaged, IndexRecord, IndexUnavailable

_RECORD, _REVISION = "storelens_record", "storelens_revision"


class Collections:
    """Collections are called ``ALIAS--NNNNNN``. Their metadata hold a record, and a revision that every commit raises.

    Whatever is asked of the server here may be asked twice without harm: its answer may have been lost.
    """

    def __init__(self, client: QdrantClient, alias: str, url: str) -> None:
        self._client = client
        self.alias = alias
        self.url = url

    def names(self) -> list[str]:
        with answering(self.url):
            names = [collection.name for collection in self._client.get_collections().collections]
        return sorted(name for name in names if re.fullmatch(re.escape(self.alias) + r"--\d{6}", name))

    def serving(self) -> str | None:
        with answering(self.url):
            aliases = self._client.get_aliases().aliases
        return next((alias.collection_name for alias in aliases if alias.alias_name == self.alias), None)

    def state(self) -> tuple[Mapping[str, Any], int | None] | None:
        """Metadata and number of points of what serves, in one request; None where there is no such collection.

        Whoever has seen both before need not ask for more.
        """
        try:
            with answering(self.url):
                info = self._client.get_collection(self.alias)
        except ValueError:  # qdrant-client's emulator
            return None
        except IndexUnavailable as error:
            cause = error.__cause__
            if isinstance(cause, UnexpectedResponse) and cause.status_code == HTTPStatus.NOT_FOUND:
                return None
            raise
        return info.config.metadata or {}, info.points_count

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

    def describe(self, collection: str, record: IndexRecord, revision: int) -> None:
        with answering(self.url):
            self._client.update_collection(collection, metadata=_metadata(record, revision))

    def committed(self) -> dict[str, IndexRecord]:
        """Generations: what serves, and what served once."""
        serving = self.serving()
        found = {name: self.description(name) for name in self.names()}
        return {name: record for name, (record, revision) in found.items() if revision > 0 or name == serving}

    def unfinished(self) -> dict[str, IndexRecord]:
        """Builds that jobs left behind before their first commit."""
        serving = self.serving()
        others = {name: self.description(name) for name in self.names() if name != serving}
        return {name: record for name, (record, revision) in others.items() if revision == 0}

    def create(self, record: IndexRecord, shards: int | None = None, replicas: int | None = None) -> str:
        """A new collection. Left out, the server chooses: a shard a node, and one copy of each."""
        last = max((int(name[-6:]) for name in self.names()), default=0)
        name = f"{self.alias}--{last + 1:06d}"
        dimension = record.embedding.dimension
        try:
            with answering(self.url):
                self._client.create_collection(
                    name,
                    vectors_config={vector: _params(dimension, images=vector == "image") for vector in DENSE},
                    sparse_vectors_config={"lexical": models.SparseVectorParams(modifier=models.Modifier.IDF)},
                    shard_number=shards,
                    replication_factor=replicas,
                    metadata=_metadata(record, 0),
                )
        except IndexUnavailable:
            # Asked again because the answer was lost, the server refuses what it has done already.
            if name not in self.names() or self.description(name) != (record, 0):
                raise
        return name

    def serve(self, collection: str) -> None:
        """Put the alias on a collection, in one step."""
        drop = [models.DeleteAliasOperation(delete_alias=models.DeleteAlias(alias_name=self.alias))]
        create = models.CreateAlias(collection_name=collection, alias_name=self.alias)
        with answering(self.url):
            self._client.update_collection_aliases(
                [*(drop if self.serving() else []), models.CreateAliasOperation(create_alias=create)]
            )

    def delete(self, collection: str) -> None:
        with answering(self.url):
            self._client.delete_collection(collection)

    def taken(self) -> bool:
        """Whether the alias's name is that of somebody's collection."""
        with answering(self.url):
            return self.serving() is None and self._client.collection_exists(self.alias)

    def layout(self, collection: str) -> tuple[int | None, int | None]:
        """How many shards a collection has, and copies of each."""
        with answering(self.url):
            params = self._client.get_collection(collection).config.params
        return params.shard_number, params.replication_factor


def _params(dimension: int, images: bool) -> models.VectorParams:
    int8 = models.ScalarQuantizationConfig(type=models.ScalarType.INT8, quantile=0.99, always_ram=True)
    return models.VectorParams(
        size=dimension,
        distance=models.Distance.COSINE,
        multivector_config=models.MultiVectorConfig(comparator=models.MultiVectorComparator.MAX_SIM)
        if images
        else None,
        hnsw_config=models.HnswConfigDiff(m=IMAGE_GRAPH[0], ef_construct=IMAGE_GRAPH[1]) if images else None,
        quantization_config=models.ScalarQuantization(scalar=int8),
    )


def _metadata(record: IndexRecord, revision: int) -> dict[str, Any]:
    # As one string: the server merges metadata, and a field that went would stay.
    return {_RECORD: record.model_dump_json(), _REVISION: revision}
