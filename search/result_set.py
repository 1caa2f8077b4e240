"""What fits a request: the one set that totals, facets, groups, sorting and pages speak of, and how sure it is.

Of words, three kinds of products fit. Those that have all of the words where they say what they are (title, category,
brand, colours and other short values), or, where no product has, in any of their texts. A word's synonyms count as the
word; related words of the dictionary, a kind of it or what it is a kind of, count where the product is near in meaning
as well: a dresser is furniture, and not all furniture is one. Then those whose probability of fitting, by their share
of the best score, reaches the floor that the catalog's calibration sets. And those that the request names by their
number or whole title. Of a query image, a product, or several of them together, those that reach the floor fit, and no
others. Where the calibration says that the catalog has nothing of the kind, nothing fits.

A set is of a request, not of its filter: a filter takes from it what it matches.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import numpy as np

from index import CatalogIndex, Term
from schemas import (
    All,
    AnyOf,
    Asked,
    Calibration,
    Curve,
    Filter,
    HasId,
    HasWord,
    LegName,
    Logistic,
    MatchLevel,
    Weighed,
)
from search.candidates import Candidates
from search.fusion import Scores
from search.plan import Question
from search.thesaurus import thesaurus
from search.vocabulary import Vocabulary

MOST_SUPPORT = 1_000
"""Products with all words of a request that are looked at for how well they fit its meaning."""
MOST_OBSERVED = 20_000
_USUAL_SHARE = 0.8
"""Of the best score, from which on a product fits several things together, where that was not measured."""
_RELATED_SHARE = 0.5
"""Of the best score, from which on a product with a related word fits. Home-made requests cannot tell: their labels are
by the same dictionary. Sets of people's requests to four development catalogs are best from .3, .4, .5 and .55 on."""
_SEVERAL = 3
"""Products of a set too small to say what its share among the best is."""


@dataclass(frozen=True, slots=True)
class ResultSet:
    """What fits a request. ``filter`` is None where that is not known: then all that is found counts.

    ``found`` are the candidates of the whole catalog, ``probability`` of a product by its share of the best score.
    """

    match: MatchLevel
    filter: Filter | None
    found: Candidates
    under: Filter
    """What the candidates were found under: the request without its own filter."""
    curve: Curve | None = None
    sold: float = 1.0
    """How probable it is that the catalog has what is asked for."""
    having: Filter | None = None
    """Products that have all words of the request."""

    def probability(self, share: float) -> float | None:
        """That a product with this share of the best score fits."""
        if self.curve is None:
            return None
        return self.sold * float(np.interp(share, self.curve.shares, self.curve.probabilities))


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is looked at to judge a request of words: see ``features``."""

    having: Filter | None
    """Products that have all words: where they say what they are, or, where none has, anywhere."""
    has_subject: bool
    features: Mapping[str, float]
    certain: bool
    """A product says of itself that it is what is asked for, in these words or others of the same meaning; or it has,
    in any text, all of the words, one of which no dictionary has."""
    related: bool
    """Products have related words of the dictionary alone."""


def decide(
    index: CatalogIndex,
    vocabulary: Vocabulary,
    question: Question,
    found: Candidates,
    under: Filter,
    calibration: Calibration | None,
) -> ResultSet:
    """What fits a question of which ``found`` are the candidates in the whole catalog, ``under`` what always holds."""
    if calibration is None:
        return ResultSet("uncalibrated", None, found, under)
    evidence = evidence_of(index, vocabulary, found) if question.words else None
    kind = kind_of(question, found, evidence)
    curve = calibration.fitting.get(kind)
    verdicts = [
        (verdict, probability_of(verdict.probability, features))
        for verdict, features in (
            (calibration.words, evidence.features if evidence else None),
            (calibration.image, image_features(found) if question.images else None),
        )
        if verdict is not None and features is not None
    ]
    levels = [_level(p, verdict.none_below, verdict.good_from) for verdict, p in verdicts]
    sold = min((p for _, p in verdicts), default=1.0)
    if not levels and question.words:
        return ResultSet("uncalibrated", None, found, under)
    # A product that is asked with is there, be nothing else like it.
    match = "weak" if question.product and _together(levels) == "none" else _together(levels)
    # What the request names is there, and so is what says that it is what is asked for.
    if found.exact:
        match = "good"
    elif evidence and ((match == "none" and evidence.certain) or (match == "good" and evidence.related)):
        match = "weak"
    if match == "none":
        return ResultSet(match, HasId(()), found, under, curve, sold)
    if curve is None and evidence is None:
        return ResultSet(match, None, found, under, None, sold)
    least = curve.least_share if curve else math.inf
    near = {point: share for point, share in _shares(found).items() if share >= least or point in found.exact}
    if curve and curve.least_of_category > 0:
        near = within_categories(near, categories(index, near), curve.least_of_category)
    having = evidence.having if evidence else None
    parts = ([having] if having else []) + [HasId(tuple(near))]
    return ResultSet(match, AnyOf(tuple(parts)) if len(parts) > 1 else parts[0], found, under, curve, sold, having)


def _shares(found: Candidates) -> dict[UUID, float]:
    """Of each candidate its share of the best score; nothing is near to a number, nor to a text that was copied."""
    named = any(kind != "title" for kind in found.exact.values())
    return dict.fromkeys(found.exact, 1.0) if named else found.shares


def decide_together(
    sets: Sequence[ResultSet], found: Candidates, under: Filter, calibration: Calibration | None
) -> ResultSet:
    """What fits several things together, of which ``sets`` say what fits each: what is above the floor of ``found``,
    all of them fused, and, of the first, what has all of its words."""
    match: MatchLevel = _together([one.match for one in sets])
    if calibration is None or any(one.match == "uncalibrated" for one in sets):
        return ResultSet("uncalibrated", None, found, under)
    curve, sold = calibration.fitting.get("mixed"), max(one.sold for one in sets)
    if match == "none":
        return ResultSet(match, HasId(()), found, under, curve, sold)
    least = curve.least_share if curve else _USUAL_SHARE
    near = HasId(tuple(point for point, share in found.shares.items() if share >= least))
    having = sets[0].having
    return ResultSet(match, AnyOf((having, near)) if having else near, found, under, curve, sold, having)


@dataclass(frozen=True, slots=True)
class Observed:
    """What a request is judged by: its kind, the features of its words and of its query image, its candidates' shares
    of the best score, and the products that have all its words.

    ``legs`` are what each leg gives the candidates, which are ``points``, on the common measure, ``(points,) float64``,
    0 where it did not find them. They can be weighed in another way: by ``weighed``, the name of a table of weights,
    which is None where words meet images.
    """

    kind: Asked
    words: Mapping[str, float] | None
    image: Mapping[str, float] | None
    shares: Mapping[UUID, float]
    having: frozenset[UUID]
    exact: frozenset[UUID]
    weighed: Weighed | None = None
    points: Sequence[UUID] = ()
    legs: Mapping[LegName, Scores] = field(default_factory=dict)
    categories: Mapping[UUID, object] = field(default_factory=dict)
    """Of the candidates, where no product has the words of the request."""
    certain: bool = False
    """It is sold, whatever the features say."""


def observe(index: CatalogIndex, vocabulary: Vocabulary, question: Question, found: Candidates) -> Observed:
    """The same that ``decide`` looks at."""
    evidence = evidence_of(index, vocabulary, found) if question.words else None
    having = evidence and evidence.having
    points = sorted(found.points)
    row = {point: at for at, point in enumerate(points)}
    legs: dict[LegName, Scores] = {}
    for planned, result in found.legs:
        legs[planned.leg.name] = scores = np.zeros(len(points))
        scores[[row[point] for point in result.points]] = result.normalized * result.best
    kind = kind_of(question, found, evidence)
    return Observed(
        kind,
        evidence.features if evidence else None,
        image_features(found) if question.images else None,
        _shares(found),
        frozenset(index.scan(having, MOST_OBSERVED)) if having else frozenset(),
        frozenset(found.exact),
        _weighed(question, found),
        points,
        legs,
        categories(index, points) if kind == "uncovered" else {},
        bool(found.exact or (evidence and evidence.certain)),
    )


def categories(index: CatalogIndex, points: Collection[UUID]) -> dict[UUID, object]:
    """The category of each product that has one."""
    if "category" not in index.record.fields:
        return {}
    found = index.values(list(points), ["category"])
    return {point: values["category"] for point, values in found.items() if values.get("category") is not None}


def within_categories(
    shares: Mapping[UUID, float], categories: Mapping[UUID, object], least: float
) -> dict[UUID, float]:
    """Of some products with their shares of the best score, those of categories of which one has this share; and those
    that have no category.

    Where no product has the words of a request, the set ends where another kind of thing begins: a couch is near all
    furniture in meaning, and a sofa.
    """
    best: defaultdict[str, float] = defaultdict(float)
    for point, share in shares.items():
        best[str(categories.get(point))] = max(best[str(categories.get(point))], share)
    return {
        point: share
        for point, share in shares.items()
        if point not in categories or best[str(categories[point])] >= least
    }


def _weighed(question: Question, found: Candidates) -> Weighed | None:
    if found.covered is not None:
        return None if question.images else found.covered.regime
    return "image" if question.title is None and len(question.images) == 1 else None


def kind_of(question: Question, found: Candidates, evidence: Evidence | None) -> Asked:
    """What a question is, of those kinds whose scores mean different things."""
    if evidence is not None:
        if question.images:
            return "mixed"
        regime = found.covered.regime if found.covered else "uncovered"
        return regime if regime == "long" or evidence.has_subject else "uncovered"
    return "image" if question.images and question.title is None else "product"


def evidence_of(index: CatalogIndex, vocabulary: Vocabulary, found: Candidates) -> Evidence:
    """What the catalog has of the words of a request, and what the legs made of them.

    ``title`` and ``text`` are the best cosines; ``anywhere``, ``subject`` and, of the words alone without their
    synonyms, ``own_anywhere`` and ``own_subject`` are how much of the words one product has; ``support`` and
    ``supported`` say whether the products with all words are also those whose titles mean the request: their share
    among as many best titles, and the best cosine of theirs.
    """
    subject = having_words(found.terms, vocabulary, subject=True)
    anywhere = having_words(found.terms, vocabulary, subject=False)
    members = set(index.scan(subject, MOST_SUPPORT)) if subject else set()
    titles = next((result for planned, result in found.legs if planned.leg.name == "text->title"), None)
    points = titles.points if titles else []
    first = points[: max(len(members), _SEVERAL)]
    supported = next((at for at, point in enumerate(points) if point in members), None)
    covered = found.covered
    assert covered is not None
    features = {
        "title": found.best("text->title"),
        "text": found.best("text->text"),
        "anywhere": covered.anywhere,
        "subject": covered.subject,
        "own_anywhere": covered.own_anywhere,
        "own_subject": covered.own_subject,
        "support": sum(point in members for point in first) / max(min(len(members), len(points)), 1),
        "supported": float(titles.scores[supported]) if titles and supported is not None else 0.0,
    }
    having = subject if members else anywhere
    related = having is not None and any(term.same != term for term in found.terms)
    same = having_words([term.same for term in found.terms], vocabulary, subject=bool(members)) if related else having
    meant = bool(same and index.count(same)) if related else bool(members)
    if related and having:
        having = _near(index, found, having, same)
    foreign = covered.own_anywhere >= 1.0 and not all(map(thesaurus().knows, (term.word for term in found.terms)))
    certain = covered.own_subject >= 1.0 or (covered.subject >= 1.0 and meant) or foreign
    return Evidence(having, bool(members), features, certain, related and not meant)


def _near(index: CatalogIndex, found: Candidates, having: Filter, same: Filter | None) -> Filter:
    """Of the products with all words, or related ones, those that are near in meaning where words are but related; all
    of them where none is near."""
    near = All((having, HasId(tuple(point for point, share in found.shares.items() if share >= _RELATED_SHARE))))
    meant = AnyOf((same, near)) if same else near
    return meant if index.count(meant) else having


def image_features(found: Candidates) -> dict[str, float]:
    """The best cosines of a query image with images and with texts."""
    return {"image": found.best("image->image"), "text": found.best("image->text")}


def having_words(terms: Sequence[Term], vocabulary: Vocabulary, *, subject: bool) -> Filter | None:
    """Products that have all of these words; None where no product can have, or there are none.

    Args:
        subject: Where they say what they are.
    """
    parts: list[Filter] = []
    for term in terms:
        forms: list[Filter] = []
        for form in term.forms:
            spelt = [tuple(vocabulary.spellings(token)) for token in form]
            if all(spelt):
                forms.append(All(tuple(HasWord(words, subject) for words in spelt)))
        if not forms:
            return None
        parts.append(AnyOf(tuple(forms)))
    return All(tuple(parts)) if parts else None


def probability_of(logistic: Logistic, features: Mapping[str, float]) -> float:
    """The logistic function of the weighted features."""
    logit = logistic.bias + sum(weight * features.get(name, 0.0) for name, weight in logistic.weights.items())
    return 1.0 / (1.0 + math.exp(-max(min(logit, 500.0), -500.0)))


def _level(probability: float, none_below: float, good_from: float) -> MatchLevel:
    return "none" if probability < none_below else "good" if probability >= good_from else "weak"


def _together(levels: Sequence[MatchLevel]) -> MatchLevel:
    """Of words and a query image together: what both say, and weak where they differ."""
    if not levels:
        return "good"
    return levels[0] if all(level == levels[0] for level in levels) else "weak"
