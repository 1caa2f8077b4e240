"""Documents beside an index, as both engines keep them.

Every version of a document is written once, under a name that says which it is, and never changed: so a version is
claimed by whoever is first to make its name, whoever lists the names knows what has changed, and whoever dies leaves
nothing half done. A deletion is a version as well, of nothing; that the version before it was the newest holds for it
as for any other.
"""

from __future__ import annotations

import hashlib
import logging
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from threading import Lock

from pydantic import AwareDatetime, BaseModel, ConfigDict, JsonValue, ValidationError

from schemas import (
    DOCUMENT_KINDS,
    DOCUMENT_NAME,
    MAX_DOCUMENTS,
    Document,
    DocumentChanged,
    DocumentDamaged,
    DocumentInvalid,
    DocumentKind,
    DocumentNotFound,
    DocumentVersion,
    check_document,
    first_line,
)

log = logging.getLogger(__name__)

_TRIES = 20
"""Of writing a document whatever its version, while others write it as well."""


class _Written(BaseModel):
    """A version as it is kept; without a body the document is deleted."""

    model_config = ConfigDict(frozen=True)

    changed: AwareDatetime
    body: JsonValue = None


class Documents(ABC):
    """The documents of one collection, of all its generations. Thread-safe, and safe among processes; what was read
    once is not read again.

    ``expected`` is the version that a write is to replace: None for whatever there is, 0 for nothing. Of two writers
    that expect the same one, one raises DocumentChanged. All raise DocumentInvalid for a name that is none.
    """

    def __init__(self) -> None:
        self._cache: dict[tuple[DocumentVersion, str], Document | DocumentDamaged | datetime] = {}
        """By version and stamp; of a deletion, when it was."""
        self._lock = Lock()

    # What an engine does

    @abstractmethod
    def _listed(self) -> Mapping[DocumentVersion, str]:
        """Every version that is kept, with a stamp that changes where its content is changed by somebody else."""

    @abstractmethod
    def _load(self, version: DocumentVersion) -> str | None:
        """What was written; None where it is gone by now. Raises DocumentDamaged."""

    @abstractmethod
    def _create(self, version: DocumentVersion, written: str) -> bool:
        """Write a version; False where somebody else has written it, or a later one."""

    @abstractmethod
    def _remove(self, version: DocumentVersion) -> None:
        """Remove a version, if it is there."""

    # What both do with it

    def version(self) -> str:
        """Changes with every write of any process. Cheap."""
        newest = sorted((one.kind, one.name, one.version, stamp) for one, stamp in _newest(self._listed()).items())
        return hashlib.sha256(repr(newest).encode()).hexdigest()[:16]

    def names(self, kind: DocumentKind) -> list[DocumentVersion]:
        """Those of a kind by name, damaged ones as well."""
        return [version for version, found in self._all().items() if version.kind == kind and not _deleted(found)]

    def read(self, kind: DocumentKind, name: str) -> Document:
        """Raises DocumentNotFound, DocumentDamaged."""
        _check_name(name)
        every = self._all()
        last = _last(every, kind, name)
        found = every[last] if last else None
        if isinstance(found, DocumentDamaged):
            raise DocumentDamaged(found.message)
        if not isinstance(found, Document):
            raise _missing(kind, name)
        return found

    def read_all(self) -> list[Document]:
        """Every document, by kind and name. Damaged ones are left out, and said once in the log."""
        return [found for found in self._all().values() if isinstance(found, Document)]

    def write(self, kind: DocumentKind, name: str, content: object, expected: int | None = None) -> Document:
        """Raises DocumentInvalid, naming the place, before anything is written; DocumentChanged."""
        _check_name(name)
        document = Document(kind, name, 0, datetime.now(UTC), check_document(kind, content, name))
        written = _Written(changed=document.changed, body=document.content)
        return replace(document, version=self._replace(kind, name, written, expected))

    def delete(self, kind: DocumentKind, name: str, expected: int | None = None) -> None:
        """Raises DocumentNotFound, DocumentChanged."""
        _check_name(name)
        self._replace(kind, name, _Written(changed=datetime.now(UTC)), expected)

    def _replace(self, kind: DocumentKind, name: str, written: _Written, expected: int | None) -> int:
        """Write the version that follows, remove what it replaces, and return its number."""
        for _ in range(_TRIES):
            every = self._all()
            last = _last(every, kind, name)
            is_there = last is not None and not _deleted(every[last])
            number = last.version if last is not None and is_there else 0
            if expected is not None and expected != number:
                raise _changed(kind, name, expected, number)
            if written.body is None and not is_there:
                raise _missing(kind, name)
            if not is_there and len(self.names(kind)) >= MAX_DOCUMENTS:
                raise DocumentInvalid(f"there are {MAX_DOCUMENTS} {kind} already, which is the most")
            following = DocumentVersion(kind, name, 1 + (last.version if last else 0))
            if self._create(following, written.model_dump_json()):
                self._sweep(following)
                return following.version
        raise DocumentChanged(f"others write the document {name!r} of {kind} all the time; try again")

    def _sweep(self, written: DocumentVersion) -> None:
        """Remove what a version has replaced, and the oldest of very many deletions."""
        for version in self._listed():
            if (version.kind, version.name) == (written.kind, written.name) and version.version < written.version:
                self._remove(version)
        deleted = [(found, version) for version, found in self._all().items() if isinstance(found, datetime)]
        for _, version in sorted(deleted, key=lambda one: one[0])[: -len(DOCUMENT_KINDS) * MAX_DOCUMENTS]:
            self._remove(version)

    def _all(self) -> dict[DocumentVersion, Document | DocumentDamaged | datetime]:
        """The newest version of each document, by kind and name; of a deletion, when it was."""
        for _ in range(_TRIES):
            newest = _newest(self._listed())
            found = {version: self._known(version, stamp) for version, stamp in newest.items()}
            # Where one was replaced while it was read, the names are another.
            whole = {version: one for version, one in found.items() if one is not None}
            if len(whole) == len(found):
                with self._lock:
                    self._cache = {key: one for key, one in self._cache.items() if newest.get(key[0]) == key[1]}
                return dict(sorted(whole.items(), key=lambda one: (one[0].kind, one[0].name)))
        raise DocumentChanged("the documents change faster than they can be read; try again")

    def _known(self, version: DocumentVersion, stamp: str) -> Document | DocumentDamaged | datetime | None:
        with self._lock:
            known = self._cache.get((version, stamp))
        if known is None:
            try:
                written = self._load(version)
                if written is None:
                    return None
                known = _parsed(version, written)
            except DocumentDamaged as damaged:
                log.error("%s", damaged.message)
                known = damaged
            with self._lock:
                self._cache[version, stamp] = known
        return known


def _newest(listed: Mapping[DocumentVersion, str]) -> dict[DocumentVersion, str]:
    newest: dict[tuple[str, str], DocumentVersion] = {}
    for one in sorted(listed, key=lambda version: version.version):
        newest[one.kind, one.name] = one
    return {one: listed[one] for one in newest.values()}


def _last(every: Iterable[DocumentVersion], kind: DocumentKind, name: str) -> DocumentVersion | None:
    return next((one for one in every if (one.kind, one.name) == (kind, name)), None)


def _deleted(found: Document | DocumentDamaged | datetime) -> bool:
    return isinstance(found, datetime)


def _parsed(version: DocumentVersion, written: str) -> Document | datetime:
    try:
        kept = _Written.model_validate_json(written)
        if kept.body is None:
            return kept.changed
        body = check_document(version.kind, kept.body)
    except (ValidationError, DocumentInvalid) as error:
        said = error.message if isinstance(error, DocumentInvalid) else first_line(error)
        raise damaged(version, said) from error
    return Document(version.kind, version.name, version.version, kept.changed, body)


def damaged(version: DocumentVersion, said: str) -> DocumentDamaged:
    """What is said of a version that cannot be read."""
    return DocumentDamaged(
        f"version {version.version} of the document {version.name!r} of {version.kind} cannot be read ({said}); "
        "searches go on without it: write it anew, or delete it"
    )


def _missing(kind: DocumentKind, name: str) -> DocumentNotFound:
    return DocumentNotFound(f"there is no document {name!r} of {kind}")


def _changed(kind: DocumentKind, name: str, expected: int, number: int) -> DocumentChanged:
    is_of = f"is of version {number}" if number else "is not there"
    wanted = f"not {expected}" if expected else "and was to be new"
    return DocumentChanged(f"the document {name!r} of {kind} {is_of}, {wanted}: read it again before you change it")


def _check_name(name: str) -> None:
    if not re.fullmatch(DOCUMENT_NAME, name):
        raise DocumentInvalid(
            f"{name[:100]!r} is no name for a document: up to 64 small letters, digits, _ and - make one, and a letter "
            "or digit begins it",
            field="name",
        )
