from __future__ import annotations

from xml.etree import ElementTree

import pytest

from evaluation.report.charts import Estimate, curves, intervals


@pytest.mark.parametrize("name", ["from $5 to $9", "$x_{", "<b>&amp;", "a\x00\x1b\nb", "汉字 عربى 😀", "x" * 300, ""])
def test_any_name_is_drawn_as_it_is_written_without_styles_that_a_page_forbids(name: str) -> None:
    rows = {name: {"this": Estimate(0.5, 0.25, 0.75), name: Estimate(0.5, 0.5, 0.5)}, "other": {}}
    for chart in (
        intervals("title", "axis", rows),
        curves("title", "x", "y", [1, 2, 3], {name: [0, 1, 0.5], "b": [1] * 3}),
    ):
        root = ElementTree.fromstring(chart.svg)
        drawn = ["".join(text.itertext()) for text in root.iter("{http://www.w3.org/2000/svg}text")]
        if name.startswith("from"):
            assert name in drawn
        assert "style" not in {attribute for element in root.iter() for attribute in element.attrib}
        assert not list(root.iter("{http://www.w3.org/2000/svg}style"))


def test_no_two_charts_of_a_page_have_a_name_in_common() -> None:
    rows = {"a": {"b": Estimate(0.5, 0.25, 0.75)}}
    one, other = (
        {element.get("id") for element in ElementTree.fromstring(intervals("t", "x", rows).svg).iter()} - {None}
        for _ in range(2)
    )
    assert one and one.isdisjoint(other)
