"""Phrases: those in quotes of a request, and whether a product has one, word by word."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from index import stem_token, term_sequence

_QUOTES = str.maketrans(dict.fromkeys("“”„‟«»″", '"'))
_NOT_QUOTED = re.compile(r'(?<!\S)(?:without|w/o|not|no)\s+"([^"]+)"(?!\w)', re.IGNORECASE)


def without_quoted_negations(text: str) -> tuple[str, list[str]]:
    """A text without ``without "full zip"``, and each such phrase."""
    refused: list[str] = []

    def take(found: re.Match[str]) -> str:
        if not any(stem_token(word) is not None for word in term_sequence(found[1])):
            return found[0]
        refused.append(" ".join(found[1].split()))
        return " "

    left = _NOT_QUOTED.sub(take, text.translate(_QUOTES))
    return (" ".join(left.split()), refused) if refused else (text, [])


def quoted(text: str) -> tuple[str, list[str]]:
    """A text without quotation marks, and each phrase that was in them, as it was written.

    A quote begins before a word and ends behind one: what stands behind a figure is an inch, unless a quote is open
    that ends nowhere else. What is not closed, or holds no word, is no phrase. A text of nothing but quotation marks
    stays as it is: somebody asked with it.
    """
    plain = text.translate(_QUOTES)
    if '"' not in plain:
        return text, []
    marks = [match.start() for match in re.finditer('"', plain)]
    opening = [at for at in marks if (at == 0 or plain[at - 1] in " (") and plain[at + 1 : at + 2].strip()]
    phrases: list[str] = []
    taken: set[int] = set()
    last = -1
    for start in opening:
        if start <= last:
            continue
        until = next((at for at in opening if at > start), len(plain))
        ends = [at for at in marks if start < at < until and (plain[at + 1 : at + 2] or " ") in " ),.;:!?"]
        ends = [at for at in ends if plain[at - 1] != '"']
        end = next((at for at in ends if not plain[at - 1].isdigit()), ends[0] if ends else None)
        if end is None:
            taken.add(start)
            continue
        last = end
        taken |= {start, end}
        phrase = text[start + 1 : end].strip()
        if any(stem_token(word) is not None for word in term_sequence(phrase)):
            phrases.append(phrase)
    inches = {at for at in marks if at not in taken and at > 0 and plain[at - 1].isdigit()}
    left = "".join(" " if mark == '"' and at not in inches else mark for at, mark in enumerate(plain))
    return " ".join(left.split()) or text, phrases


def has_phrase(row: Mapping[str, Any], words: Sequence[str]) -> bool:
    """Whether one text of a product has these words in this order, whatever their case and marks."""
    return phrase_share(row, words) > 0


def phrase_share(row: Mapping[str, Any], words: Sequence[str]) -> float:
    """How much these words in this order are of the shortest text of a product that has them: 1 is all of it, and 0
    that none has."""
    length = len(words)
    texts = (term_sequence(text) for text in texts_of(row))
    having = (
        len(found) for found in texts if any(found[at : at + length] == words for at in range(len(found) - length + 1))
    )
    shortest = min(having, default=None)
    return length / shortest if shortest else 0.0


def texts_of(value: object, name: str = "") -> Iterator[str]:
    """Whatever is written in a product's row, but for where its images are."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            if key not in ("image", "images") or name:
                yield from texts_of(inner, str(key))
    elif isinstance(value, list):
        for inner in value:
            yield from texts_of(inner, name or "-")
