"""English nouns by what they mean: other words for a word, and whether it is English at all.

WordNet 3.1 (Fellbaum 1998; its licence is beside the data), of which ``search/data/wordnet.tsv.gz`` has the nouns that
name things one can buy, and the other words by themselves: a line a synset, its words with the rank of this meaning
among theirs, a tab, and the lines of what it is a kind of; then an empty line, and the other words. nltk would read all
of WordNet, which it downloads when it runs.
"""

from __future__ import annotations

import gzip
from collections import defaultdict
from collections.abc import Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import NamedTuple

DATA = Path(__file__).parent / "data" / "wordnet.tsv.gz"

_MEANINGS = 4
"""Of a word, the usual ones first; further ones are rarely meant by who shops."""
SAME, KIND, BROADER = 0.9, 0.5, 0.4
"""What a word of the same meaning counts beside the word itself, one for a kind of it, and one for what it is a kind
of: an armoire is a wardrobe."""


class Synonym(NamedTuple):
    """``weight`` is ``SAME``, ``KIND`` or ``BROADER``."""

    phrase: str
    weight: float


class Thesaurus:
    """Words are in lower case, those of a phrase between blanks."""

    def __init__(self, synsets: Sequence[str], others: Sequence[str]) -> None:
        self._words: list[list[str]] = []
        self._kinds: defaultdict[int, list[int]] = defaultdict(list)
        self._broader: list[list[int]] = []
        self._meanings: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        self._others = frozenset(others)
        for number, line in enumerate(synsets):
            ranked, _, above = line.partition("\t")
            words = []
            for item in ranked.split(","):
                word, _, rank = item.partition(":")
                words.append(word.replace("_", " "))
                self._meanings[words[-1]].append((int(rank or 1), number))
            self._words.append(words)
            self._broader.append([int(whole) for whole in filter(None, above.split(","))])
            for whole in self._broader[-1]:
                self._kinds[whole].append(number)

    def knows(self, word: str) -> bool:
        """Whether this is a word of English, in its base form, as a plural, or as what a verb makes of it."""
        forms = [*_base_forms(word), *_verbs(word)]
        return any(form in self._meanings or form in self._others for form in forms)

    @cached_property
    def nouns(self) -> list[str]:
        """What things are called, of one word without marks."""
        return [word for word in self._meanings if word.isalpha()]

    def synonyms(self, phrase: str) -> list[Synonym]:
        """Words of the same meaning, then those for kinds of it, then those for what it is a kind of; none for what is
        no English noun."""
        form = next((form for form in _base_forms(phrase) if form in self._meanings), None)
        if form is None:
            return []
        found: dict[str, float] = {}
        meanings = [number for _, number in sorted(self._meanings[form])[:_MEANINGS]]
        for number in meanings:
            found.update(dict.fromkeys(self._words[number], SAME))
        for others, weight in ((self._kinds, KIND), (self._broader, BROADER)):
            for number in meanings:
                for other in others[number]:
                    for word in self._words[other]:
                        found.setdefault(word, weight)
        if form.endswith(("f", "fe")):
            found = {f"{form.rstrip('e')[:-1]}ves": SAME, **found}  # whose stem is another one
        return [Synonym(word, weight) for word, weight in found.items() if word != phrase]


def _base_forms(phrase: str) -> list[str]:
    """A noun, and what it may be the plural of."""
    forms = [phrase]
    for ending, instead in (("ies", "y"), ("ves", "f"), ("es", ""), ("s", "")):
        if phrase.endswith(ending) and len(phrase) > len(ending) + 1:
            forms.append(phrase.removesuffix(ending) + instead)
    return forms


def _verbs(word: str) -> list[str]:
    """What it may be a form of: ``skipping`` of skip, ``baked`` of bake."""
    for ending in ("ing", "ed"):
        stem = word.removesuffix(ending)
        if stem != word and len(stem) > 2:
            return [stem, f"{stem}e", *([stem[:-1]] if stem[-1] == stem[-2] else [])]
    return []


@cache
def thesaurus() -> Thesaurus:
    """The one that is shipped; read when it is first asked for, in a third of a second."""
    synsets, _, others = gzip.decompress(DATA.read_bytes()).decode().partition("\n\n")
    return Thesaurus(synsets.split("\n"), others.split())
