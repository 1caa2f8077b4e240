"""The offline model with its real weights."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw
from sentence_transformers import SentenceTransformer

from embedding import Encoder, Vectors, load_encoder, load_spec
from embedding.builtin import COLORS, DIMENSION, SEMANTIC
from embedding.builtin.colors import BASIC_NAMES
from embedding.builtin.concepts import concept_texts, concept_vectors
from embedding.builtin.model import BuiltinModel


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return load_encoder("builtin", precision="float32")


@pytest.fixture(scope="module")
def plain() -> SentenceTransformer:
    return SentenceTransformer(modules=[BuiltinModel()], device="cpu")


def _ball(color: str, background: str = "white") -> Image.Image:
    image = Image.new("RGB", (300, 200), background)
    ImageDraw.Draw(image).ellipse((90, 40, 210, 160), fill=color)
    return image


def test_the_spec_is_known_beforehand(encoder: Encoder) -> None:
    assert load_spec("builtin") == encoder.spec
    assert not load_encoder("builtin", precision="bfloat16").spec.differences(encoder.spec)


def test_vectors_are_those_of_plain_encode(encoder: Encoder, plain: SentenceTransformer) -> None:
    texts, images = ["red jacket", "", "  ", "Ünïcode ☃"], [_ball("red"), _ball("navy"), Image.new("RGB", (3, 900))]
    np.testing.assert_allclose(encoder.encode_texts(texts), plain.encode(texts, normalize_embeddings=True), atol=1e-5)
    np.testing.assert_allclose(
        encoder.encode_images(images), plain.encode(images, normalize_embeddings=True), atol=1e-5
    )


def test_bfloat16_is_close_to_float32(encoder: Encoder) -> None:
    texts = ["red jacket", "a warm woollen hat for winter walks", "watch"]
    cosines = (load_encoder("builtin", precision="bfloat16").encode_texts(texts) * encoder.encode_texts(texts)).sum(1)
    assert cosines.min() >= 0.999


def test_a_word_finds_a_image_of_its_colour(encoder: Encoder) -> None:
    names = ["red", "green", "blue", "yellow"]
    scores = (
        encoder.encode_texts([f"{name} ball" for name in names])
        @ encoder.encode_images([_ball(name) for name in names]).T
    )
    assert scores.argmax(axis=1).tolist() == list(range(len(names)))


@pytest.mark.parametrize("text", ["teal sofa", "a khaki coat", "NAVY", "grey."])
def test_colours_are_found_whatever_their_tokens(encoder: Encoder, text: str) -> None:
    assert np.linalg.norm(encoder.encode_texts([text])[0, -COLORS:]) > 0.3


@pytest.mark.parametrize("text", ["radish", "blackberry", "redmi phone", "sofa"])
def test_a_colour_within_a_word_is_none(encoder: Encoder, text: str) -> None:
    assert not encoder.encode_texts([text])[0, -COLORS:].any()


def test_a_text_has_no_visual_part(encoder: Encoder) -> None:
    vector = encoder.encode_texts(["red and green shoes"])[0]
    assert vector.shape == (DIMENSION,)
    assert not vector[SEMANTIC:-COLORS].any()
    assert {BASIC_NAMES[i] for i in vector[-COLORS:].nonzero()[0]} == {"red", "green"}


def test_a_long_text_counts_to_its_end(encoder: Encoder) -> None:
    one, other = encoder.encode_texts(["word " * 600 + "guitar", "word " * 600 + "tomato"])
    assert not np.allclose(one, other, atol=1e-6)


def test_threads_get_what_they_asked_for(encoder: Encoder) -> None:
    texts = [f"thing number {number}" for number in range(6)]
    expected = encoder.encode_texts(texts)
    found: dict[int, Vectors] = {}
    threads = [
        threading.Thread(target=lambda row=row: found.update({row: encoder.encode_texts([texts[row]])[0]}))
        for row in range(len(texts))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    np.testing.assert_allclose(np.stack([found[row] for row in range(len(texts))]), expected, atol=1e-5)


def test_the_concepts_are_those_of_their_texts(plain: SentenceTransformer) -> None:
    """The vectors kept as a file are what the text network makes of the texts today."""
    rows = [0, 400, 610, 999]
    module: Any = plain[0]
    features = module.preprocess([concept_texts()[row] for row in rows])
    semantic = module(features)["sentence_embedding"].detach().numpy()[:, :SEMANTIC]
    kept = concept_vectors()[0][rows]
    cosines = (semantic / np.linalg.norm(semantic, axis=1, keepdims=True) * kept).sum(1)
    assert cosines.min() > 0.9999


def test_saving_and_loading(plain: SentenceTransformer, tmp_path: Path) -> None:
    module: Any = plain[0]
    module.save(str(tmp_path))
    again = SentenceTransformer(modules=[BuiltinModel.load(str(tmp_path))], device="cpu")
    np.testing.assert_array_equal(again.encode(["red jacket"]), plain.encode(["red jacket"]))
    with pytest.raises(FileNotFoundError):
        BuiltinModel.load(str(tmp_path / "nowhere"))
