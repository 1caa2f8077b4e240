"""An index's labeller: requests to classify and to moderate, answered by its vectors and its model."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from time import perf_counter
from typing import Any, TypeVar
from uuid import UUID

import numpy as np
from cachetools import LRUCache
from pydantic import BaseModel

from catalog import points_of
from images import Decoded, hash_bytes
from images.arrays import Floats, Vectors, check_vectors
from images.inline import decode_query_image
from index import DECISION, CatalogIndex, Stored
from labels.background import FEWEST, Background, Kind, backgrounds
from labels.calibrated import drift_notice, with_thresholds
from labels.classifier import Classifier, Scale
from labels.policies import Moderator, judge
from labels.prompts import PromptEncoder, label_nodes
from labels.review import is_hidden
from schemas import (
    Action,
    All,
    Appeal,
    Classified,
    ClassifyRequest,
    ClassifyResponse,
    Decided,
    Decision,
    Exemplar,
    ImageQuery,
    InvalidCursor,
    Known,
    LabelCalibration,
    LabelScore,
    LabelSet,
    ModerateRequest,
    ModerateResponse,
    Not,
    Policy,
    PolicyCalibration,
    ProductNotFound,
    parse_filter,
)

Made = TypeVar("Made", bound=BaseModel)
Following = TypeVar("Following")
Decode = Callable[..., Decoded]
"""Given the bytes of an image, what prepares it for the model, and perhaps the ``crop`` that is meant."""

_SCALES = 256
_EXEMPLARS = 1_000


@dataclass(frozen=True, slots=True)
class Judged:
    """What is judged, a row each of ``vectors``, ``(n, dim) float32``, unit rows: of ``starts`` and beyond, up to the
    next one, are the images of one product. ``ids`` are of products, and None for anything else."""

    ids: list[str | None]
    kinds: list[Kind]
    vectors: Vectors
    starts: list[int]
    next_cursor: str | None = None
    appeals: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """What people decided of some of the products, by their ids."""

    @property
    def firsts(self) -> Vectors:
        """``(things, dim)``: of products their first images, which the shop has chosen to stand for them."""
        return self.vectors[self.starts]

    def of(self, kind: Kind) -> list[int]:
        return [at for at, one in enumerate(self.kinds) if one == kind]


class Labeller:
    """Gives labels and holds to policies. Thread-safe where the encoder is."""

    def __init__(self, index: CatalogIndex, prompts: PromptEncoder) -> None:
        self.index = index
        self.prompts = prompts
        self._lock = threading.Lock()
        self._scales: LRUCache[tuple[str, Kind], Scale | None] = LRUCache(_SCALES)
        self._exemplars: LRUCache[str, Vectors] = LRUCache(_EXEMPLARS)
        self._following: LRUCache[tuple[object, ...], Any] = LRUCache(_SCALES)
        """What follows from a calibration and this catalog."""

    @cached_property
    def backgrounds(self) -> dict[Kind, Background]:
        return backgrounds(self.index)

    def classify(
        self,
        request: ClassifyRequest,
        label_set: LabelSet,
        version: int | None,
        image: bytes | None,
        decode: Decode,
        *,
        calibration: LabelCalibration | None = None,
        hidden: Sequence[Action] = (),
    ) -> ClassifyResponse:
        """Give labels to an image, a text, or products.

        Args:
            label_set: That of the request, or the one that it names, which has a ``version``.
            image: The bytes of an uploaded one, in place of ``request.image``.
            calibration: What was measured of that version of the label set on labelled images.
            hidden: Products of which one of these is decided are not there.

        Raises:
            RequestError: nothing asked, or two things; an unknown field, a wrong type.
            ImageError: the image cannot be used.
            ProductNotFound: one of the products is not in the index.
        """
        started = perf_counter()
        judged = self._judged(request, image, decode, hidden)
        classifier = self.classifier(label_set)
        nodes = classifier.nodes
        results: dict[int, Classified] = {}
        used: dict[Kind, tuple[Scale, Known]] = {}
        kinds: tuple[Kind, ...] = ("image", "text")
        for kind in [kind for kind in kinds if judged.of(kind)] or kinds[:1]:
            places = judged.of(kind)
            scale, _ = used[kind] = self._scale(request, label_set, classifier, kind, calibration)
            answers = classifier.classify(judged.firsts[places], scale, request.top_k)
            for at, answer in zip(places, answers, strict=True):
                likely = [
                    _given(
                        LabelScore,
                        label=nodes[one.label].name,
                        path=_path(nodes[one.label].path),
                        similarity=round(one.similarity, 6),
                        probability=round(one.probability, 6),
                    )
                    for one in answer.likely
                ]
                results[at] = _given(
                    Classified,
                    id=judged.ids[at],
                    label=answer.label,
                    path=likely[0].path if answer.label == likely[0].label else None,
                    score=likely[0].similarity,
                    labels=likely,
                    all=answer.all,
                    by=kind,
                )
        (scale, from_), *others = used.values()
        notices = [_NOTICES[from_]] if from_ in _NOTICES else []
        if scale.bias is not None and from_ != "measured":
            notices.append(_BIAS)
        if calibration is not None:
            notices += self.label_drift(classifier, calibration)
        for other, _ in others:
            said = "none is known" if other.threshold is None else f"{other.threshold:.4f}"
            notices.append(f"products without images were judged by their titles, whose threshold is another: {said}")
        return _given(
            ClassifyResponse,
            results=[results[at] for at in range(len(judged.ids))],
            threshold=None if scale.threshold is None else round(scale.threshold, 6),
            temperature=scale.temperature,
            calibration=from_,
            version=version,
            next_cursor=judged.next_cursor,
            notices=notices,
            took_ms=round((perf_counter() - started) * 1e3, 3),
            always=("threshold",),
        )

    def _scale(
        self,
        request: ClassifyRequest,
        label_set: LabelSet,
        classifier: Classifier,
        kind: Kind,
        calibration: LabelCalibration | None,
    ) -> tuple[Scale, Known]:
        """What similarities mean here: as the request says, else the label set (of images), else the catalog.

        A label set's own threshold is of cosines as they are; without one the bias of labels is taken away, if it
        does harm in the catalog.
        """
        scale, known = self.scale(label_set, classifier, kind, calibration)
        temperature = request.temperature or scale.temperature
        if "threshold" in request.model_fields_set:
            return Scale(temperature, request.threshold, scale.bias), "given"
        return Scale(temperature, scale.threshold, scale.bias), known

    def scale(
        self, label_set: LabelSet, classifier: Classifier, kind: Kind, calibration: LabelCalibration | None = None
    ) -> tuple[Scale, Known]:
        """What similarities with a label set mean where no request says otherwise."""
        if calibration is not None and kind == "image" and label_set.threshold is None:
            temperature = label_set.temperature or calibration.temperature
            return Scale(temperature, calibration.threshold, self._bias(classifier, calibration)), "measured"
        found = self._background_scale(label_set, classifier, kind)
        of_set = label_set if kind == "image" else None
        temperature = (of_set and of_set.temperature) or (found.temperature if found else 1.0)
        if of_set and of_set.threshold is not None:
            return Scale(temperature, of_set.threshold), "given"
        if found is None:
            return Scale(temperature), "uncalibrated"
        return Scale(temperature, found.threshold, found.bias), "background"

    def _bias(self, classifier: Classifier, calibration: LabelCalibration) -> Floats | None:
        """What is taken off the labels' similarities, as it was when they were calibrated."""
        things = self.backgrounds["image"].things
        if not calibration.bias or not len(things):
            return None

        def bias() -> Floats:
            return np.asarray(np.float32(calibration.bias) * classifier.similarities(things).mean(axis=0))

        return self._once("bias", calibration, bias)

    def label_drift(self, classifier: Classifier, calibration: LabelCalibration) -> list[str]:
        """What to say where the catalog is not what it was when a label set was calibrated."""
        things = self.backgrounds["image"].things
        if len(things) < FEWEST:
            return []

        def drift() -> list[str]:
            near = classifier.similarities(things, self._bias(classifier, calibration))
            return drift_notice(
                f"label set {calibration.name}", near[:, classifier.leaves].max(axis=1), calibration.deciles
            )

        return self._once("label drift", calibration, drift)

    def policy_drift(self, moderator: Moderator, calibration: PolicyCalibration) -> list[str]:
        """The same of a policy, for the first of its rules that the catalog scores otherwise with."""
        things = self.backgrounds["image"].things
        if len(things) < FEWEST:
            return []

        def drift() -> list[str]:
            scores = moderator.scores(things, "image")
            for at, rule in enumerate(moderator.rules):
                edges = calibration.deciles.get(rule.name)
                if edges and (notice := drift_notice(f"policy {calibration.name}", scores[:, at], edges)):
                    return notice
            return []

        return self._once("policy drift", calibration, drift)

    def _once(
        self, what: str, calibration: LabelCalibration | PolicyCalibration, make: Callable[[], Following]
    ) -> Following:
        """Made when it is first asked for: requests by one calibration are many, and the catalog stays."""
        key = (what, calibration.name, calibration.version, calibration.made)
        with self._lock:
            known: Following | None = self._following.get(key)
        if known is None:
            known = make()
            with self._lock:
                self._following[key] = known
        return known

    def classifier(self, label_set: LabelSet) -> Classifier:
        """The labels of a set with their vectors."""
        nodes = label_nodes(label_set)
        return Classifier(nodes, self.prompts.ensembles([node.texts for node in nodes]), multi=label_set.multi)

    def _background_scale(self, label_set: LabelSet, classifier: Classifier, kind: Kind) -> Scale | None:
        key = label_set.model_dump_json(exclude={"temperature", "threshold"}), kind
        with self._lock:
            if key not in self._scales:
                self._scales[key] = self.backgrounds[kind].scale(classifier)
            return self._scales[key]

    def moderate(
        self,
        request: ModerateRequest,
        policy: Policy,
        version: int | None,
        image: bytes | None,
        decode: Decode,
        *,
        calibration: PolicyCalibration | None = None,
        hidden: Sequence[Action] = (),
    ) -> ModerateResponse:
        """Hold an image, a text, or products to a policy; of products what a person decided counts. Raises as
        ``classify`` does."""
        started = perf_counter()
        judged = self._judged(request, image, decode, hidden)
        moderator = self.moderator(with_thresholds(policy, calibration) if calibration else policy, decode)
        with self._lock:
            usual = self.backgrounds
        decisions: dict[int, Decision] = {}
        kinds: tuple[Kind, ...] = ("image", "text")
        for kind in kinds:
            if not (places := judged.of(kind)):
                continue
            lines = moderator.lines(kind, usual)
            scores = moderator.scores(judged.vectors, kind)
            most = np.maximum.reduceat(scores, judged.starts, axis=0)
            for at in places:
                action, said = judge(most[at], moderator.rules, lines)
                id = judged.ids[at]
                appeal = None
                if id is not None and id in judged.appeals:
                    appeal = Appeal.model_validate(judged.appeals[id], strict=False)
                    action = appeal.action
                decisions[at] = _given(Decision, id=id, action=action, rules=said, by=kind, appeal=appeal)
        notices = []
        if any(not rule.calibrated for decision in decisions.values() for rule in decision.rules):
            notices.append(
                "uncalibrated: some rules have no threshold that was measured for this; "
                "`python -m evaluation moderation` finds one"
            )
        if calibration:
            notices += self.policy_drift(moderator, calibration)
        if moderator.missing:
            notices.append(f"{moderator.missing} exemplar images of the policy are not there any more")
        return _given(
            ModerateResponse,
            decisions=[decisions[at] for at in range(len(judged.ids))],
            policy=request.policy,
            version=version,
            next_cursor=judged.next_cursor,
            notices=notices,
            took_ms=round((perf_counter() - started) * 1e3, 3),
        )

    def moderator(self, policy: Policy, decode: Decode) -> Moderator:
        """A policy with its vectors; exemplar images are encoded once."""

        def vector(exemplar: Exemplar) -> Vectors | None:
            if exemplar.product_id is not None:
                found = self._products([exemplar.product_id])
                images = found[0].vectors.get("image") if found else None
                return None if images is None or not len(images) else images[0]
            assert exemplar.base64 is not None
            data = decode_query_image(ImageQuery(base64=exemplar.base64))
            key = hash_bytes(data)
            with self._lock:
                known = self._exemplars.get(key)
            if known is None:
                known = self._image(data, decode)
                with self._lock:
                    self._exemplars[key] = known
            return known

        return Moderator(policy, self.prompts, vector)

    def _judged(
        self,
        request: ClassifyRequest | ModerateRequest,
        image: bytes | None,
        decode: Decode,
        hidden: Sequence[Action],
    ) -> Judged:
        request.require_one(image=image is not None)
        if image is None and request.image is not None:
            image = decode_query_image(request.image)
        if image is not None:
            if request.image is not None and request.image.crop is not None:
                decode = partial(decode, crop=request.image.crop)
            return Judged([None], ["image"], self._image(image, decode)[None], [0])
        if request.text is not None:
            vectors = self.prompts.encoder.encode_texts([request.text])
            check_vectors(vectors, (1, self.prompts.encoder.spec.dimension), "the text")
            return Judged([None], ["text"], vectors, [0])
        if request.product_ids is not None:
            stored = self._products(request.product_ids, hidden)
            if len(stored) < len(request.product_ids):
                known = {product.payload["id"] for product in stored}
                missing = next(id for id in request.product_ids if id not in known)
                raise ProductNotFound(f"there is no product {missing!r}", field="product_ids")
            return _rows(stored, None)
        return self._matching(request, hidden)

    def _matching(self, request: ClassifyRequest | ModerateRequest, hidden: Sequence[Action]) -> Judged:
        filter = parse_filter(request.filter or {}, self.index.record.fields)
        if hidden:
            filter = All((filter, Not(Decided(tuple(hidden)))))
        after = None
        if request.cursor is not None:
            try:
                after = UUID(request.cursor)
            except ValueError as error:
                raise InvalidCursor("the cursor is not one of this server's", field="cursor") from error
        points = self.index.scan(filter, request.limit + 1, after)
        shown = points[: request.limit]
        found: dict[UUID, Stored] = {}
        for at in range(0, len(shown), _BATCH):
            found |= self.index.fetch(shown[at : at + _BATCH], ("image", "title", "text"))
        stored = [found[point] for point in shown if point in found]
        return _rows(stored, str(shown[-1]) if len(points) > len(shown) else None)

    def _products(self, ids: Sequence[str], hidden: Sequence[Action] = ()) -> list[Stored]:
        """Those that are there, in the order given."""
        found: dict[UUID, Stored] = {}
        points = [points_of(id) for id in ids]
        every = [point for some in points for point in some]
        for at in range(0, len(every), _BATCH):
            found |= self.index.fetch(every[at : at + _BATCH], ("image", "title", "text"))
        if hidden:
            found = {point: stored for point, stored in found.items() if not is_hidden(stored.payload, hidden)}
        return [next(found[point] for point in some if point in found) for some in points if found.keys() & set(some)]

    def _image(self, data: bytes, decode: Decode) -> Vectors:
        """``(dim,) float32``, unit length."""
        encoder = self.prompts.encoder
        vectors = encoder.encode_prepared(decode(data, encoder.preparer).pixels[:1])
        check_vectors(vectors, (1, encoder.spec.dimension), "the image")
        vector: Vectors = vectors[0]
        return vector


_BATCH = 100
"""Products read at a time: one may have hundreds of image vectors."""

_NOTICES = {
    "uncalibrated": "uncalibrated: nothing is known of what is too far from every label, so nothing is `unknown`",
    "background": "the threshold of `unknown` is a guess from the catalog, not measured on labelled images",
}
_BIAS = "some labels are near all images of the catalog; what each scores with any image is taken off its similarity"


def _given(model: type[Made], *, always: Sequence[str] = (), **fields: Any) -> Made:
    """A part of an answer whose fields are set where there is something to say: others are not written."""
    return model(**{name: value for name, value in fields.items() if value is not None or name in always})


def _path(path: tuple[str, ...]) -> list[str] | None:
    return list(path) if len(path) > 1 else None


def _rows(stored: Sequence[Stored], next_cursor: str | None) -> Judged:
    """Products by all their images, and those without any by their titles, or else their texts."""
    ids: list[str | None] = []
    kinds: list[Kind] = []
    starts: list[int] = []
    rows: list[Vectors] = []
    appeals = {
        product.payload["id"]: decision["appeal"]
        for product in stored
        if "appeal" in (decision := product.payload.get(DECISION, {}))
    }
    for product in stored:
        images = product.vectors.get("image")
        texts = [product.vectors[name] for name in ("title", "text") if name in product.vectors]
        by_image = images is not None and len(images) > 0
        if not by_image and not texts:
            continue
        ids.append(product.payload["id"])
        kinds.append("image" if by_image else "text")
        starts.append(len(rows))
        rows += list(images) if by_image and images is not None else texts[:1]
    vectors = np.stack(rows) if rows else np.empty((0, 1), np.float32)
    return Judged(ids, kinds, vectors, starts, next_cursor, appeals)
