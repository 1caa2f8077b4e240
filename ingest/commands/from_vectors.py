"""What commands do alike that judge a whole index by its stored vectors, and keep what they say beside them."""

from __future__ import annotations

from collections.abc import Callable

from embedding import Encoder
from index import IndexStore
from labels import PromptEncoder
from schemas import ConfigurationError, DocumentKind, IndexMissing, ModelMismatch


def the_one(store: IndexStore, kind: DocumentKind, option: str, how: str) -> str:
    """The name of the only document of a kind, for an option that was left out.

    Args:
        how: What makes one, said where there is none.

    Raises:
        ConfigurationError: there is none, or there are several.
    """
    names = [one.name for one in store.documents.names(kind)]
    if len(names) != 1:
        there = f"there are {', '.join(names)}" if names else f"there is none; {how}"
        raise ConfigurationError(f"name the {option}: {there}")
    return names[0]


def stored_prompts(store: IndexStore, doing: str, encoder_of: Callable[[str], Encoder]) -> PromptEncoder:
    """The encoder of prompts, of the model that an index's vectors are of.

    Raises:
        IndexMissing: nothing has been ingested.
        ModelMismatch: the model has become another.
    """
    if (record := store.record()) is None:
        raise IndexMissing(f"there is nothing to {doing}: ingest a catalog first")
    encoder = encoder_of(record.embedding.model)
    if differences := record.embedding.differences(encoder.spec):
        raise ModelMismatch(
            f"the index was built with another {', '.join(differences)} than the model {encoder.spec.model!r} has"
        )
    return PromptEncoder(encoder)
