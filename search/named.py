"""What a request names: products by their numbers, wherever in it these are, by their whole title, or by a text of
theirs that holds all its words one after the other.

A number is named by any way of writing it (``catalog.codes``), or by a part of it. What could be a number need not be
one: "iphone 15" is the model of one product and what a hundred others fit.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from catalog import MAX_CODE, code_key, run_key, title_key
from index import CODE_PARTS, CODES, TITLE_KEY, CatalogIndex, Leg, Names, Piece, pieces, term_sequence
from schemas import Filter
from search.phrases import phrase_share

Exact = Literal["id", "code", "title", "text", "part"]

RANK: dict[Exact, int] = {"id": 0, "code": 0, "title": 1, "text": 3, "part": 3}
"""What goes first of what is named; less the share that a copied text is of its product's."""

MOST_NAMED = 1_000
"""Products; a part of a number that more have in common does not tell them from others."""

_PASTED = 6
"""Words one after the other that are no chance, but copied from a text."""

_LOOKED_INTO = 3
"""Numbers of a request that may be words of it: to find out takes a search each."""

_MAX_PIECES = 64
_MAX_RUN = 8
"""Words, as blanks and signs part them, that may be one number."""
_IPHONE15_OR_500ML = re.compile(r"[^\W\d_]{4,}[0-9]{1,3}|[0-9]{1,4}[^\W\d_]{1,3}")

Surety = Literal["certain", "sure", "likely", "possible"]


@dataclass(frozen=True, slots=True)
class AskedNumber:
    """Words of a request that follow each other, and the ``key`` of a product number that is written like that.

    ``surety`` says how sure it is that they are one: ``certain`` or ``sure`` where little else is written so
    (``KT-INS115``, ``ins115``), ``likely`` where one word could as well be a name or a measure (``iphone15``), and
    ``possible`` where they are ordinary words and figures. They are the pieces from ``start`` to before ``end``;
    ``alone`` says that the request has no others.
    """

    key: str
    text: str
    surety: Surety
    start: int
    end: int
    alone: bool

    def is_part_of(self, other: AskedNumber) -> bool:
        return other.start <= self.start and self.end <= other.end


def named(index: CatalogIndex, words: str, filter: Filter) -> dict[UUID, Exact]:
    """Products under the filter that a request names, and by what."""
    numbers = asked_numbers(words)
    keys = tuple(dict.fromkeys(number.key for number in numbers))
    # The key of titles in indexes that older versions wrote.
    titles = tuple(dict.fromkeys((title_key(words), " ".join(words.casefold().split()))))
    found = index.named(Names((words,), titles, keys, keys), filter, MOST_NAMED)
    if len(found) == MOST_NAMED:
        whole = [number.key for number in numbers if number.surety in ("certain", "sure")]
        found = index.named(Names((words,), titles, whole), filter, MOST_NAMED)
    if not found:
        return {}
    payloads = index.payloads(found, ("id", TITLE_KEY, CODES, CODE_PARTS))
    by: dict[UUID, Exact] = {}
    if not any(number.alone for number in numbers):  # there is no letter or digit in the request
        by = {point: "id" for point, payload in payloads.items() if payload["id"] == words}
    looked_into = 0
    taken: list[AskedNumber] = []
    for number in numbers:
        if any(number.is_part_of(other) for other in taken):
            continue
        held = {point: kind for point, payload in payloads.items() if (kind := _kind(number, payload, words))}
        meant = held if number.surety == "certain" else {}
        if number.surety == "sure":
            meant = {point: kind for point, kind in held.items() if kind != "part"}
        if len(meant) < len(held) and looked_into < _LOOKED_INTO:
            looked_into += 1
            if _is_meant(index, number):
                meant = held
        if meant:
            taken.append(number)
            for point, kind in meant.items():
                by.setdefault(point, kind)
    for point, payload in payloads.items():
        if payload.get(TITLE_KEY) in titles and RANK["title"] < RANK[by.get(point, "part")]:
            by[point] = "title"
    return by


def said_by(index: CatalogIndex, words: str, points: Collection[UUID]) -> dict[UUID, float]:
    """Those of the products of which one text holds all words of a request one after the other, and the share of that
    text, 0..1, that they are; none where the words are but a few."""
    asked = term_sequence(words)
    if len(asked) < _PASTED:
        return {}
    payloads = index.payloads(list(points), ["product"])
    shares = {point: phrase_share(payload.get("product", {}), asked) for point, payload in payloads.items()}
    return {point: share for point, share in shares.items() if share > 0}


def _kind(number: AskedNumber, payload: Mapping[str, Any], words: str) -> Exact | None:
    """What of a product the number is; None where it has no such number."""
    if number.alone and payload["id"] == words:
        return "id"
    if number.key in payload.get(CODES, ()):
        return "id" if number.key == code_key(payload["id"]) else "code"
    return "part" if number.key in payload.get(CODE_PARTS, ()) else None


def _is_meant(index: CatalogIndex, number: AskedNumber) -> bool:
    """Whether what may be words is a number all the same, as few products have these words and not as a number."""
    held = set(index.named(Names(codes=(number.key,), parts=(number.key,)), None, MOST_NAMED))
    terms = index.terms(number.text)
    (found,) = index.query([Leg("lexical", "lexical", number.text)], None, 2 * len(held) + 20)
    matched = index.matched([candidate.id for candidate in found if candidate.id not in held], terms)
    others = sum(len(words) == len(terms) for words in matched.values())
    return others <= {"sure": len(held), "likely": len(held) - 1}.get(number.surety, 0)


def asked_numbers(words: str) -> list[AskedNumber]:
    """Those of most words first.

    A word of letters, or a figure of up to four digits, is one only where the request is nothing else: "size 42" does
    not ask for a product 42.
    """
    found = []
    split = pieces(words)[:_MAX_PIECES]
    for start in range(len(split)):
        for end in range(start + 1, min(start + _MAX_RUN, len(split)) + 1):
            run = split[start:end]
            terms = [piece.term for piece in run]
            key = run_key(terms)
            alone = len(run) == len(split)
            if key and len(key) <= MAX_CODE and (surety := _surety(run, alone)):
                found.append(AskedNumber(key, " ".join(terms), surety, start, end, alone))
    return sorted(found, key=lambda number: number.start - number.end)


def _surety(run: Sequence[Piece], alone: bool) -> Surety | None:
    joined = "".join(piece.term for piece in run)
    unbroken = run[0].chunk == run[-1].chunk
    by_itself: Surety | None = "possible" if alone else None
    if not any(character.isdecimal() for character in joined):
        return "sure" if alone and unbroken and len(run) > 1 and len(joined) > 4 else by_itself
    if joined.isdecimal():
        if len(joined) >= (6 if unbroken else 8):
            return "sure"
        return "possible" if len(joined) > 4 else by_itself
    if len(joined) < 4:
        return by_itself
    numbers = any(_is_number(piece.term) for piece in run)
    if len(run) == 1:
        return "sure" if numbers else "likely"
    if numbers:
        return "certain"
    return "sure" if unbroken and len(joined) > 4 else "possible"


def _is_number(term: str) -> bool:
    """Letters and digits in one, as ``ins115``."""
    return len(term) >= 4 and not term.isalpha() and not term.isdecimal() and not _IPHONE15_OR_500ML.fullmatch(term)
