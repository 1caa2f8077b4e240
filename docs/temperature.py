"""Draws ``docs/temperature.svg``: what a temperature makes of the same similarities.    python docs/temperature.py"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

SIMILARITIES = {"fish": 0.31, "fruit": 0.26, "pulse": 0.24, "leaf": 0.15}
TEMPERATURES = {0.01: "low: sure of the nearest", 0.05: "between", 0.5: "high: sure of none"}


def main() -> None:
    similarities = np.array(list(SIMILARITIES.values()))
    figure = Figure(figsize=(9, 2.6), layout="constrained")
    for axes, (temperature, said) in zip(figure.subplots(1, 3, sharey=True), TEMPERATURES.items(), strict=True):
        probabilities = np.exp(similarities / temperature)
        probabilities /= probabilities.sum()
        bars = axes.bar(list(SIMILARITIES), probabilities, color="#3b6ea5")
        axes.bar_label(bars, [f"{one:.2f}" for one in probabilities], fontsize=8)
        axes.set_title(f"temperature {temperature:g}\n{said}", fontsize=9)
        axes.set_ylim(0, 1.12)
        axes.spines[["top", "right"]].set_visible(False)
    figure.supylabel("probability", fontsize=9)
    figure.savefig(Path(__file__).with_suffix(".svg"), metadata={"Date": None})


if __name__ == "__main__":
    main()
