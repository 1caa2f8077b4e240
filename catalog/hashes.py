"""What an index remembers of the parts of a product, so that only what changed is done again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Self

from catalog.texts import TEXT_VERSION, text_parts, words
from schemas import Product


@dataclass(frozen=True, slots=True)
class PartHashes:
    """One hash for each part, hex.

    ``words`` is of all that the title, text and lexical vectors are made of; ``pictures`` are of the
    bytes of those pictures that have a vector, in its order; ``payload`` is of everything else that
    is stored.
    """

    words: str
    pictures: tuple[str, ...]
    payload: str


@dataclass(frozen=True, slots=True)
class KeptPicture:
    """A picture that has a vector. ``at`` is its place among the product's sources, from 0; ``mark`` is what
    its root said of it when it was read, None where that says nothing."""

    at: int
    hash: str
    phash: str | None = None
    mark: str | None = None

    def to_payload(self) -> dict[str, Any]:
        kept = {"at": self.at, "hash": self.hash, "phash": self.phash, "mark": self.mark}
        return {name: value for name, value in kept.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Kept:
    """All that a payload remembers for the next job.

    ``row`` is the hash of the row as it was read: where it and every picture's mark are what they
    were, nothing of the product needs another look. It is empty where the row must be looked at
    every time, since something of it could not be used.
    """

    hashes: PartHashes
    pictures: tuple[KeptPicture, ...] = ()
    row: str = ""

    def to_payload(self) -> dict[str, Any]:
        hashes = {"words": self.hashes.words, "payload": self.hashes.payload, "row": self.row}
        return {"hashes": hashes, "pictures": [picture.to_payload() for picture in self.pictures]}

    @classmethod
    def from_payload(cls, stored: Mapping[str, Any]) -> Self | None:
        """Also of a payload from before rows and marks were remembered: it has hashes alone.

        None where it is not of StoreLens.
        """
        try:
            hashes = stored["hashes"]
            pictures = tuple(KeptPicture(**picture) for picture in stored.get("pictures", ()))
            of_pictures = tuple(picture.hash for picture in pictures) or tuple(hashes.get("pictures", ()))
            return cls(PartHashes(hashes["words"], of_pictures, hashes["payload"]), pictures, hashes.get("row", ""))
        except (KeyError, TypeError, AttributeError):
            return None


def hash_bytes(data: bytes) -> str:
    """BLAKE2b of 16 bytes, hex."""
    return blake2b(data, digest_size=16).hexdigest()


def hash_json(value: Any) -> str:
    """The hash of a JSON value, the same in whatever order its keys come."""
    return hash_bytes(json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False).encode())


def hash_row(values: Mapping[str, Any], root: str) -> str:
    """The hash of a row as it was read, and of where its pictures lead; empty where it holds what has none.

    Another ``TEXT_VERSION`` makes it another.
    """
    try:
        text = json.dumps([TEXT_VERSION, root, values], sort_keys=True, ensure_ascii=False, default=_hash_of_bytes)
        return hash_bytes(text.encode())
    except (TypeError, ValueError, RecursionError):  # keys of several types, lone surrogates, nested too deep
        return ""


def hash_words(product: Product) -> str:
    """The hash of a product's words; another ``TEXT_VERSION`` makes it another."""
    return hash_json([TEXT_VERSION, text_parts(product), words(product)])


def _hash_of_bytes(value: object) -> str:
    if not isinstance(value, bytes):
        raise TypeError(f"no JSON: {type(value).__name__}")
    return hash_bytes(value)
