"""The page of an audit: what is wrong in an index, with the products that it is about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evaluation.audit.audit import SAID
from evaluation.report.images import ReportImages
from evaluation.report.page import Card, Figure, ReportPage, Section, Shown, Table

_CARDS = 12
_OF_A_CARD = 5


def audit_page(found: Mapping[str, Any], images: ReportImages) -> ReportPage:
    """
    Args:
        found: ``audit``, with ``drift`` where it was asked for.
    """
    details = found["details"]
    figures = [Figure(name.replace("_", " "), f"{found[name]:,}", said) for name, said in SAID.items()]
    vectors = [
        [
            name,
            its["vectors"],
            len(its["constant_dimensions"]),
            len(its["zero_dimensions"]),
            its.get("effective_dimensions"),
            its["mean_cosine"],
        ]
        for name, its in details["vectors"].items()
    ]
    sections = [
        Section("At a glance", "Products are counted, but for dimensions.", figures=figures),
        Section(
            "The vectors",
            "A dimension that is the same everywhere says nothing; where it is 0 the model may not use it for this "
            "kind. Effective dimensions are how many directions vectors differ in. A mean cosine near 1 says that all "
            "are nearly the same.",
            tables=[
                Table(["of", "vectors", "constant", "of them 0", "effective dimensions", "mean cosine"], vectors),
                *(
                    Table(["product"], [[id] for id in details[name]], fold=SAID[name])
                    for name in ("not_unit", "not_finite")
                ),
            ],
        ),
    ]
    if found["modality_gap"] is not None:
        sections.append(_gap(found))
    if details["duplicates"]:
        cards = [
            Card(
                f"{len(ids):,} products",
                "the same image, or the same words where there is none",
                {"": _products(ids, images)},
            )
            for ids in details["duplicates"][:_CARDS]
        ]
        sections.append(Section("Products that repeat another", "Variants of one group are left out.", cards=cards))
    if details["hubs"]:
        cards = [
            Card(hub["id"], f"in {hub['share']:.1%} of {hub['direction']}", {"": _products([hub["id"]], images)})
            for hub in details["hubs"][:_CARDS]
        ]
        sections.append(Section("Products that are in too many answers", cards=cards))
    if "drift" in found:
        sections.append(_drift(found["drift"], images))
    facts = {"generation": details["generation"], "products": f"{found['points']:,}"}
    return ReportPage("Whether the index is in order", facts, sections)


def _products(ids: list[str], images: ReportImages) -> list[Shown]:
    return [Shown(*one) for one in images.products(ids[:_OF_A_CARD])]


def _gap(found: Mapping[str, Any]) -> Section:
    quality = found["details"]["modality_gap"] or {}
    rows = [
        [f"{direction}: {metric}", its["before"][metric], its["after"][metric]]
        for direction, its in quality.items()
        for metric in its["before"]
    ]
    return Section(
        "Images and words",
        f"The means of images and of titles are {found['modality_gap']:.3f} apart (0 to 2). Below is how well the "
        "words of a product find its own image, and its image the words, as it is and with both means taken off.",
        tables=[Table(["a product by the other of its two", "as it is", "without the gap"], rows)],
    )


def _drift(drift: Mapping[str, Any], images: ReportImages) -> Section:
    products, neighbours = drift["products"], drift["neighbours"]
    lead = (
        f"Since generation {drift['generation']} {products['added']:,} products were added and {products['removed']:,} "
        f"removed; {products['both']:,} are in both."
    )
    if drift["model"]:
        lead += " Another model made it, so that no vectors are compared."
    if neighbours:
        lead += f" Of a product's ten nearest images {neighbours['overlap@10']:.1%} are the same."
    rows = [
        [name, its["compared"], its["changed"], its["mean_cosine"], its["p5_cosine"], its["least_cosine"]]
        for name, its in drift["vectors"].items()
    ]
    cards = [
        Card(
            one["id"],
            f"{one['vector']}: cosine {one['cosine']:.3f} with what it was",
            {"": _products([one["id"]], images)},
        )
        for one in drift["moved_most"][:_CARDS]
    ]
    return Section(
        "What has moved",
        lead,
        tables=[Table(["vector", "compared", "changed", "mean cosine", "5 % below", "least"], rows)],
        cards=cards,
    )
