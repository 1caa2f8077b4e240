"""Where the words of a request stand in a hit: as they were asked for, corrected, or as their synonyms.

Texts are cut into pieces, of which some are marked, and never hold markup: whoever shows them escapes each piece, or
sets it as text, and needs to count no characters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from index import Term, located, stem_token
from schemas import HighlightPiece

FRAGMENT = 240
"""Characters of a long text that are shown: where most of the words are."""
_BEFORE = 40
"""Of these, at most so many before the first marked word."""
_MOST = 20_000
"""Characters that are looked at."""


class _Mark(NamedTuple):
    start: int
    end: int
    term: int


def highlights(product: Mapping[str, Any], terms: Sequence[Term]) -> dict[str, list[HighlightPiece]]:
    """The title of a product, and of its description the part where most of the words are, if there are any."""
    found: dict[str, list[HighlightPiece]] = {}
    if isinstance(title := product.get("title"), str):
        found["title"] = _pieces(title, _marks(title, terms))
    if isinstance(description := product.get("description"), str):
        text = " ".join(description[:_MOST].split())
        if marks := _marks(text, terms):
            found["description"] = _fragment(text, marks)
    return found


def _marks(text: str, terms: Sequence[Term]) -> list[_Mark]:
    """Marked parts that do not overlap, in order."""
    words = [(start, end, set(filter(None, map(_tokens, forms)))) for start, end, forms in located(text)]
    there = {token for _, _, forms in words for form in forms for token in form}
    wanted: dict[int, int] = {}
    for number, asked in enumerate(terms):
        for form in asked.forms:
            if there.issuperset(form):  # of a phrase all words
                for token in form:
                    wanted.setdefault(token, number)
    marks: list[_Mark] = []
    for start, end, forms in sorted(words, key=lambda word: (word[0], -word[1])):
        term = next((wanted[form[0]] for form in forms if wanted.keys() >= set(form)), None)
        if term is None:
            continue
        if marks and start < marks[-1].end:
            marks[-1] = marks[-1]._replace(end=max(end, marks[-1].end))
        else:
            marks.append(_Mark(start, end, term))
    return marks


def _tokens(form: Sequence[str]) -> tuple[int, ...]:
    """Those of all words of a form; none where one is a stop word."""
    tokens = tuple(token for word in form if (token := stem_token(word)) is not None)
    return tokens if len(tokens) == len(form) else ()


def _fragment(text: str, marks: Sequence[_Mark]) -> list[HighlightPiece]:
    """The part of a text with the most different words marked, the first of equals."""
    if len(text) <= FRAGMENT:
        return _pieces(text, marks)
    within = [
        [one for one in marks[at : at + FRAGMENT] if one.end <= first.start - _BEFORE + FRAGMENT]
        for at, first in enumerate(marks)
    ]
    best = max(within, key=lambda some: len({one.term for one in some})) or [marks[0]]
    start = _boundary(text, max(0, min(best[0].start - _BEFORE, len(text) - FRAGMENT)), best[0].start)
    end = max(text.rfind(" ", start, start + FRAGMENT + 1), best[-1].end) if start + FRAGMENT < len(text) else len(text)
    inside = [
        _Mark(one.start - start, one.end - start, one.term) for one in marks if start <= one.start < one.end <= end
    ]
    pieces = _pieces(text[start:end], inside)
    before = [HighlightPiece(text="… ")] if start else []
    after = [HighlightPiece(text=" …")] if end < len(text) else []
    return [*before, *pieces, *after]


def _boundary(text: str, start: int, until: int) -> int:
    """The next beginning of a word."""
    if start == 0 or text[start - 1] == " ":
        return start
    blank = text.find(" ", start, until)
    return start if blank < 0 else blank + 1


def _pieces(text: str, marks: Sequence[_Mark]) -> list[HighlightPiece]:
    return [piece for piece in _cut(text, marks) if piece.text]


def _cut(text: str, marks: Sequence[_Mark]) -> Iterator[HighlightPiece]:
    at = 0
    for mark in marks:
        yield HighlightPiece(text=text[at : mark.start])
        yield HighlightPiece(text=text[mark.start : mark.end], marked=True)
        at = mark.end
    yield HighlightPiece(text=text[at:])
