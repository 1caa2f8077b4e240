"""The folders of an embedded index, and how one generation follows another.

    DATA_DIR/COLLECTION/
        lock                  held by the job that writes; says who
        current               the name of the generation that serves; replaced in one step
        generations/NAME/     shard/, record.json and base.json, never written to once they are here
        building/             shard/ and base.json: the next generation while a job makes it
        documents/            what is beside the generations: index.edge.documents
        views/VIEW/           a reader's own shard directory, with VIEW.lock held while it lives

A generation is moved to ``generations/`` whole and synced, then ``current`` names it. So a process
that dies at any point leaves either the old generation serving or the new one; what else it
left is resumed or removed by the next job.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from index.edge.disk_space import forbidden, require, told_when_full
from index.edge.files import copy_tree, disk_usage, link_tree, replace_text
from index.locks import claim, waiting_lock
from schemas import GenerationServes, GenerationUnknown, IndexDamaged, IndexMissing, IndexRecord, fsync

_Model = TypeVar("_Model", bound=BaseModel)


class Base(BaseModel):
    """What a build started from, and what it is to become. Its file is written once the shard is whole."""

    model_config = ConfigDict(frozen=True)

    generation: str | None
    record: IndexRecord


class Generations:
    """The folders of one collection."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.building = root / "building"
        self._current = root / "current"
        self._generations = root / "generations"
        self._views = root / "views"

    def current(self) -> str | None:
        """The name of the generation that serves."""
        try:
            return self._current.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise forbidden(error, self.root) from error

    def names(self) -> list[str]:
        """Every generation that is kept, oldest first."""
        return sorted(path.name for path in self._generations.glob("*-*")) if self._generations.exists() else []

    def known(self, name: str) -> str:
        """The name itself. Raises GenerationUnknown, which lists those that are kept."""
        if name not in (names := self.names()):
            raise unknown_generation(name, names)
        return name

    def size(self, generation: str) -> int:
        """Bytes that it occupies on disk."""
        return disk_usage(self._generations / generation)

    def record(self, generation: str) -> IndexRecord:
        """Raises IndexDamaged when it cannot be read."""
        record = _read(self._generations / generation / "record.json", IndexRecord)
        if record is None:
            raise IndexDamaged(f"generation {generation} is not in {self.root}; remove {self.root} and ingest again")
        return record

    # Building

    def base(self) -> Base | None:
        """What the build left by an earlier job started from; None when there is none that can be resumed."""
        try:
            return _read(self.building / "base.json", Base)
        except IndexDamaged:
            return None

    def set_base(self, base: Base) -> None:
        """Declare the shard in ``building`` whole."""
        with told_when_full(self.root):
            replace_text(self.building / "base.json", base.model_dump_json())

    def clear(self) -> None:
        """Remove whatever is in ``building``, the sign that it is whole first."""
        (self.building / "base.json").unlink(missing_ok=True)
        shutil.rmtree(self.building, ignore_errors=True)

    def new_shard(self) -> Path:
        """Where the shard of a new build goes."""
        self.clear()
        self.building.mkdir(parents=True)
        return self.building / "shard"

    def copy_current(self, generation: str) -> Path:
        """The shard of a new build, as a copy of a generation's."""
        source, shard = self._generations / generation / "shard", self.new_shard()
        require(self.root, disk_usage(source), "a copy of the index to work on")
        with told_when_full(self.root):
            copy_tree(source, shard)
        return shard

    def publish(self, record: IndexRecord) -> str:
        """Make the build, flushed and closed, the generation that serves. Keeps the one before it."""
        previous = self.current()
        number = 1 + max((int(name.split("-")[0]) for name in self.names()), default=0)
        # The random part tells generations apart when a data directory is removed and made anew.
        name = f"{number:06d}-{secrets.token_hex(3)}"
        with told_when_full(self.root):
            replace_text(self.building / "record.json", record.model_dump_json(indent=2))
            self._generations.mkdir(exist_ok=True)
            self.building.rename(self._generations / name)
            fsync(self._generations)
            self.serve(name)
        self.remove_except({name, previous})
        return name

    def serve(self, name: str) -> None:
        """Let a generation that is kept be the one that serves."""
        replace_text(self._current, name + "\n")

    def remove(self, name: str) -> None:
        """Remove one generation, which must not be the one that serves."""
        shutil.rmtree(self._generations / name)

    def remove_except(self, kept: set[str | None]) -> None:
        for name in self.names():
            if name not in kept:
                shutil.rmtree(self._generations / name, ignore_errors=True)

    # Reading

    def view(self) -> View:
        """A shard directory of one's own on what serves. Raises IndexMissing, IndexDamaged."""
        for _ in range(10):
            generation = self.current()
            if generation is None:
                raise IndexMissing(f"there is no index in {self.root}: ingest a catalog first")
            try:
                return self.view_of(generation)
            except FileNotFoundError:
                pass  # two commits have passed since the pointer was read: read it again
        raise IndexDamaged(f"generation {generation} of {self.root} is not whole; remove {self.root} and ingest again")

    def view_of(self, generation: str) -> View:
        """A shard directory of one's own on a generation. Raises IndexDamaged, FileNotFoundError where it is gone."""
        record = self.record(generation)
        with told_when_full(self.root):
            view = View(self._views, generation, record)
            try:
                link_tree(self._generations / generation / "shard", view.shard)
            except BaseException:
                view.close()
                raise
        return view

    def sweep_views(self) -> None:
        """Remove the views of processes that are gone."""
        if not self._views.exists():
            return
        with told_when_full(self.root), waiting_lock(self._views / "lock"):
            for lock in self._views.glob("*.lock"):
                if (file := claim(lock)) is not None:
                    shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
                    lock.unlink(missing_ok=True)
                    os.close(file)


class View:
    """A directory that shares a generation's files by hard links, until ``close``."""

    def __init__(self, views: Path, generation: str, record: IndexRecord) -> None:
        self.generation = generation
        self.record = record
        self.shard = views / f"{generation}.{os.getpid()}.{secrets.token_hex(4)}"
        self._lock = self.shard.with_name(self.shard.name + ".lock")
        views.mkdir(exist_ok=True)
        # Nobody may sweep between the file's creation and its being held.
        with waiting_lock(views / "lock"):
            self._held = claim(self._lock)

    def close(self) -> None:
        shutil.rmtree(self.shard, ignore_errors=True)
        self._lock.unlink(missing_ok=True)
        if self._held is not None:
            os.close(self._held)
            self._held = None


def unknown_generation(name: str, names: Sequence[str]) -> GenerationUnknown:
    kept = f"those kept are {', '.join(names)}" if names else "none is kept: ingest a catalog first"
    return GenerationUnknown(f"there is no generation {name!r}; {kept}")


def still_serves(name: str) -> GenerationServes:
    return GenerationServes(f"generation {name} serves; switch to another one first, then remove it")


def _read(path: Path, model: type[_Model]) -> _Model | None:
    try:
        return model.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except PermissionError as error:
        raise forbidden(error, path.parent) from error
    except (OSError, ValidationError) as error:
        raise IndexDamaged(f"{path} cannot be read ({error}); remove its index and ingest again") from error
