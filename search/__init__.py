"""One request -> query plan -> legs -> fused, faceted, explained hits."""

import index.filters  # noqa: F401 - half a second of qdrant-client: now, and not in the first search that filters
from search.hits import image_addresses
from search.searcher import Answer, Searcher
from search.weights import LegWeights, weights_for

__all__ = ["Answer", "LegWeights", "Searcher", "image_addresses", "weights_for"]
