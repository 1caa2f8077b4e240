"""The command line and the environment of a job."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ingest.settings import parse


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [*os.environ]:
        if name.startswith("STORELENS_"):
            monkeypatch.delenv(name)


def test_the_command_line_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORELENS_MODEL", "from-environment")
    monkeypatch.setenv("STORELENS_COLLECTION", "shoes")
    monkeypatch.setenv("STORELENS_STRICT", "1")
    settings = parse(["c.jsonl", "--model", "builtin", "--prune"])
    assert settings.catalog == "c.jsonl"
    assert (settings.model, settings.collection) == ("builtin", "shoes")
    assert settings.prune
    assert settings.strict


def test_what_is_left_out_has_its_default() -> None:
    settings = parse(["c.jsonl"])
    assert (settings.model, settings.collection, settings.prune, settings.strict) == (None, "products", False, False)
    assert settings.qdrant_url is None


def test_the_environment_may_name_a_server_and_a_folder_for_rejects(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORELENS_DATA_DIR", "data")
    settings = parse(["c.jsonl", "--qdrant-url", "http://qdrant:6333"])
    assert (settings.data_dir, settings.qdrant_url) == (Path("data"), "http://qdrant:6333")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "required: CATALOG"),
        (["c.jsonl", "--no-such-option"], "--no-such-option"),
        (["c.jsonl", "more.jsonl"], "more.jsonl"),
        (["c.jsonl", "--data-dir", "d", "--qdrant-url", "http://q"], "not allowed with"),
        (["c.jsonl", "--collection", "../elsewhere"], "collection"),
        (["c.jsonl", "--model", ""], "model"),
        (["c.jsonl", "--data-dir"], "expected one argument"),
        (["c.jsonl", "--log", "xml"], "log"),
        (["c.jsonl", "--wait", "-1"], "wait"),
        (["c.jsonl", "--shards", "3"], "--shards and --replicas are of a Qdrant server: name it with --qdrant-url"),
        (["c.jsonl", "--replicas", "0", "--qdrant-url", "http://q:6333"], "replicas"),
        (["c.jsonl", "--report", "c.jsonl"], "c.jsonl does not end in .html"),
        (["c.jsonl", "--report", "no/such/folder/run.html"], "into the folder no/such/folder: No such file"),
        (["c.jsonl", "--report", "/proc/run.html"], "nothing can be written into the folder /proc: "),
    ],
)
def test_bad_arguments_exit_with_2(arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        parse(arguments)
    assert stopped.value.code == 2
    captured = capsys.readouterr()
    assert says in captured.err.splitlines()[-1]
    assert not captured.out


def test_a_report_goes_into_a_folder_that_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STORELENS_LOG", "json")
    settings = parse(["c.jsonl", "--report", str(tmp_path / "run.html")])
    assert (settings.log, settings.report) == ("json", tmp_path / "run.html")
    (tmp_path / "run.html").mkdir()
    with pytest.raises(SystemExit):
        parse(["c.jsonl", "--report", str(tmp_path / "run.html")])
    assert "is a folder" in capsys.readouterr().err


def test_a_folder_that_contradicts_the_environments_server_exits_with_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STORELENS_QDRANT_URL", "http://qdrant:6333")
    with pytest.raises(SystemExit) as stopped:
        parse(["c.jsonl", "--data-dir", "d"])
    assert stopped.value.code == 2
    assert "STORELENS_QDRANT_URL" in capsys.readouterr().err


def test_where_images_may_come_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORELENS_PICTURE_HOSTS", "elsewhere.example")
    monkeypatch.setenv("STORELENS_PICTURE_CONNECTIONS", "3")
    arguments = ["c.jsonl", "--picture-hosts", "a.example,*.b.example", "--picture-folders", str(tmp_path)]
    settings = parse([*arguments, "--picture-max-age", "0.5", "--picture-private-addresses"])
    assert settings.picture_hosts == ("a.example", "*.b.example")
    assert settings.picture_folders == (tmp_path.resolve(),)
    assert (settings.picture_max_age, settings.picture_private_addresses) == (0.5, True)
    assert (settings.picture_connections, settings.picture_seconds) == (3, 30)


@pytest.mark.parametrize(("option", "value"), [("--picture-hosts", "http://a/"), ("--picture-max-age", "old")])
def test_bad_image_options_exit_with_2(option: str, value: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        parse(["c.jsonl", option, value])
    assert stopped.value.code == 2
    assert option[2:].replace("-", "_") in capsys.readouterr().err.splitlines()[-1]


def test_columns_are_mapped_by_options_or_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = parse(["-", "--format", "tsv", "--map", "title=name, long", "--map", "images=a", "--map", "images=b"])
    assert (settings.catalog, settings.format) == ("-", "tsv")
    assert settings.map == ("title=name, long", "images=a", "images=b")
    assert parse(["c.jsonl"]).map == ()
    monkeypatch.setenv("STORELENS_MAP", "title=name,images=a,images=b,")
    monkeypatch.setenv("STORELENS_MAP_FILE", "map.yaml")
    monkeypatch.setenv("STORELENS_FORMAT", "csv")
    settings = parse(["c.jsonl"])
    assert settings.map == ("title=name", "images=a", "images=b")
    assert (settings.map_file, settings.format) == (Path("map.yaml"), "csv")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--map", "title"], "OUR=THEIRS"),
        (["--map", "=x"], "OUR=THEIRS"),
        (["--map", "title=a", "--map", "title=b"], "one column only"),
        (["--map", "not=a"], "filter language"),
        (["--format", "xlsx"], "invalid choice"),
    ],
)
def test_a_mapping_that_is_none_exits_with_2(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        parse(["c.jsonl", *arguments])
    assert stopped.value.code == 2
    assert says in capsys.readouterr().err.splitlines()[-1]


def test_rejects_take_the_place_of_a_catalog(capsys: pytest.CaptureFixture[str]) -> None:
    settings = parse(["--rejects", "r.jsonl"])
    assert (settings.catalog, settings.rejects) == (None, Path("r.jsonl"))
    for arguments in (["c.jsonl", "--rejects", "r.jsonl"], ["--rejects", "r.jsonl", "--prune"]):
        with pytest.raises(SystemExit) as stopped:
            parse(arguments)
        assert stopped.value.code == 2
    assert "--prune goes with a whole catalog" in capsys.readouterr().err


def test_a_server_s_shards_and_the_wait_for_another_job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORELENS_WAIT", "90")
    settings = parse(["c.jsonl", "--qdrant-url", "http://q:6333", "--shards", "3", "--replicas", "2"])
    assert (settings.shards, settings.replicas, settings.wait) == (3, 2, 90)
    assert parse(["c.jsonl", "--wait", "0"]).wait == 0


def test_hints_and_usage_name_the_command_as_it_is_run_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STORELENS_COMMAND", "docker compose run --rm job")
    assert parse(["c.jsonl"]).retry("/data/r.jsonl") == "docker compose run --rm job --rejects /data/r.jsonl"
    with pytest.raises(SystemExit):
        parse([])
    assert "docker compose run --rm job: error: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "command"),
    [
        ([], "python -m ingest --rejects r.jsonl"),
        (["--data-dir", "my data"], "python -m ingest --rejects r.jsonl --data-dir 'my data'"),
        (
            ["--qdrant-url", "http://q:6333", "--collection", "shoes"],
            "python -m ingest --rejects r.jsonl --qdrant-url http://q:6333 --collection shoes",
        ),
    ],
)
def test_the_command_that_tries_rejects_again_is_about_the_same_index(options: list[str], command: str) -> None:
    assert parse(["c.jsonl", *options]).retry("r.jsonl") == command
