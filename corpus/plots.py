"""Plots of a corpus: its classes against their targets, keys, tempos, durations, pitches, and who says what."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tonesmith.corpus.pictured import TONICS, Pictured, pictured
from tonesmith.corpus.truth import database
from tonesmith.errors import ConfigError
from tonesmith.media.figure import COLOURS, check_picture, shortened, styled, write_picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from tonesmith.corpus.corpus import Corpus

_MOST: Final = 16
"""Bars of one plot; what is beyond is told in the title."""


def check_folder(folder: Path) -> None:
    """Raise :class:`ConfigError` unless plots may be written into a folder, which need not be there yet."""
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"{folder} exists and is not a folder. Name another one.")
    check_picture((folder if folder.is_dir() else folder.parent) / "classes.png")


def plotted(corpus: Corpus, file: Path | None, folder: Path | None) -> dict[str, int]:
    """Write plots of a corpus into a file, into a folder, or both, and return path -> bytes.

    Raises :class:`ConfigError` for a place that cannot be written to, and if matplotlib is missing.
    """
    if file is not None:
        check_picture(file)
    if folder is not None:
        check_folder(folder)
    with database.told(corpus.path):
        shown = pictured(corpus)
    one = {} if file is None else {str(file): write_one(shown, file)}
    return one | ({} if folder is None else write_each(shown, folder))


def write_one(shown: Pictured, file: Path) -> int:
    """Write all plots as one picture, and return its bytes."""
    with styled():
        from matplotlib.figure import Figure

        figure = Figure(figsize=(11.0, 9.5), layout="constrained")
        for axes, draw in zip(figure.subplots(3, 2).flat, PLOTS.values(), strict=True):
            draw(axes, shown)
        figure.suptitle(f"{shortened(shown.name)}: {shown.items:,} items", fontsize=12)
        return write_picture(figure, file)


def write_each(shown: Pictured, folder: Path) -> dict[str, int]:
    """Write a picture for each plot, and return path -> bytes."""
    written = {}
    folder.mkdir(exist_ok=True)
    for name, draw in PLOTS.items():
        with styled():
            from matplotlib.figure import Figure

            figure = Figure(figsize=(7.0, 4.2), layout="constrained")
            draw(figure.add_subplot(), shown)
            written[str(folder / f"{name}.png")] = write_picture(figure, folder / f"{name}.png")
    return written


def _classes(axes: Axes, shown: Pictured) -> None:
    if not shown.classes:
        _nothing(axes, "Classes", "the profile has no classes")
        return
    names = list(shown.classes)[:_MOST]
    rows = range(len(names))
    bars = axes.barh(rows, [shown.classes[name] for name in names], color=COLOURS[0], height=0.7)
    axes.bar_label(bars, fmt="{:,.0f}", padding=3)
    targets = [shown.targets.get(name, 0) for name in names]
    if any(targets):
        lows, highs = [row - 0.42 for row in rows], [row + 0.42 for row in rows]
        axes.vlines(targets, lows, highs, color=COLOURS[1], linewidth=2.0, label="target")
        axes.legend(frameon=False, loc="lower right", bbox_to_anchor=(1.0, 1.0))
    _named(axes, names)
    axes.set_xlabel("items")
    left = f", {len(shown.classes) - _MOST} more" if len(shown.classes) > _MOST else ""
    axes.set_title(f"Classes: {shown.label}{left}")
    axes.set_xlim(0, max([*shown.classes.values(), *targets, 1]) * 1.08)


def _keys(axes: Axes, shown: Pictured) -> None:
    count = sum(map(sum, shown.keys.values()))
    if not count:
        _nothing(axes, "Keys", "no key and mode is known")
        return
    for place, (mode, counts) in enumerate(shown.keys.items()):
        axes.bar([n + 0.4 * (place - 0.5) for n in range(12)], counts, 0.38, color=COLOURS[place], label=mode)
    axes.set_xticks(range(12), TONICS)
    axes.set_ylabel("items")
    _whole(axes.yaxis)
    axes.legend(frameon=False)
    axes.set_title(f"Keys of {count:,} items")


def _tempos(axes: Axes, shown: Pictured) -> None:
    if not shown.tempos:
        _nothing(axes, "Tempos", "no tempo is known")
        return
    low, high = min(shown.tempos), max(shown.tempos)
    edges = [10.0 * n for n in range(int(low // 10), int(high // 10) + 2)]
    axes.hist(shown.tempos, edges if len(edges) < 60 else 40, color=COLOURS[0], edgecolor="white", linewidth=0.5)
    axes.set_xlabel("beats per minute")
    axes.set_ylabel("items")
    _whole(axes.yaxis)
    axes.set_title(f"Tempos of {len(shown.tempos):,} items")


def _durations(axes: Axes, shown: Pictured) -> None:
    lasting = {kind: [s for s in seconds if s > 0] for kind, seconds in shown.seconds.items()}
    every = [s for seconds in lasting.values() for s in seconds]
    if not every:
        _nothing(axes, "Durations", "there are no items")
        return
    low, high = min(every), max(every) * 1.001
    ratio = max(high / low, 1.2)
    edges = [low / 1.02 * (ratio * 1.04) ** (n / 24) for n in range(25)]
    names = {"score": "scores", "audio": "recordings"}
    for place, (kind, seconds) in enumerate(lasting.items()):
        axes.hist(seconds, edges, color=COLOURS[place], alpha=0.6, label=f"{names[kind]} ({len(seconds):,})")
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,g}")
    axes.xaxis.set_minor_formatter(lambda value, _: f"{value:g}" if ratio < 30 and f"{value:e}"[0] in "25" else "")
    axes.set_xlabel("seconds")
    axes.set_ylabel("files")
    _whole(axes.yaxis)
    axes.legend(frameon=False)
    axes.set_title("Durations")


def _pitches(axes: Axes, shown: Pictured) -> None:
    if not shown.pitches["mean"]:
        _nothing(axes, "Pitches", "no score was measured: corpus features --add notes")
        return
    edges = [n - 0.5 for n in range(0, 129, 2)]
    for colour, (end, values) in zip(COLOURS, shown.pitches.items(), strict=False):
        axes.hist(values, edges, color=colour, alpha=0.6, label={"low": "lowest", "high": "highest"}.get(end, end))
    axes.set_xlim(min(shown.pitches["low"]) - 3, max(shown.pitches["high"]) + 3)
    octaves = [n for n in range(0, 128, 12) if axes.get_xlim()[0] <= n <= axes.get_xlim()[1]]
    axes.set_xticks(octaves, [f"C{n // 12 - 1}" for n in octaves])
    axes.set_xlabel("pitch")
    axes.set_ylabel("scores")
    _whole(axes.yaxis)
    axes.legend(frameon=False)
    axes.set_title(f"Pitches of {len(shown.pitches['mean']):,} scores")


def _sources(axes: Axes, shown: Pictured) -> None:
    if not shown.sources:
        _nothing(axes, "Labels", "nothing is said of the items")
        return
    names = sorted(shown.sources, key=lambda name: -shown.believed.get(name, 0))[:_MOST]
    every = sorted({source for name in names for source in shown.sources[name]})
    left: Mapping[str, int] = dict.fromkeys(names, 0)
    for place, source in enumerate(every):
        counts = [shown.sources[name].get(source, 0) for name in names]
        colour, hatch = COLOURS[place % len(COLOURS)], "/" if place >= len(COLOURS) else None
        starts = [left[name] for name in names]
        axes.barh(range(len(names)), counts, left=starts, color=colour, hatch=hatch, height=0.7, label=_safe(source))
        left = {name: start + count for name, start, count in zip(names, starts, counts, strict=True)}
    _named(axes, names)
    axes.set_xlabel("items, once for each source")
    axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    axes.set_title("Labels, by who says them")


def _safe(name: str) -> str:
    return shortened(name, 24).lstrip("_") or "?"


def _named(axes: Axes, names: Sequence[str]) -> None:
    axes.set_yticks(range(len(names)), [shortened(name, 24) for name in names])
    axes.invert_yaxis()
    _whole(axes.xaxis)


def _whole(axis: Any) -> None:
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(nbins=6, integer=True, steps=[1, 2, 5, 10]))


def _nothing(axes: Axes, title: str, why: str) -> None:
    axes.set_axis_off()
    axes.set_title(title)
    axes.text(0.5, 0.5, why, ha="center", va="center", color="0.45", transform=axes.transAxes)


PLOTS: Final[Mapping[str, Callable[[Any, Pictured], None]]] = {
    "classes": _classes,
    "keys": _keys,
    "tempos": _tempos,
    "durations": _durations,
    "pitches": _pitches,
    "labels": _sources,
}
"""Name of a plot, and of its file, -> what draws it."""
