"""An index's labeller: requests to classify and to moderate, answered by its vectors and its model."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import cached_property
from time import perf_counter
from typing import Any, TypeVar

import numpy as np
from cachetools import LRUCache
from pydantic import BaseModel

from images import hash_bytes
from images.arrays import Floats, Vectors
from images.inline import decode_query_image
from index import CatalogIndex
from labels.background import FEWEST, Kind, LabelBackground, backgrounds
from labels.calibrated import drift_notice, with_thresholds
from labels.classifier import Classifier, Scale
from labels.policies import Moderator, judge
from labels.prompts import PromptEncoder, label_nodes
from labels.subjects import Decode, SubjectReader
from schemas import (
    Action,
    Appeal,
    Classified,
    ClassifyRequest,
    ClassifyResponse,
    Decision,
    Exemplar,
    ImageError,
    ImageQuery,
    Known,
    LabelCalibration,
    LabelScore,
    LabelSet,
    ModerateRequest,
    ModerateResponse,
    Policy,
    PolicyCalibration,
    RequestError,
)

Made = TypeVar("Made", bound=BaseModel)
Following = TypeVar("Following")

_SCALES = 256
_EXEMPLARS = 1_000


class Labeller:
    """Gives labels and holds to policies. Thread-safe where the encoder is."""

    def __init__(self, index: CatalogIndex, prompts: PromptEncoder) -> None:
        self.index = index
        self.prompts = prompts
        self._subjects = SubjectReader(index, prompts.encoder)
        self._lock = threading.Lock()
        self._scales: LRUCache[tuple[str, Kind], Scale | None] = LRUCache(_SCALES)
        self._exemplars: LRUCache[str, Vectors] = LRUCache(_EXEMPLARS)
        self._following: LRUCache[tuple[object, ...], Any] = LRUCache(_SCALES)
        """What follows from a calibration and this catalog."""

    @cached_property
    def backgrounds(self) -> dict[Kind, LabelBackground]:
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
            image, decode, hidden: As for ``SubjectReader.read``, which says what is raised.
            calibration: What was measured of that version of the label set on labelled images.
        """
        started = perf_counter()
        judged = self._subjects.read(request, image, decode, hidden)
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
        judged = self._subjects.read(request, image, decode, hidden)
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
                found = self._subjects.products([exemplar.product_id])
                images = found[0].vectors.get("image") if found else None
                return None if images is None or not len(images) else images[0]
            assert exemplar.base64 is not None
            try:
                data = decode_query_image(ImageQuery(base64=exemplar.base64))
                key = hash_bytes(data)
                with self._lock:
                    known = self._exemplars.get(key)
                if known is None:
                    known = self._subjects.image(data, decode)
                    with self._lock:
                        self._exemplars[key] = known
            except ImageError as error:
                raise RequestError(f"an image that the policy has of a rule cannot be used: {error.message}") from error
            return known

        return Moderator(policy, self.prompts, vector)


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
