"""What a model directory says of itself: enough for a spec, read without torch."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embedding.fingerprint import fingerprint_directory
from embedding.image_transform import ImageTransform
from schemas import EmbeddingSpec, ModelError


@dataclass(frozen=True, slots=True)
class Description:
    spec: EmbeddingSpec
    transform: ImageTransform


def describe(directory: Path, model: str) -> Description | None:
    """Of a CLIP model with an image processor of the usual form; None where the model must be loaded to know.

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
    config = _read(folder / "config.json")
    transform = _transform(folder)
    if config.get("model_type") != "clip" or "projection_dim" not in config or transform is None:
        return None
    windows = [
        _read(folder / "tokenizer_config.json").get("model_max_length"),
        _read(folder / "sentence_bert_config.json").get("max_seq_length"),
        config.get("text_config", {}).get("max_position_embeddings", 77),
    ]
    spec = EmbeddingSpec(
        model=model,
        fingerprint=fingerprint_directory(directory),
        dimension=config["projection_dim"],
        max_tokens=min(window for window in windows if window),
        preprocessing=str(transform),
        prompts=_prompts(_read(directory / "config_sentence_transformers.json")),
    )
    return Description(spec, transform)


def _prompts(config: Any) -> dict[str, str]:
    """The one prompt that plain ``encode`` puts before every text, where there is one."""
    name = config.get("default_prompt_name")
    prompt = config.get("prompts", {}).get(name, "")
    return {"text": prompt} if prompt else {}


def _transform(folder: Path) -> ImageTransform | None:
    # transformers 5 keeps the image processor inside processor_config.json, older ones in a file of its own.
    config = _read(folder / "processor_config.json").get("image_processor") or _read(
        folder / "preprocessor_config.json"
    )
    is_clip = str(config.get("image_processor_type", config.get("feature_extractor_type", ""))).startswith("CLIP")
    return ImageTransform.from_config(config) if is_clip else None


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (ValueError, OSError) as error:
        raise ModelError(f"{path} cannot be read: {error}") from error
