"""Images of a whole index that may be copies of each other, found in memory.

One pass over the index keeps of each image half a kilobyte: its vector, compressed, in an inverted file (faiss), and
the brightness of its fingerprint. The nearest by the vectors are held against each other's brightness, and the few that
are left are read back from the index and decided: ``ingest.duplicates.find``.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from images import Prints, brightness_cells, least_left
from images.arrays import Vectors
from index import CatalogIndex, Stored, all_points
from ingest.batches import batched

_READ = 500
"""Products at once."""
_SEARCHED = 512
"""Images at once."""
_HELD = 128
"""Images whose brightness is compared at once."""
_ROUNDS = ((24, 28), (100, 128), (100, 1024))
"""Images of others that are looked at, and nearest ones that are asked for, the product's own and its variants' among
them; a next round where those were too many, or where the last one looked at may be a copy, so that there may be more.
"""
_FEW = 10_000
"""Up to so many vectors are compared as they are; of more the compressed index learns from so many."""
_DIMENSIONS = 64
_PROBED = 32
"""Lists that are searched, of twice as many as the root of the number of products. Of 20,000 images that a model has
all near each other these found every copy that the index found, and a fifteenth more; 12 lost a thirtieth."""
_SLACK = 0.03
"""Of what is left of brightness, for the rounding of what is kept."""
_COSINE_SLACK = 0.01
"""Of a cosine, for the compression."""

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


class ImagePlace(NamedTuple):
    """An image: its product, and its place among those that the index has of it."""

    point: UUID
    number: int


class SimilarImages(NamedTuple):
    """Images that may be copies of ``one``; none where those of its product may be copies of each other."""

    one: ImagePlace
    others: list[ImagePlace]


class CandidateSearch:
    """Candidates all over an index. Images with the same bytes count as one, and are candidates of each other."""

    def __init__(self, index: CatalogIndex, near: float) -> None:
        """Reads the index.

        Args:
            near: ``catalog.near_distance`` of its images.
        """
        self._near = near
        self._crops_per_image = index.record.crops_per_image
        self._points: list[bytes] = []
        owners, starts, products, files = array("q"), array("q", [0]), array("q"), array("q")
        first, second, fingerprinted = array("q"), array("q"), bytearray()
        numbers: dict[str, int] = {}
        prints: list[Prints] = []
        self._vectors = _Vectors(index.record.embedding.dimension, index.count())
        for batch in batched(all_points(index), _READ):
            vectors: list[Vectors] = []
            cells: list[NDArray[np.uint8]] = []
            for stored in index.fetch(batch, vectors=("image",)).values():
                known = self._stored_images(stored)
                if not known:
                    continue
                group = stored.payload["product"].get("group_id")
                product = len(self._points)
                self._points.append(stored.id.bytes)
                owners.append(hash((group,)) if group is not None else product)
                for place, one in enumerate(known):
                    file = numbers.setdefault(one["hash"], len(numbers))
                    if file == len(first):
                        fingerprint = brightness_cells(one.get("phash", ""))
                        fingerprinted.append(fingerprint is not None)
                        cells.append(np.zeros(256, np.uint8) if fingerprint is None else fingerprint)
                        vectors.append(stored.vectors["image"][place * self._crops_per_image])
                        first.append(len(files))
                        second.append(-1)
                    elif second[file] < 0 and owners[products[first[file]]] != owners[product]:
                        second[file] = len(files)
                    products.append(product)
                    files.append(file)
                starts.append(len(files))
            if cells:
                prints.append(Prints.of(np.stack(cells)))
                self._vectors.add(np.stack(vectors))
        self._vectors.finish()
        self._prints = Prints.joined(prints) if prints else None
        self._fingerprinted = np.array(fingerprinted, np.bool_)
        # By product whose it is, a group's or its own, and its first image; by image its product and its file; by
        # file a first image and one of another owner, or -1.
        self._owners, self._starts, self._products, self._files, self._first, self._second = (
            np.array(values, np.int64) for values in (owners, starts, products, files, first, second)
        )

    def _stored_images(self, stored: Stored) -> list[dict[str, Any]]:
        """What is known of a product's images; nothing where an older version stored them."""
        known: list[dict[str, Any]] = stored.payload.get("pictures", [])
        return known if len(stored.vectors.get("image", ())) == len(known) * self._crops_per_image else []

    def candidates(self, wanted: Collection[bytes] | None) -> Iterator[SimilarImages]:
        """
        Args:
            wanted: Ids of the points whose images are looked for; None for all.
        """
        if self._prints is None:
            return
        chosen = (p for p, point in enumerate(self._points) if wanted is None or point in wanted)
        searched = np.zeros(len(self._first), np.bool_)
        for batch in batched(chosen, _SEARCHED):
            yield from (SimilarImages(self._place(self._starts[p]), []) for p in self._alike_within(batch))
            images = np.concatenate([np.arange(self._starts[p], self._starts[p + 1]) for p in batch])
            files, owners = self._files[images], self._owners[self._products[images]]
            same = self._apart(files, owners)
            for image in np.flatnonzero(same >= 0):
                yield SimilarImages(self._place(images[image]), [self._place(same[image])])
            new = np.zeros(len(files), np.bool_)
            new[np.unique(files, return_index=True)[1]] = True
            new &= ~searched[files]
            searched[files] = True
            yield from self._nearest(images[new])

    def _nearest(self, images: Ints) -> Iterator[SimilarImages]:
        """Candidates for images of different files, among other files."""
        for looked, asked in _ROUNDS:
            files, owners = self._files[images], self._owners[self._products[images]]
            cosines, found = self._vectors.search(files, asked)
            others = self._apart(found, owners[:, None])
            of_others = (found >= 0) & (found != files[:, None]) & (others >= 0)
            rank = np.cumsum(of_others, axis=1)
            may_be = self._may_be_copies(files, found, cosines, of_others & (rank <= looked))
            more = (may_be & (rank == looked)).any(axis=1)
            more |= (rank[:, -1] < min(looked, _ROUNDS[0][0])) & (found[:, -1] >= 0)
            if (looked, asked) == _ROUNDS[-1]:
                more[:] = False
            for row in np.flatnonzero(may_be.any(axis=1) & ~more):
                places = [self._place(other) for other in others[row][may_be[row]]]
                yield SimilarImages(self._place(images[row]), places)
            images = images[more]
            if not len(images):
                return

    def _alike_within(self, products: Sequence[int]) -> list[int]:
        """Those that have two images which may be copies of each other."""
        several = [p for p in products if self._starts[p + 1] - self._starts[p] > 1]
        if not several:
            return []
        ends = {p: int(self._starts[p + 1]) for p in several}
        spans = [(p, at, end) for p, end in ends.items() for at in range(self._starts[p], end)]
        files = self._files[[at for _, at, _ in spans]]
        others = np.full((len(spans), max(end - at for _, at, end in spans)), -1)
        for row, (_, at, end) in enumerate(spans):
            others[row, : end - at - 1] = self._files[at + 1 : end]
        alike = self._may_be_copies(files, others, np.ones(others.shape, np.float32), others >= 0)
        alike |= others == files[:, None]
        return list(dict.fromkeys(p for (p, _, _), row in zip(spans, alike, strict=True) if row.any()))

    def _may_be_copies(self, files: Ints, others: Ints, cosines: Vectors, held: Mask) -> Mask:
        """Which of ``others``, ``(n, k)``, of those ``held``, may be copies of ``files``, ``(n,)``."""
        assert self._prints
        distance = np.maximum(1.0 - cosines - _COSINE_SLACK, 0.0) / self._near
        may_be: Mask = held & (distance <= 2.0) & self._fingerprinted[others] & self._fingerprinted[files][:, None]
        rows = np.flatnonzero(may_be.any(axis=1))
        for start in range(0, len(rows), _HELD):
            some = rows[start : start + _HELD]
            # Those in question first, so that no more columns are compared than need be.
            columns = np.argsort(~may_be[some], axis=1, kind="stable")[:, : may_be[some].sum(axis=1).max()]
            at = some[:, None], columns
            left = least_left(self._prints.at(files[some]), self._prints.at(np.where(may_be[at], others[at], 0)))
            may_be[at] &= (left <= 1.0 + _SLACK) & (left + distance[at] <= 2.0 + _SLACK)
        return may_be

    def _apart(self, files: Ints, owners: Ints) -> Ints:
        """For each file an image that has it and belongs to another than ``owners``; -1 where there is none."""
        first, second = self._first[files], self._second[files]
        return np.where(self._owners[self._products[first]] != owners, first, second)

    def _place(self, image: int) -> ImagePlace:
        product = self._products[image]
        return ImagePlace(UUID(bytes=self._points[product]), int(image - self._starts[product]))


class _Vectors:
    """Unit vectors, numbered as they come: as they are, or, where there are many, compressed in an inverted file."""

    def __init__(self, dimension: int, expected: int) -> None:
        """
        Args:
            expected: How many there will be, roughly.
        """
        self._dimension = dimension
        self._lists = int(2 * expected**0.5)
        self._many = expected > _FEW
        self._waiting: list[Vectors] = []
        self._index: Any = None

    def add(self, vectors: Vectors) -> None:
        """``(n, dim) float32``, unit rows."""
        if self._index is not None:
            self._index.add(vectors)
            return
        self._waiting.append(vectors)
        if self._many and sum(map(len, self._waiting)) >= _FEW:
            self._start()

    def finish(self) -> None:
        """No more will come."""
        import faiss

        if self._index is None:
            self._index = faiss.IndexFlatL2(self._dimension)
            self._add_waiting()
        if self._index.ntotal and isinstance(self._index, faiss.IndexPreTransform | faiss.IndexIVF):
            faiss.extract_index_ivf(self._index).make_direct_map()

    def search(self, numbers: Ints, limit: int) -> tuple[Vectors, Ints]:
        """The nearest of some of the vectors, these among them: cosines, roughly at least what they are, and numbers,
        ``(n, limit)``, -1 beyond those that there are."""
        squares, found = self._index.search(self._index.reconstruct_batch(numbers), limit)
        return np.maximum(1.0 - squares / 2, -1.0), found

    def _start(self) -> None:
        import faiss

        reduced = f"PCA{_DIMENSIONS}," if self._dimension > _DIMENSIONS else ""
        self._index = faiss.index_factory(self._dimension, f"{reduced}IVF{self._lists},SQ8")
        lists = faiss.extract_index_ivf(self._index)
        lists.nprobe = _PROBED
        lists.cp.min_points_per_centroid = 1  # fewer than it wishes for, which it would complain of on stderr
        self._index.train(np.concatenate(self._waiting))
        self._add_waiting()

    def _add_waiting(self) -> None:
        for vectors in self._waiting:
            self._index.add(vectors)
        self._waiting = []
