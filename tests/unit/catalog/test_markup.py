from __future__ import annotations

from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog import product_from_row
from catalog.markup import decoded
from schemas import clean_prose


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>Soft <b>cot</b>ton.</p><p>Washable.</p>", "Soft cotton.\nWashable."),
        ("one<br>two<BR/>three<li>four", "one\ntwo\nthree\nfour"),
        ("<ul>\n  <li>a</li>\n  <li>b</li>\n</ul>", "a\nb"),
        ("two\n\nparagraphs, one <i>word</i>", "two\n\nparagraphs, one word"),
        ('<a href="x" title="y > z">link</a>s', "links"),
        ("<style>p {color: red}</style>seen<script>var a = '<b>';</script>", "seen"),
        ("<script>never closed", ""),
        ("a <!-- remark <b>x</b> -->b", "a  b"),
        ("<![CDATA[foo <b>bar</b>]]>", "foo bar"),
        ("Salt &amp; pepper &#8212; caf&eacute; &#x1F600;", "Salt & pepper — café 😀"),
        ("&#0; &#xD800;", "\ufffd \ufffd"),
        ("&lt;b&gt; &amp;amp; &amp;lt;", "<b> &amp; &lt;"),
        (r"Packs small.\nHood folds\r\nCare:\nWash", "Packs small.\nHood folds\nCare:\nWash"),
        (r"a \\n of LaTeX, C:\new\names", r"a \n of LaTeX, C:\new\names"),
    ],
)
def test_html_and_escapes_are_decoded_once(markup: str, text: str) -> None:
    assert clean_prose(decoded(markup)) == text


@pytest.mark.parametrize(
    "text",
    [
        "a < b and c > d, 5<6, <3, 5 < 6 > 3",
        "x<y and y>z, a <b and b> c",
        "List<String>, vector<int>, <info@shop.example>, <https://shop.example>",
        "AT&T, R&D, &c, &copy stay; &notit; &unknown; too",
        "# Title\n\n* one\n  * two\n> said, **bold**, [link](x)",
        "broken <a href=",
        "<!-- never closed",
    ],
)
def test_what_only_looks_like_html_stays(text: str) -> None:
    assert decoded(text) == text


def test_every_text_of_a_row_is_decoded_but_ids_and_paths() -> None:
    row = {
        "id": "R&amp;D-1",
        "title": "<b>Salt</b> &amp; pepper",
        "description": "<p>One</p><p>Two</p>",
        "brand": "H&amp;M",
        "category": "Tops &gt; Tees",
        "tags": ["S&amp;M", "S&M"],
        "group_id": "A&amp;B",
        "maker": "H&amp;M",
        "nested": {"care": ["wash &lt; 40&deg;"]},
        "sku": "A&amp;B-1",
        "image": "pics/a&amp;b.jpg",
        "images": ["https://cdn.example/a.jpg?w=1&amp;h=2&copy=3"],
    }
    assert product_from_row(row).product.to_row() == {
        "id": "R&amp;D-1",
        "title": "Salt & pepper",
        "description": "One\nTwo",
        "brand": "H&M",
        "category": "Tops > Tees",
        "tags": ["S&M"],
        "group_id": "A&amp;B",
        "maker": "H&M",
        "nested": {"care": ["wash < 40°"]},
        "sku": "A&B-1",
        "image": "pics/a&amp;b.jpg",
        "images": ["https://cdn.example/a.jpg?w=1&h=2&copy=3"],
    }


@pytest.mark.parametrize(
    "piece",
    [
        "<",
        "<a",
        "<a b=",
        '<a b="',
        "<a b='\"",
        "<!--",
        "</",
        "&",
        "&#",
        "&amp",
        "<script>",
        "<a>",
        "<p ",
        "<![CDATA[",
        "\\",
    ],
)
def test_hostile_markup_takes_no_longer_than_any_other(piece: str) -> None:
    started = process_time()
    decoded(piece * 200_000)
    assert process_time() - started < 5  # html.parser would need hours


@given(st.text(st.sampled_from("<>&;#/!abp \n\\"), max_size=60) | st.text())
def test_any_text_can_be_decoded(text: str) -> None:
    assert len(decoded(text)) <= len(text) + text.count("<")
