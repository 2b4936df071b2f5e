"""Pictures of datasets: sounds in the plane where they differ most, and how patches cover each parameter.

matplotlib draws them. It is an extra, imported where it is used, without ``pyplot`` and its global state.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tonesmith.analysis.coverage import Cover, Panel
from tonesmith.analysis.pca import Components, Sounds
from tonesmith.errors import ConfigError
from tonesmith.media.figure import COLOURS, shortened, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.legend import Legend
    from matplotlib.lines import Line2D

_SCALE = "viridis"
_LEGEND: dict[str, Any] = {"frameon": False, "handletextpad": 0.2, "alignment": "left"}


def sounds_figure(sounds: Sounds, components: Components) -> Figure:
    """Return the picture of sounds as points on their first two principal components."""
    with styled():
        from matplotlib.figure import Figure

        figure = Figure(figsize=(8.0, 6.0), layout="constrained")
        axes = figure.add_subplot()
        colours = _colours(sounds)
        # No group lies on top of the others
        order = np.random.default_rng(0).permutation(len(sounds.groups))
        first, second = components.points[order].T
        axes.scatter(
            first,
            second,
            s=14.0,
            c=[colours[group] for group in sounds.groups[order]],
            alpha=0.75,
            linewidths=0.0,
        )
        axes.set_aspect("equal", adjustable="datalim")
        axes.margins(0.06)
        axes.axhline(0.0, color="0.85", linewidth=0.8, zorder=0)
        axes.axvline(0.0, color="0.85", linewidth=0.8, zorder=0)
        axes.set_xlabel(f"principal component 1 ({components.explained[0]:.1%} of the variance)")
        axes.set_ylabel(f"principal component 2 ({components.explained[1]:.1%} of the variance)")
        played = "any pitch" if sounds.pitch is None else f"pitch {sounds.pitch}"
        axes.set_title(f"Principal components of {len(sounds.groups)} sounds, {played}", fontsize=12)
        sizes = dict(zip(sounds.names, np.bincount(sounds.groups).tolist(), strict=True))
        _name(axes.legend(_dots(colours), ["."] * len(sizes), loc="best", **_LEGEND), sizes)
    return figure


def _colours(sounds: Sounds) -> list[Any]:
    """Return a colour for each group: from a scale for pitches, which have an order."""
    if sounds.by != "pitch":
        return list(COLOURS[: len(sounds.names)])
    from matplotlib import colormaps

    return [colormaps[_SCALE](place) for place in np.linspace(0.0, 0.9, len(sounds.names))]


def _dots(colours: Sequence[Any]) -> list[Line2D]:
    from matplotlib.lines import Line2D

    return [Line2D([], [], linestyle="", marker="o", markersize=6.0, color=colour) for colour in colours]


def _name(legend: Legend, sizes: Mapping[str, int]) -> None:
    """Write names into a legend afterwards: it would leave out one that starts with an underscore."""
    for text, (name, count) in zip(legend.get_texts(), sizes.items(), strict=True):
        text.set_text(f"{shortened(name)} ({count})")


def cover_figure(cover: Cover, name: str) -> Figure:
    """Return the picture of a small histogram for each parameter, with a colour for each origin.

    Args:
        cover: what to draw.
        name: of the dataset.

    Raises :class:`ConfigError` if there are more origins than colours.
    """
    if len(cover.origins) > len(COLOURS):
        raise ConfigError(
            f"{len(cover.origins)} origins are too many for one picture: colours distinguish at most {len(COLOURS)}"
        )
    with styled():
        from matplotlib.figure import Figure
        from matplotlib.layout_engine import ConstrainedLayoutEngine

        columns = min(4, len(cover.panels))
        rows = -(-len(cover.panels) // columns)
        size = (8.0 if columns > 2 else 5.0, 0.9 + 1.25 * rows)
        figure = Figure(figsize=size, layout=ConstrainedLayoutEngine(wspace=0.06, hspace=0.04))
        grid = figure.subplots(rows, columns, squeeze=False).flat
        for axes, panel in zip(grid, cover.panels, strict=False):
            _draw_panel(axes, panel)
        for axes in list(figure.axes)[len(cover.panels) :]:
            axes.set_axis_off()
        dots = _dots(COLOURS[: len(cover.origins)])
        head = f"How patches cover parameters: {shortened(name, 48 if columns > 2 else 22)}"
        legend = figure.legend(
            dots, ["."] * len(dots), loc="outside upper left", title=head, title_fontsize=12.0, ncols=4, **_LEGEND
        )
        _name(legend, cover.origins)
    return figure


def _draw_panel(axes: Axes, panel: Panel) -> None:
    parameter = panel.parameter
    if parameter.kind == "categorical" and len(panel.edges) <= 9:
        _draw_choices(axes, panel)
    else:
        _draw_histogram(axes, panel)
    heard = f"audible in {panel.audible:.0%}" if panel.audible < 0.995 else ""
    axes.set_title(shortened(parameter.name, 30), fontsize=7.5)
    axes.set_xlabel(heard, fontsize=6.5, color="0.45", loc="right", labelpad=1.0)


def _draw_histogram(axes: Axes, panel: Panel) -> None:
    """Draw each origin's shares as an outline over the raw range, whose ends and middle bear shown values."""
    parameter, edges = panel.parameter, panel.edges
    for shares, colour in zip(panel.shares, COLOURS, strict=False):
        axes.stairs(shares, edges, fill=True, color=colour, alpha=0.25, linewidth=0.0)
        axes.stairs(shares, edges, color=colour, linewidth=1.1)
    axes.set_ylim(0.0, 1.1 * panel.shares.max())
    axes.set_xlim(edges[0], edges[-1])
    hair = (edges[-1] - edges[0]) / 500
    if parameter.kind == "continuous":
        for bound in parameter.drawn:
            if edges[0] + hair < bound < edges[-1] - hair:
                axes.axvline(bound, color="0.4", linewidth=0.8, linestyle=":")
        ticks = [edges[0], (edges[0] + edges[-1]) / 2, edges[-1]]
        texts = _rounded([parameter.shown(tick) for tick in ticks])
        texts[-1] = f"{texts[-1]} {parameter.unit}".rstrip()
    else:
        ticks = [edges[0] + 0.5, min(edges[-1] - 0.5, parameter.high)]
        texts = [shortened(parameter.text(tick), 14) for tick in ticks]
    axes.set_xticks(ticks, texts, fontsize=6.5)
    labels = axes.get_xticklabels()
    labels[0].set_horizontalalignment("left")
    labels[-1].set_horizontalalignment("right")
    _without_scale(axes, "y")


def _draw_choices(axes: Axes, panel: Panel) -> None:
    """Draw a bar for each choice and origin, one below the other, the choice's name before them."""
    count, height = len(panel.edges) - 1, 0.8 / len(panel.shares)
    places = np.arange(count)
    for number, (shares, colour) in enumerate(zip(panel.shares, COLOURS, strict=False)):
        axes.barh(places - 0.4 + (number + 0.5) * height, shares, height, color=colour, alpha=0.75)
    first = panel.edges[0] + 0.5
    widest = panel.shares.max()
    # Names stand inside the panel, so that all panels are as wide
    axes.set_xlim(-0.6 * widest, widest)
    axes.spines["left"].set_position(("data", 0.0))
    for place in places:
        name = shortened(panel.parameter.text(first + place), 14)
        axes.text(-0.04 * widest, float(place), name, fontsize=6.5, ha="right", va="center_baseline")
    axes.set_ylim(count - 0.4, -0.6)
    axes.set_yticks([])
    _without_scale(axes, "x")


def _rounded(values: Sequence[float]) -> list[str]:
    """Return the values to three digits of the range that they span."""
    span = max(values) - min(values)
    digits = 2 - math.floor(math.log10(span)) if span > 0 else 3
    return [f"{round(value, digits) + 0.0:g}" for value in values]


def _without_scale(axes: Axes, axis: str) -> None:
    """Take away the scale of the shares, which are compared with each other and not read off."""
    axes.spines["left" if axis == "y" else "bottom"].set_visible(False)
    if axis == "y":
        axes.set_yticks([])
    else:
        axes.set_xticks([])
    axes.tick_params(length=2.0, pad=1.5)
