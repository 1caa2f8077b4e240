"""One text, one form: what looks alike is alike, wherever text enters, and what is compared is folded further.

``é`` may be one character or two, a soft hyphen is not seen, and blanks are of many kinds. ``clean_code``,
``clean_line`` and ``clean_prose`` give the form in which text is stored and looked up: Unicode's NFC, trimmed, without
invisible characters. ``fold`` gives the form in which words are matched, and which nobody is shown.
"""

from __future__ import annotations

import re
import unicodedata

# Characters that have no width and no meaning of their own: soft hyphen, grapheme joiner, zero-width space, word
# joiner, invisible operators, byte order mark, marks and brackets of writing direction, annotation anchors.
_INVISIBLE = "\u00ad\u034f\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
# Zero-width joiners and non-joiners shape what stands before them in Arabic and Indic scripts and in emoji, and nothing
# elsewhere.
_SHAPED = (
    "\u0600-\u0dff\u0f00-\u109f\u1700-\u1cff\ua800-\uabff\U00010a00-\U00011fff\U0001e900-\U0001e95f"
    "\u2190-\u2bff\ufe0f\U0001f000-\U0001faff"
)
_UNSEEN = re.compile(rf"[{_INVISIBLE}]+|(?<![{_SHAPED}])[\u200c\u200d]+|(?<=[\u200c\u200d])[\u200c\u200d]+")

# White space of Unicode, and what shows as nothing though it counts as a letter or a symbol.
_FILLERS = "\u2800\u3164\uffa0"
_BLANKS = (
    "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    f"\u2028\u2029\u202f\u205f\u3000{_FILLERS}"
)
_EDGES = f"{_BLANKS}\u115f\u1160\u200c\u200d"
_TO_SPACE = str.maketrans(dict.fromkeys(_FILLERS, " "))
_LINE_END = re.compile("\r\n|[\r\x85\u2028\u2029]")

# Letters that people write as others: Latin ones whose stroke or second letter Unicode does not take for a mark; Arabic
# and Persian forms of one letter; Devanagari's two signs of a nasal vowel. And what is not read: the Arabic stroke that
# lengthens words, joiners, selectors of a glyph, the frame of a key.
_LETTERS = str.maketrans(
    {"ı": "i", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ŧ": "t", "æ": "ae", "œ": "oe", "þ": "th"}
    | {"ى": "ي", "ی": "ي", "ک": "ك", "ة": "ه", "ٱ": "ا", "ँ": "ं"}
    | dict.fromkeys("\u0640\u200c\u200d\u20e3", "")
    | dict.fromkeys(map(chr, range(0xFE00, 0xFE10)), "")
)
_OTHER_DIGIT = re.compile(r"(?![0-9])\d")
# Canonical combining classes of marks that are part of a letter: kana voicing and viramas, and the vowels and tones of
# Telugu, Thai, Lao and Tibetan. Class 0 has most vowels of Indic scripts.
_OF_THE_LETTER = frozenset({0, 8, 9, 84, 91, 103, 107, 118, 122, 129, 130, 132})


def split_commas(text: str) -> list[str]:
    """What stands between commas, trimmed; nothing where nothing stands."""
    return [part for item in text.split(",") if (part := item.strip())]


def clean_code(text: str) -> str:
    """An id, a product number, a name: as it was written, but for its form and what is around it."""
    return text.strip() if text.isascii() else _one_form(text).strip(_EDGES)


def clean_line(text: str) -> str:
    """A value of one line: blanks of any kind and number between its words are one space."""
    if text.isascii():
        return " ".join(text.split())
    return " ".join(_one_form(text).strip(_EDGES).translate(_TO_SPACE).split())


def one_line(text: str) -> str:
    """``clean_line`` of a text that may not be empty. Raises ValueError where nothing is left."""
    if not (cleaned := clean_line(text)):
        raise ValueError("there is nothing in it")
    return cleaned


def clean_prose(text: str) -> str:
    """Text of several lines, which stay; blanks within a line stay as well."""
    text = clean_code(text)
    return text.replace("\r\n", "\n").replace("\r", "\n") if text.isascii() else _LINE_END.sub("\n", text)


def clean_value(text: str) -> str:
    """A value of one line as one, and of several as several."""
    if text.isascii() and "\n" not in text and "\r" not in text:
        return " ".join(text.split())
    prose = clean_prose(text)
    return prose if "\n" in prose else clean_line(prose)


def fold(text: str) -> str:
    """Text as it is matched: whatever the case, the marks on letters, and the width and other variants of characters.

    Marks that make another letter stay, as the vowels of Indic scripts do.
    """
    if text.isascii():
        return text.lower()
    # Twice, since folding the case may leave something to decompose.
    text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", _one_form(text)).casefold())
    text = "".join(c for c in text if unicodedata.combining(c) in _OF_THE_LETTER).translate(_LETTERS)
    text = _OTHER_DIGIT.sub(lambda digit: str(unicodedata.decimal(digit[0])), text)
    return unicodedata.normalize("NFC", text)


def _one_form(text: str) -> str:
    # Invisible characters first: those between a letter and its mark keep the two from being composed.
    return unicodedata.normalize("NFC", _UNSEEN.sub("", text))
