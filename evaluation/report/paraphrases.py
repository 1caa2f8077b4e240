"""The page of paraphrases: which needs are answered otherwise when they are put in other words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evaluation.report.charts import curves
from evaluation.report.images import ReportImages
from evaluation.report.page import Card, Figure, ReportPage, Section, Shown, Table

_HITS = 5
_SHARED = "overlap@10"


def paraphrases_page(found: Mapping[str, Any], images: ReportImages) -> ReportPage:
    """
    Args:
        found: What ``paraphrases.measure`` gives.
    """
    figures = [
        Figure(said, f"{found[name]:.3f}", "95 % {:.3f} to {:.3f}".format(*found["intervals"][name]))
        for name, said in ((_SHARED, "of the first ten are the same"), ("rbo", "rank-biased overlap"))
    ]
    order = list(range(1, found["needs"] + 1))
    cards = [
        Card(
            one["need"],
            f"{_SHARED} {one[_SHARED]:.2f} · rank-biased overlap {one['rbo']:.2f} · {len(one['wordings'])} wordings",
            {
                f"“{wording}”": [Shown(*product) for product in images.products(hits[:_HITS])]
                for wording, hits in zip(one["farthest"]["wordings"], one["farthest"]["hits"], strict=True)
            },
        )
        for one in found["worst"]
    ]
    sections = [
        Section(
            "At a glance",
            "Means over needs, of all pairs of their wordings. Rank-biased overlap minds the order, most at the top.",
            figures=figures,
            charts=[
                curves(
                    "every need, the least stable first",
                    "needs",
                    "overlap",
                    order,
                    {name: [one[name] for one in found["all"]] for name in ("rbo", _SHARED)},
                )
            ],
            tables=[
                Table(
                    ["need", _SHARED, "rbo"],
                    [[one["need"], one[_SHARED], one["rbo"]] for one in found["all"]],
                    fold="Every need",
                )
            ],
        ),
        Section(
            "The least stable", "Of each the two wordings that are farthest apart, and what they find.", cards=cards
        ),
    ]
    facts = {"generation": found["generation"], "needs": f"{found['needs']:,}"}
    return ReportPage("Whether other words find the same", facts, sections)
