"""Which engine holds the vectors."""

from __future__ import annotations

from index.edge.store import EmbeddedStore
from index.protocols import IndexStore
from index.settings import IndexSettings


def open_store(settings: IndexSettings) -> IndexStore:
    """The collection that the settings name; nothing is opened, created or asked yet."""
    if settings.qdrant_url is None:
        return EmbeddedStore(settings.data_dir, settings.collection)
    from index.server.store import ServerStore  # half a second of qdrant-client, which the embedded index does not need

    return ServerStore.connect(settings)
