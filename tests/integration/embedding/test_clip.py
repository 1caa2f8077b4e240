"""Any image-text model: the same vectors as plain sentence-transformers, of CLIP with random weights."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sentence_transformers import SentenceTransformer

from embedding import Vectors, load_encoder, load_spec
from evaluation.benchmarks.random_clip import make_clip
from schemas import ConfigurationError, ModelError, Precision

TEXTS = ["red shoe", "", " \n", "Ünïcode ☃ and 日本", "x" * 74, "y" * 75]
"""With a token a letter and two marks, the last has exactly the window of 77."""


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("models") / "tiny")


@cache
def _plain(directory: Path) -> SentenceTransformer:
    return SentenceTransformer(str(directory), device="cpu", local_files_only=True)


def _images() -> list[Image.Image]:
    random = np.random.default_rng(0)
    sizes = [(300, 200), (224, 224), (97, 333), (40, 30), (1, 7)]
    return [
        Image.fromarray(random.integers(0, 256, (height // 3 + 1, width // 3 + 1, 3), np.uint8)).resize((width, height))
        for width, height in sizes
    ]


def _cosines(a: Vectors, b: Vectors) -> Vectors:
    cosines: Vectors = (a * b).sum(axis=1)
    return cosines


@pytest.mark.parametrize(("precision", "least"), [("float32", 0.99999), ("bfloat16", 0.999)])
def test_parity(tiny: Path, precision: Precision, least: float) -> None:
    encoder, plain = load_encoder(str(tiny), precision=precision), _plain(tiny)
    assert encoder.spec.precision == precision
    texts = encoder.encode_texts(TEXTS)
    assert _cosines(texts, plain.encode(TEXTS, normalize_embeddings=True)).min() >= least
    images = encoder.encode_images(_images())
    assert _cosines(images, plain.encode(_images(), normalize_embeddings=True)).min() >= least


def test_parity_of_layers_of_the_true_size(tmp_path: Path) -> None:
    directory = make_clip(tmp_path / "clip", "vit-b-32", layers=2)
    plain, texts, images = _plain(directory), ["red shoe", "z" * 75], _images()[:2]
    expected = [plain.encode(inputs, normalize_embeddings=True) for inputs in (texts, images)]
    bounds: list[tuple[Precision, float]] = [("float32", 0.99999), ("bfloat16", 0.999)]
    for precision, least in bounds:
        encoder = load_encoder(str(directory), precision=precision)
        assert encoder.spec.dimension == 512
        assert _cosines(encoder.encode_texts(texts), expected[0]).min() >= least
        assert _cosines(encoder.encode_images(images), expected[1]).min() >= least
    _plain.cache_clear()


def test_prepared_pixels_are_the_reference_s(tiny: Path) -> None:
    from embedding.description import describe

    description = describe(tiny, "tiny")
    assert description and description.transform
    transform = description.transform
    prepared = np.stack([transform.prepare(image) for image in _images()])
    normalised = (prepared * np.float32(transform.scale) - transform.mean) / transform.std
    reference = _plain(tiny).preprocess(_images())["pixel_values"]
    np.testing.assert_allclose(normalised.transpose(0, 3, 1, 2), reference, atol=1e-5)


def test_preparing_apart_changes_nothing(tiny: Path) -> None:
    encoder = load_encoder(str(tiny), precision="float32")
    prepared = [encoder.prepare_image(image) for image in _images()]
    np.testing.assert_array_equal(encoder.encode_prepared(prepared), encoder.encode_images(_images()))


def test_nothing_gives_nothing(tiny: Path) -> None:
    encoder = load_encoder(str(tiny))
    assert encoder.encode_texts([]).shape == encoder.encode_images([]).shape == (0, 16)


def test_a_long_text_is_the_average_of_its_windows(tiny: Path) -> None:
    encoder = load_encoder(str(tiny), precision="float32")
    windows = ["a" * 75, "b" * 75, "c" * 30]
    together, *apart = encoder.encode_texts(["".join(windows), "a" * 75, "b" * 75])
    # The last letter of a word is another token than the same letter within: compare where words end alike.
    assert together @ (apart[0] + apart[1]) > 0.5
    words = [("ab " * 36 + "ab c").strip(), ("de " * 36 + "de f").strip(), "g " * 10]
    expected = np.sum(
        [
            75 * encoder.encode_texts([words[0]])[0],
            75 * encoder.encode_texts([words[1]])[0],
            10 * encoder.encode_texts([words[2]])[0],
        ],
        axis=0,
    )
    vector = encoder.encode_texts([" ".join(words)])[0]
    np.testing.assert_allclose(vector, expected / np.linalg.norm(expected), atol=1e-5)


def test_the_end_of_a_long_text_counts(tiny: Path) -> None:
    encoder = load_encoder(str(tiny), precision="float32")
    one, other = encoder.encode_texts(["word " * 100 + "red", "word " * 100 + "blue"])
    assert not np.allclose(one, other, atol=1e-6)


def test_order_is_kept_over_batches(tiny: Path) -> None:
    encoder = load_encoder(str(tiny), precision="float32")
    texts = [("word " * (row * 37 % 50)).strip() for row in range(70)]
    apart = np.concatenate([encoder.encode_texts([text]) for text in texts])
    np.testing.assert_allclose(encoder.encode_texts(texts), apart, atol=1e-5)


def test_the_spec_is_known_without_loading(tiny: Path) -> None:
    code = "import sys, embedding; print(embedding.load_spec(sys.argv[1]).model_dump_json(), 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code, str(tiny)], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith(" False")
    spec = load_encoder(str(tiny), precision="bfloat16").spec
    assert json.loads(done.stdout.rsplit(" ", 1)[0]) == spec.model_dump() | {"precision": "float32"}


def test_the_same_weights_elsewhere_are_the_same_model(tiny: Path, tmp_path: Path) -> None:
    assert not load_spec(str(shutil.copytree(tiny, tmp_path / "copy"))).differences(load_spec(str(tiny)))
    other = make_clip(tmp_path / "other", seed=1)
    assert load_spec(str(other)).differences(load_spec(str(tiny))) == ["fingerprint"]


def test_a_transformers_directory_works_as_well(tiny: Path) -> None:
    bare = load_encoder(str(tiny / "0_CLIPModel"), precision="float32")
    wrapped = load_encoder(str(tiny), precision="float32")
    np.testing.assert_allclose(bare.encode_texts(TEXTS), wrapped.encode_texts(TEXTS), atol=1e-6)


def test_another_preprocessing_is_left_to_the_model(tiny: Path, tmp_path: Path) -> None:
    directory = shutil.copytree(tiny, tmp_path / "squeezing")
    config = directory / "0_CLIPModel" / "preprocessor_config.json"
    settings = json.loads(config.read_text())
    settings |= {"do_center_crop": False, "size": {"height": 32, "width": 32}}
    config.write_text(json.dumps(settings))
    encoder, plain = load_encoder(str(directory), precision="float32"), _plain(directory)
    expected = plain.encode(_images(), normalize_embeddings=True)
    np.testing.assert_allclose(encoder.encode_images(_images()), expected, atol=1e-5)
    assert load_spec(str(directory)).preprocessing == "the model's own"


def test_the_default_prompt_is_said_and_used(tiny: Path, tmp_path: Path) -> None:
    directory = shutil.copytree(tiny, tmp_path / "prompted")
    prompts = {"prompts": {"photo": "a photo of "}, "default_prompt_name": "photo"}
    (directory / "config_sentence_transformers.json").write_text(json.dumps(prompts))
    encoder = load_encoder(str(directory), precision="float32")
    assert encoder.spec.prompts == {"text": "a photo of "}
    expected = _plain(directory).encode(["red shoe"], normalize_embeddings=True)
    np.testing.assert_allclose(encoder.encode_texts(["red shoe"]), expected, atol=1e-5)


def test_a_text_model_is_refused() -> None:
    from embedding.builtin import minilm_directory

    with pytest.raises(ModelError, match="does not embed images"):
        load_encoder(str(minilm_directory()))


def test_a_damaged_model_is_told_in_a_sentence(tiny: Path, tmp_path: Path) -> None:
    directory = shutil.copytree(tiny, tmp_path / "damaged")
    (directory / "0_CLIPModel" / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(ModelError, match="does not load"):
        load_encoder(str(directory))


def test_a_precision_that_nobody_computes_in(tiny: Path) -> None:
    with pytest.raises(ConfigurationError, match="float32, bfloat16"):
        load_encoder(str(tiny), precision="int8")


@pytest.fixture(scope="module", autouse=True)
def forget_models() -> Iterator[None]:
    yield
    _plain.cache_clear()
