"""The charts of a report, each a function of data: Vega-Lite by altair, the numbers as cells beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.analysis.report.chart import Chart, as_cells, placed, short
from tonesmith.media.figure import COLOURS

_HEIGHT = 150
_LABEL = 220
"""Pixels of a name on an axis at most."""
_SHARE = "datum.n / max(datum.all, 1)"


def histogram(
    title: str,
    values: NDArray[np.float64],
    edges: NDArray[np.float64],
    unit: str = "",
    *,
    groups: tuple[Sequence[str], NDArray[np.int64]] = (("all",), np.zeros(0, np.int64)),
    log: bool = False,
    note: str = "",
) -> Chart:
    """Return a histogram of numbers, an outline for each group, as shares of the group.

    Args:
        title: what the numbers are.
        values: (sounds,); what is not finite is in no bin.
        edges: of the bins.
        unit: of the values.
        groups: names, and the group of each sound; of one group no legend is shown.
        log: whether the axis is logarithmic.
        note: how to read it.
    """
    names, member = groups[0], groups[1] if len(groups[1]) else np.zeros(len(values), np.int64)
    bins = len(edges) - 1
    place = placed(values, edges)
    cell = np.where(place < 0, -1, member * bins + place)
    counts = np.bincount(cell[cell >= 0], minlength=bins * len(names))
    cells: dict[str, Sequence[Any]] = {
        "from": [_number(edge) for edge in edges[:-1]] * len(names),
        "to": [_number(edge) for edge in edges[1:]] * len(names),
        "g": [short(name) for name in names for _ in range(bins)],
        "n": counts.tolist(),
    }
    lost = int((place < 0).sum())
    told = f"{note} {lost} of {len(values)} have none." if lost else note
    columns = {"from": f"from {unit}".strip(), "to": f"to {unit}".strip(), **_grouped(names), "n": "sounds"}
    return Chart(title, told.strip(), _histogram_spec(unit or title, names, log=log), columns, cells, as_cells(cell))


def _histogram_spec(axis: str, names: Sequence[str], *, log: bool) -> dict[str, Any]:
    import altair as alt

    scale = alt.Scale(type="log") if log else alt.Scale(zero=False)
    several = len(names) > 1
    bars = (
        _base()
        .mark_bar(opacity=0.55 if several else 0.9, binSpacing=0, stroke=None)
        .encode(
            x=alt.X("from:Q", bin="binned", title=axis, scale=scale),
            x2="to:Q",
            y=alt.Y("share:Q", title="share", axis=alt.Axis(format="%", tickCount=4)).stack(False),
            tooltip=_tips(("from", "to", *(("g",) if several else ()), "n")),
        )
    )
    return _finished(_coloured(bars, names), height=_HEIGHT)


def bars(
    title: str,
    counts: Mapping[str, Sequence[int]],
    choices: Sequence[str],
    counted: NDArray[np.int64] | None = None,
    *,
    note: str = "",
    unit: str = "rows",
    ordered: bool = True,
) -> Chart:
    """Return a bar for each choice and group, as shares of the group.

    Args:
        title: what the choices are.
        counts: group -> count of each choice.
        choices: their names.
        counted: the cell of each sound of the sample, group by group; None where sounds cannot be counted.
        note: how to read it.
        unit: what is counted.
        ordered: whether the choices lie along the axis like numbers, upright, and not below each other.
    """
    names = list(counts)
    texts = _distinct(choices)
    cells: dict[str, Sequence[Any]] = {
        "x": texts * len(names),
        "g": [short(name) for name in names for _ in texts],
        "n": [int(count) for name in names for count in counts[name]],
    }
    columns = {"x": title, **_grouped(names), "n": unit}
    spec = _bars_spec(names, texts, ordered=ordered)
    return Chart(title, note, spec, columns, cells, None if counted is None else as_cells(counted))


def _bars_spec(names: Sequence[str], texts: Sequence[str], *, ordered: bool) -> dict[str, Any]:
    import altair as alt

    share: Any = {"title": "share", "axis": alt.Axis(format="%", tickCount=4)}
    several = len(names) > 1
    tips = _tips(("x", *(("g",) if several else ()), "n"))
    if ordered:
        chart = (
            _base()
            .mark_bar(opacity=0.9)
            .encode(
                x=alt.X("x:O", title=None, sort=list(texts), axis=alt.Axis(labelAngle=0, labelOverlap=True)),
                y=alt.Y("share:Q", **share).stack(False),
                tooltip=tips,
            )
        )
        made = chart.encode(xOffset=alt.XOffset("g:N", sort=list(map(short, names)))) if several else chart
        return _finished(_coloured(made, names), height=_HEIGHT)
    chart = (
        _base()
        .mark_bar(opacity=0.9)
        .encode(
            y=alt.Y("x:N", title=None, sort=list(texts), axis=alt.Axis(labelLimit=_LABEL)),
            x=alt.X("share:Q", **share).stack(False),
            tooltip=tips,
        )
    )
    made = chart.encode(yOffset=alt.YOffset("g:N", sort=list(map(short, names)))) if several else chart
    return _finished(_coloured(made, names), height=max(60, 22 * len(texts) * len(names)))


def grid(
    title: str,
    across: Sequence[str],
    down: Sequence[str],
    counts: NDArray[np.int64],
    counted: NDArray[np.int64] | None,
    *,
    note: str,
    heads: tuple[str, str, str],
    expected: NDArray[np.float64] | None = None,
) -> Chart:
    """Return a heat map of counts.

    Args:
        title: what it shows.
        across: names of the columns.
        down: names of the rows.
        counts: int64 (down, across).
        counted: cells of each sound of the sample, row by row of the map; None where sounds cannot be counted.
        note: how to read it.
        heads: of the table: row, column, count.
        expected: float64 (down, across), the share that each cell of a row is to have: then the colour is how often
            more than that it is; None for counts as they are.
    """
    rows, columns = _distinct(down), _distinct(across)
    cells: dict[str, Sequence[Any]] = {
        "y": [name for name in rows for _ in columns],
        "x": columns * len(rows),
        "n": counts.ravel().tolist(),
    }
    if expected is not None:
        cells["e"] = [_number(value) for value in expected.ravel()]
    told = {"y": heads[0], "x": heads[1], "n": heads[2]} | ({"e": "share if even"} if expected is not None else {})
    spec = _grid_spec(rows, columns, even=expected is not None)
    return Chart(title, note, spec, told, cells, None if counted is None else as_cells(counted))


def _grid_spec(rows: Sequence[str], columns: Sequence[str], *, even: bool) -> dict[str, Any]:
    import altair as alt

    shade: Any = alt.Color("n:Q", title="number", scale=alt.Scale(scheme="blues"))
    base = _base(by="y")
    if even:
        base = base.transform_calculate(times=f"min({_SHARE} / max(datum.e, 1e-9), 4)")
        scale = alt.Scale(domain=[0, 1, 2, 4], range=["#d55e00", "#f7f7f7", "#56b4e9", "#0072b2"])
        shade = alt.Color("times:Q", title="times the even share", scale=scale)
    chart = base.mark_rect(stroke="#8884", strokeWidth=0.5).encode(
        x=alt.X(
            "x:O",
            title=None,
            sort=list(columns),
            axis=alt.Axis(labelLimit=90, labelAngle=0 if len(columns) <= 12 else -90),
        ),
        y=alt.Y("y:N", title=None, sort=list(rows), axis=alt.Axis(labelLimit=_LABEL)),
        color=shade,
        tooltip=_tips(("y", "x", "n", *(("times",) if even else ()))),
    )
    return _finished(chart, height=max(60, 16 * len(rows)))


def stacked(
    title: str, shares: Mapping[str, Sequence[tuple[str, int]]], counted: NDArray[np.int64], note: str
) -> Chart:
    """Return a bar for each parameter, divided into its choices.

    Args:
        title: what it shows.
        shares: parameter -> its choices and how many patches have each.
        counted: cells of each sound of the sample, parameter by parameter.
        note: how to read it.
    """
    import altair as alt

    names = _distinct(list(shares))
    pairs = [
        (name, place, *pair) for name, of in zip(names, shares.values(), strict=True) for place, pair in enumerate(of)
    ]
    cells: dict[str, Sequence[Any]] = {
        "y": [name for name, *_ in pairs],
        "k": [place for _, place, *_ in pairs],
        "x": [short(choice) for *_, choice, _ in pairs],
        "n": [count for *_, count in pairs],
    }
    chart = (
        _base(by="y")
        .mark_bar(stroke="#fff8", strokeWidth=0.5)
        .encode(
            y=alt.Y("y:N", title=None, sort=names, axis=alt.Axis(labelLimit=_LABEL)),
            x=alt.X("share:Q", title="share", axis=alt.Axis(format="%")),
            order="k:Q",
            color=alt.Color("k:Q", title="choice", legend=None, scale=alt.Scale(scheme="viridis")),
            tooltip=_tips(("y", "x", "n")),
        )
    )
    spec = _finished(chart, height=max(60, 20 * len(names)))
    return Chart(title, note, spec, {"y": "parameter", "x": "choice", "n": "patches"}, cells, as_cells(counted))


def chosen_one(title: str, cells: Mapping[str, Sequence[Any]], names: Sequence[str], note: str) -> Chart:
    """Return a histogram of one parameter at a time: cells with "p", "from", "to", "g" and "n"."""
    spec = _histogram_spec("raw value, as the label has it", names, log=False)
    columns = {"p": "parameter", "from": "from", "to": "to", **_grouped(names), "n": "patches"}
    return Chart(title, note, spec, columns, cells, None, choose="p")


def _base(by: str = "g") -> Any:
    import altair as alt

    chart: Any = alt.Chart(alt.NamedData("cells"))
    return chart.transform_joinaggregate(all="sum(n)", groupby=[by]).transform_calculate(share=_SHARE)


def _tips(keys: Sequence[str]) -> list[Any]:
    import altair as alt

    names = {"n": "number", "g": "of", "times": "times the even share", "x": "is", "y": "of"}
    return [
        alt.Tooltip(f"{key}:{'Q' if key in {'n', 'from', 'to', 'times'} else 'N'}", title=names.get(key, key))
        for key in keys
    ]


def _coloured(chart: Any, names: Sequence[str]) -> Any:
    import altair as alt

    if len(names) < 2:
        return chart
    scale = alt.Scale(domain=list(map(short, names)), range=[COLOURS[i % len(COLOURS)] for i in range(len(names))])
    return chart.encode(color=alt.Color("g:N", title=None, scale=scale, legend=alt.Legend(orient="top")))


def _finished(chart: Any, height: int) -> dict[str, Any]:
    """Return the specification: as wide as its place, and without the defaults of alt."""
    made: dict[str, Any] = chart.properties(width="container", height=height).to_dict()
    made.pop("config", None)
    return made


def _grouped(names: Sequence[str]) -> dict[str, str]:
    return {"g": "of"} if len(names) > 1 else {}


def _distinct(names: Sequence[str]) -> list[str]:
    """Return names as they are shown, with a number after those that would be the same."""
    found: list[str] = []
    seen: dict[str, int] = {}
    for name in map(short, names):
        seen[name] = seen.get(name, 0) + 1
        found.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return found


def _number(value: float) -> float:
    return float(f"{value:.6g}")
