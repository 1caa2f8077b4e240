"""A text vector for each of the 1,000 ImageNet classes that the classifier knows.

``python -m embedding.builtin.concepts`` writes the vectors again from the texts.
"""

from __future__ import annotations

import numpy as np

from embedding.builtin import DATA
from images.arrays import Vectors


def concept_texts() -> list[str]:
    """``names: definition`` of every class, in the order of the outputs.

    The definition is what lets "hoodie" meet "sweatshirt: cotton knit pullover with long sleeves ...".
    """
    lines = (DATA / "concepts.tsv").read_text(encoding="utf-8").splitlines()
    return [line.replace("\t", ": ") for line in lines]


def concept_vectors() -> tuple[Vectors, Vectors]:
    """The concepts ``(1000, 384)``, unit rows, and the mean ``(384,)`` that was taken from them; float32.

    Without their mean, what all concepts have in common would outweigh what tells them apart.
    """
    vectors = np.load(DATA / "concepts.npy").astype(np.float32)
    mean = vectors.mean(axis=0)
    centred = vectors - mean
    return centred / np.linalg.norm(centred, axis=1, keepdims=True), mean


def embed_concepts() -> Vectors:
    """``(1000, 384) float32``, unit rows, not centred: the texts through all-MiniLM-L6-v2."""
    from sentence_transformers import SentenceTransformer

    from embedding.builtin import MAX_TOKENS, minilm_directory

    model = SentenceTransformer(str(minilm_directory()), device="cpu", local_files_only=True)
    model.max_seq_length = MAX_TOKENS
    vectors: Vectors = model.encode(concept_texts(), normalize_embeddings=True)
    return vectors


if __name__ == "__main__":
    np.save(DATA / "concepts.npy", embed_concepts().astype(np.float16))
