"""Charts as SVG inside a page: drawn by matplotlib, in the page's own colours, light or dark, and its own letters.

An interactive library (vega, plotly) would add one to five megabytes of script to every page, which runs none.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SVG, _XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
_COLORS = {"#010101": "ink", "#020202": "ink-soft", "#030303": "line", "#040404": "paper"}
"""Stand for variables of the page's style, as ``SERIES`` do."""
SERIES = [f"#0{number}0000" for number in range(1, 9)]
_LONGEST = 22
_numbers = count()


@dataclass(frozen=True, slots=True)
class Chart:
    """``svg`` is safe to put into a page; ``description`` is what it shows, for who does not see it."""

    title: str
    svg: str
    description: str


@dataclass(frozen=True, slots=True)
class Estimate:
    value: float
    low: float
    high: float


def intervals(title: str, axis: str, rows: Mapping[str, Mapping[str, Estimate]], *, zero: bool = False) -> Chart:
    """A line a row, and on it for each series a dot with its interval.

    Args:
        rows: Estimates by row and series.
        zero: Differences: the middle is what matters, and the axis is not 0 to 1.
    """
    series = list(dict.fromkeys(name for row in rows.values() for name in row))
    figure, axes = _figure(height=0.95 + 0.24 * len(rows) * (1 + 0.35 * (len(series) - 1)))
    step = 0.8 / max(len(series), 2)
    for at, row in enumerate(rows.values()):
        for number, name in enumerate(series):
            if (one := row.get(name)) is None:
                continue
            y, color = at + (number - (len(series) - 1) / 2) * step, SERIES[number % len(SERIES)]
            axes.plot([one.low, one.high], [y, y], color=color, linewidth=2, solid_capstyle="round")
            axes.plot([one.value], [y], "o", color=color, markersize=5, label=_cut(name) if at == 0 else None)
    axes.set_yticks(range(len(rows)), [_cut(name) for name in rows])
    axes.set_ylim(len(rows) - 0.45, -0.55)
    if zero:
        axes.axvline(0, color="#020202", linewidth=1)
    else:
        axes.set_xlim(-0.02, 1.02)
    axes.set_xlabel(axis)
    _legend(axes, series)
    said = "; ".join(
        f"{row}: " + ", ".join(f"{name} {one.value:.3f}" for name, one in its.items()) for row, its in rows.items()
    )
    return Chart(title, _svg(figure, f"{title}. {said}"), said)


def curves(
    title: str, across: str, up: str, x: Sequence[float], lines: Mapping[str, Sequence[float]], *, least: float = 0.0
) -> Chart:
    """A line a series over the same ``x``, of numbers from ``least`` to 1; ticks of integers are integers."""
    from matplotlib.ticker import MaxNLocator

    figure, axes = _figure(height=2.9)
    for number, (name, y) in enumerate(lines.items()):
        style = ("-", "--")[number // len(SERIES) % 2]
        axes.plot(x, y, style, color=SERIES[number % len(SERIES)], linewidth=2, label=_cut(name))
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    axes.set_ylim(least - 0.03 * (1 - least), 1 + 0.03 * (1 - least))
    if all(isinstance(value, int) for value in x):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if least < 0:
        axes.axhline(0, color="#020202", linewidth=1)
    _legend(axes, list(lines))
    said = "; ".join(f"{name}: from {y[0]:.3f} to {y[-1]:.3f}" for name, y in lines.items())
    return Chart(title, _svg(figure, f"{title}. {said}"), said)


def _figure(height: float) -> tuple[Any, Axes]:
    """Narrow enough for a phone, where a page shows it as wide as it is."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.6, height), layout="constrained")
    axes = figure.subplots()
    axes.set_facecolor("none")
    axes.tick_params(colors="#020202", labelcolor="#010101", length=0, labelsize=10)
    axes.grid(axis="both", color="#030303", linewidth=0.7)
    axes.set_axisbelow(True)
    for side in axes.spines.values():
        side.set_visible(False)
    axes.xaxis.label.set(color="#020202", size=10)
    axes.yaxis.label.set(color="#020202", size=10)
    return figure, axes


def _legend(axes: Axes, series: Sequence[str]) -> None:
    if len(series) > 1:
        axes.figure.legend(
            *axes.get_legend_handles_labels(),
            loc="outside upper left",
            ncols=2,
            frameon=False,
            fontsize=10,
            labelcolor="#010101",
            handlelength=1.2,
        )


def _svg(figure: Any, description: str) -> str:
    """The figure without what a page's policy forbids, styles in attributes and of its own, with colours that follow
    the page's."""
    from matplotlib import rc_context
    from matplotlib.text import Text

    drawn = io.StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "storelens"}), warnings.catch_warnings():
        # Letters that matplotlib's font lacks are the browser's to draw.
        warnings.filterwarnings("ignore", "Glyph", UserWarning)
        for text in figure.findobj(match=Text):
            text.set_parse_math(False)  # a dollar is a price
        figure.savefig(drawn, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    ElementTree.register_namespace("", _SVG)
    ElementTree.register_namespace("xlink", _XLINK)
    root = ElementTree.fromstring(drawn.getvalue().encode())
    mark = f"c{next(_numbers)}-"
    for parent in root.iter():
        for child in list(parent):
            if child.tag in (f"{{{_SVG}}}style", f"{{{_SVG}}}metadata"):
                parent.remove(child)
    for element in root.iter():
        _plain(element, mark)
    for size in ("width", "height"):
        root.attrib.pop(size, None)
    root.attrib |= {"role": "img", "aria-label": _printable(description), "stroke-linejoin": "round"}
    return _colored(ElementTree.tostring(root, encoding="unicode"))


def _plain(element: ElementTree.Element, mark: str) -> None:
    """Style as attributes, and names that no other chart of the page has."""
    for part in element.attrib.pop("style", "").split(";"):
        name, _, value = (piece.strip() for piece in part.partition(":"))
        if name == "font":  # the page's own letters, of this size
            element.set("font-size", next(iter(re.findall(r"[\d.]+px", value)), "9px"))
        elif name and name != "font-family":
            element.set(name, value)
    for name, value in element.attrib.items():
        if name == "id":
            element.set(name, mark + value)
        elif name == f"{{{_XLINK}}}href" and value.startswith("#"):
            element.set(name, f"#{mark}{value[1:]}")
        elif "url(#" in value:
            element.set(name, value.replace("url(#", f"url(#{mark}"))


def _colored(svg: str) -> str:
    for number, color in enumerate(SERIES):
        svg = svg.replace(color, f"var(--series-{number + 1})")
    for color, name in _COLORS.items():
        svg = svg.replace(color, f"var(--{name})")
    return svg


def _cut(name: str) -> str:
    """A name as a chart has room for it."""
    shown = _printable(name)
    return shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + "…"


def _printable(text: str) -> str:
    """Without what XML does not take."""
    return "".join(sign if sign.isprintable() else " " for sign in text)
