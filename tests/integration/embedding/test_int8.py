"""CLIP's images in int8: only where measuring says so. Random weights, tiny."""

from __future__ import annotations

import os
import resource
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import CLIPModel

from embedding import Choice, Pixels, choose_int8, load_encoder, load_preparer
from embedding.acceleration.precision_choice import FEWEST_IMAGES, measure_precision
from embedding.acceleration.quantized import RECIPE
from evaluation.benchmarks.random_clip import make_clip
from schemas import ModelNotFound
from tests.support.fork_server import children_of


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def outliers(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same function in float32, with activations as trained networks have them: a few channels dwarf the rest."""
    directory = shutil.copytree(tiny, tmp_path_factory.mktemp("models") / "outliers")
    clip = CLIPModel.from_pretrained(directory / "0_CLIPModel")
    with torch.no_grad():
        for layer in clip.vision_model.encoder.layers:
            attention = layer.self_attn
            for norm, readers in [
                (layer.layer_norm1, [attention.q_proj, attention.k_proj, attention.v_proj]),
                (layer.layer_norm2, [layer.mlp.fc1]),
            ]:
                for scaled in (norm.weight, norm.bias):
                    scaled[:2] *= 1000
                for reader in readers:
                    reader.weight[:, :2] /= 1000
    clip.save_pretrained(directory / "0_CLIPModel")
    return directory


@pytest.fixture(scope="module", autouse=True)
def forked(python: Path) -> Iterator[None]:
    """What exports a network is forked from a process with its imports, which take ten times as long as a tiny one."""
    with children_of(python):
        yield


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("int8") / "made" / "here"


@pytest.fixture(scope="module")
def pixels() -> list[Pixels]:
    """Of a few kinds, eleven of each: the ten nearest are the same whatever int8 a processor has. Some add up 8-bit
    products in 16 bits, which a network of random weights does not bear."""
    random = np.random.default_rng(0)
    kinds = random.integers(0, 256, (FEWEST_IMAGES // 10, 1, 4, 4, 3))
    coarse = (kinds + random.integers(-12, 13, (len(kinds), 11, 4, 4, 3))).clip(0, 255).astype(np.uint8)
    return list(coarse.reshape(-1, 4, 4, 3).repeat(8, axis=1).repeat(8, axis=2))


@pytest.fixture(scope="module")
def choice(tiny: Path, pixels: list[Pixels], cache: Path) -> Choice:
    return choose_int8(str(tiny), pixels, cache)


def test_what_is_good_enough_is_chosen_with_what_was_measured(choice: Choice, tiny: Path, pixels: list[Pixels]) -> None:
    assert choice.reason is None
    assert choice.quality
    assert choice.quality.pictures == len(pixels)
    assert 0.999 < choice.quality.cosine_min <= choice.quality.cosine_mean < 1
    assert choice.quality.overlap_at_10 >= 0.9
    assert choice.encoder.spec.precision == "int8"
    assert not choice.encoder.spec.differences(load_encoder(str(tiny)).spec)


def test_it_is_an_encoder_like_any_other(choice: Choice, tiny: Path, pixels: list[Pixels]) -> None:
    exact, usual = load_encoder(str(tiny), precision="float32"), load_encoder(str(tiny))
    odd = pixels[:13]
    cosines = (choice.encoder.encode_prepared(odd) * exact.encode_prepared(odd)).sum(axis=1)
    assert cosines.min() > 0.999
    assert cosines.max() < 1 - 1e-7, "computed in float32, after all"
    np.testing.assert_array_equal(choice.encoder.encode_texts(["red shoe"]), usual.encode_texts(["red shoe"]))
    assert choice.encoder.encode_prepared([]).shape == choice.encoder.encode_texts([]).shape == (0, 16)
    image = Image.fromarray(pixels[0]).resize((50, 40))
    prepared = [prepare(image) for prepare in (choice.encoder.preparer, exact.preparer, load_preparer(str(tiny)))]
    assert np.array_equal(prepared[0], prepared[1])
    assert np.array_equal(prepared[0], prepared[2])


def test_a_network_that_int8_breaks_is_refused(outliers: Path, tiny: Path, pixels: list[Pixels], cache: Path) -> None:
    models = [load_encoder(str(directory), precision="float32") for directory in (outliers, tiny)]
    exact = [encoder.encode_prepared(pixels) for encoder in models]
    np.testing.assert_allclose(exact[0], exact[1], atol=1e-5)
    choice = choose_int8(str(outliers), pixels, cache)
    assert choice.quality
    assert choice.quality.overlap_at_10 < 0.9
    assert choice.reason
    assert "are asked for" in choice.reason
    assert choice.encoder.spec.precision == load_encoder(str(outliers)).spec.precision


def test_a_damaged_file_is_made_again_and_networks_that_nobody_uses_go(
    choice: Choice, tiny: Path, pixels: list[Pixels], cache: Path, tmp_path: Path
) -> None:
    [path] = cache.glob(f"{choice.encoder.spec.fingerprint[:32]}*")
    whole = path.read_bytes()
    (tmp_path / path.name).write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    new, month, other = time.time(), time.time() - 31 * 86_400, "0" * 32
    ages = {
        f"{other}-1.int8": new,  # of another recipe
        f"{other}-{RECIPE}.int8": new,
        f"{'1' * 32}-{RECIPE}.int8": month,
        f"{other}-{RECIPE}.123": new,  # half written, perhaps at this moment
        f"{other}-{RECIPE}.124": new - 3_700,
        "notes.int8": month,
    }
    for name, age in ages.items():
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (age, age))
    assert choose_int8(str(tiny), pixels, tmp_path, choice.quality).quality == choice.quality
    made = {path for path in tmp_path.iterdir() if path.stat().st_size}
    assert [path.read_bytes() for path in made] == [whole]
    left = {path.name for path in tmp_path.iterdir()} - {path.name for path in made}
    assert left == {f"{other}-{RECIPE}.int8", f"{other}-{RECIPE}.123", "notes.int8"}
    os.utime(made.pop(), (month, month))
    choose_int8(str(tiny), pixels, tmp_path, choice.quality)
    assert all(path.stat().st_mtime > new - 60 for path in tmp_path.iterdir() if path.stat().st_size)


def test_too_few_images_say_nothing(tiny: Path, pixels: list[Pixels], cache: Path) -> None:
    choice = choose_int8(str(tiny), [*pixels[: FEWEST_IMAGES - 1], *pixels[: FEWEST_IMAGES - 1]], cache)
    assert choice.quality is None
    assert choice.reason == "int8 is measured on 50 different images at least, and there are 49"
    assert choice.encoder.spec.precision != "int8"


def test_what_was_measured_is_not_measured_again(choice: Choice, tiny: Path, cache: Path) -> None:
    again = choose_int8(str(tiny), [], cache, choice.quality)
    assert (again.encoder.spec.precision, again.quality, again.reason) == ("int8", choice.quality, None)
    assert choice.quality
    worse = choice.quality.model_copy(update={"cosine_mean": 0.9899})
    refused = choose_int8(str(tiny), [], cache, worse)
    assert (refused.encoder.spec.precision != "int8", refused.quality) == (True, worse)
    for change in ({"fingerprint": "of another model"}, {"measured_with": "another processor"}):
        other = choose_int8(str(tiny), [], cache, choice.quality.model_copy(update=change))
        assert other.reason
        assert "there are 0" in other.reason


def test_what_cannot_be_made_is_said_and_done_otherwise(choice: Choice, tiny: Path, tmp_path: Path) -> None:
    largest, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))  # as on a full disk, for the process that makes it too
    try:
        made = choose_int8(str(tiny), [], tmp_path, choice.quality)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest, hard))
    assert made.reason
    assert made.reason.startswith("no int8 network can be made of")
    assert made.encoder.spec.precision != "int8"


def test_other_models_are_not_made_int8(tmp_path: Path, pixels: list[Pixels]) -> None:
    choice = choose_int8("builtin", pixels, tmp_path)
    assert (choice.quality, choice.reason) == (None, "int8 is made of CLIP models only, and builtin is none")
    assert choice.encoder.spec.model == "builtin"
    with pytest.raises(ModelNotFound):
        choose_int8(str(tmp_path / "none"), pixels, tmp_path)


def test_the_same_vectors_lose_nothing(tiny: Path, pixels: list[Pixels]) -> None:
    encoder = load_encoder(str(tiny), precision="float32")
    quality = measure_precision(encoder, encoder, pixels)
    assert (round(quality.cosine_min, 5), quality.overlap_at_10) == (1, 1)
    assert measure_precision(encoder, encoder, pixels[:2]).overlap_at_10 == 1
