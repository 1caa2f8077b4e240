from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from index.edge.store import EmbeddedStore
from index.settings import IndexSettings
from index.store import open_store


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATA_DIR", "QDRANT_URL", "QDRANT_API_KEY", "COLLECTION"):
        monkeypatch.delenv(f"STORELENS_{name}", raising=False)


def test_defaults_are_an_embedded_index_here() -> None:
    settings = IndexSettings()
    assert (settings.data_dir, settings.collection, settings.qdrant_url) == (Path("storelens-data"), "products", None)
    assert isinstance(open_store(settings), EmbeddedStore)


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORELENS_DATA_DIR", "/data")
    monkeypatch.setenv("STORELENS_COLLECTION", "shoes")
    monkeypatch.setenv("STORELENS_QDRANT_URL", "")
    settings = IndexSettings()
    assert (settings.data_dir, settings.collection, settings.qdrant_url) == (Path("/data"), "shoes", None)


def test_the_api_key_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORELENS_QDRANT_API_KEY", "hush")
    settings = IndexSettings()
    assert settings.qdrant_api_key is not None
    assert settings.qdrant_api_key.get_secret_value() == "hush"
    assert "hush" not in f"{settings!r} {settings} {settings.model_dump_json()}"


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../up", "a b", "a\n", "a\0", "ü", "x" * 129, "C:\\x"])
def test_a_collection_name_cannot_leave_the_data_dir(name: str) -> None:
    with pytest.raises(ValidationError):
        IndexSettings(collection=name)


@pytest.mark.parametrize("name", ["pictures", "Pictures", "models"])
def test_a_collection_cannot_take_the_folder_of_images_or_models(name: str) -> None:
    with pytest.raises(ValidationError, match="folders of their own"):
        IndexSettings(collection=name)
