"""Qdrant Edge, in process. Every call holds the GIL; queries take about a millisecond, ``optimize`` much longer."""

from __future__ import annotations

import ctypes
import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import qdrant_edge as edge

from index.edge.disk_space import has_room_to_close, require, require_to_open, told_when_full
from index.edge.files import replace_text
from index.edge.memory_mapping import release
from index.engine import IMAGE_GRAPH, EnginePoint, RawVector, Search, count_numbers
from index.lexical import Sparse
from index.protocols import DENSE, Candidate, VectorName
from schemas import FieldKind, IndexDamaged, IndexDiskFull

if TYPE_CHECKING:
    from qdrant_client import models

log = logging.getLogger(__name__)

_KINDS: dict[edge.PayloadSchemaType, FieldKind] = {
    edge.PayloadSchemaType.Keyword: "keyword",
    edge.PayloadSchemaType.Integer: "integer",
    edge.PayloadSchemaType.Float: "float",
    edge.PayloadSchemaType.Bool: "bool",
}
# Of points in a graph these are read from files, no slower than from memory that is the process' own.
_PAYLOAD_INDEXES: dict[FieldKind, edge.PayloadSchemaParams] = {
    "keyword": edge.KeywordIndexParams(memory=edge.Memory.Cached),
    "integer": edge.IntegerIndexParams(memory=edge.Memory.Cached),
    "float": edge.FloatIndexParams(memory=edge.Memory.Cached),
    "bool": edge.BoolIndexParams(memory=edge.Memory.Cached),
}
# Candidates found by quantized scores are scored again, and no more than those: scores are exact cosines.
_RESCORE = edge.QuantizationSearchParams(rescore=True)
_EVERY_POINT = edge.SearchParams(quantization=_RESCORE, exact=True)
_MANY_INDEXES = 10
_EMPTY_INDEX_BYTES = 50_000
_INDEX_BYTES = 100
"""Of a payload index, a point: more than most fields need."""
_FLUSHED = 2_000
"""Points written before what Edge keeps of them until they are flushed is given back: a kilobyte a point."""
GRAPH_POINTS = 20_000
"""Points of a graph. Points that are in none take 2 kB of memory each, and building one 1 to 2 kB a point. Over 60,000
products, three graphs against one: built in 29 s against 75; 1.00 of the best 50 found against .98, and 1.00 against
.76 under a filter that a tenth passes; in 3.7 ms against 3.0."""
_MOST_GRAPHS = 8
"""Beyond these, small graphs are made into large ones: each is searched."""
_WORTH_A_GRAPH = 5_000
"""Up to here comparing with every point costs no more than the graph. Over 10,000 points of 833 dimensions the
graph takes half as long, and found all of the best 10 near stored vectors, if not all of the tail."""


class EdgeEngine:
    """An ``Engine`` on one shard directory, which no other handle may have open. All its ids are UUIDs."""

    def __init__(self, shard: edge.EdgeShard, path: Path) -> None:
        self._shard = shard
        self._path = path
        self._written = False
        self._unflushed = 0
        self._loose = 0
        """Points written since graphs were built."""
        self._closed = False

    @classmethod
    def create(cls, path: Path, dimension: int) -> EdgeEngine:
        path.mkdir(parents=True)
        require(path, 0, "an index")
        with told_when_full(path):
            return cls(edge.EdgeShard.create(str(path), _config(dimension)), path)

    @classmethod
    def load(cls, path: Path, new_indexes: Mapping[str, FieldKind] | None = None) -> EdgeEngine:
        """
        Args:
            new_indexes: Payload indexes that it is to have, of paths at which none of its points has a value yet.

        Raises:
            IndexDamaged: the directory is not a whole shard, or another handle has it open.
        """
        try:
            require_to_open(path)
            with told_when_full(path):
                _declare(path, new_indexes or {})
                return cls(edge.EdgeShard.load(str(path)), path)
        except IndexDiskFull:
            raise
        except Exception as error:  # Edge raises nothing more precise
            raise IndexDamaged(
                f"the index in {path} cannot be opened ({error}); if this persists, remove it and ingest again"
            ) from error

    def search(self, searches: Sequence[Search], filter: models.Filter | None, limit: int) -> list[list[Candidate]]:
        condition = _filter(filter)
        params = _along_graphs(limit) if self._shard.info().points_count > _WORTH_A_GRAPH else _EVERY_POINT
        requests = [
            edge.QueryRequest(
                query=edge.Query.Nearest(_query(search), using=search.vector),
                filter=condition,
                limit=limit,
                params=None if search.vector == "lexical" else params,
                with_payload=False,
                with_vector=False,
            )
            for search in searches
        ]
        # Not query_batch: in process there is no round trip to save, and it took half as long again.
        found: list[list[Any]] = [self._shard.query(request) for request in requests]
        return [[Candidate(point.id, point.score) for point in points] for points in found]

    def retrieve(
        self, ids: Sequence[UUID], payload: bool | list[str], vectors: Sequence[VectorName] = ()
    ) -> list[EnginePoint]:
        records: list[Any] = self._shard.retrieve(list(ids), with_payload=payload, with_vector=list(vectors) or False)
        return [EnginePoint(record.id, record.payload or {}, _read(record.vector or {})) for record in records]

    def scroll(self, filter: models.Filter | None, limit: int, start: UUID | None) -> list[UUID]:
        request = edge.ScrollRequest(
            offset=start, limit=limit, filter=_filter(filter), with_payload=False, with_vector=False
        )
        records: list[Any] = self._shard.scroll(request)[0]
        return [record.id for record in records]

    def holders(self, path: str, values: Sequence[str]) -> dict[str, UUID]:
        found: dict[str, UUID] = {}
        for value in values:
            same = edge.Filter(must=[edge.FieldCondition(key=path, match=edge.MatchValue(value))])
            request = edge.ScrollRequest(limit=1, filter=same, with_payload=False, with_vector=False)
            records: list[Any] = self._shard.scroll(request)[0]  # 20 us, whether found or not
            found.update((value, record.id) for record in records)
        return found

    def ordered(
        self, path: str, descending: bool, filter: models.Filter | None, limit: int
    ) -> list[tuple[UUID, float]]:
        order = edge.OrderBy(path, edge.Direction.Desc if descending else edge.Direction.Asc)
        request = edge.ScrollRequest(
            limit=limit, filter=_filter(filter), order_by=order, with_payload=False, with_vector=False
        )
        records: list[Any] = self._shard.scroll(request)[0]
        return [(record.id, float(record.order_value)) for record in records]

    def count(self, filter: models.Filter | None) -> int:
        if filter is None:
            return self._shard.info().points_count  # exact, and without a look at each point
        return self._shard.count(edge.CountRequest(filter=_filter(filter), exact=True))

    def facet(self, path: str, filter: models.Filter | None, limit: int) -> list[tuple[str | int | bool, int]]:
        request = edge.FacetRequest(key=path, limit=limit, exact=True, filter=_filter(filter))
        return [(hit.value, hit.count) for hit in self._shard.facet(request)]

    def foreign(self) -> int:
        return 0  # nobody else writes here

    def met_foreign(self) -> None:
        log.warning("the embedded index has a point that StoreLens did not write; it is left out")

    def payload_indexes(self) -> dict[str, FieldKind]:
        return {path: _KINDS[info.data_type] for path, info in self._shard.info().payload_schema.items()}

    def index_payload(self, path: str, kind: FieldKind) -> None:
        operation = edge.UpdateOperation.create_field_index(path, _PAYLOAD_INDEXES[kind])
        self._update([operation], _INDEX_BYTES * self.count(None))

    def upsert(self, rows: Sequence[EnginePoint]) -> None:
        points = [
            edge.Point(row.id, {name: _write(vector) for name, vector in row.vectors.items()}, row.payload)
            for row in rows
        ]
        if points:
            needed = sum(map(_vector_bytes, rows)) + _payload_bytes(row.payload for row in rows)
            self._update([edge.UpdateOperation.upsert_points(points)], needed)
            self._loose += len(points)
            self._wrote(len(points))

    def overwrite_payload(self, payloads: Mapping[UUID, dict[str, Any]]) -> None:
        operations = [edge.UpdateOperation.overwrite_payload([id], payload) for id, payload in payloads.items()]
        self._update(operations, _payload_bytes(payloads.values()))
        self._wrote(len(payloads))

    def merge_payload(self, payloads: Mapping[UUID, dict[str, Any]]) -> None:
        operations = [edge.UpdateOperation.set_payload([id], payload) for id, payload in payloads.items()]
        self._update(operations, _payload_bytes(payloads.values()))
        self._wrote(len(payloads))

    def drop_payload(self, ids: Sequence[UUID], key: str) -> None:
        if ids:
            self._update([edge.UpdateOperation.delete_payload(list(ids), [key])], 0)
            self._wrote(len(ids))

    def delete(self, ids: Sequence[UUID]) -> None:
        if ids:
            self._update([edge.UpdateOperation.delete_points(list(ids))], 0)

    @property
    def graph_due(self) -> bool:
        return self._loose >= GRAPH_POINTS

    def optimize(self) -> None:
        self._written = True
        require(self._path, 0, "building graphs")
        with told_when_full(self._path):  # Edge itself looks for the room that the new segments need
            self._shard.optimize()
        self._loose = 0
        self.flush()  # what the new segments replace is held until then

    def flush(self) -> None:
        with told_when_full(self._path):
            self._shard.flush()
        self._unflushed = 0
        release(self._path)

    def _wrote(self, points: int) -> None:
        self._unflushed += points
        if self._unflushed >= _FLUSHED:
            self.flush()

    def _update(self, operations: Sequence[edge.UpdateOperation], size: int) -> None:
        """Apply writes of ``size`` bytes in all: to the log, to where they stay, and to the indexes of that."""
        if not operations:
            return
        self._written = True
        require(self._path, 3 * size, "a write")
        with told_when_full(self._path):
            for operation in operations:
                self._shard.update(operation)

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        if has_room_to_close(self._path, self._written):
            self._shard.close()
        else:
            # Closing writes, and so does the end of its last reference, also when Python ends: it gets one more
            # that nobody gives back. What was written is in the shard's log.
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._shard))


def _declare(shard: Path, indexes: Mapping[str, FieldKind]) -> None:
    """Let a shard that is closed have these payload indexes, empty ones, when it is loaded next.

    To create one, Edge flushes all there are already: 200 of them wrote 144 MB, and declared they write 10. Where a
    version of Edge keeps its configuration elsewhere nothing is declared, and whoever needs an index creates it.
    """
    if len(indexes) < _MANY_INDEXES:
        return
    configs = list(shard.glob("segments/*/payload_index/config.json"))
    require(shard, len(configs) * len(indexes) * _EMPTY_INDEX_BYTES, "indexes of fields")
    for config in configs:
        known = json.loads(config.read_bytes())
        if "indexed_fields" not in known:
            return
        known["indexed_fields"] |= {path: {"type": kind, "memory": "cached"} for path, kind in indexes.items()}
        replace_text(config, json.dumps(known))


def _config(dimension: int) -> edge.EdgeConfig:
    int8 = edge.ScalarQuantizationConfig(type=edge.ScalarType.Int8, quantile=0.99, memory=edge.Memory.Cached)
    images = edge.MultiVectorConfig(edge.MultiVectorComparator.MaxSim)
    return edge.EdgeConfig(
        vectors={
            name: edge.EdgeVectorParams(
                size=dimension,
                distance=edge.Distance.Cosine,
                multivector_config=images if name == "image" else None,
                hnsw_config=edge.HnswIndexConfig(*IMAGE_GRAPH, full_scan_threshold=10_000) if name == "image" else None,
                quantization_config=int8,
            )
            for name in DENSE
        },
        sparse_vectors={"lexical": edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf)},
        optimizers=edge.EdgeOptimizersConfig(default_segment_number=_MOST_GRAPHS),
    )


def _along_graphs(limit: int) -> edge.SearchParams:
    """A copy of an image, one of few that are wanted, was found with 64 candidates as with 200."""
    return edge.SearchParams(quantization=_RESCORE, hnsw_ef=min(200, max(100, 4 * limit)))


def _vector_bytes(row: EnginePoint) -> int:
    return 4 * sum(count_numbers(vector) for vector in row.vectors.values())


def _payload_bytes(payloads: Iterable[dict[str, Any]]) -> int:
    return sum(len(json.dumps(payload)) for payload in payloads)


def _filter(filter: models.Filter | None) -> edge.Filter | None:
    if filter is None:
        return None
    from index.edge.filters import to_edge

    return to_edge(filter)


def _query(search: Search) -> Any:
    return [search.query] if search.vector == "image" else _write(search.query)


def _write(vector: RawVector) -> Any:
    return edge.SparseVector(vector.indices, vector.values) if isinstance(vector, Sparse) else vector


def _read(vectors: Any) -> dict[VectorName, RawVector]:
    return {
        name: Sparse(vector.indices, vector.values) if isinstance(vector, edge.SparseVector) else vector
        for name, vector in vectors.items()
    }
