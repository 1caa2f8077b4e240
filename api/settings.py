"""What the API process is told: flags of ``python -m api`` and ``STORELENS_*`` variables."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Annotated

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import NoDecode

from catalog import PictureSettings
from index import IndexSettings, build_settings, describe, index_parser


class ApiSettings(PictureSettings, IndexSettings):
    """Frozen, built once in ``main`` or by whoever calls ``create_app``."""

    model: str | None = Field(None, description="Where to load the index's model from; its own name when left out.")
    host: str = Field("127.0.0.1", description="Address to listen on; without an API key only this machine's own.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    api_keys: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        (), description="Keys that callers may present as a bearer token, separated by commas."
    )
    max_upload_bytes: int = Field(20 * 2**20, gt=0, description="Largest photo of a request, in bytes.")
    image_urls: bool = Field(False, description="Fetch the photo of a search where its URL is given.")
    # Somebody waits.
    picture_seconds: float = Field(
        10, gt=0, le=3_600, description="Time for fetching the photo of a search, retries included, in seconds."
    )
    qdrant_seconds: float = Field(
        5, gt=0, le=3_600, description="How long a request may wait for the Qdrant server, in seconds."
    )
    max_pixels: int = Field(50_000_000, gt=0, description="Largest photo of a request, in pixels.")

    @field_validator("api_keys", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(key.strip() for key in value.split(",") if key.strip())
        return value

    @model_validator(mode="after")
    def _local_without_key(self) -> ApiSettings:
        if not self.api_keys and not is_loopback(self.host):
            raise ValueError(
                f"host {self.host!r} can be reached from other machines, which needs an API key: "
                "set STORELENS_API_KEYS, or listen on 127.0.0.1"
            )
        return self


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def parse(arguments: Sequence[str]) -> ApiSettings:
    """The settings of a command line; where it is wrong, says so on stderr and exits with status 2."""
    parser = index_parser(
        "python -m api",
        "Serve an index over HTTP.",
        "Every option is also an environment variable: STORELENS_PORT, ...",
    )
    parser.add_argument("--model", metavar="NAME|DIR", help=describe(ApiSettings, "model"))
    parser.add_argument("--host", help=describe(ApiSettings, "host"))
    parser.add_argument("--port", help=describe(ApiSettings, "port"))
    return build_settings(ApiSettings, parser, parser.parse_args(arguments))
