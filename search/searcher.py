"""One request, answered: the trip from a `SearchRequest` to a `SearchResponse`."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from time import perf_counter
from typing import Any, TypeVar

import numpy as np
from cachetools import LRUCache
from pydantic import ValidationError

from catalog import points_of
from embedding import Encoder, Preparer
from images import Decoded, ImageLimits, decode_for_model, fingerprint_cells, hash_bytes
from images.inline import decode_query_image
from index import DECISION, CatalogIndex, DenseName, Stored
from labels import hidden_actions
from schemas import (
    SEARCH_CALIBRATION,
    Action,
    All,
    Calibration,
    Decided,
    Document,
    EmptyRequest,
    Filter,
    Match,
    ModelMismatch,
    Not,
    ProductNotFound,
    SearchRequest,
    SearchResponse,
    clean_code,
    parse_filter,
)
from search.answer import answer, browse
from search.ask import Ask
from search.background import Background
from search.candidates import Candidates, find
from search.cursor import decode_cursor, fingerprint
from search.facets import check_facets
from search.hits import near_images
from search.plan import AskedImage, Question, Vector
from search.result_set import Observed, ResultSet, decide, observe
from search.synonyms import WrittenSynonyms
from search.understanding import Understanding, Understood, Vocabulary
from search.weights import LegWeights, weights_for

Encoded = TypeVar("Encoded")
Decode = Callable[[bytes, Preparer], Decoded]
"""The bytes of a query image, and what prepares it for the model."""

log = logging.getLogger(__name__)

DECIDED_CACHE = 256
"""What fits a request, kept for its further pages and filters; each holds the ids of its candidates."""

QUERY_CACHE = 4096
"""Encoded questions kept: a page after the first, and what many people ask, are not encoded again."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A response and where the time went, in milliseconds."""

    response: SearchResponse
    encode_ms: float
    search_ms: float


class Searcher:
    """Answers requests from one opened index with the encoder it was built with. Thread-safe.

    Raises:
        ModelMismatch: the encoder's vectors cannot be compared with the index's.
    """

    def __init__(
        self,
        index: CatalogIndex,
        encoder: Encoder,
        limits: ImageLimits | None = None,
        weights: LegWeights | None = None,
    ) -> None:
        differences = index.record.embedding.differences(encoder.spec)
        if differences:
            raise ModelMismatch(
                f"the index was built with {index.record.embedding.model!r} and the encoder is {encoder.spec.model!r}: "
                f"their {', '.join(differences)} differ; load the index's model, or ingest again with the other one"
            )
        self.index = index
        self.encoder = encoder
        self.limits = limits or ImageLimits()
        self.weights = weights or weights_for(index.record.embedding)
        self._given_weights = weights
        self._encoding = threading.Lock()
        self._cache: LRUCache[str | bytes, Any] = LRUCache(QUERY_CACHE)
        """Vectors by words, images by their hashes."""
        self.calibration: Calibration | None = None
        """What the scores of searches mean on this catalog; None where nobody has measured it."""
        self._decided: LRUCache[Any, tuple[object, ResultSet]] = LRUCache(DECIDED_CACHE)
        """What fits by what is asked, beside the documents that it was found by."""

    def use(self, documents: Sequence[Document]) -> None:
        """Answer by these documents of the collection from now on; requests that have begun may not."""
        self.calibration = self._calibration(documents)
        fitted = (self.calibration and self.calibration.weights) or {}
        self.weights = self._given_weights or weights_for(self.index.record.embedding).fitted(fitted)
        self._understanding = Understanding(self._vocabulary, WrittenSynonyms(documents))

    def _calibration(self, documents: Sequence[Document]) -> Calibration | None:
        """The one of searches, where it was measured with the model of the index."""
        for document in documents:
            if (document.kind, document.name) == ("calibrations", SEARCH_CALIBRATION):
                try:
                    calibration = Calibration.model_validate(document.body.model_dump())
                except ValidationError as error:
                    log.warning("the calibration of searches cannot be read, and counts as none: %s", error)
                    return None
                if calibration.fingerprint != self.index.record.embedding.fingerprint:
                    log.warning("the calibration of searches is of model %s, and counts as none", calibration.model)
                    return None
                return calibration
        return None

    def search(
        self,
        request: SearchRequest,
        query_image: bytes | None = None,
        decode: Decode | None = None,
        *,
        reviewer: bool = True,
    ) -> Answer:
        """Answer a request; ``query_image`` is the bytes of an uploaded one, in place of ``request.image``.

        Args:
            decode: Decodes it where strangers ask; left out, it is decoded here, whatever that takes.
            reviewer: Whether products that wait for somebody to look at them are found; blocked ones never are.

        Raises:
            RequestError: nothing asked, an unknown field, a wrong type, a cursor that does not fit.
            ImageError: the photo cannot be used.
            ProductNotFound: ``product_id`` is not in the index.
        """
        started = perf_counter()
        if query_image is None and request.image is not None:
            query_image = decode_query_image(request.image)
        if query_image is None:
            request.require_question()
        filter = self._filter(request, reviewer)
        facets = check_facets(request.facets or [], self.index.record.fields)
        mark = fingerprint(request, query_image)
        cursor = decode_cursor(request.cursor, mark) if request.cursor else None

        checked = perf_counter()
        question = self._question(request, query_image, decode or self._decode, reviewer=reviewer)
        encoded = perf_counter()

        near = self._near if question is not None and question.images else math.inf
        ask = Ask.of(request, filter, facets, cursor, mark, near, self.index.record.fields)
        if question is None:
            page = browse(self.index, ask)
        else:
            page = answer(self.index, ask, self._fits(request, question), partial(self._find, question))
        notices = list(page.notices)
        if cursor is not None and cursor.generation != self.index.generation:
            notices.append("the catalog has changed since the page before; hits may repeat or be missing")
        done = perf_counter()
        response = SearchResponse(
            hits=page.hits,
            total=page.total,
            match=page.match,
            facets=page.facets,
            next_cursor=page.next_cursor,
            query=self._understood(request).shown(request.text) if request.text is not None else None,
            notices=notices,
            took_ms=round((done - started) * 1e3, 3),
        )
        encode_ms = (encoded - checked) * 1e3
        return Answer(response, encode_ms=encode_ms, search_ms=(done - started) * 1e3 - encode_ms)

    def candidates(self, request: SearchRequest, query_image: bytes | None = None) -> Candidates:
        """What ``search`` ranks, leg by leg: for measuring the legs on their own."""
        question = self._question(request, query_image, self._decode)
        if question is None:
            raise EmptyRequest("a browse has no legs; ask with text, image or product_id")
        return self._find(question, self._filter(request))

    def observe(self, request: SearchRequest, query_image: bytes | None = None) -> Observed:
        """What a request is judged by, in the whole catalog without its filter: for calibrating."""
        question = self._question(request, query_image, self._decode)
        if question is None:
            raise EmptyRequest("a browse is not judged; ask with text, image or product_id")
        found = self._find(question, self._filter(request.model_copy(update={"filter": None})))
        return observe(self.index, self._vocabulary, question, found)

    def observe_image(self, vector: Vector, filter: Filter) -> Observed:
        """What a query image of this vector is judged by, among the products of a filter: for calibrating."""
        question = Question(images=[AskedImage(vector)])
        return observe(self.index, self._vocabulary, question, self._find(question, filter))

    def _find(self, question: Question, filter: Filter) -> Candidates:
        return find(self.index, self._background, question, filter, self.weights)

    def _fits(self, request: SearchRequest, question: Question) -> ResultSet:
        """What fits a question, but for the product that it starts from."""
        itself = self._filter(request.model_copy(update={"filter": None}))
        key = (request.text, request.literal, request.product_id, *(image.hash for image in question.images))
        calibration, by = self.calibration, self._understanding
        with self._encoding:
            known = self._decided.get(key)
        if known is None or known[0] is not by:
            found = self._find(question, itself)
            known = by, decide(self.index, self._vocabulary, question, found, itself, calibration)
            with self._encoding:
                self._decided[key] = known
        return known[1]

    def warm_up(self) -> None:
        """Read what the first search would wait for: the words of the catalog, and a sample of its vectors."""
        _ = self._understanding, self._background, self._moderated

    @cached_property
    def _near(self) -> float:
        return near_images(self.index)

    @cached_property
    def _background(self) -> Background:
        return Background(self.index)

    @cached_property
    def _vocabulary(self) -> Vocabulary:
        return Vocabulary(self.index.vocabulary(), self.index.count())

    @cached_property
    def _understanding(self) -> Understanding:
        return Understanding(self._vocabulary)

    def _understood(self, request: SearchRequest) -> Understood:
        assert request.text is not None
        return Understood(request.text) if request.literal else self._understanding.understand(request.text)

    def _filter(self, request: SearchRequest, reviewer: bool = True) -> Filter:
        """What the request asks for, less the product it starts from, and what is not to be shown."""
        parts: list[Filter] = [parse_filter(request.filter or {}, self.index.record.fields)]
        if request.product_id is not None:
            itself = Match("id", "keyword", (clean_code(request.product_id), request.product_id))
            parts.append(Not(itself))
        if self._moderated:
            parts.append(Not(Decided(hidden_actions(reviewer=reviewer))))
        return All(tuple(parts)) if len(parts) > 1 else parts[0]

    @cached_property
    def _moderated(self) -> bool:
        """Whether anything is blocked, or waits for somebody to look at it."""
        return self.index.count(Decided(("block", "review"))) > 0

    def _question(
        self, request: SearchRequest, query_image: bytes | None, decode: Decode, *, reviewer: bool = True
    ) -> Question | None:
        """What is asked with, as vectors; None for a browse."""
        question = Question()
        if request.product_id is not None:
            question = self._like(request.product_id, hidden_actions(reviewer=reviewer))
        if query_image is not None:
            question = replace(question, images=[*question.images, self._image(query_image, decode)])
        if request.text is not None:
            understood = self._understood(request)
            text = self._text(understood.encoded or (understood.text,))
            # Words beside a product refine what is asked for; its own title and text give way to them.
            question = replace(
                question,
                written=request.text,
                words=understood.text,
                alternatives=understood.alternatives,
                lacking=understood.lacking,
                text=text,
                title=text,
                details=text,
            )
        return None if question.empty else question

    def _text(self, ways: Sequence[str]) -> Vector:
        """The vector of what is meant, said in some ways: the direction of their mean."""
        vectors: list[Vector] = [self._cached(text, partial(self._encode, text)) for text in ways]
        if len(vectors) == 1:
            return vectors[0]
        mean = np.mean(vectors, axis=0)
        return np.asarray(mean / np.linalg.norm(mean), np.float32)

    def _encode(self, text: str) -> Vector:
        vector: Vector = self.encoder.encode_texts([text])[0]
        return vector

    def _image(self, query_image: bytes, decode: Decode) -> AskedImage:
        hash = hash_bytes(query_image)
        with self._encoding:
            known: AskedImage | None = self._cache.get(hash.encode())
        if known is not None:
            return known
        # Not where others wait to encode: how long it takes is for whoever made the image to say.
        decoded = decode(query_image, self.encoder.preparer)

        def encode() -> AskedImage:
            return AskedImage(self.encoder.encode_prepared(decoded.pixels)[0], hash, fingerprint_cells(decoded.phash))

        return self._cached(hash.encode(), encode)

    def _decode(self, query_image: bytes, prepare: Preparer) -> Decoded:
        return decode_for_model(query_image, self.limits, prepare)

    def _cached(self, key: str | bytes, encode: Callable[[], Encoded]) -> Encoded:
        # One at a time: the encoder asks for it, and two requests for the same words encode once.
        with self._encoding:
            encoded: Encoded | None = self._cache.get(key)
            if encoded is None:
                encoded = encode()
                self._cache[key] = encoded
        return encoded

    def product(self, product_id: str, vectors: Sequence[DenseName] = (), hidden: Collection[Action] = ()) -> Stored:
        """The product of an id, in whatever form of Unicode it is given. Raises ProductNotFound.

        Args:
            hidden: What counts as not there where it is decided of it.
        """
        stored = self.index.fetch(points_of(product_id), vectors)
        for point in points_of(product_id):
            if point in stored and stored[point].payload.get(DECISION, {}).get("action") not in hidden:
                return stored[point]
        raise ProductNotFound(f"there is no product {product_id!r}", field="product_id")

    def _like(self, product_id: str, hidden: Collection[Action]) -> Question:
        stored = self.product(product_id, ("image", "title", "text"), hidden)
        images = stored.vectors.get("image")
        return Question(
            title=stored.vectors.get("title"),
            details=stored.vectors.get("text"),
            # Its first image is the one a shop chose to stand for it.
            images=[] if images is None else [_held(images[0], stored.payload)],
        )


def _held(vector: Vector, payload: dict[str, Any]) -> AskedImage:
    """The first usable image of a product."""
    kept: dict[str, Any] = next(iter(payload.get("pictures", ())), {})
    return AskedImage(vector, kept.get("hash"), fingerprint_cells(kept.get("phash", "")))
