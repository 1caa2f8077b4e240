"""The stored state of a product: what an index remembers of its parts, so that only what changed is done again."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Self

from catalog.codes import written_codes
from catalog.texts import LEXICAL_VERSION, TEXT_VERSION, text_parts, words
from images.fingerprint import hash_bytes
from schemas import Product

OPAQUE = "opaque"

_JPEG = re.compile(r"\.jpe?g(?:[?#]|\Z)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class StoredImage:
    """An image that has a vector.

    ``at`` is its place among the product's sources, from 0; ``hash`` is of its bytes; ``version_tag`` is what its root
    said of it when it was read, such as a file's time and size, None where that says nothing; the payload calls it
    ``mark``. ``ground`` is what it was laid on where it is transparent, and ``opaque`` where it is not; None is from
    before grounds were chosen, when all were white.
    """

    at: int
    hash: str
    phash: str | None = None
    version_tag: str | None = None
    ground: str | None = None

    @property
    def shows(self) -> str:
        """What its vector is of: its bytes, and the ground where it is another than white."""
        return self.hash if self.ground in (None, OPAQUE, "white") else f"{self.hash} on {self.ground}"

    def needs_ground(self, source: str) -> bool:
        """Whether the image from there may have vanished on white; a JPEG has nothing that is transparent."""
        return self.ground is None and not _JPEG.search(source)

    def to_payload(self) -> dict[str, Any]:
        known = {"at": self.at, "hash": self.hash, "phash": self.phash, "mark": self.version_tag, "ground": self.ground}
        return {name: value for name, value in known.items() if value is not None}

    @classmethod
    def from_payload(cls, stored: Mapping[str, Any]) -> Self:
        """Raises KeyError where it is not of StoreLens."""
        return cls(stored["at"], stored["hash"], stored.get("phash"), stored.get("mark"), stored.get("ground"))


@dataclass(frozen=True, slots=True)
class StoredState:
    """All that a payload remembers of a product for the next job: a hash for each part of it, hex, and its images.

    ``words`` is of all that the title and text vectors are made of, and ``lexical`` of what the lexical vector is;
    ``shown`` says what those images show that have a vector, in its order; ``payload`` is of everything else that is
    stored. ``images`` are the same images in full; an index of the first format has none.

    ``row`` is the hash of the row as it was read: where it and every image's version tag are what they
    were, nothing of the product needs another look. It is empty where the row must be looked at
    every time, since something of it could not be used.
    """

    words: str
    payload: str
    lexical: str = ""
    shown: tuple[str, ...] = ()
    images: tuple[StoredImage, ...] = ()
    row: str = ""

    def is_same_product(self, other: StoredState) -> bool:
        """Whether every part of the product is the same; ``images`` may still be known better, or rows differ."""
        parts = attrgetter("words", "payload", "lexical", "shown")
        return bool(parts(self) == parts(other))

    def to_payload(self) -> dict[str, Any]:
        hashes = {"words": self.words, "lexical": self.lexical, "payload": self.payload, "row": self.row}
        return {"hashes": hashes, "pictures": [image.to_payload() for image in self.images]}

    @classmethod
    def from_payload(cls, stored: Mapping[str, Any]) -> Self | None:
        """Also of a payload from before rows and version tags were remembered, which has hashes alone, or ``lexical``.

        None where it is not of StoreLens.
        """
        try:
            hashes = stored["hashes"]
            images = tuple(StoredImage.from_payload(image) for image in stored.get("pictures", ()))
            return cls(
                words=hashes["words"],
                payload=hashes["payload"],
                lexical=hashes.get("lexical", ""),
                shown=tuple(image.shows for image in images) or tuple(hashes.get("pictures", ())),
                images=images,
                row=hashes.get("row", ""),
            )
        except (KeyError, TypeError, AttributeError):
            return None


def hash_json(value: Any) -> str:
    """The hash of a JSON value, the same in whatever order its keys come."""
    return hash_bytes(json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False).encode())


def hash_row(values: Mapping[str, Any], root: str) -> str:
    """The hash of a row as it was read, and of where its images lead; empty where it holds what has none.

    Another version of texts makes it another.
    """
    try:
        text = json.dumps(
            [TEXT_VERSION, LEXICAL_VERSION, root, values], sort_keys=True, ensure_ascii=False, default=_hash_of_bytes
        )
        return hash_bytes(text.encode())
    except (TypeError, ValueError, RecursionError):  # keys of several types, lone surrogates, nested too deep
        return ""


def hash_words(product: Product) -> str:
    """The hash of a product's words; another ``TEXT_VERSION`` makes it another."""
    return hash_json([TEXT_VERSION, text_parts(product), words(product)])


def hash_lexical(product: Product, words: str) -> str:
    """The hash of what a product is found by word for word; another ``LEXICAL_VERSION`` makes it another.

    Args:
        words: The hash of its words.
    """
    return hash_json([LEXICAL_VERSION, words, written_codes(product)])


def _hash_of_bytes(value: object) -> str:
    if not isinstance(value, bytes):
        raise TypeError(f"no JSON: {type(value).__name__}")
    return hash_bytes(value)
