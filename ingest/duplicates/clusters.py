"""Pairs of images as clusters: what is the same as the same thing is one."""

from __future__ import annotations

from collections.abc import Iterable

from schemas import DuplicateCluster, DuplicatePair, ImageRef


def clusters(pairs: Iterable[DuplicatePair]) -> list[DuplicateCluster]:
    """The largest first, images in the order they were met.

    Images that merely look alike stay pairs: by way of each other they would soon be half of a catalog.
    """
    parents: dict[ImageRef, ImageRef] = {}
    copied: set[ImageRef] = set()
    alike: list[DuplicateCluster] = []

    def root(ref: ImageRef) -> ImageRef:
        parents.setdefault(ref, ref)
        while (parent := parents[ref]) != ref:
            parents[ref] = ref = parents[parent]  # halves the way for the next who asks
        return ref

    for pair in pairs:
        if pair.kind == "similar":
            alike.append(DuplicateCluster(kind="similar", pictures=[pair.one, pair.other]))
            continue
        if pair.kind == "near-identical":
            copied.add(pair.one)
        parents[root(pair.other)] = root(pair.one)

    members: dict[ImageRef, list[ImageRef]] = {}
    for ref in parents:
        members.setdefault(root(ref), []).append(ref)
    found = [
        DuplicateCluster(kind="identical" if copied.isdisjoint(refs) else "near-identical", pictures=refs)
        for refs in members.values()
    ]
    return sorted(found, key=lambda cluster: -len(cluster.pictures)) + alike
