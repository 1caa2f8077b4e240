"""What the documents promise is there, and what is there is in the documents."""

from __future__ import annotations

import ast
import importlib
import json
import re
import subprocess
import tomllib
from collections.abc import Collection
from pathlib import Path

import pytest
from pydantic_settings import BaseSettings

from schemas import ImageError, IngestReport, Rejection, RowError, StoreLensError

ROOT = Path(__file__).parents[3]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES: list[str] = PYPROJECT["tool"]["importlinter"]["root_packages"]
GUIDE = "docs/catalogs.md"
MEASUREMENTS = "docs/measurements.md"
DOCUMENTS = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", *(f"docs/{path.name}" for path in ROOT.glob("docs/*.md"))]
SPEAK_OF_SETTINGS = [*DOCUMENTS, "deploy/Dockerfile", "deploy/compose.yaml", "deploy/.env.example", ".ci/run"]
FOR_TESTS = {"STORELENS_REQUIRE_BROWSER"}


def _shell_blocks(document: str) -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / document).read_text(encoding="utf-8"), flags=re.S)
    return [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]


def _commands(pattern: str) -> list[re.Match[str]]:
    return [match for document in DOCUMENTS for line in _shell_blocks(document) if (match := re.search(pattern, line))]


# In one process: to import what a program needs takes seconds, and it has a dozen commands.
_HELPS = """
import contextlib, io, json, runpy, sys
helps = {}
for command in json.load(sys.stdin):
    sys.argv = [*command.split(), "--help"]
    try:
        with contextlib.redirect_stdout(io.StringIO()) as said:
            runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        assert not ended.code, command
    helps[command] = said.getvalue()
json.dump(helps, sys.stdout)
"""


def _helps(python: Path, commands: Collection[str]) -> dict[str, str]:
    """What each command says of itself when it is asked for help."""
    done = subprocess.run(
        [python, "-c", _HELPS], cwd=ROOT, input=json.dumps(sorted(commands)), capture_output=True, text=True, check=True
    )
    helps: dict[str, str] = json.loads(done.stdout)
    return helps


def _settings() -> dict[str, str]:
    """Every environment variable that a settings class of a package reads -> its class."""
    names: dict[str, str] = {}
    for path in sorted(path for package in PACKAGES for path in (ROOT / package).rglob("settings.py")):
        module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
        for settings in vars(module).values():
            if isinstance(settings, type) and issubclass(settings, BaseSettings) and settings is not BaseSettings:
                prefix = settings.model_config.get("env_prefix", "")
                # What must be given is given on the command line.
                fields = [name for name, field in settings.model_fields.items() if not field.is_required()]
                names |= {(prefix + name).upper(): settings.__name__ for name in fields}
    return names


def _read_directly() -> set[str]:
    """Variables that code of a package reads without a settings class."""
    sources = [path.read_text(encoding="utf-8") for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    return {name for source in sources for name in re.findall(r"environ\S*?[\"'](STORELENS_\w+)", source)}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_make_targets_exist(document: str) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.M))
    mentioned = re.findall(r"`make ([a-z]+)", (ROOT / document).read_text(encoding="utf-8"))
    mentioned += [word for line in _shell_blocks(document) for word in re.findall(r"^make ([a-z]+)", line)]
    assert set(mentioned) <= targets


def test_make_options_exist() -> None:
    described = set(re.findall(r"^([A-Z_]+) \?=", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.M))
    used = {name for match in _commands(r"^make demo (.*)") for name in re.findall(r"([A-Z_]+)=", match[1])}
    assert used == described


def test_commands_take_the_options_they_are_shown_with(python: Path) -> None:
    shown = _commands(
        r"python -m (evaluation \w+|ingest (?:same|generations|moderate|tidy|documents|synonyms)\b|ingest|api)(.*)"
    )
    assert {match[1].split()[0] for match in shown} == {"ingest", "api", "evaluation"}
    helps = _helps(python, {match[1] for match in shown})
    for match in shown:
        for option in re.findall(r"--[\w-]+", match[2].partition("#")[0]):
            assert option in helps[match[1]], f"python -m {match[1]} has no {option}"


def test_every_table_of_measurements_has_the_command_that_makes_it() -> None:
    text = (ROOT / MEASUREMENTS).read_text(encoding="utf-8")
    sections = re.split(r"^## (.+)$", text, flags=re.M)
    for title, its in zip(sections[1::2], sections[2::2], strict=True):
        command, _, tables = its.partition("```sh\n")[2].partition("```")
        assert re.search(r"^\.venv/bin/python -m (evaluation|ingest) ", command, flags=re.M), f"{title} has no command"
        assert "\n|" in tables, f"{title} has no table"


def test_no_table_of_measurements_is_anywhere_else() -> None:
    for path in (path for package in PACKAGES for path in (ROOT / package).rglob("*.py")):
        docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        figures = re.findall(r"(?<![\w.])\.\d\d+\b", docstring)
        assert len(figures) <= 1, f"{path.relative_to(ROOT)}: {figures} belong into {MEASUREMENTS}"


@pytest.mark.parametrize("document", SPEAK_OF_SETTINGS)
def test_settings_that_are_mentioned_exist(document: str) -> None:
    mentioned = set(re.findall(r"STORELENS_[A-Z_]+", (ROOT / document).read_text(encoding="utf-8")))
    assert mentioned - FOR_TESTS <= set(_settings()) | _read_directly()


def test_every_setting_is_in_the_readme() -> None:
    rows = set(re.findall(r"^\| `(STORELENS_[A-Z_]+)`", README, flags=re.M))
    assert rows == set(_settings()) | _read_directly()


def test_files_that_are_linked_exist() -> None:
    for document in DOCUMENTS:
        for target in re.findall(r"\]\(([^)#:]+)\)", (ROOT / document).read_text(encoding="utf-8")):
            assert ((ROOT / document).parent / target).exists(), f"{document} links to {target}"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_sections_that_are_linked_exist(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    sections = [
        re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in re.findall(r"^#+ (.+)$", text, re.M)
    ]
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= set(sections)


def test_options_that_the_guide_mentions_exist(python: Path) -> None:
    helps = "".join(_helps(python, ("ingest", "ingest same", "api")).values())
    for option in re.findall(r"`(--[a-z-]+)", (ROOT / GUIDE).read_text(encoding="utf-8")):
        assert option in helps, f"{GUIDE} mentions {option}"


def test_the_guide_explains_every_code_of_a_reject_and_no_other() -> None:
    rejects, failures = (ROOT / GUIDE).read_text(encoding="utf-8").split("Codes of a run that failed")
    explained = re.findall(r"^\| `([a-z-]+)` \|", rejects.partition("## When something is wrong")[2], flags=re.M)
    assert sorted(explained) == sorted(_codes(RowError) | _codes(ImageError))
    assert set(re.findall(r"^\| `([a-z-]+)` \|", failures, flags=re.M)) <= _codes(StoreLensError) | {
        "unexpected",
        "not-permitted",
    }


def test_the_guide_explains_every_field_of_reports_and_rejects() -> None:
    rows = re.findall(r"^\| (`.+?) \|", (ROOT / GUIDE).read_text(encoding="utf-8"), flags=re.M)
    explained = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert set(IngestReport.model_fields) | set(Rejection.model_fields) <= explained


def _codes(error: type[StoreLensError]) -> set[str]:
    return {error.code}.union(*map(_codes, error.__subclasses__()))


def test_every_package_is_in_the_readme() -> None:
    packages = README.partition("## The packages")[2]
    assert all(re.search(rf"^{package}/ ", packages, flags=re.M) for package in PACKAGES)
    assert {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests"} <= set(PACKAGES)
