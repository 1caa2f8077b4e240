"""One hash of a model's content: the same on every machine, in every precision, under every name."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from schemas import ModelError

_BLOCK = 64 * 2**20
_CONTENT = {".json", ".txt", ".model", ".safetensors", ".bin"}
_OTHER_BACKENDS = {"onnx", "openvino"}


def fingerprint_directory(directory: Path, recipe: str = "") -> str:
    """SHA-256, hex, over the configuration, vocabulary and weights of a model directory, and over a recipe that says
    what is made of them.

    Left out is what does not change a vector: documentation, hidden files, weights of other backends, and
    ``.bin`` weights beside ``.safetensors``, which are loaded in their stead.
    """
    files = {
        path.relative_to(directory).as_posix(): path
        for path in directory.rglob("*")
        if path.suffix in _CONTENT and path.is_file() and not _is_aside(path.relative_to(directory))
    }
    with_safetensors = {path.parent for path in files.values() if path.suffix == ".safetensors"}
    return fingerprint_files(
        {name: path for name, path in files.items() if path.suffix != ".bin" or path.parent not in with_safetensors},
        recipe,
    )


def fingerprint_files(files: Mapping[str, Path], recipe: str = "") -> str:
    """SHA-256, hex, over the names and contents of files, and over a recipe that says what is made of them.

    Files are hashed in blocks by several threads (hashing releases the interpreter), then the blocks' hashes.

    Raises:
        ModelError: a file cannot be read.
    """
    total = hashlib.sha256(recipe.encode())
    try:
        with ThreadPoolExecutor(max_workers=4) as threads:
            blocks = [(name, files[name], offset) for name in sorted(files) for offset in _offsets(files[name])]
            for (name, _, offset), digest in zip(blocks, threads.map(_hash_block, blocks), strict=True):
                total.update(f"\0{name}\0{offset}\0".encode() + digest)
    except OSError as error:
        raise ModelError(f"a file of the model cannot be read: {error}") from error
    return total.hexdigest()


def _is_aside(relative: Path) -> bool:
    return relative.parts[0] in _OTHER_BACKENDS or any(part.startswith(".") for part in relative.parts)


def _offsets(path: Path) -> Iterable[int]:
    return range(0, max(path.stat().st_size, 1), _BLOCK)


def _hash_block(block: tuple[str, Path, int]) -> bytes:
    _, path, offset = block
    digest = hashlib.sha256()
    with path.open("rb") as file:
        file.seek(offset)
        remaining = _BLOCK
        while remaining and (chunk := file.read(min(remaining, 2**20))):
            digest.update(chunk)
            remaining -= len(chunk)
    return digest.digest()
