"""How much each leg is trusted, by model and by what was asked with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from index import Term
from schemas import EmbeddingSpec, LegName, Weighed

Table = dict[LegName, float]
Regime = Literal["covered", "expanded", "uncovered", "long"]
"""What of the words of a request the catalog has: ``covered`` where some product has them, ``expanded`` where it has
other words for some of them, ``uncovered`` where none has either, ``long`` for a description that is covered."""

_COVERED = 0.85
"""Of a request's words, by IDF: one product has as good as all of them."""
_LONG = 6
"""Words beyond which a request describes a product more than it names it."""


@dataclass(frozen=True, slots=True)
class WordWeights:
    """Weights of the legs of words, by regime: of cosines in standard deviations above the usual, of BM25 as it is."""

    covered: Table
    expanded: Table
    uncovered: Table
    long: Table

    def of(self, regime: Regime) -> Table:
        tables: dict[Regime, Table] = {
            "covered": self.covered,
            "expanded": self.expanded,
            "uncovered": self.uncovered,
            "long": self.long,
        }
        return tables[regime]


def regime_of(terms: Sequence[Term], covered: float, *, expanded: bool) -> Regime:
    """The regime of a request of these words, of which one product has this share."""
    if covered < _COVERED:
        return "uncovered"
    if len(terms) > _LONG:
        return "long"
    return "expanded" if expanded else "covered"


@dataclass(frozen=True, slots=True)
class LegWeights:
    """Weights of the legs of words, of the legs of images, and the share of words when both are given."""

    words: WordWeights
    image: Table
    share_of_words: float = 0.5

    def fitted(self, tables: Mapping[Weighed, Table]) -> LegWeights:
        """With these tables in place of its own: regimes of words by their names, and ``image``."""
        words: dict[str, Table] = {name: table for name, table in tables.items() if name != "image"}
        return replace(self, words=replace(self.words, **words), image=tables.get("image", self.image))


def _table(title: float, text: float, image: float, lexical: float) -> Table:
    return {"text->title": title, "text->text": text, "text->image": image, "lexical": lexical}


# Found over five development catalogs (garments, foods, electronics, furniture, fashion; 1,800 labelled requests of 35
# kinds), each weighed by what was best on the other four.
BUILTIN = LegWeights(
    words=WordWeights(
        covered=_table(1.0, 0.15, 0.02, 1.0),
        expanded=_table(1.0, 0.5, 0.2, 2.0),
        uncovered=_table(1.0, 0.5, 0.4, 0.3),
        long=_table(1.0, 0.5, 0.02, 0.6),
    ),
    image={"image->image": 1.0, "image->text": 0.02},
)

# Where a calibration begins that has nothing better to say. Not measured: no CLIP weights could be had where this was
# written. CLIP is trained to bring words and images together, so its cross-modal legs count for more and its
# text-to-text legs for less.
CLIP = LegWeights(
    words=WordWeights(
        covered=_table(0.6, 0.2, 0.5, 1.0),
        expanded=_table(0.6, 0.3, 0.7, 2.0),
        uncovered=_table(0.6, 0.3, 1.0, 0.3),
        long=_table(0.6, 0.4, 0.5, 0.6),
    ),
    image={"image->image": 1.0, "image->text": 0.2},
)


def weights_for(spec: EmbeddingSpec) -> LegWeights:
    return BUILTIN if spec.model == "builtin" else CLIP
