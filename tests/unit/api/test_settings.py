from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from api import ApiSettings
from api.settings import is_loopback, parse
from schemas import __version__


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "::1"])
def test_this_machine_needs_no_key(host: str) -> None:
    assert is_loopback(host)
    assert ApiSettings(host=host).api_keys == ()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "shop.example", "localhost.example", ""])
def test_what_others_can_reach_needs_a_key(host: str) -> None:
    assert not is_loopback(host)
    with pytest.raises(ValidationError, match="needs an API key: set STORELENS_API_KEYS"):
        ApiSettings(host=host)
    with pytest.raises(ValidationError, match="needs an API key"):
        ApiSettings.model_validate({"host": host, "api_keys": " , "})
    assert ApiSettings.model_validate({"host": host, "api_keys": "key"}).host == host


def test_keys_are_separated_by_commas_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORELENS_API_KEYS", " first, second ,,")
    settings = ApiSettings()
    assert [key.get_secret_value() for key in settings.api_keys] == ["first", "second"]
    assert "first" not in repr(settings)


@pytest.mark.parametrize("key", ["schlüssel", "ключ", "a\tb", "key\x7f", "🔑"])
def test_a_key_that_no_header_carries_is_refused_and_not_shown(
    key: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STORELENS_API_KEYS", f"fine,{key}")
    with pytest.raises(SystemExit) as stopped:
        parse([])
    said = capsys.readouterr().err
    assert stopped.value.code == 2
    assert "api_keys: key 2 of 2" in said
    assert key not in said
    assert "fine" not in said


def test_a_flag_outranks_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STORELENS_PORT", "9000")
    monkeypatch.setenv("STORELENS_MODEL", "other")
    settings = parse(["--port", "0", "--data-dir", str(tmp_path)])
    assert (settings.port, settings.model, settings.data_dir) == (0, "other", tmp_path)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--port", "http"], "port"),
        (["--port", "70000"], "port"),
        (["--host", "0.0.0.0"], "STORELENS_API_KEYS"),
        (["--collection", "../up"], "collection"),
        (["--nonsense"], "--nonsense"),
        (["--api-keys", "seen-by-ps"], "--api-keys"),
    ],
)
def test_wrong_arguments_are_said_and_end_with_2(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        parse(arguments)
    assert stopped.value.code == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({"HOST": "0.0.0.0"}, "host '0.0.0.0' can be reached from other machines, which needs an API key: set STORE"),
        ({"PORT": "http"}, "port: Input should be a valid integer, unable to parse string as an integer, not 'http'"),
        ({"COLLECTION": "our shoes"}, "collection: 'our shoes' is no name for a collection: up to 128 letters, digits"),
        ({"COLLECTION": "models"}, "collection: a collection cannot be named models"),
        ({"PICTURE_HOSTS": "a.example,http://b/"}, "picture_hosts: 'http://b/' is no host"),
        ({"MAX_WAITING": "-1"}, "max_waiting: Input should be greater than or equal to 0, not '-1'"),
    ],
)
def test_what_is_wrong_is_one_plain_line(
    environment: dict[str, str], says: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(f"STORELENS_{name}", value)
    with pytest.raises(SystemExit):
        parse([])
    assert capsys.readouterr().err.splitlines()[-1].startswith(f"python -m api: error: {says}")


def test_help_names_every_setting_its_default_and_its_variable(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        parse(["--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert stopped.value.code == 0
    for name, field in ApiSettings.model_fields.items():
        if name in ("shards", "replicas"):  # of the job
            continue
        assert f"STORELENS_{name.upper()}" in said
        assert (f"--{name.replace('_', '-')} " in said) == (name not in ("api_keys", "review_keys", "qdrant_api_key"))
        if field.default not in (None, ()):
            assert f"(default: {field.default})" in said.replace("storelens- data", "storelens-data")
    with pytest.raises(SystemExit) as stopped:
        parse(["--version"])
    assert (stopped.value.code, capsys.readouterr().out) == (0, f"StoreLens {__version__}\n")


@pytest.mark.parametrize("name", ["max_upload_bytes", "max_pixels"])
def test_a_limit_is_above_nothing(name: str) -> None:
    with pytest.raises(ValidationError, match="greater than 0"):
        ApiSettings.model_validate({name: 0})


def test_photos_are_not_fetched_unless_it_is_switched_on(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = ApiSettings()
    assert (settings.image_urls, settings.picture_private_addresses, settings.picture_seconds) == (False, False, 10)
    monkeypatch.setenv("STORELENS_IMAGE_URLS", "true")
    monkeypatch.setenv("STORELENS_PICTURE_SECONDS", "3")
    assert (ApiSettings().image_urls, ApiSettings().picture_seconds) == (True, 3)
