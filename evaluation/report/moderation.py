"""What a moderation run prints, and its page: what a policy stops and lets through, over all thresholds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from evaluation.report.charts import Estimate, curves, intervals
from evaluation.report.classification import changed_images
from evaluation.report.images import FileImages
from evaluation.report.page import Cutoff, Figure, ReportPage, Section, Shown, Table, image_card
from labels import PrecisionRecall

_RULES = 7
"""That have a line of their own in a chart."""
_WHOLE = "the whole policy"
_RATES = ("precision", "recall", "f1")
_RECALLS = [step / 50 for step in range(51)]

Cases = list[tuple[int, int, float]]


def moderation_text(measured: Mapping[str, Any]) -> str:
    """What the command prints."""
    lines = [
        f"{measured['images']} images, {measured['violating']} that violate something, model {measured['model']}",
        "",
        f"goal: {measured['goal']:<22}{'threshold':>10}{'precision':>10}{'recall':>8}{'F1':>8}{'F1 of others':>14}",
    ]
    best = {"the policy": {**measured["together"], "test": measured["test"]}, **measured["rules"]}
    for name, row in best.items():
        if "test" in row:
            threshold = f"{row['threshold']:.4f}" if "threshold" in row else ""  # of the policy, each rule has its own
            numbers = f"{threshold:>10}{row['precision']:>10.3f}{row['recall']:>8.3f}{row['f1']:>8.3f}"
            lines.append(f"{name:<28}{numbers}{row['test']['f1']:>14.3f}")
        else:
            lines.append(f"{name:<28}too few examples")
    return "\n".join(lines)


def moderation_page(measured: Mapping[str, Any], folder: Path, images: FileImages) -> ReportPage:
    """
    Args:
        measured: What ``moderation.measure`` gives, with ``comparison`` where there is one.
        folder: What the images are relative to.
    """
    rows: Sequence[Mapping[str, Any]] = measured["details"]["images"]
    cases = _cases(measured, rows)
    sections = [_at_a_glance(measured), _threshold(cases), _curves(measured, cases), _rules(measured)]
    if "comparison" in measured:
        sections.append(changed_images(measured["comparison"], rows, folder, images, _shown))
    sections.append(_images(rows, folder, images))
    facts = {
        "model": measured["model"],
        "images": f"{measured['images']:,}",
        "that violate something": f"{measured['violating']:,}",
        "goal": measured["goal"],
    }
    return ReportPage("How well a policy tells what it is about", facts, sections)


def _at_a_glance(measured: Mapping[str, Any]) -> Section:
    figures = [
        Figure(
            "F1" if name == "f1" else name,
            f"{measured['test'][name]:.3f}",
            "95 % {:.3f} to {:.3f}".format(*measured["intervals"][name]),
        )
        for name in _RATES
    ]
    return Section(
        "At a glance",
        "The images are parted into halves, copies of one on one side: each is judged with the thresholds "
        f"that the other one picks for {measured['goal']}, rule by rule, so that these numbers are what to expect of "
        "images that nobody has seen.",
        figures=figures,
        charts=[
            intervals(
                "the policy",
                "share, with its 95 % interval",
                {
                    name: {"of others": Estimate(measured["test"][name], *measured["intervals"][name])}
                    for name in _RATES
                },
            )
        ],
    )


def _cases(measured: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> dict[str, tuple[float, Cases]]:
    """Whether things violate, ``(0 or 1, 0, score)``, for the policy and each rule that is told of."""
    cases: dict[str, tuple[float, Cases]] = {
        _WHOLE: (
            measured["best"]["threshold"],
            [(0 if row["violates"] else 1, 0, max(row["scores"].values())) for row in rows if row["scores"]],
        )
    }
    for name, its in measured["rules"].items():
        if "threshold" in its and len(measured["rules"]) > 1:
            told = [row for row in rows if row["violates"] is not True and name in row["scores"]]
            cases[name] = (
                its["threshold"],
                [(0 if row["violates"] and name in row["violates"] else 1, 0, row["scores"][name]) for row in told],
            )
    return cases


def _threshold(cases: Mapping[str, tuple[float, Cases]]) -> Section:
    return Section(
        "What a threshold does",
        "An image is stopped from the threshold on. Move it: the matrix follows. It starts where all images together "
        "put it, so that its numbers are better than those of others. The whole policy is shown with one threshold for "
        "the rule that scores most; as it is stored, each rule has its own.",
        cutoffs=[Cutoff("What is stopped", "policy", ["violates", "does not"], ["stopped", "let through"], cases)],
    )


def _curves(measured: Mapping[str, Any], cases: Mapping[str, tuple[float, Cases]]) -> Section:
    shown = dict(list(cases.items())[: _RULES + 1])
    curve = measured["curve"][::-1]
    return Section(
        "Over all thresholds",
        "Left: how many of those stopped are rightly stopped, by how many of those that violate are. Right: what each "
        "threshold of the whole policy does.",
        charts=[
            curves(
                "precision by recall",
                "recall",
                "precision",
                _RECALLS,
                {name: _precisions(own) for name, (_, own) in shown.items()},
            ),
            curves(
                "by threshold",
                "threshold",
                "share",
                [point["threshold"] for point in curve],
                {"F1" if name == "f1" else name: [point[name] for point in curve] for name in _RATES},
            ),
        ],
    )


def _precisions(cases: Cases) -> list[float]:
    """The best precision at each recall or beyond."""
    curve = PrecisionRecall.of(np.array([score for *_, score in cases]), np.array([row == 0 for row, *_ in cases]))
    return [float(curve.precision[curve.recall >= recall - 1e-9].max()) for recall in _RECALLS]


def _rules(measured: Mapping[str, Any]) -> Section:
    table = [
        [
            name,
            its.get("examples", measured["violating"]),
            *(its.get(column) for column in ("threshold", *_RATES)),
            (its.get("test") or {}).get("f1"),
        ]
        for name, its in {_WHOLE: {**measured["together"], "test": measured["test"]}, **measured["rules"]}.items()
    ]
    return Section(
        "Rule by rule",
        "F1 of others is that of each half with the threshold that the other one picks. A rule without numbers has too "
        "few examples.",
        tables=[Table(["rule", "examples", "threshold", "precision", "recall", "F1", "F1 of others"], table)],
    )


def _images(rows: Sequence[Mapping[str, Any]], folder: Path, images: FileImages) -> Section:
    def surest(row: Mapping[str, Any]) -> float:
        return max(row["scores"].values(), default=float("-inf"))

    groups = [
        (
            "Let through, and should not have been",
            [row for row in rows if row["violates"] and not row["stopped"]],
            surest,
        ),
        ("Stopped for nothing", [row for row in rows if not row["violates"] and row["stopped"]], lambda r: -surest(r)),
        (
            "Rightly stopped, the surest",
            [row for row in rows if row["violates"] and row["stopped"]],
            lambda r: -surest(r),
        ),
    ]
    cards = [
        image_card(title, sorted(some, key=key), lambda row: _shown(row, folder, images))
        for title, some, key in groups
        if some
    ]
    return Section("The worst decisions, and the best", "Each with the rule that scores most.", cards=cards)


def _shown(row: Mapping[str, Any], folder: Path, images: FileImages) -> Shown:
    rule, score = max(row["scores"].items(), key=lambda one: one[1], default=("nothing", float("nan")))
    meant = ", ".join(row["violates"]) if isinstance(row["violates"], list) else ""
    title = (
        f"{meant or ('violates' if row['violates'] else 'harmless')} · {'stopped' if row['stopped'] else 'let through'}"
    )
    return Shown(
        Path(row["image"]).name, title, images.file(folder / row["image"]), row["right"], f"{rule} {score:.3f}"
    )
