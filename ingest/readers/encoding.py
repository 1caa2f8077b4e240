"""In which encoding a file of text is: told by its mark, by every byte of it, or by chardet, and refused in doubt.

chardet says which encodings are likely: alone it tells 27 of its test's 29 tables of eight rows, charset-normalizer 25.
Whether one is certain is asked here: decoded wrongly, words have signs inside them, capitals behind small letters, or
letters of two scripts, and what is left by that must be far less likely than the best. Of tables in 30 encodings and 20
languages with eight rows or more, all but one in a hundred were told, and none wrongly
(tests/unit/ingest/test_encodings.py).
"""

from __future__ import annotations

import codecs
import logging
import re
import unicodedata
from collections import Counter
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from ingest.readers.lines import UTF16_BOMS, numbered_lines
from ingest.readers.source import Source, unreadable
from schemas import CatalogError

log = logging.getLogger(__name__)

_CANDIDATES = (
    *("cp1252", "cp1250", "cp1251", "cp1254", "iso8859-2", "iso8859-15", "iso8859-9", "cp1253", "iso8859-7"),
    *("cp1257", "cp1255", "iso8859-8", "cp1256", "iso8859-6", "cp1258", "cp874", "koi8-r", "koi8-u", "cp866"),
    *("iso8859-5", "cp850", "cp852", "mac-roman", "mac-cyrillic", "mac-latin2"),
    *("cp932", "shift_jis_2004", "euc_jis_2004", "gb18030", "big5hkscs", "cp949", "euc_kr"),
)
"""Encodings that shops have, those first that are taken where several say the same."""

_USUAL = {"cp1252": 1.2} | dict.fromkeys(("cp850", "cp852", "mac-roman", "mac-latin2"), 0.7)
"""How much oftener, or more seldom, tables come in an encoding than its likelihood by their letters alone says."""

_ALPHABETS = [
    frozenset(alphabet) | {"é"}
    for alphabet in [
        "äöüß",
        "àâæçéèêëîïôœùûü",
        "áéíñóúüªº",
        "ãáâàçéêíóôõú",
        "àèéìíîòóùú",
        "áäéëèêïíîöóôúü",
        "äåöé",
        "æøåéèêòóô",
        "àçèéíïòóúü",
        "ąćęłńóśźż",
        "áčďéěíňóřšťúůýž",
        "áäčďéíĺľňóôŕšťúýž",
        "áéíóöőúüű",
        "ăâîșşțţ",
        "čćđšž",
        "çğıi̇öşüâîû",
        "ąčęėįšųūž",
        "āčēģīķļņšūž",
        "äõöüšž",
        "çë",
    ]
]
"""Letters beyond ASCII of languages that are written in Latin ones."""
_MIXED = 0.3
"""What is left of a likelihood where the letters are of no one language."""

_HEAD = 2**16
_SAMPLE = 4_000
"""Lines with letters beyond ASCII that are looked at, from all over the file."""
_ENOUGH = 4
"""Different words beyond ASCII below which far more certainty is asked for."""
_LIMITS = {"cp1252": {1: 0.7, 2: 0.85, 3: 0.85}}
"""How likely the next may be, to the likeliest, by the number of words: half as likely where none is said."""


def line_encoding(source: Source, asked: str | None) -> str:
    """The encoding of a file whose format asks for UTF-8: lines that are not are broken, unless most are and it is
    certain what they are. Raises CatalogError where the file cannot be read."""
    if asked:
        return asked
    found = _Found.of(source)
    if found.certain and (found.others > 1 or found.encoding.startswith("utf")):
        return found.encoding
    if found.others:
        log.warning("%s: %d lines are not UTF-8 and are rejected%s", source.name, found.others, found.doubt)
    return "utf-8"


def file_encoding(source: Source, asked: str | None) -> str:
    """Raises CatalogError where the file cannot be read, or is in an encoding that is not certain.

    A few lines that are not UTF-8, among many that are or are ASCII, are broken ones.
    """
    if asked:
        return asked
    found = _Found.of(source)
    if found.certain:
        if found.doubt:
            log.warning("%s is read as %s%s", source.name, encoding_name(found.encoding), found.doubt)
        return found.encoding
    if 4 * found.others <= found.lines:
        log.warning("%s: %d lines are not UTF-8 and are rejected%s", source.name, found.others, found.doubt)
        return "utf-8"
    raise CatalogError(f"{source.name} is not UTF-8, and it is not certain what it is{found.doubt}")


def encoding_name(encoding: str) -> str:
    """``Windows-1252`` for ``cp1252``."""
    return re.sub("^cp(?=125)", "Windows-", encoding) if encoding.startswith("cp") else encoding.upper()


class _Found(NamedTuple):
    """``lines`` of the file and those among them, ``others``, that are not UTF-8; ``doubt`` is what else it could be,
    and what to do, for people; empty where there is none."""

    encoding: str
    certain: bool
    lines: int = 0
    others: int = 0
    doubt: str = ""

    @classmethod
    def of(cls, source: Source) -> _Found:
        """Looks through the whole file: the first byte that says anything may be its last."""
        decoder = codecs.getincrementaldecoder("utf-8")()
        with source.open() as file, unreadable(source.name):
            head = file.read(_HEAD)
            if wide := _wide(head):
                return cls(wide, True)
            escapes = False
            try:
                while head:
                    decoder.decode(head)
                    escapes = escapes or b"\x1b$" in head
                    head = file.read(2**20)
                decoder.decode(b"", final=True)
            except UnicodeDecodeError:
                return _detect(source)
        return cls("iso2022_jp_2" if escapes else "utf-8", True)


def _wide(head: bytes) -> str | None:
    """UTF-16 or UTF-32, by a mark or by where the zeros of ASCII letters are."""
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if head.startswith(UTF16_BOMS):
        return "utf-16"
    zeros = [head[at::4].count(0) for at in range(4)]
    if 20 * sum(zeros) < len(head):
        return None
    if zeros[2] + zeros[3] > 0.45 * len(head) and 20 * zeros[0] < len(head):
        return "utf-32-le"
    if zeros[0] + zeros[1] > 0.45 * len(head) and 20 * zeros[3] < len(head):
        return "utf-32-be"
    first, second = zeros[0] + zeros[2], zeros[1] + zeros[3]
    return "utf-16-le" if second > 9 * first else "utf-16-be" if first > 9 * second else None


def _detect(source: Source) -> _Found:
    lines = utf8 = others = 0
    sample: list[bytes] = []
    step = 1
    for _, line in numbered_lines(source):
        lines += 1
        if line.isascii():
            continue
        try:
            line.decode("utf-8")
            utf8 += 1
            continue
        except UnicodeDecodeError:
            others += 1
        if others % step == 0:
            sample.append(line[:2_000].rstrip(b"\r\n"))
            if len(sample) > _SAMPLE:
                sample, step = sample[::2], 2 * step
    hint = "; --encoding NAME says what it is, as --encoding cp1250"
    if utf8 >= others:
        return _Found("utf-8", True, lines, others, f", as {utf8} others are{hint}")
    if 10 * utf8 > others:
        return _Found("utf-8", False, lines, others, f": {utf8} lines are UTF-8, and {others} are not{hint}")
    heads = [line for _, line in islice(numbered_lines(source), 3) if line.isascii()]
    readings = _readings(b"\n".join([*heads, *sample]))
    if not readings:
        return _Found("utf-8", False, lines, others, hint)
    best, *rest = readings
    limit = 0.85 if best.words >= _ENOUGH else _LIMITS.get(best.encoding, {}).get(best.words, 0.5)
    certain = best.odd <= 0.2 and all(other.likelihood <= limit * best.likelihood for other in rest)
    doubtful = [reading for reading in readings if 2 * reading.likelihood > best.likelihood][:4]
    examples = _examples([reading.text for reading in doubtful])
    named = zip([encoding_name(reading.encoding) for reading in doubtful], examples, strict=True)
    told = " or ".join(f"{name} ({word!r})" for name, word in named)
    doubt = f": it could be {told}{hint}" if len(doubtful) > 1 or not certain else ""
    return _Found(best.encoding, certain, lines, others, doubt)


class _Reading(NamedTuple):
    """A text as an encoding has it. ``odd`` is the share of its ``words`` beyond ASCII that no language has."""

    encoding: str
    likelihood: float
    odd: float
    words: int
    text: str


def _readings(data: bytes) -> list[_Reading]:
    """The different texts that bytes may be, the likeliest first; less those that are full of odd words where another
    is not."""
    import chardet

    texts: dict[str, tuple[float, list[str]]] = {}
    likely = chardet.detect_all(
        data, ignore_threshold=True, include_encodings=_CANDIDATES, compat_names=False, max_bytes=len(data)
    )
    for candidate in likely:
        encoding = candidate["encoding"]
        try:
            text = data.decode(encoding or "utf-8")
        except (UnicodeDecodeError, LookupError):
            continue
        # The euro sign of the one Western encoding is the sign for any currency in the other.
        likelihood, encodings = texts.setdefault(text.replace("¤", "€"), (candidate["confidence"], []))
        encodings.append(encoding or "utf-8")
    readings = []
    for text, (likelihood, encodings) in texts.items():
        words = {word for word in _WORD.findall(text) if not word.isascii()}
        odd = sum(map(_is_odd, words)) / max(1, len(words))
        weight = _MIXED if _of_one_language(text) < 0.9 else 1.0
        encoding = min(encodings, key=_CANDIDATES.index)
        if "€" in text and "iso8859-15" in encodings and "€" not in data.decode(encoding):
            encoding = "iso8859-15"
        readings.append(_Reading(encoding, likelihood * weight * _USUAL.get(encoding, 1.0), odd, len(words), text))
    least = min((reading.odd for reading in readings), default=0.0)
    kept = [reading for reading in readings if reading.odd <= max(0.05, least)]
    return sorted(kept, key=lambda reading: -reading.likelihood)


def _examples(texts: list[str]) -> list[str]:
    """The first word that is not the same in all of them, as each has it."""
    words = [_WORD.findall(text) for text in texts]
    several = (row for row in zip(*words, strict=False) if len(set(row)) > 1)
    return [word[:30] for word in next(several, [""] * len(texts))]


def _of_one_language(text: str) -> float:
    """The share of the Latin letters beyond ASCII that one language has, whichever has most of them; 1 for none."""
    letters = Counter(c for c in text.casefold().replace("ß", "ss") if not c.isascii() and _class(c) == "l")
    if not letters:
        return 1.0
    return max(sum(letters[c] for c in letters.keys() & alphabet) for alphabet in _ALPHABETS) / letters.total()


_WORD = re.compile(r"[^\s\x00-&(-@\[-`{-~]+")
"""Letters and what is beyond ASCII, and apostrophes between them."""
_ODD = re.compile(
    "!"  # no character at all
    "|[eElUyYgGrto][*%](?=[eElUyYgGrto])|[*$]%?(?=[eElUyYgG])"  # a sign inside a word, or before one
    "|[eElU][yYgGrtb]|[yYgGrtb][eElU]|[yY][gGrtb]|[gG][yYrtb]|r[yYgGtb]|t[yYgGrb]|b[yYgGrt]"  # two scripts in a word
    "|[eElU][jh]{1,2}[eElU]"
    "|e[UYG]|[lyg][EUYG]|[EUYG][UYG][elyg]"  # capitals behind small letters
)
_SCRIPTS = {
    **{"LATIN": ("l", "U"), "CYRILLIC": ("y", "Y"), "GREEK": ("g", "G"), "HANGUL": ("h", "h")},
    **{"HEBREW": ("r", "r"), "ARABIC": ("t", "t"), "THAI": ("b", "b")},
}
_JOINING = frozenset("\u2019\u2018\u00b4\u2010\u2011\u2013\u2014\u00b7\u00d7\u00b0\u00ad\u2044'")


def _is_odd(word: str) -> bool:
    return _ODD.search("".join(map(_class, word))) is not None


@lru_cache(10_000)
def _class(char: str) -> str:
    """A letter for what a character is in ``_ODD``; nothing for marks and what joins words."""
    category = unicodedata.category(char)
    if category in ("Cc", "Cn", "Co") or char in "\ufb01\ufb02\ufffd":
        return "!"
    if category in ("Mn", "Mc", "Cf") or char in _JOINING:
        return ""
    if char.isascii():
        return "E" if char.isupper() else "e"
    if category[0] != "L":
        return "$" if category == "Sc" else "*" if category[0] in "SN" else "%"
    script = unicodedata.name(char, "").split(" ")[0]
    if script in ("CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "HALFWIDTH"):
        return "j"
    small, capital = _SCRIPTS.get(script, ("o", "o"))
    return capital if char.isupper() else small
