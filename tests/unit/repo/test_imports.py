"""What import-linter cannot say of the packages: what a package may import at all, and what an import must not load."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[3]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
DEPENDENCIES: dict[str, list[Any]] = PYPROJECT["dependency-groups"]
PACKAGES: list[str] = PYPROJECT["tool"]["importlinter"]["root_packages"]


def _imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute here"
            names.add(node.module or "")
    return {name.partition(".")[0] for name in names}


@pytest.mark.parametrize("path", sorted((ROOT / "schemas").rglob("*.py")), ids=lambda path: path.name)
def test_schemas_import_pydantic_and_the_standard_library_only(path: Path) -> None:
    assert _imported(path) - sys.stdlib_module_names <= {"pydantic", "schemas"}


def test_importing_schemas_loads_no_heavy_library() -> None:
    program = "import schemas, sys; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert not {"torch", "numpy", "PIL", "qdrant_client", "qdrant_edge"} & set(loaded.split())


def test_no_search_waits_for_an_import_of_qdrant_client() -> None:
    program = "import search, sys; sys.exit('qdrant_client' not in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0


def _declared(*groups: str) -> set[str]:
    names: set[str] = set()
    for group in groups:
        for entry in DEPENDENCIES[group]:
            names |= _declared(entry["include-group"]) if isinstance(entry, dict) else {Requirement(entry).name}
    return {canonicalize_name(name) for name in names}


@pytest.mark.parametrize("package", [*PACKAGES, "tests"])
def test_every_library_that_is_imported_is_declared(package: str) -> None:
    ours = {*PACKAGES, "tests"}
    imported = (
        {name for path in (ROOT / package).rglob("*.py") for name in _imported(path)} - sys.stdlib_module_names - ours
    )
    declared = _declared("dev") if package == "tests" else _declared("runtime", "evaluation")
    distributions = packages_distributions()
    unknown = {name for name in imported if not declared & {canonicalize_name(d) for d in distributions.get(name, [])}}
    assert not unknown
