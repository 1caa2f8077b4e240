"""The embedded index: Qdrant Edge in process, one directory a generation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from index.edge.disk_space import make_folder, told_when_full
from index.edge.documents import EmbeddedDocuments
from index.edge.engine import EdgeEngine
from index.edge.generations import Base, Generations, View, still_serves
from index.locks import writer_lock
from index.protocols import Latest
from index.reader import IndexReader
from index.writer import OWN_PATHS, Writer, continued, described, field_paths
from schemas import Generation, IndexDamaged, IndexDiskFull, IndexRecord


class _Unfinished(NamedTuple):
    """The opened shard that a job left behind, and the record it was built to."""

    engine: EdgeEngine
    record: IndexRecord


class EmbeddedStore:
    """An ``IndexStore`` in a folder."""

    def __init__(self, data_dir: Path, collection: str) -> None:
        self._generations = Generations(data_dir / collection)
        self.documents = EmbeddedDocuments(data_dir / collection)
        self._build: EmbeddedBuild | None = None

    poll_seconds = 0.5

    def open(self, generation: str | None = None) -> IndexReader:
        self._generations.sweep_views()
        return self._open(self._generations.view() if generation is None else self._view_of(generation))

    def _view_of(self, generation: str) -> View:
        try:
            return self._generations.view_of(self._generations.known(generation))
        except FileNotFoundError as error:
            raise IndexDamaged(f"generation {generation} is not whole: {error}") from error

    def _open(self, view: View) -> IndexReader:
        try:
            engine = EdgeEngine.load(view.shard)
        except BaseException:
            view.close()
            raise
        return IndexReader(engine, view.record, view.generation, on_close=view.close)

    def version(self) -> str | None:
        return self._generations.current()

    def record(self) -> IndexRecord | None:
        generation = self._generations.current()
        return self._generations.record(generation) if generation else None

    @contextmanager
    def lock(self, wait: float | None = None) -> Iterator[None]:
        with ExitStack() as held:
            make_folder(self._generations.root)
            with told_when_full(self._generations.root):
                held.enter_context(writer_lock(self._generations.root / "lock", wait or 0.0))
            try:
                yield
            finally:
                self._release()

    def latest(self, record: IndexRecord) -> Latest | None:
        self._release()
        current = self._generations.current()
        if unfinished := self._unfinished(current, record):
            return Latest(
                IndexReader(unfinished.engine, described(unfinished.record, record), "building"), resumed=True
            )
        if current is None or self._generations.record(current).differences(record):
            return None
        serving = self.open()
        return Latest(serving.described(described(serving.record, record)), resumed=False)

    def begin(self, record: IndexRecord) -> EmbeddedBuild:
        self._release()
        files, current = self._generations, self._generations.current()
        files.sweep_views()
        serving = files.record(current) if current else None
        fresh = serving is not None and bool(serving.differences(record))
        unfinished = self._unfinished(current, record)
        base = None if fresh else serving
        try:
            if unfinished:
                base = base or unfinished.record
                engine, record = unfinished.engine, continued(unfinished.record, record)
            elif current and serving and not fresh:
                record = continued(serving, record)
                new = {path: kind for path, kind in field_paths(record).items() if path not in field_paths(serving)}
                engine = EdgeEngine.load(files.copy_current(current), new)
            else:
                shard = files.new_shard()
                EdgeEngine.create(shard, record.embedding.dimension).close()
                engine = EdgeEngine.load(shard, OWN_PATHS | field_paths(record))
        except IndexDiskFull:
            files.clear()  # half a shard is of no use to anybody, and its room is
            raise
        files.set_base(Base(generation=current, record=record))
        self._build = EmbeddedBuild(files, engine, record, base, fresh=fresh, resumed=unfinished is not None)
        return self._build

    def _unfinished(self, current: str | None, record: IndexRecord) -> _Unfinished | None:
        """What a job that died was building, where this record can go on with it."""
        base = self._generations.base()
        if base is None or base.generation != current or base.record.differences(record):
            return None
        try:
            return _Unfinished(EdgeEngine.load(self._generations.building / "shard"), base.record)
        except IndexDamaged:
            return None

    def generations(self) -> list[Generation]:
        current = self._generations.current()
        return [self._told(name, serving=name == current) for name in self._generations.names()]

    def _told(self, name: str, *, serving: bool) -> Generation:
        size = self._generations.size(name)
        try:
            with closing(self._open(self._generations.view_of(name))) as index:
                return Generation.of(name, index.record, serving=serving, products=index.count(), size=size)
        except (IndexDamaged, FileNotFoundError):
            return Generation.unreadable(name, serving=serving, size=size)

    def open_all(self) -> Iterator[IndexReader]:
        self._release()
        for name in self._generations.names():
            with closing(self._open(self._view_of(name))) as index:
                yield index
        if base := self._generations.base():
            try:
                engine = EdgeEngine.load(self._generations.building / "shard")
            except IndexDamaged:
                return  # no job goes on with it
            with closing(IndexReader(engine, base.record, "building")) as index:
                yield index

    def switch(self, name: str) -> str:
        self._release()
        # What cannot be opened must not serve.
        self._open(self._generations.view_of(self._generations.known(name))).close()
        self._generations.serve(name)
        return name

    def remove(self, name: str) -> None:
        if self._generations.known(name) == self._generations.current():
            raise still_serves(name)
        self._generations.remove(name)

    def _release(self) -> None:
        """Let go of the files of a build that was neither committed nor discarded."""
        if self._build:
            self._build.close()
            self._build = None


class EmbeddedBuild(Writer):
    """An ``IndexBuild`` in the folder ``building``."""

    def __init__(
        self,
        generations: Generations,
        engine: EdgeEngine,
        record: IndexRecord,
        base: IndexRecord | None,
        *,
        fresh: bool,
        resumed: bool,
    ) -> None:
        self._generations = generations
        self._edge = engine
        self.fresh = fresh
        self.resumed = resumed
        super().__init__(engine, IndexReader(engine, record, "building"), base)

    @property
    def graph_due(self) -> bool:
        return self._edge.graph_due

    def optimize(self) -> None:
        self._edge.optimize()

    def commit(self) -> str:
        self.optimize()
        self.close()
        return self._generations.publish(self._record)

    def discard(self) -> None:
        self.close()
        self._generations.clear()

    def close(self) -> None:
        """Let go of the files; the build stays for the next ``begin``."""
        self._edge.close()
