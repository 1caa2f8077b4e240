"""A split without leaks: whole clusters of duplicates, spread over the parts so that each has its share of
every category.

scikit-learn's StratifiedGroupKFold makes folds of one size; a part for training is many times that of one for testing.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from evaluation.splits.duplicates import CatalogDuplicates
from evaluation.splits.leaks import find_leaks
from schemas import ConfigurationError
from schemas.files import replace_file

SHARES = {"train": 0.8, "validation": 0.1, "test": 0.1}


@dataclass(frozen=True, slots=True)
class Cluster:
    """Products that must stay together, and the category that most of them have."""

    ids: list[str]
    stratum: str


def clusters(catalog: CatalogDuplicates) -> list[Cluster]:
    """Duplicates of duplicates are in one cluster, and every product is in one."""
    ids = sorted(catalog.products)
    place = {id: at for at, id in enumerate(ids)}
    pairs = [(place[its[0]], place[other]) for _, its in catalog.duplicates for other in its[1:]]
    rows, columns = np.array(pairs, np.int64).reshape(-1, 2).T
    links = coo_array((np.ones(len(rows), np.int8), (rows, columns)), shape=(len(ids), len(ids)))
    members: defaultdict[int, list[str]] = defaultdict(list)
    for id, label in zip(ids, connected_components(links, directed=False)[1].tolist(), strict=True):
        members[label].append(id)
    return [Cluster(its, _category(catalog.products[id] for id in its)) for its in members.values()]


def _category(categories: Iterable[str | None]) -> str:
    return max(sorted(Counter(category or "" for category in categories).items()), key=lambda pair: pair[1])[0]


def make_split(found: Sequence[Cluster], shares: Mapping[str, float], seed: int) -> dict[str, str]:
    """The part of each product: every cluster, the largest first, goes where it disturbs the shares least, those of its
    category and those of the whole."""
    random = Random(seed)
    order = sorted(found, key=lambda cluster: (cluster.stratum, -len(cluster.ids), random.random()))
    whole = dict.fromkeys(shares, 0)
    by_stratum = {cluster.stratum: dict.fromkeys(shares, 0) for cluster in order}
    split: dict[str, str] = {}
    for cluster in order:
        size, its = len(cluster.ids), by_stratum[cluster.stratum]

        def disturbed(part: str, size: int = size, its: Mapping[str, int] = its) -> float:
            return _disturbance(its, shares, part, size) + _disturbance(whole, shares, part, size)

        part = min(shares, key=disturbed)
        whole[part] += size
        its[part] += size
        split |= dict.fromkeys(cluster.ids, part)
    return split


def _disturbance(have: Mapping[str, int], shares: Mapping[str, float], part: str, size: int) -> float:
    """How far the parts are from their shares, squared, once ``size`` more are in ``part``."""
    total = sum(have.values()) + size
    return sum((have[name] + size * (name == part) - share * total) ** 2 for name, share in shares.items())


def read_shares(written: Sequence[str]) -> dict[str, float]:
    """``train=0.8 test=0.2`` as shares of 1.

    Raises:
        ConfigurationError: a share is no positive number, or there are fewer than two.
    """
    shares: dict[str, float] = {}
    for part in written:
        name, _, share = part.partition("=")
        try:
            shares[name] = float(share)
        except ValueError as error:
            raise ConfigurationError(f"--shares {part}: write a name and a number, as train=0.8") from error
        if not name or not 0 < shares[name] < float("inf"):
            raise ConfigurationError(f"--shares {part}: write a name and a number above 0, as train=0.8")
    if len(shares) < 2 or len(shares) < len(written):
        raise ConfigurationError("--shares takes two parts or more, each once, as train=0.8 test=0.2")
    return {name: share / sum(shares.values()) for name, share in shares.items()}


def write_split(path: Path, catalog: CatalogDuplicates, shares: Mapping[str, float], seed: int) -> dict[str, Any]:
    """Make a split and write it, ``{"id", "split"}`` a line; what came of it, as JSON."""
    found = clusters(catalog)
    split = make_split(found, shares, seed)
    lines = [json.dumps({"id": id, "split": part}, ensure_ascii=False) + "\n" for id, part in sorted(split.items())]
    try:
        replace_file(path, "".join(lines).encode())
    except OSError as error:
        raise ConfigurationError(f"the split could not be written to {path}: {error}") from error
    strata: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for cluster in found:
        strata[cluster.stratum][split[cluster.ids[0]]] += len(cluster.ids)
    return {
        "out": str(path),
        "products": len(split),
        "splits": {part: sum(of == part for of in split.values()) for part in shares},
        "clusters": len(found),
        "largest_cluster": max((len(cluster.ids) for cluster in found), default=0),
        "categories": {name: {part: counts[part] for part in shares} for name, counts in sorted(strata.items())},
        "not_compared": sorted(catalog.not_compared),
        "rejected": catalog.rejected,
        "leaks": len(find_leaks(catalog, split)),
    }


def text(made: Mapping[str, Any]) -> str:
    """A line a part, and the clusters."""
    total = max(made["products"], 1)
    lines = [f"{part:<14}{number:>9,}  {number / total:.3f}" for part, number in made["splits"].items()]
    lines.append(f"{made['clusters']:,} clusters, the largest of {made['largest_cluster']:,} products")
    if made["rejected"]:
        lines.append(f"{made['rejected']:,} rows became no products, and are in no part")
    if made["not_compared"]:
        lines.append(f"{len(made['not_compared']):,} products have an image that could not be read: compared with none")
    return "\n".join([*lines, f"written to {made['out']}"])
