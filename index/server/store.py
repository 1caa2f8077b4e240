"""A Qdrant server or cluster, through qdrant-client: a collection a generation, and an alias on the one that serves."""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from qdrant_client import QdrantClient

from index.edge.disk_space import make_folder, told_when_full
from index.edge.generations import still_serves, unknown_generation
from index.locks import writer_lock
from index.protocols import Latest, Point
from index.reader import IndexReader
from index.server.collections import Collections
from index.server.deadline import keep_deadline
from index.server.documents import ServerDocuments
from index.server.engine import Foreign, ServerEngine
from index.server.lease import Lease
from index.server.retries import AWAY_SECONDS, Retries
from index.settings import IndexSettings
from index.writer import Writer, continued, described
from schemas import ConfigurationError, Generation, IndexMissing, IndexRecord

log = logging.getLogger(__name__)


class ServerStore:
    """An ``IndexStore`` on a server.

    Writes are in place and seen at once; only an index for another model is built beside the one
    that serves.
    """

    poll_seconds = 2.0

    def __init__(self, client: QdrantClient, settings: IndexSettings, url: str, retries: Retries | None = None) -> None:
        self.client = client
        self.settings = settings
        self.url = url
        self.retries = retries or Retries(url)
        self._lease: Lease | None = None
        self._collections = Collections(client, settings.collection, url)
        self.documents = ServerDocuments(client, settings.collection, url)
        self._foreign: dict[str, Foreign] = {}
        self._seen: tuple[object, str] | None = None

    @classmethod
    def connect(cls, settings: IndexSettings, away_seconds: float = AWAY_SECONDS) -> ServerStore:
        """Nothing is asked of the server yet. Raises ConfigurationError when the address is none.

        Args:
            away_seconds: How long a job waits for a server that is away.
        """
        key = settings.qdrant_api_key.get_secret_value() if settings.qdrant_api_key else None
        try:
            # Names and passwords in the address are not for messages.
            parts = urlsplit(settings.qdrant_url or "")
            shown = f"{parts.scheme}://{parts.hostname}:{parts.port or 6333}"
            with warnings.catch_warnings():
                # It warns of a key sent without TLS, as is usual between containers.
                warnings.simplefilter("ignore", UserWarning)
                client = QdrantClient(
                    settings.qdrant_url,
                    api_key=key,
                    timeout=math.ceil(settings.qdrant_seconds),
                    check_compatibility=False,
                    # Without TLS it is a server of one's own network, and its key nothing for a proxy's eyes.
                    trust_env=parts.scheme == "https",
                )
        except ValueError as error:
            raise ConfigurationError(
                "STORELENS_QDRANT_URL is not an address such as http://localhost:6333", field="qdrant_url"
            ) from error
        retries = Retries(shown, away_seconds)
        client.http.client.add_middleware(keep_deadline)
        client.http.client.add_middleware(retries)
        return cls(client, settings, shown, retries)

    def open(self, generation: str | None = None) -> IndexReader:
        collection = self._collections.serving() if generation is None else self._known(generation)
        if collection is None:
            raise IndexMissing(f"there is no index {self._collections.alias!r} at {self.url}: ingest a catalog first")
        record, revision = self._collections.description(collection)
        return IndexReader(self._engine(collection, record), record, f"{collection}.{revision}")

    def version(self) -> str | None:
        state = self._collections.state()
        if state is None:
            return None
        if self._seen is None or self._seen[0] != state:
            collection = self._collections.serving()
            if collection is None:
                return None
            if collection in self._foreign:
                self._foreign[collection].count()
            self._seen = state, f"{collection}.{self._collections.description(collection)[1]}"
        return self._seen[1]

    def _engine(self, collection: str, record: IndexRecord, *, new: bool = False) -> ServerEngine:
        tells = "id" in record.fields
        foreign = self._foreign.setdefault(collection, Foreign(self.client, collection, self.url, tells))
        if not new:
            foreign.count()
        return ServerEngine(self.client, collection, self.url, foreign)

    def record(self) -> IndexRecord | None:
        collection = self._collections.serving()
        return self._collections.description(collection)[0] if collection else None

    @property
    def lock_file(self) -> Path:
        """Its name says which collection of which server the jobs with this data fill."""
        name = sha256(f"{self.url} {self._collections.alias}".encode()).hexdigest()[:16]
        return self.settings.data_dir / self.settings.collection / f"server-{name}.lock"

    @contextmanager
    def lock(self, wait: float | None = None) -> Iterator[None]:
        """Holds off other jobs with the same data by a file, and all others by a lease on the server.

        While it is held, the server may be away for some minutes.
        """
        path = self.lock_file
        with ExitStack() as held:
            make_folder(path.parent)
            with told_when_full(path.parent):
                token = held.enter_context(writer_lock(path, wait or 0.0))
            lease = Lease(self.client, self._collections.alias, self.url, token)
            with lease.held(wait), self.retries.waiting():
                self._lease = lease
                try:
                    yield
                finally:
                    self._lease = None

    def check_lease(self) -> None:
        """Before every write. Raises IndexLocked when another job has taken the index."""
        if self._lease:
            self._lease.check()

    def latest(self, record: IndexRecord) -> Latest | None:
        serving = self._collections.serving()
        if serving and not self._collections.description(serving)[0].differences(record):
            collection, resumed = serving, False
        elif left := _going_on(self._collections.unfinished(), record):
            collection, resumed = left, True
        else:
            return None
        base, revision = self._collections.description(collection)
        engine = self._engine(collection, base)
        return Latest(IndexReader(engine, described(base, record), f"{collection}.{revision}"), resumed)

    def begin(self, record: IndexRecord) -> ServerBuild:
        serving = self._collections.serving()
        if serving and not self._collections.description(serving)[0].differences(record):
            return self._go_on(serving, record, in_place=True, fresh=False)
        if self._collections.taken():
            raise ConfigurationError(
                f"{self.url} has a collection {self._collections.alias!r} that is not StoreLens's; choose another name",
                field="collection",
            )
        unfinished = self._collections.unfinished()
        left = _going_on(unfinished, record)
        for name in unfinished.keys() - {left}:
            self._collections.delete(name)
        if left:
            return self._go_on(left, record, in_place=False, fresh=serving is not None)
        created = self._collections.create(record, self.settings.shards, self.settings.replicas)
        engine = self._engine(created, record, new=True)
        return ServerBuild(self, engine, created, record, None, fresh=serving is not None)

    def _go_on(self, collection: str, record: IndexRecord, *, in_place: bool, fresh: bool) -> ServerBuild:
        base, revision = self._collections.description(collection)
        record = continued(base, record)
        self._say_layout(collection)
        engine = self._engine(collection, base)
        build = ServerBuild(self, engine, collection, record, base, fresh=fresh, resumed=not in_place)
        if record.fields != base.fields:
            # Stored values have their new kinds by now: readers are told at once, not with the commit.
            self._collections.describe(collection, record, revision + in_place)
        return build

    def _say_layout(self, collection: str) -> None:
        """Where another number of shards or copies is asked for than a collection has: it keeps its own."""
        asked = {"shards": self.settings.shards, "replicas": self.settings.replicas}
        has = dict(zip(asked, self._collections.layout(collection), strict=True))
        for name, number in asked.items():
            if number is not None and has[name] is not None and number != has[name]:
                log.warning(
                    "collection %s keeps the %s %s it was made with, not %s: a new one gets what --%s says, as with "
                    "another --collection or model",
                    *(collection, has[name], name, number, name),
                )

    def publish(self, collection: str, record: IndexRecord) -> str:
        """Let a collection serve; the one that served before is kept, older ones go."""
        previous = self._collections.serving()
        if previous != collection:
            self._collections.serve(collection)
        revision = self._collections.description(collection)[1] + 1
        self._collections.describe(collection, record, revision)
        for name in self._collections.names():
            if previous != collection and name not in (collection, previous):
                self._collections.delete(name)
        return f"{collection}.{revision}"

    def generations(self) -> list[Generation]:
        serving = self._collections.serving()
        return [
            Generation.of(
                name, record, serving=name == serving, products=self._engine(name, record).count(None), size=None
            )
            for name, record in self._collections.committed().items()
        ]

    def open_all(self) -> Iterator[IndexReader]:
        for name in self._collections.names():
            record, _ = self._collections.description(name)
            yield IndexReader(self._engine(name, record), record, name)

    def switch(self, name: str) -> str:
        _, revision = self._collections.description(self._known(name))
        serving = self._collections.serving()
        if serving and serving != name:
            before, its_revision = self._collections.description(serving)
            if its_revision == 0:
                # A job died as it committed: what served must not be taken for a build it left behind.
                self._collections.describe(serving, before, 1)
            self._collections.serve(name)
        return f"{name}.{revision}"

    def remove(self, name: str) -> None:
        if self._known(name) == self._collections.serving():
            raise still_serves(name)
        self._collections.delete(name)

    def _known(self, name: str) -> str:
        if name not in (names := list(self._collections.committed())):
            raise unknown_generation(name, names)
        return name


class ServerBuild(Writer):
    """An ``IndexBuild`` in the collection that serves, or beside it where the model is another."""

    def __init__(
        self,
        store: ServerStore,
        engine: ServerEngine,
        collection: str,
        record: IndexRecord,
        base: IndexRecord | None,
        *,
        fresh: bool,
        resumed: bool = False,
    ) -> None:
        super().__init__(engine, IndexReader(engine, record, "building"), base)
        self._store = store
        self._collection = collection
        self.fresh = fresh
        self.resumed = resumed

    def upsert(self, points: Sequence[Point]) -> None:
        self._store.check_lease()
        super().upsert(points)

    def set_payload(self, payloads: Mapping[UUID, dict[str, Any]]) -> None:
        self._store.check_lease()
        super().set_payload(payloads)

    def decide(self, decisions: Mapping[UUID, dict[str, Any] | None]) -> None:
        self._store.check_lease()
        super().decide(decisions)

    def annotate(self, payloads: Mapping[UUID, dict[str, Any]]) -> None:
        self._store.check_lease()
        super().annotate(payloads)

    def delete(self, ids: Sequence[UUID]) -> None:
        self._store.check_lease()
        super().delete(ids)

    @property
    def graph_due(self) -> bool:
        return False

    def optimize(self) -> None:
        """Servers do that by themselves."""

    def commit(self) -> str:
        self._store.check_lease()
        return self._store.publish(self._collection, self._record)

    def discard(self) -> None:
        """What was written stays; a collection that never served is gone on with, or removed, by the next build."""


def _going_on(unfinished: Mapping[str, IndexRecord], record: IndexRecord) -> str | None:
    """The last of the unfinished builds that this record can go on with."""
    return max((name for name, left in unfinished.items() if not left.differences(record)), default=None)
