"""A model's name or directory -> its spec, or its encoder.

Torch is imported only when an encoder is asked for: a job that finds nothing changed needs the spec alone.
"""

from __future__ import annotations

from embedding import builtin
from embedding.acceleration.allocator import keep_freed_memory
from embedding.description import describe
from embedding.encoder import Encoder, Preparer
from embedding.image_transform import whole_image
from embedding.sources import find_directory
from schemas import EmbeddingSpec, Precision

DEFAULT_MODEL = "clip-ViT-B-32"


def load_encoder(model: str, *, precision: Precision | None = None) -> Encoder:
    """The encoder of a model.

    Args:
        model: ``builtin``, a directory, or a name on the model hub; local files are tried first.
        precision: ``float32`` or ``bfloat16``; by default bfloat16 where the processor is made for it.

    Raises:
        ModelNotFound: it is not on this machine and cannot be fetched; the message says what was tried.
        ModelError: it is there, but does not embed both texts and images, or does not load.
    """
    keep_freed_memory()
    if model == builtin.NAME:
        from embedding.builtin.model import load_builtin

        return load_builtin(precision)
    from embedding.sentence_transformer import load_sentence_transformer

    return load_sentence_transformer(model, find_directory(model), precision)


def load_spec(model: str) -> EmbeddingSpec:
    """What ``load_encoder(model).spec`` says, but for ``precision``, without loading the weights.

    Costs one pass over the weights' bytes. Other models than CLIP and SigLIP have to be loaded to be described.

    Raises:
        ModelNotFound, ModelError: as ``load_encoder``.
    """
    if model == builtin.NAME:
        return builtin.spec()
    description = describe(find_directory(model), model)
    return description.spec if description else load_encoder(model).spec


def load_preparer(model: str) -> Preparer:
    """``load_encoder(model).preparer``, without torch and the weights' loading.

    Raises:
        ModelNotFound, ModelError: as ``load_encoder``.
    """
    if model == builtin.NAME:
        return builtin.TRANSFORM.prepare
    description = describe(find_directory(model), model)
    transform = description.transform if description else None
    return transform.prepare if transform else whole_image
