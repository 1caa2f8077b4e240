"""The loop that anybody would write in ten minutes: what the job is measured against.

``python -m evaluation.benchmarks.baseline CATALOG MODEL`` prints its images a second: Pillow,
``SentenceTransformer.encode`` in float32 with the model's own preprocessing, and upserts through qdrant-client into its
local mode, on disk as the job's are.
"""

from __future__ import annotations

import json
import sys
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from PIL import Image
from qdrant_client import QdrantClient, models
from sentence_transformers import SentenceTransformer

BATCH = 64
MOST_IMAGES = 5 * BATCH


def plain_rate(catalog: Path, model: str) -> float:
    """Images a second after the first batch, which pays for what is set up lazily; of all where there is but one."""
    lines = catalog.read_text(encoding="utf-8").splitlines()[:MOST_IMAGES]
    rows = [json.loads(line) for line in lines]
    encoder = SentenceTransformer(model, device="cpu", local_files_only=True).float()
    size = encoder.get_embedding_dimension()
    assert size
    with TemporaryDirectory(prefix="storelens-plain-") as folder, closing(QdrantClient(path=folder)) as client:
        client.create_collection("products", models.VectorParams(size=size, distance=models.Distance.COSINE))
        began, done = perf_counter(), 0
        for start in range(0, len(rows), BATCH):
            if start == BATCH:
                began, done = perf_counter(), 0
            batch = rows[start : start + BATCH]
            images = [Image.open(catalog.parent / row["image"]).convert("RGB") for row in batch]
            vectors = encoder.encode(images, normalize_embeddings=True, show_progress_bar=False)
            points = [
                models.PointStruct(id=start + at, vector=vector.tolist(), payload=row)
                for at, (row, vector) in enumerate(zip(batch, vectors, strict=True))
            ]
            client.upsert("products", points)
            done += len(batch)
        return done / (perf_counter() - began)


if __name__ == "__main__":
    print(plain_rate(Path(sys.argv[1]), sys.argv[2]))
