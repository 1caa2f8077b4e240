"""What can be known of the container files without a container engine."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
BIN = Path(sys.executable).parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def _copied() -> list[str]:
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    copies = [line.split()[1:] for line in text.splitlines() if line.startswith("COPY ")]
    return [source for words in copies if not words[0].startswith("--from") for source in words[:-1]]


def _services() -> dict[str, Any]:
    services: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]
    return services


def test_what_the_image_copies_exists_and_reaches_the_build() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    for source in _copied():
        assert (ROOT / source).exists(), source
        assert f"!{source}" in ignored, source


def test_every_room_is_in_the_image() -> None:
    assert set(PYPROJECT["tool"]["importlinter"]["root_packages"]) <= set(_copied())


@pytest.mark.parametrize(
    "command",
    [
        [BIN / "hadolint", DEPLOY / "Dockerfile"],
        [BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", DEPLOY / "compose.yaml"],
        ["bash", "-n", DEPLOY / "demo.sh"],
        ["bash", "-n", ROOT / ".ci" / "run"],
    ],
    ids=["hadolint", "compose schema", "demo.sh", ".ci/run"],
)
def test_well_formed(command: list[str | Path]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_server_is_a_released_one_of_the_client_s_minor_version() -> None:
    pinned = re.fullmatch(r"qdrant/qdrant:v(\d+\.\d+)\.\d+", _services()["qdrant"]["image"])
    assert pinned
    assert pinned[1] == version("qdrant-client").rpartition(".")[0]


def test_api_and_job_are_one_image_and_see_the_catalog_in_one_place() -> None:
    api, job = _services()["api"], _services()["job"]
    assert api["image"] == job["image"]
    assert job["profiles"], "the job runs when it is asked to, not with the API"
    assert set(job["volumes"]) == set(api["volumes"])
