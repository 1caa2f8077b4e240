"""``python -m ingest`` as a shell or a scheduler sees it: exit status, standard output, signals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Protocol

import pytest

from demo.drawn import write_drawn_catalog
from index import IndexSettings, open_store
from schemas import IngestReport
from tests.integration.ingest.jobs import indexed
from tests.support.fork_server import fork_server

_ROOT = Path(__file__).parents[3]
_ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("STORELENS_")}

_NOTHING_HEAVY = """
import sys
from ingest.command import main
status = main(sys.argv[1:])
assert not {"torch", "onnxruntime", "qdrant_client"} & set(sys.modules)
sys.exit(status)
"""


_NOISY = "tests.integration.ingest.noisy_job"


class Command(Protocol):
    def __call__(
        self, *arguments: str | Path, module: str = _NOISY, stdout: int | IO[str] = subprocess.PIPE, **environment: str
    ) -> subprocess.CompletedProcess[str]: ...


def _run(
    python: str | Path,
    *arguments: str | Path,
    module: str = _NOISY,
    stdout: int | IO[str] = subprocess.PIPE,
    **environment: str,
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, "-m", module, *arguments],
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        timeout=120,
        env=_ENVIRONMENT | environment,
        check=False,
    )


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    """The command, with its imports done."""
    with fork_server(tmp_path_factory.mktemp("python"), "ingest.command", "tests.support.encoders") as python:
        yield partial(_run, python)


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    return write_drawn_catalog(tmp_path / "drawn")


def test_the_report_is_all_that_is_on_standard_output(catalog: Path, tmp_path: Path, command: Command) -> None:
    done = command(catalog, "--data-dir", tmp_path / "data")
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    report = IngestReport.model_validate_json(line)
    assert (report.indexed, report.embedded_images) == (48, 48)
    assert {"start", "scan", "embed", "optimize", "commit"} <= set(report.stages)
    assert "a library's greeting" in done.stderr
    assert "48/48" in done.stderr


def test_why_a_small_catalog_is_not_calibrated_is_said(catalog: Path, tmp_path: Path, command: Command) -> None:
    silent = command(catalog, "--data-dir", tmp_path / "silent", "--no-calibration")
    assert "not calibrated" not in silent.stderr
    first = command(catalog, "--data-dir", tmp_path / "data")
    assert json.loads(first.stdout)["calibration"] is None
    assert "searches are not calibrated: the catalog is too small" in first.stderr
    again = command(catalog, "--data-dir", tmp_path / "data")
    assert json.loads(again.stdout)["unchanged"] == 48 and "not calibrated" not in again.stderr


def test_with_json_every_line_of_standard_error_is_an_object(catalog: Path, tmp_path: Path, command: Command) -> None:
    done = command(catalog, "--data-dir", tmp_path / "data", "--log", "json")
    assert done.returncode == 0, done.stderr
    assert IngestReport.model_validate_json(done.stdout).indexed == 48
    events = [json.loads(line) for line in done.stderr.splitlines()]
    for said in ("a library's greeting", "and one from native code"):
        assert any(said in event["message"] for event in events if event["event"] == "output")
    assert any(event["message"].startswith("48 rows: 48 indexed") for event in events)
    failed = command("missing.jsonl", "--log", "json")
    (event,) = [json.loads(line) for line in failed.stderr.splitlines()]
    assert (failed.returncode, event["level"], event["code"]) == (1, "ERROR", "catalog-unreadable")


def test_rejected_rows_are_done_and_with_strict_status_3(catalog: Path, tmp_path: Path, command: Command) -> None:
    with catalog.open("a") as file:
        file.write('{"id": "no words"}\n')
    done = command(catalog, "--data-dir", tmp_path / "data")
    assert done.returncode == 0
    strict = command(catalog, "--data-dir", tmp_path / "data", "--strict")
    assert strict.returncode == 3
    report = json.loads(strict.stdout)
    assert (report["rejected"], report["unchanged"], report["rejects"]) == (1, 48, {"row-invalid": 1})
    assert "row-invalid" in strict.stderr
    assert report["rejects_file"] in strict.stderr


def test_a_report_that_stdout_does_not_take_is_told(catalog: Path, tmp_path: Path, command: Command) -> None:
    with Path("/dev/full").open("w") as full:
        done = command(catalog, "--data-dir", tmp_path / "data", stdout=full)
    assert done.returncode == 1
    assert "stdout does not take its report: No space left on device" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(indexed(tmp_path / "data")) == 48


@pytest.mark.parametrize(("closed", "log"), [(">&-", "text"), ("2>&-", "text"), ("<&- >&- 2>&-", "json")])
def test_a_job_whose_streams_are_closed_is_done(catalog: Path, tmp_path: Path, closed: str, log: str) -> None:
    job = [sys.executable, "-m", _NOISY, str(catalog), "--data-dir", str(tmp_path / "data"), "--log", log]
    done = subprocess.run(["sh", "-c", f'exec "$@" {closed}', "sh", *job], env=_ENVIRONMENT, timeout=120, check=False)
    assert done.returncode == 0
    assert len(indexed(tmp_path / "data")) == 48


def test_options_come_from_the_environment_too(catalog: Path, tmp_path: Path, command: Command) -> None:
    done = command(catalog, STORELENS_DATA_DIR=str(tmp_path / "env"), STORELENS_COLLECTION="cushions")
    assert done.returncode == 0
    assert open_store(IndexSettings(data_dir=tmp_path / "env", qdrant_url=None, collection="cushions")).version()


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["missing.jsonl"], 1, "there is no catalog at missing.jsonl"),
        (["/dev/null"], 1, "/dev/null"),
        (["missing.jsonl", "--model", "/no/such/model"], 1, "missing.jsonl"),
        ([], 2, "CATALOG"),
        (["missing.jsonl", "--nonsense"], 2, "--nonsense"),
        (["missing.jsonl", "--data-dir", "a", "--qdrant-url", "b"], 2, "--qdrant-url"),
        (["missing.jsonl", "--collection", "no/slash"], 2, "collection"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    arguments: list[str], status: int, says: str, command: Command
) -> None:
    failed = command(*arguments, module="ingest")
    assert failed.returncode == status
    assert says in failed.stderr.splitlines()[-1]
    assert "Traceback" not in failed.stderr
    assert not failed.stdout


def test_a_model_that_is_nowhere_is_said_at_once(catalog: Path, tmp_path: Path, command: Command) -> None:
    failed = command(catalog, "--model", tmp_path / "no-model", "--data-dir", tmp_path / "data", module="ingest")
    assert failed.returncode == 1
    assert "no-model" in failed.stderr
    assert "Traceback" not in failed.stderr


def test_an_unexpected_error_shows_its_trace_only_where_it_is_asked_for(
    catalog: Path, tmp_path: Path, command: Command
) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    failed = command(catalog, "--data-dir", tmp_path / "data")
    assert failed.returncode == 1
    assert "Traceback" not in failed.stderr
    debugged = command(catalog, "--data-dir", tmp_path / "data", STORELENS_DEBUG="1")
    assert debugged.returncode == 1
    assert "Traceback" in debugged.stderr


@contextmanager
def _waiting(catalog: Path, data: Path, ctrl_c: signal.Handlers = signal.SIG_DFL) -> Iterator[subprocess.Popen[str]]:
    """A job that embeds once it is given a line. Ctrl-C is answered as said: a suite that was started with `nohup` or
    `&` has its children ignore it."""
    arguments = [sys.executable, "-m", _NOISY, str(catalog), "--data-dir", str(data)]
    before = signal.signal(signal.SIGINT, ctrl_c)
    try:
        job = subprocess.Popen(
            arguments,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=_ENVIRONMENT | {"WAIT": "1"},
        )
    finally:
        signal.signal(signal.SIGINT, before)
    with job:
        assert job.stderr is not None
        while "waiting" not in job.stderr.readline():
            assert job.poll() is None
        yield job


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_job_says_so_and_a_rerun_completes(
    catalog: Path, tmp_path: Path, command: Command, stop: signal.Signals
) -> None:
    with _waiting(catalog, tmp_path / "data") as job:
        job.send_signal(stop)
        out, err = job.communicate(timeout=120)
    assert job.returncode == 130
    assert "interrupted" in err
    assert "Traceback" not in err
    assert not out
    assert command(catalog, "--data-dir", tmp_path / "data").returncode == 0
    assert len(indexed(tmp_path / "data")) == 48


def test_a_job_in_the_background_of_a_script_does_not_hear_ctrl_c(catalog: Path, tmp_path: Path) -> None:
    with _waiting(catalog, tmp_path / "data", signal.SIG_IGN) as job:
        job.send_signal(signal.SIGINT)
        out, _ = job.communicate("go on\n", timeout=60)
    assert job.returncode == 0
    assert IngestReport.model_validate_json(out).indexed == 48


@pytest.mark.parametrize("stop", ["SIGINT", "SIGTERM"])
@pytest.mark.parametrize("arguments", [["c.jsonl"], ["generations"], ["same"]])
def test_ctrl_c_while_everything_is_yet_to_be_imported(tmp_path: Path, stop: str, arguments: list[str]) -> None:
    (tmp_path / "pydantic.py").write_text(f"import os, signal\nos.kill(os.getpid(), signal.{stop})\nraise ValueError")
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        done = _run(sys.executable, *arguments, module="ingest", PYTHONPATH=f"{tmp_path}{os.pathsep}{_ROOT}")
    finally:
        signal.signal(signal.SIGINT, before)
    assert (done.returncode, done.stderr) == (130, "python -m ingest: interrupted\n")


def test_the_builtin_model_and_then_a_run_without_changes_that_imports_nothing_heavy(
    catalog: Path, tmp_path: Path, python: Path
) -> None:
    catalog.write_text("".join(catalog.read_text().splitlines(keepends=True)[:6]))
    first = _run(python, catalog, "--model", "builtin", "--data-dir", tmp_path / "data", module="ingest")
    assert first.returncode == 0, first.stderr
    assert IngestReport.model_validate_json(first.stdout.splitlines()[-1]).embedded_images == 6
    again = subprocess.run(
        [sys.executable, "-c", _NOTHING_HEAVY, str(catalog), "--prune", "--data-dir", str(tmp_path / "data")],
        capture_output=True,
        text=True,
        env=_ENVIRONMENT,
        check=False,
    )
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["unchanged"] == 6
