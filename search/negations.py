"""Where words negate others: ``without skin``, ``no sugar``, ``not spicy``, ``sugar free``; in a request, and in what a
product says of itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, replace

from index import stem_token, term_sequence

_BEFORE = ("without", "no", "not", "non", "w/o")
_WITHIN = ("so", "too", "very", "any", "really", "that", "a", "the", "in")
_STOCK = {"stock", "available"}
"""What is not in stock is no thing that is left out."""
_FREE_OF = {"of", "from"}
_REACH = 3
"""Words between a negation and what it negates, in a product's own texts: ``no added sugar``."""


@dataclass(frozen=True, slots=True)
class Negation:
    start: int
    end: int
    negated: tuple[str, ...]
    certain: bool
    """Even where no product has the word."""
    phrase: bool = False
    """Behind ``without``, where no name is, and the word after it may belong to it."""


def negations(
    words: Sequence[str], named_free: Callable[[str, str], bool], is_said: Callable[[str], bool]
) -> Iterator[Negation]:
    """Where a text may negate some of its words; products numbers and figures are never negated."""
    at = 0
    while at < len(words):
        found = _negation(words, at, named_free)
        if found is not None and all(map(_negatable, found.negated)):
            two = " ".join([found.negated[-1], _plain(words[found.end])]) if found.end < len(words) else ""
            if found.phrase and two and _negatable(_plain(words[found.end])) and is_said(two):
                found = replace(found, end=found.end + 1, negated=(*found.negated[:-1], two))
            yield found
            at = found.end
        else:
            at += 1


def _negation(words: Sequence[str], at: int, named_free: Callable[[str, str], bool]) -> Negation | None:
    word = _plain(words[at])
    after = words[at + 1] if at + 1 < len(words) else ""
    if match := re.fullmatch(r"non[-‐‑](\w+)|(\w+)[-‐‑]free|(?:no|zero)[-‐‑](\w+)", word):
        return Negation(at, at + 1, (next(filter(None, match.groups())),), False)
    if word == "free" and _plain(after) in _FREE_OF and at + 2 < len(words):
        return Negation(at, at + 3, (_plain(words[at + 2]),), True, True)
    if word == "with" and _plain(after) in ("no", "zero") and at + 2 < len(words):
        return _listed(words, at, at + 2, "without")
    if word in _BEFORE and not words[at].endswith((".", ",")):
        start = at + 1
        while start < len(words) and _plain(words[start]) in _WITHIN:
            start += 1
        if start == len(words) or _plain(words[start]) in _STOCK:
            return None
        return _listed(words, at, start, word)
    if _plain(after) == "free" and not words[at].endswith(","):
        following = words[at + 2] if at + 2 < len(words) else ""
        if _plain(following) not in _FREE_OF and not (following and named_free(word, following)):
            return Negation(at, at + 2, (word,), False)
    return None


def _listed(words: Sequence[str], at: int, start: int, negation: str) -> Negation:
    """``without skin or bones``: a word, and those that follow it after ``or``; after ``without``, ``and`` as well."""
    negated, end = [_plain(words[start])], start + 1
    without = negation in ("without", "w/o")
    joining = ("or", "nor", "and", "&") if without else ("or", "nor")
    while end + 1 < len(words) and words[end] in joining and not words[end - 1].endswith(","):
        negated.append(_plain(words[end + 1]))
        end += 2
    return Negation(at, end, tuple(negated), certain=without or negation == "not", phrase=without)


def _plain(word: str) -> str:
    return word.lower().strip(".,;:!?()[]\"'")


def _negatable(word: str) -> bool:
    return word.isalpha() and len(word) > 1 and stem_token(word) is not None


def is_without(texts: Iterable[str], tokens: Set[int]) -> bool:
    """Whether every text of a product that has a word, of these stems, says that it is without it."""
    there = False
    for text in texts:
        found = term_sequence(text)
        for at, word in enumerate(found):
            if stem_token(word) not in tokens:
                continue
            there = True
            before, after = found[max(0, at - _REACH) : at], found[at + 1 : at + 2]
            free_of = any(before[i : i + 2] in (["free", "of"], ["free", "from"]) for i in range(len(before)))
            if not free_of and after != ["free"] and not set(before) & {"without", "no", "not", "non", "zero"}:
                return False
    return there
