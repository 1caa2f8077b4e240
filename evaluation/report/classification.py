"""What a classification run prints, and its page: images with their labels, how sure they are, what thresholds do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evaluation.classification import SYSTEMS
from evaluation.fitting import Bias
from evaluation.report.charts import Chart, Estimate, curves, intervals
from evaluation.report.images import FileImages
from evaluation.report.page import Cutoff, Figure, ReportPage, Section, Shown, Table, image_card
from schemas import UNKNOWN

_CONFUSIONS = 6
_OF_NONE = "(none of the labels)"
_SAID = {
    "bare": "the label alone",
    "single": "one template",
    "averaged": "all templates",
    "ensemble": "all, harmful bias removed",
    "bias_removed": "all, every bias removed",
    "chosen": "what the other half chose",
}
_BIAS: dict[Bias, str] = {"kept": "kept", "harmful": "removed where it does harm", "removed": "removed"}


def classification_text(measured: Mapping[str, Any]) -> str:
    """What the command prints."""
    way, unknown, calibration = measured["chosen"], measured["unknown"], measured["calibration"]
    lines = [f"{measured['images']} images, {len(measured['labels'])} labels, model {measured['model']}", ""]
    lines += [f"{'':<40}{'accuracy':>9}{'macro':>8}"]
    lines += [f"{name:<40}{measured['accuracy'][name]:>9.3f}{measured['macro'][name]:>8.3f}" for name in SYSTEMS]
    lines += [f"{template:<40}{accuracy:>9.3f}" for template, accuracy in measured["templates"].items()]
    lines += [
        "",
        f"chosen: {way['prompts']}, bias {_BIAS[way['bias']]}; "
        f"temperature {measured['temperature']:.4g}, "
        f"expected calibration error {calibration['expected_calibration_error']:.3f}",
        f"unknown below {unknown['threshold']:.4f}: precision {unknown['precision'] or 0:.3f}, "
        f"recall {unknown['recall']:.3f}",
        "",
    ]
    if "compared" in unknown:
        lines += [f"{'unknown told by':<40}{'F1':>9}"]
        lines += [f"{name:<40}{one['f1']:>9.3f}" for name, one in unknown["compared"].items()] + [""]
    lines += ["confused most:"]
    wrong = [
        (count, label, given)
        for label, row in measured["confusion"].items()
        for given, count in row.items()
        if given != label
    ]
    return "\n".join(lines + [f"{count:>6}  {label} -> {given}" for count, label, given in sorted(wrong)[::-1][:10]])


def classification_page(measured: Mapping[str, Any], folder: Path, images: FileImages) -> ReportPage:
    """
    Args:
        measured: What ``classification.measure`` gives, with ``comparison`` where there is one.
        folder: What the images are relative to.
    """
    rows: Sequence[Mapping[str, Any]] = measured["details"]["images"]
    sections = [_at_a_glance(measured), _prompts(measured, rows, folder, images), _threshold(measured, rows)]
    sections.append(_probabilities(measured))
    if "comparison" in measured:
        sections.append(changed_images(measured["comparison"], rows, folder, images, _given))
    sections.append(_images(rows, folder, images))
    facts = {
        "model": measured["model"],
        "images": f"{measured['images']:,}",
        "labels": f"{len(measured['labels']):,}",
        "left out as unusable": f"{measured['unusable']:,}",
    }
    return ReportPage("How well labels are given by words alone", facts, sections)


def _at_a_glance(measured: Mapping[str, Any]) -> Section:
    chosen, calibration, unknown = measured["accuracy"]["chosen"], measured["calibration"], measured["unknown"]
    low, high = measured["intervals"]["chosen"]
    figures = [
        Figure("right of all with a label", f"{chosen:.3f}", f"95 % {low:.3f} to {high:.3f}"),
        Figure("mean over labels", f"{measured['macro']['chosen']:.3f}", "a rare one counts as much as a common one"),
        Figure(
            "calibration error",
            f"{calibration['expected_calibration_error']:.3f}",
            f"expected; temperature {measured['temperature']:.4g}, log loss {calibration['log_loss']:.3f}",
        ),
        Figure(
            "unknown is recognised",
            f"{unknown['f1']:.3f}",
            f"F1; precision {unknown['precision'] or 0:.3f}, recall {unknown['recall']:.3f}",
        ),
    ]
    first, second = measured["halves"]
    lead = (
        f"The images are parted into {first:,} and {second:,}, copies of one on one side: what one half fits is judged "
        "on the other. Intervals are what other images like these would give."
    )
    return Section("At a glance", lead, figures=figures)


def _prompts(
    measured: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], folder: Path, images: FileImages
) -> Section:
    accuracy = {
        _SAID[name]: {"accuracy": Estimate(measured["accuracy"][name], *measured["intervals"][name])}
        for name in SYSTEMS
    }
    table = [
        [_SAID[name], measured["accuracy"][name], "{:.3f} – {:.3f}".format(*measured["intervals"][name]), macro]
        for name, macro in measured["macro"].items()
    ]
    differ = [row for row in rows if row["given"]["single"] != row["given"]["ensemble"] and row["right"] is not None]
    gained = [row for row in differ if row["given"]["ensemble"] == row["label"]]
    lost = [row for row in differ if row["given"]["single"] == row["label"]]
    cards = [
        image_card(title, some, lambda row: _shown(row, folder, images, row["given"]["ensemble"]))
        for title, some in (
            ("All templates are right where one is not", gained),
            ("One template is right where all are not", lost),
        )
        if some
    ]
    return Section(
        "Prompts side by side",
        f"A label is put into templates, whose vectors are averaged. Chosen for use: {measured['chosen']['prompts']}, "
        f"bias of labels {_BIAS[measured['chosen']['bias']]}.",
        charts=[intervals("accuracy by prompts", "accuracy, with its 95 % interval", accuracy)],
        tables=[
            Table(["prompts", "accuracy", "95 %", "mean over labels"], table),
            Table(
                ["template alone", "accuracy"],
                [list(row) for row in sorted(measured["templates"].items(), key=lambda row: -float(row[1]))],
                fold="Each template alone",
            ),
        ],
        cards=cards,
    )


def _threshold(measured: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> Section:
    labels: list[str] = list(measured["labels"])
    place = {label: at for at, label in enumerate(labels)}
    strange = any(row["label"] not in place for row in rows)
    cases = [(place.get(row["label"], len(labels)), place[row["given"]["chosen"]], row["score"]) for row in rows]
    wrong = Counter((row["label"], row["given"]["chosen"]) for row in rows if row["right"] is False)
    return Section(
        "What a threshold does",
        f"What is less near than the threshold to every label is {UNKNOWN}. Move it: the matrix follows. Rows are what "
        "images are, columns what they are given; it starts where all images together put it.",
        cutoffs=[
            Cutoff(
                "Images by their label",
                "labels",
                [*labels, *([_OF_NONE] if strange else [])],
                [*labels, UNKNOWN],
                {"similarity": (measured["unknown"]["threshold"], cases)},
            )
        ],
        tables=[
            Table(
                ["label → given", "images"],
                [[f"{label} → {given}", count] for (label, given), count in wrong.most_common(30)],
                fold="Confused most",
            )
        ],
    )


def _probabilities(measured: Mapping[str, Any]) -> Section:
    diagram = measured["calibration"]["reliability"]
    return Section(
        "Whether probabilities can be believed",
        "Of answers that are given with a probability so many are right; where the two agree, they lie on the line of "
        "perfect calibration.",
        charts=[reliability_chart(diagram)],
        tables=[reliability_table(diagram)],
    )


def reliability_chart(diagram: Sequence[Mapping[str, float]]) -> Chart:
    """How many are right of those with such a probability."""
    confidence = [bin["confidence"] for bin in diagram]
    return curves(
        "reliability",
        "probability",
        "right",
        confidence,
        {"answers": [bin["accuracy"] for bin in diagram], "perfect": confidence},
    )


def reliability_table(diagram: Sequence[Mapping[str, float]]) -> Table:
    """The same in numbers, folded up."""
    return Table(
        ["probability", "images", "mean probability", "right"],
        [
            [f"{bin['low']:.2f} – {bin['high']:.2f}", bin["count"], bin["confidence"], bin["accuracy"]]
            for bin in diagram
        ],
        fold="Bin by bin",
    )


def _images(rows: Sequence[Mapping[str, Any]], folder: Path, images: FileImages) -> Section:
    wrong = sorted((row for row in rows if row["right"] is False), key=lambda row: -row["probability"])
    right = sorted((row for row in rows if row["right"]), key=lambda row: -row["probability"])
    unsure = sorted((row for row in rows if row["right"]), key=lambda row: row["probability"])
    strange = sorted((row for row in rows if row["right"] is None), key=lambda row: -row["score"])
    pairs = Counter((row["label"], row["given"]["chosen"]) for row in wrong).most_common(_CONFUSIONS)
    groups = [
        ("The surest mistakes", wrong),
        *(
            (f"{label} taken for {given}", [r for r in wrong if (r["label"], r["given"]["chosen"]) == (label, given)])
            for (label, given), count in pairs
            if count > 1
        ),
        ("Nearest of what is of none of the labels", strange),
        ("Right, and least sure", unsure),
        ("Right, and surest", right),
    ]
    cards = [image_card(title, some, lambda row: _given(row, folder, images)) for title, some in groups if some]
    return Section(
        "The worst classifications, and the best", "Each with what it was given, and how probable.", cards=cards
    )


def _shown(row: Mapping[str, Any], folder: Path, images: FileImages, given: str) -> Shown:
    good = None if row["right"] is None else given == row["label"]
    title = given if good else f"{row['label']} → {given}"
    return Shown(Path(row["image"]).name, title, images.file(folder / row["image"]), good, f"{row['probability']:.0%}")


def _given(row: Mapping[str, Any], folder: Path, images: FileImages) -> Shown:
    return _shown(row, folder, images, row["given"]["chosen"])


def changed_images(
    found: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]],
    folder: Path,
    images: FileImages,
    shown: Any,
) -> Section:
    """What changed since another run over the same images.

    Args:
        found: What ``compare_images`` gives.
        shown: One image as a page shows it: ``(row, folder, images) -> Shown``.
    """
    by_image = {row["image"]: row for row in rows}
    low, high = found["interval"]
    cards = [
        image_card(title, found[name], lambda image: shown(by_image[image], folder, images))
        for name, title in (("lost", "Wrong now, and right before"), ("gained", "Right now, and wrong before"))
        if found[name]
    ]
    return Section(
        "Against the other run",
        f"Of {found['images']:,} images that both judge {found['against']:.3f} were right with {found['model']}, and "
        f"{found['this']:.3f} are now. p is how often chance alone would differ as much (paired randomisation); below "
        ".05 it is taken for real.",
        figures=[
            Figure("difference", f"{found['difference']:+.3f}", f"95 % {low:+.3f} to {high:+.3f}; p {found['p']:.4f}"),
            Figure("gained", f"{len(found['gained']):,}", "images"),
            Figure("lost", f"{len(found['lost']):,}", "images"),
        ],
        cards=cards,
    )
