"""Two runs over the same labelled images: what each gets right, and whether the difference is more than chance."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from evaluation.significance import interval, p_values
from schemas import ConfigurationError


def read_images_run(path: Path, truth: str) -> dict[str, Any]:
    """The JSON of a run that ``--report`` wrote.

    Args:
        truth: What the images of such a run say they are: ``label`` or ``violates``.

    Raises:
        ConfigurationError: it is none, or one of another command.
    """
    try:
        run = json.loads(path.read_bytes())
        for row in run["details"]["images"]:
            _ = row["image"], row[truth], row["right"]
    except OSError as error:
        raise ConfigurationError(f"cannot read the run in {path}: {error}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(f"{path} is not the JSON of such a run that --report wrote") from error
    return dict(run)


def compare_images(this: Mapping[str, Any], against: Mapping[str, Any], truth: str) -> dict[str, Any]:
    """This run beside another of the same images. The difference is of the share that is right, this less that; images
    that either run does not judge, as being of no label, are left out.

    Raises:
        ConfigurationError: the other run has other images, or holds them for something else.
    """
    before = {row["image"]: row for row in against["details"]["images"]}
    rows: Sequence[Mapping[str, Any]] = this["details"]["images"]
    if before.keys() != {row["image"] for row in rows} or any(
        before[row["image"]][truth] != row[truth] for row in rows
    ):
        raise ConfigurationError("runs over other images, or with other labels of them, cannot be compared")
    pairs = [(row, before[row["image"]]) for row in rows]
    judged = [(now, then) for now, then in pairs if now["right"] is not None and then["right"] is not None]
    if not judged:
        raise ConfigurationError("the two runs have no image in common that both of them judge")
    ours, theirs = (np.array([[float(pair[at]["right"])] for pair in judged]) for at in (0, 1))
    weights = np.ones(len(judged))
    return {
        "images": len(judged),
        "this": float(ours.mean()),
        "against": float(theirs.mean()),
        "difference": float((ours - theirs).mean()),
        "interval": interval(ours - theirs, weights)[0].tolist(),
        "p": float(p_values(ours, theirs, weights)[0]),
        "gained": [now["image"] for now, then in judged if now["right"] and not then["right"]],
        "lost": [now["image"] for now, then in judged if then["right"] and not now["right"]],
        "model": against["model"],
    }


def said(found: Mapping[str, Any]) -> str:
    """A comparison as a line of text."""
    low, high = found["interval"]
    return (
        f"against the other run ({found['model']}): {found['against']:.3f} -> {found['this']:.3f} right, "
        f"{found['difference']:+.3f} ({low:+.3f} to {high:+.3f}), p {found['p']:.4f}; "
        f"{len(found['gained'])} images gained, {len(found['lost'])} lost"
    )
