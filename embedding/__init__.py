"""Words and images -> unit vectors. The only package that imports torch, and it does so when a model is loaded."""

from embedding.acceleration.allocator import keep_freed_memory
from embedding.acceleration.precision_choice import Choice, choose_int8
from embedding.encoder import Encoder, Preparer
from embedding.load import DEFAULT_MODEL, load_encoder, load_preparer, load_spec
from embedding.one_at_a_time import OneAtATime
from images.arrays import Pixels, Vectors

__all__ = [
    "DEFAULT_MODEL",
    "Choice",
    "Encoder",
    "OneAtATime",
    "Pixels",
    "Preparer",
    "Vectors",
    "choose_int8",
    "keep_freed_memory",
    "load_encoder",
    "load_preparer",
    "load_spec",
]
