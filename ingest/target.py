"""The index that a job brings up to date: read until something is new, and written from then on.

Beginning a build copies what serves. A job that finds nothing new never begins one.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Self

from index import CatalogIndex, IndexBuild, IndexStore, Latest
from schemas import ConfigurationError, IndexRecord


class Target:
    """``index`` is what a batch is compared with, now: what a build would go on with, then the build itself."""

    def __init__(self, store: IndexStore, record: IndexRecord) -> None:
        self._store = store
        self._latest: Latest | None = store.latest(record)
        served = store.record()
        self.before: CatalogIndex | None = store.open() if served and served.differences(record) else None
        """What serves, where it is of another model: nothing of it can be used, and what it has can be told."""
        self._build: IndexBuild | None = None
        self.resumed = self._latest is not None and self._latest.resumed

    @property
    def index(self) -> CatalogIndex | None:
        """None where nothing comparable is there yet."""
        if self._build is not None:
            return self._build.index
        return self._latest.index if self._latest else None

    @property
    def build(self) -> IndexBuild | None:
        """None where none was begun."""
        return self._build

    def begun(self, record: Callable[[], IndexRecord]) -> IndexBuild:
        """The build, begun with ``record`` where it is not yet."""
        if self._build is None:
            self._close_latest()
            self._build = self._store.begin(record())
        return self._build

    def _close_latest(self) -> None:
        if self._latest:
            self._latest.index.close()
            self._latest = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close_latest()
        if self.before:
            self.before.close()


def refuse_another_index(served: IndexRecord | None, record: IndexRecord) -> None:
    """Rejected rows are part of a catalog: a new index of them alone must not take the place of the whole one.

    Raises ConfigurationError.
    """
    if served and (differences := served.differences(record)):
        raise ConfigurationError(
            f"the index was made otherwise ({', '.join(differences)}), and one of these rows alone would take its "
            "place; leave out --model and --crops, and they are as the index has them"
        )
