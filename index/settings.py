"""Where the vectors live: what every process is told about the index."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class IndexSettings(BaseSettings):
    """Read from ``STORELENS_*``; an embedded index unless a server is named."""

    model_config = SettingsConfigDict(env_prefix="STORELENS_", frozen=True, extra="ignore", env_ignore_empty=True)

    data_dir: Path = Field(Path("storelens-data"), description="Folder of the embedded index.")
    qdrant_url: str | None = Field(None, description="Address of a Qdrant server to use instead of the embedded index.")
    qdrant_api_key: SecretStr | None = Field(None, description="API key of the Qdrant server.")
    # The name becomes a folder: nothing in it may lead out of data_dir.
    collection: Annotated[str, Field(pattern=r"\A[A-Za-z0-9_-]{1,128}\z")] = Field(
        "products", description="Name of the catalog in the index: letters, digits, _ and -."
    )
