"""Pairs of words of a catalog that may mean the same.

Such words are near each other for the model (each is the nearest to the other, and their cosine lies far above that of
two words by chance), stand in products that are alike, and rarely in one and the same: who writes *sofa* does not write
*couch* as well. For a model, what goes together is near as well, and so is what excludes each other. So words are no
synonyms that stand side by side somewhere (*shoulder strap*), that are of values of one field, as colours and
categories, or that are all that two titles differ in (*garlic, small* and *garlic, big*); and brands are of nothing.
What is left has kinds of one thing among it, mugs and cups: that is for a person to say.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import OSA

from images.arrays import Vectors
from index import CatalogIndex, sample_products, stem_token, term_sequence

SAMPLE = 10_000
"""Products that are read."""

_MOST_WORDS = 3_000
_LEAST_TITLES = 2
"""Different ones that have a word: what stands in one alone is mostly a name."""
_FAR = 2.5
"""Standard deviations that a cosine lies above that of two words by chance."""
_TOGETHER = 0.25
"""Of the products that have the rarer word, those that have both."""
_WORDS_OF_VALUE = 4
"""Of a value of a field that tells products apart: *Bras & Tanks*. What is longer is a text."""
_WEIGHT_ALIKE = 2.0
"""Of how alike the products are, -1 to 1, beside the deviations of the words' cosine."""
_ALIKE = 0.2
"""How alike they are at least."""
_COMPARED = 200
"""Products of a word that are looked at for an example."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Two words, the commoner one first, why they may be synonyms, and a product of each."""

    synonyms: tuple[str, str]
    reason: str
    examples: tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Sample:
    """``titles`` of products, their ``vectors`` ``(n, dim) float32``, less the mean and of unit length, and which of
    them have a word: ``has`` is ``(n, words) float32`` of 0 and 1."""

    titles: list[str]
    vectors: Vectors
    words: list[str]
    stems: list[int]
    has: Vectors
    apart: NDArray[np.bool_]
    """``(words, words)``: pairs of words of which one follows the other in some title or description, or that are all
    that two titles differ in."""


def suggest(
    index: CatalogIndex, encode: Callable[[Sequence[str]], Vectors], limit: int, known: Iterable[frozenset[str]] = ()
) -> list[Suggestion]:
    """Pairs of words, the likeliest first.

    Args:
        encode: Texts to ``(n, dim) float32``, unit rows.
        known: Pairs that need no suggestion, folded.
    """
    sample = _read(index)
    count = len(sample.words)
    if count < 2:
        return []
    encoded = encode(sample.words)
    cosines = encoded @ encoded.T
    rows, columns = np.triu_indices(count, 1)
    by_chance = cosines[rows, columns]
    far = (cosines - by_chance.mean()) / max(float(by_chance.std()), 1e-6)
    frequency = sample.has.sum(axis=0)
    together = sample.has.T @ sample.has
    share = together / np.minimum.outer(frequency, frequency)
    means = _unit(sample.has.T @ sample.vectors)
    alike = means @ means.T
    likely = (far >= _FAR) & (alike >= _ALIKE) & (share <= _TOGETHER) & _nearest(cosines)
    possible = likely & ~sample.apart & ~_told_apart(index, sample)
    score = np.where(possible, far + _WEIGHT_ALIKE * alike, -np.inf)[rows, columns]
    done = set(known)
    found: list[Suggestion] = []
    for at in np.argsort(-score, kind="stable"):
        one, other = sorted((int(rows[at]), int(columns[at])), key=lambda word: -frequency[word])
        if len(found) >= limit or score[at] == -np.inf:
            break
        pair = frozenset((sample.words[one], sample.words[other]))
        if pair in done:
            continue
        both, rare = int(together[one, other]), int(min(frequency[one], frequency[other]))
        reason = _reason(pair, cosines[one, other], alike[one, other], both, rare)
        found.append(Suggestion((sample.words[one], sample.words[other]), reason, _examples(sample, one, other)))
    return found


def _read(index: CatalogIndex) -> _Sample:
    """What is needed of a sample of the products: words of their titles and categories, in their usual spelling."""
    brands = _words_of(index, "brand")
    spellings: defaultdict[int, Counter[str]] = defaultdict(Counter)
    titles_with: defaultdict[int, set[str]] = defaultdict(set)
    titles: list[str] = []
    vectors: list[Vectors] = []
    stems_of: list[set[int]] = []
    beside: set[tuple[int, int]] = set()
    for product in sample_products(index, SAMPLE, ("title",)):
        vector = product.vectors.get("title")
        shown = product.payload.get("product", {})
        title = str(shown.get("title") or "")
        if vector is None or not title:
            continue
        stems: set[int] = set()
        for word in term_sequence(f"{title} {shown.get('category') or ''}"):
            stem = stem_token(word)
            if word.isalpha() and len(word) > 2 and stem is not None and stem not in brands:
                spellings[stem][word] += 1
                titles_with[stem].add(title)
                stems.add(stem)
        for text in (title, str(shown.get("description") or "")):
            beside.update(_side_by_side(text))
        titles.append(title)
        vectors.append(vector.copy())
        stems_of.append(stems)
    often = [stem for stem, some in titles_with.items() if len(some) >= _LEAST_TITLES]
    often = sorted(often, key=lambda stem: (-len(titles_with[stem]), stem))[:_MOST_WORDS]
    at = {stem: number for number, stem in enumerate(often)}
    has = np.zeros((len(titles), len(often)), np.float32)
    for row, stems in enumerate(stems_of):
        has[row, [at[stem] for stem in stems if stem in at]] = 1
    apart = _pairs(beside, at) | _pairs(_instead(titles), at)
    centred = np.stack(vectors) if vectors else np.zeros((0, index.record.embedding.dimension), np.float32)
    words = [min(spellings[stem], key=lambda word: (-spellings[stem][word], word)) for stem in often]
    return _Sample(titles, _unit(centred - centred.mean(axis=0)) if vectors else centred, words, often, has, apart)


def _side_by_side(text: str) -> Iterator[tuple[int, int]]:
    """The stems of words that follow each other."""
    for one, other in pairwise(map(stem_token, term_sequence(text))):
        if one is not None and other is not None:
            yield one, other


def _instead(titles: Iterable[str]) -> Iterable[set[int]]:
    """The stems of words that are all that some titles differ in."""
    rest: defaultdict[tuple[int | None, ...], set[int]] = defaultdict(set)
    for title in set(titles):
        stems = [stem_token(word) for word in term_sequence(title)]
        for at, stem in enumerate(stems):
            if stem is not None and len(stems) > 1:
                rest[(*stems[:at], None, *stems[at + 1 :])].add(stem)
    return rest.values()


def _pairs(groups: Iterable[Collection[int]], at: Mapping[int, int]) -> NDArray[np.bool_]:
    """``(words, words)``: which words are of one group of stems; ``at`` is the place of each stem."""
    pairs = np.zeros((len(at), len(at)), np.bool_)
    for group in groups:
        places = [at[stem] for stem in group if stem in at]
        if len(places) > 1:
            pairs[np.ix_(places, places)] = True
    return pairs


def _nearest(cosines: Vectors) -> NDArray[np.bool_]:
    """Pairs of words of which each is the nearest to the other, ``(words, words)``."""
    nearest = np.where(np.eye(len(cosines), dtype=bool), -np.inf, cosines).argmax(axis=1)
    mutual = np.zeros(cosines.shape, np.bool_)
    at = np.arange(len(nearest))
    mutual[at, nearest] = nearest[nearest] == at
    return mutual


def _told_apart(index: CatalogIndex, sample: _Sample) -> NDArray[np.bool_]:
    """Pairs of words that are of values of one field, tags left out."""
    told = np.zeros((len(sample.words), len(sample.words)), np.bool_)
    for field, kind in index.record.fields.items():
        if kind == "keyword" and field not in ("id", "tags", "group_id"):
            stems = _words_of(index, field, _WORDS_OF_VALUE)
            of_field = np.array([stem in stems for stem in sample.stems])
            told |= np.outer(of_field, of_field)
    return told


def _words_of(index: CatalogIndex, field: str, most: int = 1) -> set[int | None]:
    """The stems of those values of a field that are so many words at most."""
    if field not in index.record.fields:
        return set()
    values = (term_sequence(str(value)) for value, _ in index.facet(field, None, _MOST_WORDS))
    return {stem_token(word) for value in values if len(value) <= most for word in value} - {None}


def _unit(rows: Vectors) -> Vectors:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9), np.float32)


def _reason(pair: frozenset[str], cosine: float, alike: float, both: int, rare: int) -> str:
    reasons = [f"near in meaning (cosine {cosine:.2f})"]
    if OSA.distance(*pair) <= 1 + (min(map(len, pair)) > 5):
        reasons.append("spelt nearly alike")
    reasons.append(f"in products that are alike ({alike:.2f})")
    reasons.append(f"both in {both} of {rare} products" if both else "never in one product")
    return ", ".join(reasons)


def _examples(sample: _Sample, one: int, other: int) -> tuple[str, str]:
    """The two products, one with the first word and one with the second alone, that are most alike."""
    first, second = (
        np.flatnonzero((sample.has[:, has] > 0) & (sample.has[:, lacks] == 0))[:_COMPARED]
        for has, lacks in ((one, other), (other, one))
    )
    cosines = sample.vectors[first] @ sample.vectors[second].T
    row, column = np.unravel_index(int(cosines.argmax()), cosines.shape)
    return sample.titles[first[row]], sample.titles[second[column]]
