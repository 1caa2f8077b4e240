"""Splits text into search terms, in the same way for products and requests and on both engines.

A word is found in any case, with or without diacritics and punctuation in it (``T-shirt``, ``tshirt``), and a number
joined to its unit or apart (``128GB``, ``128 GB``). Scripts without blanks between words (Chinese, Japanese, Thai, Lao,
Khmer, Burmese), and Korean with its endings, are cut into overlapping pairs of characters (bigrams). Stop words, stems
and the hash of a term are in ``index.lexical``.

Python's own ``re`` knows neither scripts nor grapheme clusters; the library ``regex`` does.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Literal

import regex

from schemas import clean_prose, fold

_MAX_JOINED = 6
"""Parts of what is one word as well; of ``a/b/c/d/e/f/g`` there are the parts alone."""
_MAX_ATOMS = 4
_LEAST_DIGITS = 5
"""Digits that are one number without what stands between them: ``3/4`` is not 34."""

# What NFKC would make letters of a word, digits of a number, or two of one.
_BEFORE_NFKC = str.maketrans(
    dict.fromkeys("™℠®©℗", " ")
    | dict.fromkeys("″“”„«»", '"')
    | {c: f" {unicodedata.normalize('NFKC', c)} " for c in map(chr, (*range(0xBC, 0xBF), *range(0x2150, 0x215F)))}
)
_PLAIN_SIGNS = str.maketrans(dict.fromkeys("′‘’‛ʼ", "'") | dict.fromkeys("⁄∕", "/"))

_NO_BLANKS = (
    r"\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Line_Break=Complex_Context}ー々〆"
)
_CHUNK = re.compile(r"\S+")
_PIECE = regex.compile(
    rf"(?P<run>[[{_NO_BLANKS}]&&[\p{{L}}\p{{M}}\p{{N}}]]+)"
    rf"|(?P<word>[[\p{{L}}\p{{M}}\p{{N}}\u200d]--[{_NO_BLANKS}]]+)"
    r"|(?P<emoji>\p{RI}\p{RI}|\p{Extended_Pictographic}\p{M}*(?:\u200d\p{Extended_Pictographic}\p{M}*)*)",
    regex.V1,
)
_ASCII_PIECE = re.compile("(?P<word>[a-zA-Z0-9]+)")
_JOINER = regex.compile(r"[\p{Pd}_/.&+'\":*·\\\u05be\u05f3\u05f4\u200c]")
_BEHIND = re.compile(r'\+\+?|#|(?<=[0-9])(?:["°%])')
_ATOM = regex.compile(r"\p{N}+|[\p{L}\p{M}]+")
_EXPANDED = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a text.

    It is found where all terms of one of its ``forms`` are: the first is the word itself. ``hints`` are terms that only
    make it a better match, such as the word with its marks; ``signs``, of scripts without blanks, are for requests of
    one sign alone.
    """

    text: str
    forms: tuple[tuple[str, ...], ...]
    hints: tuple[str, ...] = ()
    signs: tuple[str, ...] = ()
    emoji: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """A word of letters and digits, folded; ``chunk`` numbers what stands between blanks."""

    term: str
    chunk: int


def pieces(text: str) -> list[Piece]:
    """What blanks and signs leave of a text; scripts without blanks and pictograms are left out."""
    return [
        Piece(part.term, number)
        for number, chunk in enumerate(_chunks(text))
        for part in _parts(chunk)
        if part.kind == "word" and part.term
    ]


def words(text: str) -> list[Word]:
    """The words of a text, in their order; what stands between two blanks has no influence on anything else."""
    return [word for chunk in _chunks(text) for word in _words(chunk)]


def terms(text: str) -> list[str]:
    """The distinct words of a text as they are looked up, folded and not stemmed: joined ones as one as well, and the
    parts of those of letters and digits."""
    found: dict[str, None] = {}
    for word in words(text):
        found.update((term, None) for terms in (*word.forms, word.signs) for term in terms)
    return list(found)


def term_sequence(text: str) -> list[str]:
    """The words of a text in their order, each as it is looked up first: folded and not stemmed."""
    return [word.forms[0][0] for word in words(text)]


def located(text: str) -> Iterator[tuple[int, int, tuple[tuple[str, ...], ...]]]:
    """Where the words of a text stand in it, from one character to before another, and the forms each is found by.

    A word that others are joined to is there by itself, and again as all that they are together.
    """
    for chunk in _CHUNK.finditer(text):
        for start, end, forms in _located(chunk[0]):
            yield chunk.start() + start, chunk.start() + end, forms


@lru_cache(2**12)
def _located(chunk: str) -> list[tuple[int, int, tuple[tuple[str, ...], ...]]]:
    found: list[tuple[int, int, tuple[tuple[str, ...], ...]]] = []
    for group in _groups(_parts(chunk), chunk):
        joined = "".join(part.term for part in group)
        if 1 < len(group) <= _MAX_JOINED:
            found.append((group[0].start, group[-1].end, ((joined,),)))
        for part in group:
            if part.kind == "run":
                signs = list(regex.finditer(r"\X", part.text))
                pairs = list(pairwise(signs)) or [(sign, sign) for sign in signs]
                for first, last in pairs:
                    start, end = part.start + first.start(), part.start + last.end()
                    found.append((start, end, ((fold(chunk[start:end]),),)))
                    found.append((start, start + len(first[0]), ((fold(first[0]),),)))
            else:
                found += [(part.start, part.end, word.forms) for word in part.words(chunk, "", "")]
    return found


def count_words(text: str) -> int:
    """About how many words a text has, cheaply: stop words count as well."""
    return sum(1 if chunk.isascii() else len(words(chunk)) for chunk in text.split())


def _chunks(text: str) -> list[str]:
    if not text.isascii():
        text = unicodedata.normalize("NFKC", clean_prose(text).translate(_BEFORE_NFKC)).translate(_PLAIN_SIGNS)
    return text.split()


def _words(chunk: str) -> list[Word]:
    found: list[Word] = []
    for group in _groups(_parts(chunk), chunk):
        joined = "".join(part.term for part in group) if 1 < len(group) <= _MAX_JOINED else ""
        if joined.isdecimal() and len(joined) < _LEAST_DIGITS:
            joined = ""
        for number, part in enumerate(group):
            found += part.words(chunk, joined, _number(group[number : number + 2], chunk))
    return found


class _Part:
    """A part of a chunk between what is neither letter nor digit."""

    def __init__(self, kind: Literal["run", "word", "emoji"], text: str, start: int, end: int) -> None:
        self.kind = kind
        self.text = text
        self.start = start
        self.end = end
        self.term = fold(text)

    def words(self, chunk: str, joined: str, number: str) -> Iterator[Word]:
        if self.kind == "emoji":
            yield Word(self.text, ((self.term,),), emoji=True)
        elif self.kind == "run":
            yield from _run(self.term)
        elif self.term:
            yield self._word(chunk, joined, number)

    def _word(self, chunk: str, joined: str, number: str) -> Word:
        term = self.term
        forms = [(term,)]
        hints = [number] if number else []
        if not self.text.isascii():
            marked = unicodedata.normalize("NFC", self.text.lower())
            if marked != term:
                hints.append(marked)
                if (expanded := fold(marked.translate(_EXPANDED))) != term:
                    forms.append((expanded,))
        if not term.isalpha() and not term.isdecimal():
            atoms = tuple(_ATOM.findall(term))
            if 1 < len(atoms) <= _MAX_ATOMS:
                forms.append(atoms)
        if joined:
            forms.append((joined,))
        if behind := _BEHIND.match(chunk, self.end):
            hints.append(term + behind[0])
        if chunk.startswith(".") and self.start == 1:
            hints.append("." + term)
        return Word(self.text, tuple(forms), tuple(hints))


def _parts(chunk: str) -> list[_Part]:
    return [
        _Part(match.lastgroup, match[0], match.start(), match.end())  # type: ignore[arg-type]
        for match in (_ASCII_PIECE if chunk.isascii() else _PIECE).finditer(chunk)
    ]


def _groups(parts: Sequence[_Part], chunk: str) -> Iterator[list[_Part]]:
    """Words that one character joins, and each other part by itself."""
    group: list[_Part] = []
    for part in parts:
        if group and not _joins(group[-1], chunk[group[-1].end : part.start], part):
            yield group
            group = []
        group.append(part)
    if group:
        yield group


def _joins(part: _Part, between: str, after: _Part) -> bool:
    if not part.kind == after.kind == "word":
        return False
    if between == ",":
        return part.term.isdecimal() and after.term.isdecimal()
    return _JOINER.fullmatch(between) is not None


def _number(pair: Sequence[_Part], chunk: str) -> str:
    """``3/4`` and ``1.5`` as they are one number, with a point for a comma; empty for what is none."""
    if len(pair) < 2 or not all(part.term.isdecimal() for part in pair):
        return ""
    between = chunk[pair[0].end : pair[1].start]
    joined = "." if between == "," else between
    return f"{pair[0].term}{joined}{pair[1].term}" if joined in ("/", ".") else ""


def _run(term: str) -> Iterator[Word]:
    """Pairs of neighbouring signs of a text without blanks."""
    signs = regex.findall(r"\X", term)
    if len(signs) == 1:
        yield Word(term, ((term,),))
        return
    for at, (sign, after) in enumerate(pairwise(signs)):
        yield Word(sign + after, ((sign + after,),), signs=(sign, after) if at == 0 else (after,))
