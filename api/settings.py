"""What the API process is told: options of ``python -m api`` and ``STORELENS_*`` variables."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import CliSuppress

from images import CommaSeparated, ImageSettings
from index import IndexSettings, build_settings, settings_parser

PROGRAM = "python -m api"

_EPILOG = """\
Exit status: 0 stopped by SIGTERM or Ctrl-C; 1 it cannot serve; 2 bad arguments.
"""


class ApiSettings(ImageSettings, IndexSettings):
    """Frozen, built once in ``main`` or by whoever calls ``create_app``."""

    model: str | None = Field(None, description="Where to load the index's model from; its own name when left out.")
    host: str = Field("127.0.0.1", description="Address to listen on; without an API key only this machine's own.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    api_keys: CliSuppress[CommaSeparated[SecretStr]] = Field(
        (), description="Keys that callers may present as a bearer token, separated by commas."
    )
    review_keys: CliSuppress[CommaSeparated[SecretStr]] = Field(
        (), description="Keys that also find products which wait for a review, separated by commas."
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
    max_waiting: int = Field(
        64, ge=0, le=10_000, description="Requests that wait for their turn; what comes then is answered 503 at once."
    )

    @field_validator("api_keys", "review_keys")
    @classmethod
    def _can_be_sent(cls, keys: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        for number, key in enumerate(keys, start=1):
            value = key.get_secret_value()
            if not (value.isascii() and value.isprintable()):
                raise ValueError(
                    f"key {number} of {len(keys)} has characters that not every client can send in a header; "
                    "make it of ASCII letters, digits and signs"
                )
        return keys

    @model_validator(mode="after")
    def _local_without_key(self) -> ApiSettings:
        if not (self.api_keys or self.review_keys) and not is_loopback(self.host):
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
    parser = settings_parser(ApiSettings, PROGRAM, "Serve an index over HTTP.", _EPILOG)
    return build_settings(ApiSettings, parser, arguments)
