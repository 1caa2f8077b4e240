"""What searches take from the documents of a collection."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from schemas import SEARCH_CALIBRATION, Calibration, Document, EmbeddingSpec

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Calibrated:
    """What the scores of searches mean on this catalog; ``calibration`` is None where nobody has measured it.

    ``lacking`` is what to say of the calibration where an answer is uncalibrated all the same.
    """

    calibration: Calibration | None = None
    lacking: str = "searches of this catalog are not calibrated"

    @property
    def notice(self) -> str:
        return f"{self.lacking}, so it is not known what fits: run `python -m evaluation calibrate`"


def calibrated(documents: Sequence[Document], spec: EmbeddingSpec) -> Calibrated:
    """By the calibration of searches, where it was measured with the model of the index."""
    for document in documents:
        if _is_calibration(document):
            try:
                calibration = Calibration.model_validate(document.body.model_dump())
            except ValidationError as error:
                log.warning("the calibration of searches cannot be read, and counts as none: %s", error)
                return Calibrated(lacking="the calibration of searches cannot be read")
            if calibration.fingerprint != spec.fingerprint:
                log.warning("the calibration of searches is of model %s, and counts as none", calibration.model)
                return Calibrated(lacking=f"the calibration of searches is of another model ({calibration.model})")
            return Calibrated(calibration, "the calibration of searches says nothing of requests like this")
    return Calibrated()


def version_of(documents: Sequence[Document]) -> str:
    """Of those that searches answer by: synonyms, and their calibration. Changes with every write of one of them."""
    used = sorted(
        (one.kind, one.name, one.version) for one in documents if one.kind == "synonyms" or _is_calibration(one)
    )
    return hashlib.blake2b(repr(used).encode(), digest_size=6).hexdigest()


def _is_calibration(document: Document) -> bool:
    return (document.kind, document.name) == ("calibrations", SEARCH_CALIBRATION)
