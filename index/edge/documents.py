"""Documents as files: ``DATA_DIR/COLLECTION/documents/KIND/NAME.VERSION.json``."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from index.documents import Documents, damaged
from index.edge.disk_space import forbidden, make_folder, told_when_full
from index.locks import waiting_lock
from schemas import DOCUMENT_KINDS, DOCUMENT_NAME, MAX_DOCUMENT_BYTES, DocumentVersion, reason, replace_file

_FILE = re.compile(rf"({DOCUMENT_NAME})\.([1-9]\d{{0,17}})\.json")


_MOST = 2 * MAX_DOCUMENT_BYTES
"""Characters; what is cut off cannot be read."""


class EmbeddedDocuments(Documents):
    """Writers of all processes wait for each other; readers wait for nobody."""

    def __init__(self, collection: Path) -> None:
        super().__init__()
        self._folder = collection / "documents"

    def _listed(self) -> Mapping[DocumentVersion, str]:
        listed: dict[DocumentVersion, str] = {}
        for kind in DOCUMENT_KINDS:
            try:
                files = list(os.scandir(self._folder / kind))
            except FileNotFoundError:
                continue  # there are none yet
            except OSError as error:
                raise forbidden(error, self._folder) from error
            for file in files:
                match = _FILE.fullmatch(file.name)
                with suppress(FileNotFoundError):  # replaced meanwhile
                    if match and file.is_file():
                        stamp = f"{file.stat().st_mtime_ns} {file.inode()}"
                        listed[DocumentVersion(kind, match[1], int(match[2]))] = stamp
        return listed

    def _load(self, version: DocumentVersion) -> str | None:
        path = self._path(version)
        try:
            with path.open(encoding="utf-8") as file:
                return file.read(_MOST)
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            said = reason(error) if isinstance(error, OSError) else "it is not UTF-8"
            raise damaged(version, f"{path}: {said}") from error

    def _create(self, version: DocumentVersion, written: str) -> bool:
        path = self._path(version)
        make_folder(path.parent)
        with told_when_full(self._folder), waiting_lock(self._folder / "lock"):
            known = (one for one in self._listed() if (one.kind, one.name) == (version.kind, version.name))
            if any(one.version >= version.version for one in known):
                return False
            replace_file(path, written.encode())
        return True

    def _remove(self, version: DocumentVersion) -> None:
        self._path(version).unlink(missing_ok=True)

    def _path(self, version: DocumentVersion) -> Path:
        return self._folder / version.kind / f"{version.name}.{version.version}.json"
