"""Reading a catalog from an engine: the same for both."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

import numpy as np

from images.arrays import Vectors
from index.engine import Engine, EnginePoint, RawVector, Search
from index.lexical import Lexical, Sparse
from index.paths import IMAGE_HASH, SUBJECT_TERMS, TERMS, field_path
from index.protocols import MAX_VOCABULARY, Alternative, Candidate, DenseName, Leg, Names, Stored, Term, VocabularyWord
from index.validation import check_legs
from schemas import All, Filter, IndexRecord, Range, stored_name

if TYPE_CHECKING:
    from qdrant_client import models

_NO_WORDS = Sparse([], [])
_OURS = {"id": str, "product": dict, "fields": dict, "root": str, "hashes": dict}


class IndexReader:
    """A ``CatalogIndex`` over an engine."""

    def __init__(
        self, engine: Engine, record: IndexRecord, generation: str, on_close: Callable[[], None] | None = None
    ) -> None:
        self.record = record
        self.generation = generation
        self._engine = engine
        self._lexical = Lexical(record.average_words)
        self._on_close = on_close

    def described(self, record: IndexRecord) -> IndexReader:
        """The same opened index under another record; closing one closes both."""
        return IndexReader(self._engine, record, self.generation, self._on_close)

    def query(self, legs: Sequence[Leg], filter: Filter | None, limit: int) -> list[list[Candidate]]:
        check_legs(legs, self.record.embedding.dimension)
        searches = [Search(leg.vector, self._vector(leg)) for leg in legs]
        # Words that are all stop words ask nothing.
        asked = [search for search in searches if search.query != _NO_WORDS]
        found = iter(self._engine.search(asked, _translated(filter), limit) if asked else ())
        return [[] if search.query == _NO_WORDS else next(found) for search in searches]

    def _vector(self, leg: Leg) -> RawVector:
        if isinstance(leg.query, str):
            return self._lexical.query(leg.query, leg.alternatives)
        return cast(RawVector, leg.query.tolist())

    def terms(self, text: str, alternatives: Sequence[Alternative] = ()) -> list[Term]:
        asked = self._lexical.asked(text, alternatives)
        idf = self._idf([token for word in asked for token in word.forms[0]])
        # Only words that nobody writes as the request does are looked for in their further forms.
        further = [word for word in asked if not _known(word.forms[:1], idf)]
        idf |= self._idf([token for word in further for form in word.forms[1:] for token in form])
        unknown_idf = math.log(self._engine.count(None) + 1.0) if further else 0.0
        terms = []
        for word, forms, own, same in asked:
            known = _known(forms, idf)
            idf_of = max(idf[token] for token in known) if known else unknown_idf
            terms.append(Term(word, forms, idf_of, bool(known), own, same))
        return terms

    def _idf(self, tokens: Sequence[int]) -> dict[int, float]:
        """The IDF of each token that a product has."""
        tokens = list(dict.fromkeys(tokens))
        searches = [Search("lexical", Sparse([token], [1.0])) for token in tokens]
        best = [found[0] if found else None for found in self._engine.search(searches, None, 1)] if searches else []
        weights = self._weights([candidate.id for candidate in best if candidate])
        # A score is IDF times the weight of the word in that product.
        return {
            token: candidate.score / weights[candidate.id][token]
            for token, candidate in zip(tokens, best, strict=True)
            if candidate
        }

    def matched(self, ids: Sequence[UUID], terms: Sequence[Term]) -> dict[UUID, list[str]]:
        found = {
            id: [term.word for term in terms if _known(term.forms, weights)]
            for id, weights in self._weights(ids).items()
        }
        return {id: words for id, words in found.items() if words}

    def _weights(self, ids: Sequence[UUID]) -> dict[UUID, dict[int, float]]:
        """Tokens of some products with their weights."""
        sparse = {row.id: row.vectors.get("lexical") for row in self._engine.retrieve(ids, False, ["lexical"])}
        return {id: dict(zip(*vector, strict=True)) for id, vector in sparse.items() if isinstance(vector, Sparse)}

    def fetch(self, ids: Sequence[UUID], vectors: Sequence[DenseName] = ()) -> dict[UUID, Stored]:
        rows = self._engine.retrieve(ids, True, vectors)
        # Every index of a catalog has that field.
        ours = [row for row in rows if _is_product(row.payload)] if "id" in self.record.fields else rows
        if len(ours) < len(rows):
            self._engine.met_foreign()
        return {row.id: Stored(row.id, row.payload, _dense(row, vectors)) for row in ours}

    def vectors(self, ids: Sequence[UUID], names: Sequence[DenseName]) -> dict[UUID, dict[DenseName, Vectors]]:
        return {row.id: _dense(row, names) for row in self._engine.retrieve(ids, False, names)}

    def values(self, ids: Sequence[UUID], fields: Sequence[str]) -> dict[UUID, dict[str, Any]]:
        names = {stored_name(field): field for field in fields}
        rows = self._engine.retrieve(ids, [field_path(field) for field in fields])
        return {
            row.id: {names[name]: value for name, value in values.items() if name in names}
            for row in rows
            if isinstance(values := row.payload.get("fields", {}), dict)
        }

    def payloads(self, ids: Sequence[UUID], paths: Sequence[str]) -> dict[UUID, dict[str, Any]]:
        return {row.id: row.payload for row in self._engine.retrieve(ids, list(paths))}

    def with_images(self, hashes: Sequence[str]) -> dict[str, UUID]:
        # Points of the first format list no images, and every question would be asked of each of them.
        return self._engine.holders(IMAGE_HASH, hashes) if self.record.format > 1 else {}

    def scan(self, filter: Filter | None, limit: int, after: UUID | None = None) -> list[UUID]:
        return self._scroll(_translated(filter), limit, after)

    def named(self, names: Names, filter: Filter | None, limit: int) -> list[UUID]:
        from index.filters import to_qdrant_named

        if self.record.format < 3:  # no payload has codes, and none is looked for at a path without an index
            names = replace(names, codes=(), parts=())
        named = to_qdrant_named(names, _translated(filter))
        return self._scroll(named, limit, None) if named else []

    def _scroll(self, filter: models.Filter | None, limit: int, after: UUID | None) -> list[UUID]:
        if limit < 1:  # which a server refuses
            return []
        if after is None:
            return self._engine.scroll(filter, limit, None)
        beyond = after.int + 1
        return self._engine.scroll(filter, limit, UUID(int=beyond)) if beyond < 1 << 128 else []

    def ordered(self, field: str, descending: bool, filter: Filter | None, limit: int) -> list[tuple[UUID, float]]:
        path, translated = field_path(field), _translated(filter)
        numbered = All((*([filter] if filter else []), Range(field, lte=sys.float_info.max)))
        wanted = limit
        while True:
            # A list of numbers comes once for each of them: the first is its place. A number that a list repeats is
            # taken out of what was wanted, so that fewer than wanted are not the end.
            places: dict[UUID, float] = {}
            for id, value in self._engine.ordered(path, descending, translated, wanted):
                places.setdefault(id, value)
            if len(places) >= limit or len(places) >= self.count(numbered):
                return list(places.items())[:limit]
            wanted *= 2

    def count(self, filter: Filter | None = None) -> int:
        return self._engine.count(_translated(filter))

    def facet(self, field: str, filter: Filter | None, limit: int) -> list[tuple[str | int | bool, int]]:
        return self._engine.facet(field_path(field), _translated(filter), limit)

    def vocabulary(self) -> list[VocabularyWord]:
        if self.record.format < 4:
            return []
        products = self._engine.facet(TERMS, None, MAX_VOCABULARY)
        subjects = dict(self._engine.facet(SUBJECT_TERMS, None, MAX_VOCABULARY))
        return [VocabularyWord(str(term), count, subjects.get(term, 0)) for term, count in products]

    def foreign(self) -> int:
        return self._engine.foreign()

    def close(self) -> None:
        self._engine.close()
        if self._on_close:
            self._on_close()


def _dense(row: EnginePoint, names: Sequence[DenseName]) -> dict[DenseName, Vectors]:
    return {name: np.asarray(row.vectors[name], dtype=np.float32) for name in names if name in row.vectors}


def _known(forms: Sequence[tuple[int, ...]], tokens: Container[int]) -> tuple[int, ...]:
    """The first form of which all tokens are there; empty where there is none."""
    return next((form for form in forms if all(token in tokens for token in form)), ())


def _is_product(payload: Mapping[str, Any]) -> bool:
    """Whether StoreLens wrote it: what every payload of ours has, of the type it has there."""
    return all(isinstance(payload.get(name), kind) for name, kind in _OURS.items())


def _translated(filter: Filter | None) -> models.Filter | None:
    if filter is None or _matches_everything(filter):
        return None
    from index.filters import to_qdrant

    return to_qdrant(filter)


def _matches_everything(filter: Filter) -> bool:
    """An engine that is given no filter does not look at each point to find that it passes."""
    return isinstance(filter, All) and all(_matches_everything(part) for part in filter.parts)
