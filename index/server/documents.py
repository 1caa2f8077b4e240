"""Documents on a Qdrant server: each version is the metadata of a collection ``ALIAS--documents.KIND.NAME.VERSION``.

Such a collection has no shard, and so no point: it is an entry in what the nodes of a cluster agree on. Every node can
read it whichever others are away, creating it succeeds once, and whoever creates one sees, on the node it asked,
everything that was created before.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from contextlib import suppress
from typing import cast

from qdrant_client import QdrantClient, models

from index.documents import Documents, damaged
from index.server.engine import answering
from schemas import DOCUMENT_KINDS, DOCUMENT_NAME, DocumentKind, DocumentVersion, IndexUnavailable

_WRITTEN, _WRITER = "storelens_document", "storelens_writer"


class ServerDocuments(Documents):
    def __init__(self, client: QdrantClient, alias: str, url: str) -> None:
        super().__init__()
        self._client = client
        self._prefix = f"{alias}--documents"
        self._url = url
        self._pattern = re.compile(
            rf"{re.escape(self._prefix)}\.({'|'.join(DOCUMENT_KINDS)})\.({DOCUMENT_NAME})\.([1-9]\d{{0,17}})"
        )

    def _listed(self) -> Mapping[DocumentVersion, str]:
        with answering(self._url):
            names = [collection.name for collection in self._client.get_collections().collections]
        found = filter(None, map(self._pattern.fullmatch, names))
        return {DocumentVersion(cast(DocumentKind, one[1]), one[2], int(one[3])): "" for one in found}

    def _load(self, version: DocumentVersion) -> str | None:
        metadata = self._metadata(version)
        if metadata is None:
            return None
        written = metadata.get(_WRITTEN)
        if not isinstance(written, str):
            raise damaged(version, f"collection {self._name(version)} at {self._url} does not have it")
        return written

    def _create(self, version: DocumentVersion, written: str) -> bool:
        writer = secrets.token_hex(16)
        try:
            with answering(self._url):
                self._client.create_collection(
                    self._name(version),
                    vectors_config={},
                    sharding_method=models.ShardingMethod.CUSTOM,
                    metadata={_WRITTEN: written, _WRITER: writer},
                )
        except (IndexUnavailable, ValueError) as error:  # qdrant-client's emulator raises a ValueError
            metadata = self._metadata(version)
            if metadata is None and "already exists" not in str(error):
                raise
            # Another writer was quicker; or this one was, and the answer was lost.
            if metadata is None or metadata.get(_WRITER) != writer:
                return False
        later = (one for one in self._listed() if (one.kind, one.name) == (version.kind, version.name))
        if any(one.version > version.version for one in later):
            # It was written, replaced and removed by others, after this writer had looked.
            self._remove(version)
            return False
        return True

    def _remove(self, version: DocumentVersion) -> None:
        # What cannot be removed is not the newest, and goes with the next write.
        with suppress(IndexUnavailable), answering(self._url):
            self._client.delete_collection(self._name(version))

    def _metadata(self, version: DocumentVersion) -> Mapping[str, object] | None:
        """None where there is no such collection."""
        name = self._name(version)
        try:
            with answering(self._url):
                return self._client.get_collection(name).config.metadata or {}
        except (IndexUnavailable, ValueError):
            with answering(self._url):
                if self._client.collection_exists(name):
                    raise
        return None

    def _name(self, version: DocumentVersion) -> str:
        return f"{self._prefix}.{version.kind}.{version.name}.{version.version}"
