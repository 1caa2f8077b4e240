"""Which engine holds the vectors."""

from __future__ import annotations

from pathlib import Path

from index.edge.store import EmbeddedStore
from index.protocols import IndexStore
from index.settings import IndexSettings, is_collection
from schemas import ConfigurationError


def open_store(settings: IndexSettings) -> IndexStore:
    """The collection that the settings name; nothing is opened, created or asked yet."""
    if settings.qdrant_url is None:
        return EmbeddedStore(settings.data_dir, settings.collection)
    from index.server.store import ServerStore  # half a second of qdrant-client, which the embedded index does not need

    return ServerStore.connect(settings)


def open_stores(settings: IndexSettings) -> list[IndexStore]:
    """Every collection that was filled with this ``data_dir``, embedded or on the server that the settings name.

    Raises:
        ConfigurationError: one was filled on another server, or on any where none is named.
    """
    stores: list[IndexStore] = []
    folders = sorted(settings.data_dir.iterdir()) if settings.data_dir.is_dir() else []
    for folder in (folder for folder in folders if folder.is_dir() and is_collection(folder.name)):
        if (folder / "generations").exists() or (folder / "building").exists():
            stores.append(EmbeddedStore(settings.data_dir, folder.name))
        elsewhere = set(folder.glob("server-*.lock"))
        if elsewhere and settings.qdrant_url:
            from index.server.store import ServerStore

            server = ServerStore.connect(settings.model_copy(update={"collection": folder.name}))
            if server.lock_file in elsewhere:
                stores.append(server)
                elsewhere.remove(server.lock_file)
        if elsewhere:
            raise ConfigurationError(
                f"collection {folder.name} was filled on a Qdrant server that is not named: say which by --qdrant-url; "
                f"where that collection is gone, remove {_named(elsewhere)}",
                field="qdrant_url",
            )
    return stores


def _named(files: set[Path]) -> str:
    return ", ".join(map(str, sorted(files)))
