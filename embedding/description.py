"""Reads from a model's folder what its ``EmbeddingSpec`` says, without loading torch."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embedding.fingerprint import fingerprint_directory
from embedding.image_transform import ImageTransform
from embedding.text_layout import TextLayout
from schemas import EmbeddingSpec, ModelError

OWN_PREPROCESSING = "the model's own"


@dataclass(frozen=True, slots=True)
class Description:
    family: str
    """``clip``, ``siglip``, or ``siglip2``, whose images have as many patches as their shape allows (NaFlex)."""
    spec: EmbeddingSpec
    texts: TextLayout
    transform: ImageTransform | None
    """None where images are left to the model's own preprocessing."""


def describe(directory: Path, model: str) -> Description | None:
    """Of a CLIP model with an image processor of the usual form, or a SigLIP; None where the model must be loaded to
    know.

    Args:
        directory: In the layout of sentence-transformers, or of transformers.
        model: The name it was asked for by.

    Raises:
        ModelError: a configuration file is not JSON.
    """
    modules = _read(directory / "modules.json") or [{"path": "", "type": "Transformer"}]
    if any(module["type"].rsplit(".", 1)[-1] != "Normalize" for module in modules[1:]):
        return None  # a later module may change the dimension
    folder = directory / modules[0]["path"]
    config, tokenizer = _read(folder / "config.json"), _read(folder / "tokenizer_config.json")
    family, of_texts = config.get("model_type", ""), config.get("text_config", {})
    transform = _transform(folder, family)
    if family == "clip" and transform and "projection_dim" in config:
        dimension, positions = config["projection_dim"], 77
    elif family in ("siglip", "siglip2"):
        dimension, positions = of_texts.get("projection_size") or of_texts.get("hidden_size", 768), 64
    else:
        return None
    windows = [
        tokenizer.get("model_max_length"),
        _read(folder / "sentence_bert_config.json").get("max_seq_length"),
        of_texts.get("max_position_embeddings", positions),
    ]
    texts = TextLayout.of(family, windows, tokenizer)
    spec = EmbeddingSpec(
        model=model,
        fingerprint=fingerprint_directory(directory, texts.recipe),
        dimension=dimension,
        max_tokens=texts.window,
        preprocessing=str(transform) if transform else OWN_PREPROCESSING,
        prompts=_prompts(_read(directory / "config_sentence_transformers.json")),
    )
    return Description(family, spec, texts, transform)


def _prompts(config: Any) -> dict[str, str]:
    """The one prompt that plain ``encode`` puts before every text, where there is one."""
    name = config.get("default_prompt_name")
    prompt = config.get("prompts", {}).get(name, "")
    return {"text": prompt} if prompt else {}


def _transform(folder: Path, family: str) -> ImageTransform | None:
    # transformers 5 keeps the image processor inside processor_config.json, older ones in a file of its own.
    config = _read(folder / "processor_config.json").get("image_processor") or _read(
        folder / "preprocessor_config.json"
    )
    kind = str(config.get("image_processor_type", config.get("feature_extractor_type", "")))
    if family == "clip" and kind.startswith("CLIP"):
        return ImageTransform.from_config(config)
    if family == "siglip" and kind.startswith("SiglipImageProcessor") and not config.get("do_center_crop"):
        usual = {"size": {"height": 224, "width": 224}, "image_mean": [0.5] * 3, "image_std": [0.5] * 3}
        whole = {**usual, **config, "do_center_crop": True}  # of the whole image
        transform = ImageTransform.from_config({**whole, "crop_size": whole["size"]})
        return transform if transform and transform.resize == transform.crop else None
    return None


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (ValueError, OSError) as error:
        raise ModelError(f"{path} cannot be read: {error}") from error
