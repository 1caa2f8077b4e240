"""Finds files whose names are written differently on disk and in a catalog: ``é`` as two characters (macOS), ``&`` as
``&amp;``, blanks that were trimmed.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from schemas import clean_code


def name_key(name: str) -> str:
    """What all ways of writing a file's name, or its path, have in common."""
    return "/".join(clean_code(part.replace("&amp;", "&")) for part in name.split("/"))


def other_names(names: Iterable[str]) -> dict[str, str]:
    """Names by their keys, those left out that are found as they are written in any case."""
    return {key: name for name in names if (key := name_key(name)) != name or "&" in name}


def spellings(name: str) -> list[str]:
    """The ways in which a name is likely to be written, itself first; for where nobody can be asked for all names."""
    plain = name.replace("&amp;", "&")
    return list(dict.fromkeys([name, plain, *(unicodedata.normalize(form, plain) for form in ("NFC", "NFD"))]))


def name_on_disk(folder: str | os.PathLike[str], source: str) -> str:
    """A relative path as the folders and the file on its way are called; as it is where nothing there is meant by it.

    Folders are only listed where a name is not there as it is written, and each once until it changes.
    """
    found: list[str] = []
    for part in source.split("/"):
        if part == "..":
            return source
        here = os.path.join(folder, *found)  # noqa: PTH118 - for each image
        if not os.path.lexists(os.path.join(here, part)):  # noqa: PTH118
            try:
                part = _other_names(here, os.stat(here).st_mtime_ns).get(name_key(part), "")  # noqa: PLW2901, PTH116
            except (OSError, ValueError):
                return source
            if not part:
                return source
        found.append(part)
    return "/".join(found)


@lru_cache(256)
def _other_names(folder: str, changed: int) -> dict[str, str]:
    return other_names(os.listdir(folder))  # noqa: PTH208
