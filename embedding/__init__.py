"""Words and pictures -> unit vectors. The only room that imports torch, and it does so when a model is loaded."""

from embedding.encoder import Encoder, Pixels, Preparer, Vectors, check_vectors
from embedding.load import DEFAULT_MODEL, load_encoder, load_spec

__all__ = ["DEFAULT_MODEL", "Encoder", "Pixels", "Preparer", "Vectors", "check_vectors", "load_encoder", "load_spec"]
