"""Where pictures may come from, and how long they may take: what every process that reads pictures is told."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

_HOST = re.compile(r"(?:\*\.)?[^\s/:*@?#\[\]\\]+")


class PictureSettings(BaseSettings):
    """Read from ``STORELENS_PICTURE_*``; without any, pictures come from the catalog's folder and public hosts."""

    model_config = SettingsConfigDict(env_prefix="STORELENS_", frozen=True, extra="ignore", env_ignore_empty=True)

    picture_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Hosts that pictures may be fetched from, separated by commas; *.example.com stands for every "
        "name below example.com. Left out, any public host.",
    )
    picture_folders: Annotated[tuple[Path, ...], NoDecode] = Field(
        (),
        description="Folders that pictures may come from besides the catalog's own, separated by commas: absolute "
        "paths and links may then lead into them.",
    )
    picture_private_addresses: bool = Field(
        False, description="Also fetch pictures from private, link-local and loopback addresses."
    )
    picture_max_age: float = Field(
        7, ge=0, le=36_500, description="Days after which a fetched picture is asked for again; 0: in every run."
    )
    picture_seconds: float = Field(
        30, gt=0, le=3_600, description="Time for fetching one picture, retries included, in seconds."
    )
    picture_connections: int = Field(8, gt=0, le=1_000, description="Pictures fetched from one host at once.")

    @field_validator("picture_hosts", "picture_folders", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

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
