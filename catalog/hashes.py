"""What an index remembers of the parts of a product, so that only what changed is done again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
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

    def to_payload(self) -> dict[str, Any]:
        return asdict(self) | {"pictures": list(self.pictures)}

    @classmethod
    def from_payload(cls, stored: Mapping[str, Any]) -> Self:
        return cls(words=stored["words"], pictures=tuple(stored["pictures"]), payload=stored["payload"])


def hash_bytes(data: bytes) -> str:
    """BLAKE2b of 16 bytes, hex."""
    return blake2b(data, digest_size=16).hexdigest()


def hash_json(value: Any) -> str:
    """The hash of a JSON value, the same in whatever order its keys come."""
    return hash_bytes(json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False).encode())


def hash_words(product: Product) -> str:
    """The hash of a product's words; another ``TEXT_VERSION`` makes it another."""
    return hash_json([TEXT_VERSION, text_parts(product), words(product)])
