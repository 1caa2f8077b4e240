"""The ``Engine`` of a Qdrant server: one collection over REST."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast
from uuid import UUID

import httpx
from qdrant_client import QdrantClient, models
from qdrant_client.common.client_exceptions import QdrantException
from qdrant_client.http.exceptions import ApiException, UnexpectedResponse

from index.engine import EnginePoint, RawVector, Search, count_numbers
from index.lexical import Sparse
from index.paths import field_path
from index.protocols import Candidate, VectorName
from schemas import FieldKind, IndexUnavailable

log = logging.getLogger(__name__)

_KINDS: dict[FieldKind, models.PayloadSchemaType] = {
    "keyword": models.PayloadSchemaType.KEYWORD,
    "integer": models.PayloadSchemaType.INTEGER,
    "float": models.PayloadSchemaType.FLOAT,
    "bool": models.PayloadSchemaType.BOOL,
}
# Candidates found by quantized scores are scored again, and no more than those: scores are exact cosines.
_RESCORE = models.SearchParams(quantization=models.QuantizationSearchParams(rescore=True))
_NO_ID = models.IsEmptyCondition(is_empty=models.PayloadField(key=field_path("id")))
_MOST_NUMBERS = 500_000
"""Numbers in the vectors of one request: about 10 MB of JSON, where servers refuse 32 MB."""


@contextmanager
def answering(url: str) -> Iterator[None]:
    """Turns every way in which a server can fail to answer into IndexUnavailable."""
    try:
        yield
    except UnexpectedResponse as error:
        if error.status_code in (401, 403):
            raise IndexUnavailable(
                f"the Qdrant server at {url} refuses the API key; set STORELENS_QDRANT_API_KEY"
            ) from error
        said = " ".join(str(error).split())
        raise IndexUnavailable(f"the Qdrant server at {url} refuses a request: {said}") from error
    except (ApiException, QdrantException, httpx.HTTPError, OSError) as error:
        reason = str(getattr(error, "source", None) or error).partition("\n")[0]
        raise IndexUnavailable(
            f"the Qdrant server at {url} does not answer ({reason}); start it, or correct STORELENS_QDRANT_URL"
        ) from error


class Foreign:
    """The points of a collection that StoreLens did not write: they have no ``id`` among their fields.

    Anybody with the key can write into a collection. While there are such points, every question leaves them out;
    while there are none, none is slowed down by it.

    Args:
        tells: Whether products of this index have that field, as those of every catalog do.
    """

    def __init__(self, client: QdrantClient, collection: str, url: str, tells: bool) -> None:
        self._client = client
        self._collection = collection
        self._url = url
        self._tells = tells
        self._told = False
        self.there = False

    def count(self) -> int:
        if not self._tells:
            return 0
        with answering(self._url):
            count = self._client.count(self._collection, models.Filter(must=[_NO_ID]), exact=True).count
        if count:
            self.met(str(count))
        else:
            self.there = False
        return count

    def met(self, many: str = "some") -> None:
        self.there = self._tells
        if not self._told:
            self._told = True
            log.warning(
                "collection %s has points that StoreLens did not write (%s): they are left out of every answer; "
                "`python -m evaluation audit` counts them",
                *(self._collection, many),
            )

    def left_out(self, filter: models.Filter | None) -> models.Filter | None:
        if not self.there:
            return filter
        return models.Filter(must=[filter] if filter else None, must_not=[_NO_ID])


class ServerEngine:
    """One collection. ``url`` is for messages."""

    def __init__(self, client: QdrantClient, collection: str, url: str, foreign: Foreign) -> None:
        self._client = client
        self._collection = collection
        self._url = url
        self._foreign = foreign

    def search(self, searches: Sequence[Search], filter: models.Filter | None, limit: int) -> list[list[Candidate]]:
        requests = [
            models.QueryRequest(
                query=models.NearestQuery(nearest=_query(search)),
                using=search.vector,
                filter=self._foreign.left_out(filter),
                limit=limit,
                params=None if search.vector == "lexical" else _RESCORE,
                with_payload=False,
                with_vector=False,
            )
            for search in searches
        ]
        with answering(self._url):
            responses = self._client.query_batch_points(self._collection, requests)
        return [
            [Candidate(id, point.score) for point in response.points if (id := self._uuid(point.id))]
            for response in responses
        ]

    def retrieve(
        self, ids: Sequence[UUID], payload: bool | list[str], vectors: Sequence[VectorName] = ()
    ) -> list[EnginePoint]:
        with answering(self._url):
            records = self._client.retrieve(
                self._collection, [str(id) for id in ids], with_payload=payload, with_vectors=list(vectors) or False
            )
        return [EnginePoint(UUID(str(record.id)), record.payload or {}, _read(record.vector)) for record in records]

    def scroll(self, filter: models.Filter | None, limit: int, start: UUID | None) -> list[UUID]:
        found: list[UUID] = []
        offset: object = str(start) if start else None
        while True:
            with answering(self._url):
                records, offset = self._client.scroll(
                    self._collection,
                    self._foreign.left_out(filter),
                    limit=limit,
                    offset=cast(Any, offset),
                    with_payload=False,
                )
            found += [id for record in records if (id := self._uuid(record.id))]
            # Numbers come before UUIDs, so that a page may be of nothing else.
            if offset is None or len(found) >= limit:
                return found[:limit]

    def holders(self, path: str, values: Sequence[str]) -> dict[str, UUID]:
        requests = [
            models.QueryRequest(
                filter=self._foreign.left_out(models.Filter(must=[condition])),
                limit=1,
                with_payload=False,
                with_vector=False,
            )
            for value in values
            if (condition := models.FieldCondition(key=path, match=models.MatchValue(value=value)))
        ]
        if not requests:
            return {}
        with answering(self._url):
            responses = self._client.query_batch_points(self._collection, requests)
        return {
            value: id
            for value, response in zip(values, responses, strict=True)
            if response.points and (id := self._uuid(response.points[0].id))
        }

    def ordered(
        self, path: str, descending: bool, filter: models.Filter | None, limit: int
    ) -> list[tuple[UUID, float]]:
        order = models.OrderBy(key=path, direction=models.Direction.DESC if descending else models.Direction.ASC)
        with answering(self._url):
            records, _ = self._client.scroll(
                self._collection, self._foreign.left_out(filter), limit, order_by=order, with_payload=False
            )
        return [(id, float(cast(float, record.order_value))) for record in records if (id := self._uuid(record.id))]

    def count(self, filter: models.Filter | None) -> int:
        with answering(self._url):
            return self._client.count(self._collection, self._foreign.left_out(filter), exact=True).count

    def facet(self, path: str, filter: models.Filter | None, limit: int) -> list[tuple[str | int | bool, int]]:
        with answering(self._url):
            response = self._client.facet(self._collection, path, self._foreign.left_out(filter), limit, exact=True)
        return [(hit.value, hit.count) for hit in response.hits]

    def foreign(self) -> int:
        return self._foreign.count()

    def met_foreign(self) -> None:
        self._foreign.met()

    def _uuid(self, id: object) -> UUID | None:
        """The id of a point; None of one with a number, which cannot be ours."""
        if isinstance(id, UUID):
            return id
        if isinstance(id, str):
            return UUID(id)
        self._foreign.met()
        return None

    def payload_indexes(self) -> dict[str, FieldKind]:
        kinds = {schema: kind for kind, schema in _KINDS.items()}
        with answering(self._url):
            schema = self._client.get_collection(self._collection).payload_schema
        return {path: kinds[info.data_type] for path, info in schema.items() if info.data_type in kinds}

    def index_payload(self, path: str, kind: FieldKind) -> None:
        with answering(self._url):
            self._client.create_payload_index(self._collection, path, _KINDS[kind], wait=True)

    def upsert(self, rows: Sequence[EnginePoint]) -> None:
        for batch in _batches(rows):
            points = [
                models.PointStruct(
                    id=str(row.id),
                    vector={name: _write(vector) for name, vector in row.vectors.items()},
                    payload=row.payload,
                )
                for row in batch
            ]
            with answering(self._url):
                self._client.upsert(self._collection, points, wait=True)

    def overwrite_payload(self, payloads: Mapping[UUID, dict[str, Any]]) -> None:
        operations = [
            models.OverwritePayloadOperation(overwrite_payload=models.SetPayload(payload=payload, points=[str(id)]))
            for id, payload in payloads.items()
        ]
        if operations:
            with answering(self._url):
                self._client.batch_update_points(self._collection, operations, wait=True)

    def merge_payload(self, payloads: Mapping[UUID, dict[str, Any]]) -> None:
        operations = [
            models.SetPayloadOperation(set_payload=models.SetPayload(payload=payload, points=[str(id)]))
            for id, payload in payloads.items()
        ]
        if operations:
            with answering(self._url):
                self._client.batch_update_points(self._collection, operations, wait=True)

    def drop_payload(self, ids: Sequence[UUID], key: str) -> None:
        if ids:
            with answering(self._url):
                self._client.delete_payload(self._collection, [key], points=[str(id) for id in ids], wait=True)

    def delete(self, ids: Sequence[UUID]) -> None:
        if ids:
            with answering(self._url):
                self._client.delete(self._collection, models.PointIdsList(points=[str(id) for id in ids]), wait=True)

    def close(self) -> None:
        """Nothing to let go of: the client belongs to the store."""


def _batches(rows: Sequence[EnginePoint]) -> Iterator[list[EnginePoint]]:
    batch: list[EnginePoint] = []
    numbers = 0
    for row in rows:
        size = sum(count_numbers(vector) for vector in row.vectors.values())
        if batch and numbers + size > _MOST_NUMBERS:
            yield batch
            batch, numbers = [], 0
        batch.append(row)
        numbers += size
    if batch:
        yield batch


def _query(search: Search) -> Any:
    return [search.query] if search.vector == "image" else _write(search.query)


def _write(vector: RawVector) -> Any:
    return models.SparseVector(indices=vector.indices, values=vector.values) if isinstance(vector, Sparse) else vector


def _read(vectors: Any) -> dict[VectorName, RawVector]:
    return {
        name: Sparse(vector.indices, vector.values) if isinstance(vector, models.SparseVector) else vector
        for name, vector in (vectors or {}).items()
    }
