"""Where images may come from, and how long they may take: what every process that reads images is told."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BeforeValidator, Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from schemas import split_commas

Item = TypeVar("Item")


def _split_commas(value: object) -> object:
    """``"a, b"`` as the environment has it, or ``["a,b", "c"]`` as an option that is given again, as a tuple."""
    parts = (value,) if isinstance(value, str) else value
    if not isinstance(parts, list | tuple) or not all(isinstance(part, str) for part in parts):
        return value
    return tuple(item for part in parts for item in split_commas(part))


# A type and no validator of a class: another class that derives from it cannot put its own in the way.
CommaSeparated = Annotated[tuple[Item, ...], NoDecode, BeforeValidator(_split_commas)]

_HOST = re.compile(r"(?:\*\.)?[^\s/:*@?#\[\]\\]+")


class ImageSettings(BaseSettings):
    """Read from ``STORELENS_PICTURE_*``; without any, images come from the catalog's folder and public hosts."""

    model_config = SettingsConfigDict(env_prefix="STORELENS_", frozen=True, extra="ignore", env_ignore_empty=True)

    picture_hosts: CommaSeparated[str] = Field(
        (),
        description="Hosts that images may be fetched from, separated by commas; *.example.com stands for every "
        "name below example.com. Left out, any public host.",
    )
    picture_folders: CommaSeparated[Path] = Field(
        (),
        description="Folders that images may come from besides the catalog's own, separated by commas: absolute "
        "paths and links may then lead into them.",
    )
    picture_private_addresses: bool = Field(
        False, description="Also fetch images from private, link-local and loopback addresses."
    )
    picture_max_age: float = Field(
        7, ge=0, le=36_500, description="Days after which a fetched image is asked for again; 0: in every run."
    )
    picture_seconds: float = Field(
        30, gt=0, le=3_600, description="Time for fetching one image, retries included, in seconds."
    )
    picture_connections: int = Field(8, gt=0, le=1_000, description="Images fetched from one host at once.")

    @field_validator("picture_hosts")
    @classmethod
    def _names_alone(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        for host in hosts:
            if not _HOST.fullmatch(host):
                raise ValueError(f"{host!r} is no host: write a name alone, as cdn.example.com or *.example.com")
        return hosts

    @field_validator("picture_folders")
    @classmethod
    def _absolute(cls, folders: tuple[Path, ...]) -> tuple[Path, ...]:
        return tuple(folder.expanduser().resolve() for folder in folders)
