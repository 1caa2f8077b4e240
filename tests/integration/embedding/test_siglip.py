"""SigLIP and SigLIP 2 with random weights: the vectors of transformers, padded as they were trained, whatever is
beside an input; and what cannot be trusted is refused."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from PIL import Image

from embedding import Encoder, Pixels, Vectors, choose_int8, load_encoder, load_preparer, load_spec
from evaluation.benchmarks.random_clip import make_clip
from schemas import ModelError
from tests.support.siglip import Kind, make_siglip

TEXTS = ["red shoe", "", "a", "ünïcode ☃", *(" ".join("ab" for _ in range(words)) for words in range(1, 21))]
"""With a token a letter and a mark, at most sixty: all within the window."""
KINDS: tuple[Kind, ...] = get_args(Kind)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("models")
    made: dict[str, Path] = {kind: make_siglip(folder / kind, kind) for kind in KINDS}
    make_clip(folder / "clip")
    return {**made, "clip": folder / "clip"}


@pytest.fixture(scope="module")
def encoders(models: dict[str, Path]) -> dict[str, Encoder]:
    return {kind: load_encoder(str(path), precision="float32") for kind, path in models.items()}


def images() -> list[Image.Image]:
    random = np.random.default_rng(0)
    sizes = [(300, 200), (32, 32), (97, 333), (40, 30), (1, 7)]
    return [Image.fromarray(random.integers(0, 256, (height, width, 3), np.uint8)) for width, height in sizes]


def reference(directory: Path, texts: list[str], window: int = 64) -> tuple[Vectors, Vectors]:
    """Of texts and of ``images()``, with transformers alone."""
    import torch
    import transformers

    hub: Any = transformers
    model, processor = hub.AutoModel.from_pretrained(directory).eval(), hub.AutoProcessor.from_pretrained(directory)
    words = processor(text=texts, padding="max_length", max_length=window, truncation=True, return_tensors="pt")
    with torch.inference_mode():
        found = [
            model.get_text_features(**words).pooler_output,
            model.get_image_features(**processor(images=images(), return_tensors="pt")).pooler_output,
        ]
    of_texts, of_images = (torch.nn.functional.normalize(vectors, dim=1).numpy() for vectors in found)
    return of_texts, of_images


@pytest.mark.parametrize("kind", [*KINDS, "clip"])
def test_an_input_has_the_same_vector_alone_and_beside_others(encoders: dict[str, Encoder], kind: str) -> None:
    encoder, texts = encoders[kind], [*TEXTS, *(" ".join("word" for _ in range(words)) for words in range(40))]
    assert len(texts) == 64
    alone = np.concatenate([encoder.encode_texts([text]) for text in texts[::5]])
    assert (encoder.encode_texts(texts)[::5] * alone).sum(1).min() > 0.9999
    apart = np.concatenate([encoder.encode_images([image]) for image in images()])
    assert (encoder.encode_images(images()) * apart).sum(1).min() > 0.9999


@pytest.mark.parametrize("kind", KINDS)
def test_vectors_are_those_of_transformers(models: dict[str, Path], encoders: dict[str, Encoder], kind: Kind) -> None:
    encoder = encoders[kind]
    of_texts, of_images = reference(models[kind], TEXTS)
    np.testing.assert_allclose(encoder.encode_texts(TEXTS), of_texts, atol=1e-5)
    np.testing.assert_allclose(encoder.encode_images(images()), of_images, atol=1e-5)
    rounded = load_encoder(str(models[kind]), precision="bfloat16")
    assert (rounded.encode_texts(TEXTS) * of_texts).sum(1).min() > 0.999
    assert (rounded.encode_images(images()) * of_images).sum(1).min() > 0.999


@pytest.mark.parametrize(
    "tokenizer",
    [{"padding_side": "left"}, {"model_max_length": 1000}, {"model_input_names": ["input_ids", "attention_mask"]}],
)
def test_the_tokenizer_s_own_side_and_mask_count(tmp_path: Path, tokenizer: dict[str, Any]) -> None:
    directory = make_siglip(tmp_path / "model", window=40, **tokenizer)
    encoder, texts = load_encoder(str(directory), precision="float32"), [text for text in TEXTS if len(text) < 40]
    assert encoder.spec.max_tokens == 40
    np.testing.assert_allclose(encoder.encode_texts(texts), reference(directory, texts, 40)[0], atol=1e-5)


def test_a_tokenizer_of_pieces_works_as_well(tmp_path: Path, models: dict[str, Path]) -> None:
    """The first SigLIPs have one of SentencePiece, which returns no overflow."""
    import sentencepiece
    from transformers import SiglipTokenizer

    sentences = ["a red shoe for men", "blue shoes and hats", "the quick brown fox jumps over the lazy dog"] * 20
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(sentences),
        model_prefix=str(tmp_path / "pieces"),
        vocab_size=34,
        pad_id=-1,
        bos_id=-1,
        eos_id=1,
        unk_id=0,
        minloglevel=2,
    )
    directory = shutil.copytree(models["siglip"], tmp_path / "model")
    (directory / "tokenizer.json").unlink()
    words = SiglipTokenizer(str(tmp_path / "pieces.model"), model_input_names=["input_ids"])
    words.save_pretrained(directory)
    encoder, texts = load_encoder(str(directory), precision="float32"), ["Red shoe!", "blue", "a hat " * 8]
    np.testing.assert_allclose(encoder.encode_texts(texts), reference(directory, texts)[0], atol=1e-5)
    one, other = encoder.encode_texts(["blue shoe " * 40 + "red", "blue shoe " * 40 + "fox"])
    assert not np.allclose(one, other, atol=1e-6)


@pytest.mark.parametrize("kind", ["siglip2", "naflex"])
def test_the_second_siglip_sees_lower_case(encoders: dict[str, Encoder], kind: Kind) -> None:
    one, other = encoders[kind].encode_texts(["Red SHOE", "red shoe"])
    np.testing.assert_allclose(one, other, atol=1e-6)


def test_a_long_text_is_the_average_of_its_windows(encoders: dict[str, Encoder]) -> None:
    encoder = encoders["siglip"]
    # The mark at the end takes one of 64 tokens.
    parts = ["a" * 63, "b" * 63, "c" * 30]
    expected = sum(len(part) * encoder.encode_texts([part])[0] for part in parts)
    vector = encoder.encode_texts(["".join(parts)])[0]
    np.testing.assert_allclose(vector, expected / np.linalg.norm(expected), atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_the_spec_is_known_without_loading(models: dict[str, Path], encoders: dict[str, Encoder], kind: Kind) -> None:
    code = "import sys, embedding; print(embedding.load_spec(sys.argv[1]).model_dump_json(), 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code, str(models[kind])], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith(" False")
    assert json.loads(done.stdout.rsplit(" ", 1)[0]) == encoders[kind].spec.model_dump()
    assert encoders[kind].spec.dimension == 48
    prepared = [load_preparer(str(models[kind]))(image) for image in images()]
    np.testing.assert_array_equal(encoders[kind].encode_prepared(prepared), encoders[kind].encode_images(images()))


def test_what_was_filled_before_texts_were_padded_is_another_model(models: dict[str, Path]) -> None:
    from embedding.fingerprint import fingerprint_directory

    assert load_spec(str(models["clip"])).fingerprint == fingerprint_directory(models["clip"])
    for kind in KINDS:
        assert load_spec(str(models[kind])).fingerprint != fingerprint_directory(models[kind])


def test_what_transformers_4_saved_loads(models: dict[str, Path], encoders: dict[str, Encoder], tmp_path: Path) -> None:
    """There the features were vectors, and not a structure that holds them."""
    from sentence_transformers import SentenceTransformer

    SentenceTransformer(str(models["siglip"]), device="cpu").save(str(tmp_path))
    config = tmp_path / "sentence_bert_config.json"
    settings = json.loads(config.read_text())
    for method in settings["modality_config"].values():
        method["method_output_name"] = None
    config.write_text(json.dumps(settings))
    found = load_encoder(str(tmp_path), precision="float32").encode_texts(TEXTS)
    np.testing.assert_allclose(found, encoders["siglip"].encode_texts(TEXTS), atol=1e-6)


def test_a_clip_that_pads_in_front_is_padded_behind(models: dict[str, Path], tmp_path: Path) -> None:
    directory = shutil.copytree(models["clip"], tmp_path / "clip")
    config = directory / "0_CLIPModel" / "tokenizer_config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"padding_side": "left"}))
    expected = load_encoder(str(models["clip"]), precision="float32").encode_texts(TEXTS)
    np.testing.assert_allclose(
        load_encoder(str(directory), precision="float32").encode_texts(TEXTS), expected, atol=1e-5
    )
    assert load_spec(str(directory)).differences(load_spec(str(models["clip"]))) == ["fingerprint"]


def make_chinese_clip(directory: Path, padding_side: str) -> Path:
    """Of a family that is known for nothing: its tokenizer says how texts are padded."""
    import torch
    import transformers

    hub: Any = transformers
    tiny = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    letters = [mark + letter for letter in "abcdefghijklmnopqrstuvwxyz" for mark in ("", "##")]
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters]
    words = hub.BertTokenizer(vocab={token: at for at, token in enumerate(tokens)}, padding_side=padding_side)
    pixels = hub.ChineseCLIPImageProcessorPil(size={"height": 32, "width": 32}, crop_size={"height": 32, "width": 32})
    text = {**tiny, "vocab_size": len(tokens), "max_position_embeddings": 40}
    config = hub.ChineseCLIPConfig(
        text_config=text, vision_config={**tiny, "image_size": 32, "patch_size": 8}, projection_dim=24
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        hub.ChineseCLIPModel(config).save_pretrained(directory)
    hub.ChineseCLIPProcessor(pixels, words).save_pretrained(directory)
    return directory


def test_of_another_family_the_window_is_read_below_the_top(tmp_path: Path) -> None:
    encoder = load_encoder(str(make_chinese_clip(tmp_path / "model", "right")), precision="float32")
    assert (encoder.spec.max_tokens, encoder.spec.dimension) == (40, 24)
    one, other = encoder.encode_texts(["word " * 60 + "red", "word " * 60 + "blue"])
    assert not np.allclose(one, other, atol=1e-6)


def test_a_model_whose_vectors_depend_on_their_neighbours_is_refused(tmp_path: Path) -> None:
    directory = make_chinese_clip(tmp_path / "model", "left")
    with pytest.raises(ModelError, match=r"the same text otherwise alone and beside others \(cosine 0\.\d+\)"):
        load_encoder(str(directory), precision="float32")


def test_a_model_that_fails_on_images_is_refused(models: dict[str, Path], tmp_path: Path) -> None:
    directory = shutil.copytree(models["siglip"], tmp_path / "headless")
    config = json.loads((directory / "config.json").read_text())
    config["vision_config"]["vision_use_head"] = False
    (directory / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match="loads, but does not embed images"):
        load_encoder(str(directory), precision="float32")


def test_int8_is_left_to_clip(models: dict[str, Path], tmp_path: Path) -> None:
    pixels: list[Pixels] = [np.full((32, 32, 3), value, np.uint8) for value in range(60)]
    choice = choose_int8(str(models["siglip"]), pixels, tmp_path)
    assert choice.reason and "CLIP" in choice.reason
    assert choice.encoder.encode_prepared(pixels[:2]).shape == (2, 48)
