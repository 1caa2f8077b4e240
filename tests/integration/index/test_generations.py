"""The embedded index on disk: jobs that die, readers that share files, folders that stay clean."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import threading
from contextlib import closing
from pathlib import Path

import pytest

from index.protocols import Leg
from schemas import IndexDamaged, IndexLocked
from tests.integration.index import jobs
from tests.support.points import DIMENSION, index_record, make_point, unit


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def _assert_clean(folder: Path) -> None:
    root = folder / "products"
    assert set(_names(root)) <= {"current", "generations", "lock", "views"}
    assert 1 <= len(_names(root / "generations")) <= 2
    assert (root / "generations" / (root / "current").read_text().strip() / "record.json").exists()
    assert set(_names(root / "views")) <= {"lock"}


def test_a_job_killed_before_any_step_leaves_a_whole_index(tmp_path: Path) -> None:
    jobs.ingest(tmp_path)
    served = 1
    for step in range(1000):
        process, _ = jobs.start(jobs.ingest_until, tmp_path, step)
        process.join()
        now = jobs.served_round(jobs.store(tmp_path))
        assert now == served + 1 or (now == served and process.exitcode == -9)
        jobs.ingest(tmp_path)
        served = jobs.served_round(jobs.store(tmp_path))
        assert served == now + 1
        _assert_clean(tmp_path)
        if process.exitcode == 0:
            break
    assert 15 < step < 999


def test_a_job_killed_at_random_moments_leaves_a_whole_index(tmp_path: Path) -> None:
    moments = random.Random(0)
    served = 0
    for _ in range(12):
        process, report = jobs.start(jobs.ingest_forever, tmp_path)
        assert report.recv() == "begins"
        for _ in range(moments.randrange(12)):  # meanwhile it goes on
            jobs.served_round(jobs.store(tmp_path))
        jobs.kill(process)
        now = jobs.served_round(jobs.store(tmp_path))
        assert now >= served
        served = now
    jobs.ingest(tmp_path)
    assert jobs.served_round(jobs.store(tmp_path)) == served + 1
    _assert_clean(tmp_path)


def test_what_a_killed_job_had_written_is_gone_on_with(tmp_path: Path) -> None:
    process, report = jobs.start(jobs.write_and_wait, tmp_path)
    assert report.recv() == "written"
    jobs.kill(process)
    with jobs.store(tmp_path).lock():
        build = jobs.store(tmp_path).begin(index_record())
        assert build.resumed
        assert build.index.scan(None, 10) == [make_point(n).id for n in (1, 2, 3)]


def test_a_lock_names_its_holder_and_dies_with_it(tmp_path: Path) -> None:
    process, report = jobs.start(jobs.hold_lock, tmp_path)
    pid = report.recv()
    job = jobs.store(tmp_path)
    with pytest.raises(IndexLocked, match=f"process {pid} on .*, since 20"), job.lock():
        pass
    jobs.kill(process)
    with job.lock():
        pass


def test_a_build_that_cannot_be_opened_is_made_anew(tmp_path: Path) -> None:
    job = jobs.store(tmp_path)
    jobs.ingest(tmp_path)
    with job.lock():
        job.begin(index_record()).upsert([make_point(99)])
    building = tmp_path / "products" / "building"
    (building / "shard" / "edge_config.json").write_text("{")
    with job.lock():
        build = job.begin(index_record())
        assert not build.resumed
        assert build.index.count() == jobs.POINTS


def test_readers_see_whole_generations_while_a_job_commits_and_dies(tmp_path: Path) -> None:
    jobs.ingest(tmp_path)
    readers = [jobs.start(jobs.read_forever, tmp_path) for _ in range(2)]
    index = jobs.store(tmp_path).open()
    stop, failures, answers = threading.Event(), list[BaseException](), threading.Semaphore(0)

    def ask() -> None:
        legs = [Leg("text->title", "title", unit(DIMENSION, seed=1)), Leg("lexical", "lexical", "red")]
        try:
            while not stop.is_set():
                assert [len(found) for found in index.query(legs, None, 10)] == [10, 10]
                assert jobs.round_of(index) == 1
                answers.release()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(2):
        jobs.ingest(tmp_path)
        process, report = jobs.start(jobs.ingest_forever, tmp_path)
        report.recv()
        for _ in range(20):  # meanwhile it goes on
            assert answers.acquire(timeout=60)
        jobs.kill(process)
    stop.set()
    for thread in threads:
        thread.join()
    index.close()
    assert failures == []
    for process, report in readers:
        assert process.is_alive()
        jobs.kill(process)
        seen = []
        while report.poll():
            try:
                seen.append(report.recv())
            except EOFError:
                break
        assert seen == sorted(seen)
        assert len(set(seen)) > 1
    # What the killed readers left goes with the next job.
    jobs.ingest(tmp_path)
    _assert_clean(tmp_path)


def _contents(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_readers_never_change_the_files_they_share(tmp_path: Path) -> None:
    jobs.ingest(tmp_path)
    job = jobs.store(tmp_path)
    generation = tmp_path / "products" / "generations" / str(job.version())
    before = _contents(generation)
    with closing(job.open()) as index, closing(job.open()) as other:
        view = next(path for path in (tmp_path / "products" / "views").iterdir() if path.is_dir())
        shared = [path for path in view.rglob("*") if path.is_file() and path.stat().st_nlink > 1]
        assert len(shared) > 20
        assert jobs.round_of(index) == jobs.round_of(other) == 1
    assert _contents(generation) == before


def test_a_reader_outlives_its_generation(tmp_path: Path) -> None:
    jobs.ingest(tmp_path)
    with closing(jobs.store(tmp_path).open()) as index:
        for _ in range(3):
            jobs.ingest(tmp_path)
        assert index.generation not in _names(tmp_path / "products" / "generations")
        assert jobs.round_of(index) == 1
        assert index.query([Leg("lexical", "lexical", "red")], None, 100)[0] != []


def test_readers_copy_where_files_cannot_be_linked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(source: str, target: str) -> None:
        raise PermissionError(1, "Operation not permitted", source)

    jobs.ingest(tmp_path)
    monkeypatch.setattr(os, "link", refuse)
    with closing(jobs.store(tmp_path).open()) as index:
        assert jobs.round_of(index) == 1


def test_discarding_leaves_no_trace(tmp_path: Path) -> None:
    jobs.ingest(tmp_path)
    job = jobs.store(tmp_path)
    version = job.version()
    with job.lock():
        build = job.begin(index_record())
        build.upsert([make_point(99)])
        build.discard()
    assert job.version() == version
    _assert_clean(tmp_path)
    with job.lock():
        assert job.begin(index_record()).index.count() == jobs.POINTS


@pytest.mark.parametrize("damage", ["record.json", "shard"])
def test_damage_is_told_apart_from_absence(tmp_path: Path, damage: str) -> None:
    jobs.ingest(tmp_path)
    job = jobs.store(tmp_path)
    path = tmp_path / "products" / "generations" / str(job.version()) / damage
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.write_text("{")
    with pytest.raises(IndexDamaged, match="ingest again"):
        job.open()


def test_the_optimized_index_answers_as_before(tmp_path: Path) -> None:
    """Enough points for graphs and quantized copies; scores stay exact cosines."""
    job = jobs.store(tmp_path)
    points = [make_point(n, {"brand": f"b{n % 9}"}, vectors=("image", "title"), images=3) for n in range(4000)]
    with job.lock():
        build = job.begin(index_record())
        for first in range(0, len(points), 500):
            build.upsert(points[first : first + 500])
        build.optimize()
        build.commit()
    with closing(job.open()) as index:
        query = points[17].vectors["title"]
        (found,) = index.query([Leg("text->title", "title", query)], None, 10)
        cosines = {point.id: float(point.vectors["title"] @ query) for point in points}
        assert found[0].id == points[17].id
        assert [c.score for c in found] == pytest.approx([cosines[c.id] for c in found], abs=1e-5)
        best = sorted(cosines, key=lambda id: -cosines[id])[:10]
        assert len(set(best) & {c.id for c in found}) >= 9
