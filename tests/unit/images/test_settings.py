from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from images import ImageSettings


def test_lists_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STORELENS_PICTURE_HOSTS", " cdn.shop.example , *.images.example,, ")
    monkeypatch.setenv("STORELENS_PICTURE_FOLDERS", f"{tmp_path}/a,{tmp_path}/b/../c")
    settings = ImageSettings()
    assert settings.picture_hosts == ("cdn.shop.example", "*.images.example")
    assert settings.picture_folders == (tmp_path.resolve() / "a", tmp_path.resolve() / "c")


def test_without_any_private_addresses_are_not_asked() -> None:
    settings = ImageSettings()
    assert (settings.picture_hosts, settings.picture_folders) == ((), ())
    assert settings.picture_private_addresses is False


@pytest.mark.parametrize(
    "host", ["https://cdn.example", "cdn.example/a", "cdn.example:443", "*", "*.", "*cdn.example", "a.*.example", "a b"]
)
def test_a_host_is_a_name_alone(host: str) -> None:
    with pytest.raises(ValidationError, match="is no host: write a name alone"):
        ImageSettings.model_validate({"picture_hosts": host})


@pytest.mark.parametrize(
    ("name", "value"),
    [("max_age", -1), ("max_age", "nan"), ("seconds", 0), ("seconds", "inf"), ("connections", 0), ("connections", 1.5)],
)
def test_limits_make_sense(name: str, value: object) -> None:
    with pytest.raises(ValidationError):
        ImageSettings.model_validate({f"picture_{name}": value})
