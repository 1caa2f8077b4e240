"""One request, answered: the trip from a `SearchRequest` to a `SearchResponse`."""

from __future__ import annotations

import math
import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from time import perf_counter
from typing import Any

from cachetools import LRUCache

from embedding import Encoder
from images import ImageLimits
from images.inline import decode_query_image
from index import CatalogIndex, DenseName, Stored
from labels import Decode, hidden_actions
from schemas import (
    Action,
    All,
    AnyOf,
    Calibration,
    Decided,
    Document,
    EmptyRequest,
    Filter,
    HasId,
    Match,
    ModelMismatch,
    Not,
    SearchRequest,
    SearchResponse,
    UnderstoodQuery,
    clean_code,
    parse_filter,
)
from search.answer import answer, browse
from search.ask import Ask
from search.background import Background
from search.candidates import Candidates, find
from search.cursor import decode_cursor, fingerprint
from search.documents import Calibrated, calibrated, version_of
from search.facets import check_facets
from search.filter_values import FilterValues
from search.hits import near_images
from search.interpreting import Interpreting
from search.mixture import BEST_LEFT, Against, Mixture, find_together
from search.plan import AskedImage, Question, Vector
from search.questions import Questions
from search.reading import MOST_READ, Read, Reading
from search.result_set import Observed, ResultSet, decide, decide_together, having_words, observe
from search.synonyms import WrittenSynonyms
from search.understanding import Understanding, Understood
from search.vocabulary import Vocabulary
from search.weights import LegWeights, weights_for

DECIDED_CACHE = 256
"""What fits a request, kept for its further pages and filters; each holds the ids of its candidates."""


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
        self._questions = Questions(index, encoder, self.limits)
        self._calibrated = Calibrated()
        self._documents = version_of(())
        self._decided: LRUCache[Any, tuple[object, ResultSet]] = LRUCache(DECIDED_CACHE)
        """What fits by what is asked, beside the documents that it was found by."""
        self._deciding = threading.Lock()

    def use(self, documents: Sequence[Document]) -> None:
        """Answer by these documents of the collection from now on; requests that have begun may not."""
        self._documents = version_of(documents)
        self._calibrated = calibrated(documents, self.index.record.embedding)
        fitted = (self.calibration and self.calibration.weights) or {}
        self.weights = self._given_weights or weights_for(self.index.record.embedding).fitted(fitted)
        self._understanding = Understanding(self._vocabulary, WrittenSynonyms(documents), self.index.count)
        self._reading = Reading(self.index, self._understanding)

    @property
    def calibration(self) -> Calibration | None:
        """What the scores of searches mean on this catalog; None where nobody has measured it."""
        return self._calibrated.calibration

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
        if query_image is None or request.negative is not None:
            request.require_question(image=query_image is not None)
        read = self._read(request)
        filter = self._filter(request, read, reviewer=reviewer)
        suggested = self._filter(request, replace(read, filter=read.left_out), reviewer=reviewer)
        facets = check_facets(request.facets or [], self.index.record.fields)
        digest = fingerprint(request, query_image)
        cursor = decode_cursor(request.cursor, digest) if request.cursor else None

        checked = perf_counter()
        hidden = hidden_actions(reviewer=reviewer)
        mixture = self._questions.mixture(request, read, self._understood, query_image, decode, hidden)
        encoded = perf_counter()

        near = self._near if mixture is not None and mixture.with_image else math.inf
        documents = self._documents if mixture or request.text else None
        ask = Ask.of(request, filter, suggested, facets, cursor, digest, documents, near, self.index.record.fields)
        if mixture is None:
            page = browse(self.index, ask)
        else:
            page = answer(self.index, ask, self._fits(request, read, mixture), partial(self._find, mixture))
        notices = list(page.notices)
        if page.match == "uncalibrated":
            notices.append(self._calibrated.notice)
        if cursor is not None and cursor.generation != self.index.generation:
            notices.append("the catalog has changed since the page before; hits may repeat or be missing")
        elif cursor is not None and cursor.documents not in (None, documents):
            notices.append("synonyms or a calibration changed after the page before; hits may repeat or be missing")
        notices += [f"nothing that fits is {bound!r}, which is no filter then" for bound in read.dropped]
        total, counted = page.total, page.facets
        if read.cut:
            notices.append(
                f"words in quotes are common: only {MOST_READ:,} products that have them were looked through"
            )
            total = total.model_copy(update={"relation": "gte"})
            counted = counted and {
                name: facet.model_copy(update={"relation": "gte"}) for name, facet in counted.items()
            }
        done = perf_counter()
        response = SearchResponse(
            hits=page.hits,
            total=total,
            # What passes all that the words were taken for is what they ask for.
            match=page.match or ("good" if read.interpreted and page.total.value else None),
            facets=counted,
            next_cursor=page.next_cursor,
            query=self._shown(request, read),
            notices=notices,
            took_ms=round((done - started) * 1e3, 3),
        )
        encode_ms = (encoded - checked) * 1e3
        return Answer(response, encode_ms=encode_ms, search_ms=(done - started) * 1e3 - encode_ms)

    def candidates(self, request: SearchRequest, query_image: bytes | None = None) -> Candidates:
        """What ``search`` ranks, leg by leg: for measuring the legs on their own."""
        read = self._read(request)
        mixture = self._questions.mixture(request, read, self._understood, query_image)
        if mixture is None:
            raise EmptyRequest("a browse has no legs; ask with text, image, product_id or like")
        return self._find(mixture, self._filter(request, read))

    def observe(self, request: SearchRequest, query_image: bytes | None = None) -> Observed:
        """What a request is judged by, in the whole catalog without its filter: for calibrating."""
        read = self._read(request)
        question = self._questions.question(request, read, self._understood, query_image)
        if question is None:
            raise EmptyRequest("a browse is not judged; ask with text, image or product_id")
        found = self._find_one(self._filter(request, read, whole=True), question)
        return observe(self.index, self._vocabulary, question, found)

    def encode_ahead(self, requests: Iterable[SearchRequest]) -> None:
        """Encode the words of some requests together, before they are observed: for calibrating."""
        texts: list[str] = []
        for request in requests:
            understood = self._understood(self._read(request).text, literal=request.literal)
            texts += understood.encoded or (understood.text,)
        self._questions.encode_ahead(filter(None, texts))

    def observe_image(self, vector: Vector, filter: Filter) -> Observed:
        """What a query image of this vector is judged by, among the products of a filter: for calibrating."""
        question = Question(images=[AskedImage(vector)])
        return observe(self.index, self._vocabulary, question, self._find_one(filter, question))

    def _find(self, mixture: Mixture, filter: Filter) -> Candidates:
        found, _ = find_together(mixture, partial(self._find_one, filter))
        return self._against(mixture).push(found) if mixture.negatives else found

    def _find_one(self, filter: Filter, question: Question) -> Candidates:
        return find(self.index, self._background, question, filter, self.weights)

    def _against(self, mixture: Mixture) -> Against:
        return Against(self.index, self._background, mixture, self.weights)

    def _fits(self, request: SearchRequest, read: Read, mixture: Mixture) -> ResultSet:
        """What fits a request, but for the products that it starts from."""
        written = request.model_dump_json(include={"literal", "product_id", "negative"})
        key = (
            written,
            read.text,
            read.phrases,
            read.excluded,
            *((part.weight, part.question.key) for part in mixture.parts),
        )
        by = self._understanding
        with self._deciding:
            known = self._decided.get(key)
        if known is None or known[0] is not by:
            known = by, self._decide(mixture, self._filter(request, read, whole=True))
            with self._deciding:
                self._decided[key] = known
        return known[1]

    def _decide(self, mixture: Mixture, under: Filter) -> ResultSet:
        index, vocabulary, calibration = self.index, self._vocabulary, self.calibration
        together, found = find_together(mixture, partial(self._find_one, under))
        sets = [
            decide(index, vocabulary, part.question, some, under, calibration)
            for part, some in zip(mixture.parts, found, strict=True)
        ]
        fits = sets[0] if len(sets) == 1 else decide_together(sets, together, under, calibration)
        if not mixture.negatives:
            return fits
        against = self._against(mixture)
        pushed = against.push(together)
        out = against.out(pushed, lambda terms: having_words(terms, vocabulary, subject=False))
        if fits.filter is None or fits.match == "none":
            return replace(fits, found=pushed)
        # What is left may be all of it below the floor: then it is the best of what is left that fits.
        least = min(fits.curve.least_share if fits.curve else 1.0, BEST_LEFT)
        near = HasId(tuple(point for point, share in pushed.shares.items() if share >= least))
        return replace(fits, found=pushed, filter=All((AnyOf((fits.filter, near)), Not(out))))

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
        return Understanding(self._vocabulary, count=self.index.count)

    @cached_property
    def _reading(self) -> Reading:
        return Reading(self.index, self._understanding)

    @cached_property
    def _interpreting(self) -> Interpreting:
        return Interpreting(self.index, self._vocabulary)

    def _read(self, request: SearchRequest) -> Read:
        """What the words of a request ask for, besides what is looked for."""
        if request.text is None:
            return Read("")
        read = self._reading.read(request.text, request.literal)
        if not request.interpret:
            return read
        own = self._parsed(request.filter or {})
        if read.filter is not None:
            own = All((own, read.filter))
        meant = self._understood(read.text, literal=request.literal)
        phrases = [*read.phrases, *(one.words for one in meant.alternatives if " " in one.words)]
        interpreted = self._interpreting.interpret(meant.text, own, phrases)
        if interpreted.filter is None:
            return replace(read, dropped=interpreted.dropped)
        corrected = meant.text if meant.corrected else None
        return replace(
            read,
            text=interpreted.text,
            interpreted=interpreted.filter,
            corrected=corrected,
            dropped=interpreted.dropped,
        )

    def _shown(self, request: SearchRequest, read: Read) -> UnderstoodQuery | None:
        """How the words of a request were taken."""
        if request.text is None:
            return None
        shown = self._understood(read.text, literal=request.literal).shown(request.text)
        phrases, excluded = list(read.phrases) or None, list(read.excluded) or None
        told = {"filter": read.interpreted, "phrases": phrases, "excluded": excluded}
        return shown.model_copy(update=told | ({"corrected": read.corrected} if read.corrected else {}))

    def _understood(self, text: str, /, *, literal: bool) -> Understood:
        return Understood(text) if literal else self._understanding.understand(text)

    def _filter(self, request: SearchRequest, read: Read, *, whole: bool = False, reviewer: bool = True) -> Filter:
        """What the request asks for, less the products it starts from, and what is not to be shown.

        Args:
            whole: Of the whole catalog: without its own filter, and what words were taken for.
        """
        written = [{}] if whole else [request.filter or {}, *([read.interpreted] if read.interpreted else [])]
        parts = [self._parsed(one) for one in written]
        if asked := request.product_ids:
            itself = dict.fromkeys(form for id in asked for form in (clean_code(id), id))
            parts.append(Not(Match("id", "keyword", tuple(itself))))
        if read.filter is not None:
            parts.append(read.filter)
        if self._moderated:
            parts.append(Not(Decided(hidden_actions(reviewer=reviewer))))
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _parsed(self, written: Mapping[str, Any]) -> Filter:
        return self._filter_values.as_stored(parse_filter(written, self.index.record.fields))

    @cached_property
    def _filter_values(self) -> FilterValues:
        return FilterValues(self.index)

    @cached_property
    def _moderated(self) -> bool:
        """Whether anything is blocked, or waits for somebody to look at it."""
        return self.index.count(Decided(("block", "review"))) > 0

    def product(self, product_id: str, vectors: Sequence[DenseName] = (), hidden: Collection[Action] = ()) -> Stored:
        """The product of an id; see ``Questions.product``."""
        return self._questions.product(product_id, vectors, hidden)
