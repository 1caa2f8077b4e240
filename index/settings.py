"""Where the vectors live: what every process is told about the index."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import BaseSettings, CliSuppress, SettingsConfigDict

_TAKEN = ("models", "pictures")
"""Folders of ``data_dir`` that hold something else than a collection."""

_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")


def is_collection(name: str) -> bool:
    """Whether a folder of ``data_dir`` with this name is a collection's."""
    return bool(_NAME.fullmatch(name)) and name.lower() not in _TAKEN


def _free(collection: str) -> str:
    if not _NAME.fullmatch(collection):
        raise ValueError(
            f"{collection[:200]!r} is no name for a collection: up to 128 letters, digits, _ and - make one"
        )
    if collection.lower() in _TAKEN:  # some file systems know no capitals
        raise ValueError(f"a collection cannot be named {collection}: {' and '.join(_TAKEN)} are folders of their own")
    return collection


class IndexSettings(BaseSettings):
    """Read from ``STORELENS_*``; an embedded index unless a server is named."""

    model_config = SettingsConfigDict(env_prefix="STORELENS_", frozen=True, extra="ignore", env_ignore_empty=True)

    data_dir: Path = Field(Path("storelens-data"), description="Folder of the embedded index.")
    qdrant_url: str | None = Field(None, description="Address of a Qdrant server to use instead of the embedded index.")
    qdrant_api_key: CliSuppress[SecretStr | None] = Field(None, description="API key of the Qdrant server.")
    qdrant_seconds: float = Field(
        60, gt=0, le=3_600, description="How long a question to the Qdrant server may take, in seconds."
    )
    # Options of the job alone, which makes collections.
    shards: CliSuppress[int | None] = Field(None, ge=1)
    replicas: CliSuppress[int | None] = Field(None, ge=1)
    # The name becomes a folder: nothing in it may lead out of data_dir.
    collection: Annotated[str, AfterValidator(_free)] = Field(
        "products", description="Name of the catalog in the index: letters, digits, _ and -."
    )
