"""The ``Engine`` of a Qdrant server: one collection over REST."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast
from uuid import UUID

import httpx
from qdrant_client import QdrantClient, models
from qdrant_client.common.client_exceptions import QdrantException
from qdrant_client.http.exceptions import ApiException, UnexpectedResponse

from index.catalog_index import Candidate, VectorName
from index.engine import RawVector, Row, Search, count_numbers
from index.lexical import Sparse
from schemas import FieldKind, IndexUnavailable

_KINDS: dict[FieldKind, models.PayloadSchemaType] = {
    "keyword": models.PayloadSchemaType.KEYWORD,
    "integer": models.PayloadSchemaType.INTEGER,
    "float": models.PayloadSchemaType.FLOAT,
    "bool": models.PayloadSchemaType.BOOL,
}
# Candidates found by quantized scores are scored again, and no more than those: scores are exact cosines.
_RESCORE = models.SearchParams(quantization=models.QuantizationSearchParams(rescore=True))
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
        raise IndexUnavailable(f"the Qdrant server at {url} refuses a request: {error}") from error
    except (ApiException, QdrantException, httpx.HTTPError, OSError) as error:
        reason = getattr(error, "source", None) or error
        raise IndexUnavailable(
            f"the Qdrant server at {url} does not answer ({reason}); start it, or correct STORELENS_QDRANT_URL"
        ) from error


class ServerEngine:
    """One collection. ``url`` is for messages."""

    def __init__(self, client: QdrantClient, collection: str, url: str) -> None:
        self._client = client
        self._collection = collection
        self._url = url

    def search(self, searches: Sequence[Search], filter: models.Filter | None, limit: int) -> list[list[Candidate]]:
        requests = [
            models.QueryRequest(
                query=models.NearestQuery(nearest=_query(search)),
                using=search.vector,
                filter=filter,
                limit=limit,
                params=None if search.vector == "lexical" else _RESCORE,
                with_payload=False,
                with_vector=False,
            )
            for search in searches
        ]
        with answering(self._url):
            responses = self._client.query_batch_points(self._collection, requests)
        return [[Candidate(_uuid(point.id), point.score) for point in response.points] for response in responses]

    def retrieve(self, ids: Sequence[UUID], payload: bool | list[str], vectors: Sequence[VectorName] = ()) -> list[Row]:
        with answering(self._url):
            records = self._client.retrieve(
                self._collection, [str(id) for id in ids], with_payload=payload, with_vectors=list(vectors) or False
            )
        return [Row(_uuid(record.id), record.payload or {}, _read(record.vector)) for record in records]

    def scroll(self, filter: models.Filter | None, limit: int, start: UUID | None) -> list[UUID]:
        with answering(self._url):
            records, _ = self._client.scroll(
                self._collection, filter, limit, offset=str(start) if start else None, with_payload=False
            )
        return [_uuid(record.id) for record in records]

    def holders(self, path: str, values: Sequence[str]) -> dict[str, UUID]:
        requests = [
            models.QueryRequest(filter=models.Filter(must=[condition]), limit=1, with_payload=False, with_vector=False)
            for value in values
            if (condition := models.FieldCondition(key=path, match=models.MatchValue(value=value)))
        ]
        if not requests:
            return {}
        with answering(self._url):
            responses = self._client.query_batch_points(self._collection, requests)
        return {
            value: _uuid(response.points[0].id)
            for value, response in zip(values, responses, strict=True)
            if response.points
        }

    def ordered(
        self, path: str, descending: bool, filter: models.Filter | None, limit: int
    ) -> list[tuple[UUID, float]]:
        order = models.OrderBy(key=path, direction=models.Direction.DESC if descending else models.Direction.ASC)
        with answering(self._url):
            records, _ = self._client.scroll(self._collection, filter, limit, order_by=order, with_payload=False)
        return [(_uuid(record.id), float(cast(float, record.order_value))) for record in records]

    def count(self, filter: models.Filter | None) -> int:
        with answering(self._url):
            return self._client.count(self._collection, filter, exact=True).count

    def facet(self, path: str, filter: models.Filter | None, limit: int) -> list[tuple[str | int | bool, int]]:
        with answering(self._url):
            response = self._client.facet(self._collection, path, filter, limit, exact=True)
        return [(hit.value, hit.count) for hit in response.hits]

    def payload_indexes(self) -> dict[str, FieldKind]:
        kinds = {schema: kind for kind, schema in _KINDS.items()}
        with answering(self._url):
            schema = self._client.get_collection(self._collection).payload_schema
        return {path: kinds[info.data_type] for path, info in schema.items() if info.data_type in kinds}

    def index_payload(self, path: str, kind: FieldKind) -> None:
        with answering(self._url):
            self._client.create_payload_index(self._collection, path, _KINDS[kind], wait=True)

    def upsert(self, rows: Sequence[Row]) -> None:
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

    def delete(self, ids: Sequence[UUID]) -> None:
        if ids:
            with answering(self._url):
                self._client.delete(self._collection, models.PointIdsList(points=[str(id) for id in ids]), wait=True)

    def close(self) -> None:
        """Nothing to let go of: the client belongs to the store."""


def _batches(rows: Sequence[Row]) -> Iterator[list[Row]]:
    batch: list[Row] = []
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


def _uuid(id: object) -> UUID:
    return id if isinstance(id, UUID) else UUID(str(id))


def _query(search: Search) -> Any:
    return [search.query] if search.vector == "image" else _write(search.query)


def _write(vector: RawVector) -> Any:
    return models.SparseVector(indices=vector.indices, values=vector.values) if isinstance(vector, Sparse) else vector


def _read(vectors: Any) -> dict[VectorName, RawVector]:
    return {
        name: Sparse(vector.indices, vector.values) if isinstance(vector, models.SparseVector) else vector
        for name, vector in (vectors or {}).items()
    }
