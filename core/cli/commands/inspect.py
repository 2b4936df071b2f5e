"""``tonesmith inspect``: what is in a dataset."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tonesmith.cli.inspected_items import item_lines
from tonesmith.cli.options import Json
from tonesmith.terminal.messages import echo
from tonesmith.terminal.text import json_text, one_line

if TYPE_CHECKING:
    from tonesmith.analysis.holes import Hole
    from tonesmith.dataset.reader import Dataset
    from tonesmith.plan.rejection import Rejection

_CREDITS_SHOWN = 6
_JOINED = {"engine": "synth", "sum": "host: a sum of notes that were each played alone"}


def inspect(
    dataset: Annotated[Path, typer.Argument(metavar="DATASET", help="Path of the dataset.")],
    params: Annotated[bool, typer.Option("--params", help="Show how rows cover each parameter.")] = False,
    rejects: Annotated[
        bool, typer.Option("--rejects", help="List each rejected candidate, with the number that `reproduce` takes.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show what is in a dataset: rows, notes, space, origins, rejections, levels, versions, plan, digest."""
    from tonesmith.dataset.opening import open_dataset
    from tonesmith.dataset.report import coverage, report
    from tonesmith.dataset.splits import UNFINISHED

    opened = open_dataset(dataset)
    told = report(opened) | ({UNFINISHED: True} if UNFINISHED in opened.attributes else {})
    covered = coverage(opened) if params else []
    ledger = opened.rejections if rejects else ()
    torn, unknown = _holes(opened) if rejects else ((), "")
    if as_json:
        listed = {"rejects": [one.to_json() for one in ledger], "holes": [hole.to_json() for hole in torn]}
        listed = listed if rejects else {}
        echo(json_text({"path": str(dataset), **told, **({"parameters": covered} if params else {}), **listed}))
        return
    echo("\n".join(line for whole in _lines(dataset, told) for line in _folded(whole)))
    if params:
        echo("\n".join(["", *_coverage_lines(covered)]))
    if rejects:
        echo("\n".join(["", *_hole_lines(torn, unknown), *_reject_lines(ledger)]))


def _lines(path: Path, told: Mapping[str, Any]) -> Iterable[str]:
    from tonesmith.dataset.splits import UNFINISHED, finishing
    from tonesmith.terminal.text import counted, size

    rows, audio, space, plan = told["rows"], told["audio"], told["space"], told["plan"]
    state = "complete" if told["complete"] else f"{counted(told['rows_planned'] - rows, 'row')} not rendered yet"
    if "items" in told:
        yield from item_lines(path, told)
        return
    yield f"{path}: {counted(rows, 'row')} of {counted(told['patches'], 'patch', 'patches')}, {state}"
    yield f"  size        {size(told['nbytes'])}"
    yield f"  audio       {audio['sample_rate']} Hz, {audio['channels']} channels, {audio['seconds']:g} s per row"
    yield from _phrase_lines(told["phrases"]) if "phrases" in told else _note_lines(told["notes"])
    yield (
        f"  space       {space['continuous']} continuous, {space['categorical']} categorical, {space['fixed']} fixed"
        + (f", {space['held']} varied only by presets" if space["held"] else "")
        + (f", up to {space['modulation_slots']} modulations" if space["modulation_slots"] else "")
    )
    yield f"  audible     {space['audible']:.0%} of the varied parameters, on average"
    yield f"  origins     {_counted(told['origins'])}"
    if told["features"]:
        yield f"  features    {', '.join(map(one_line, told['features']))}"
    if told["splits"]:
        yield f"  splits      {_counted(told['splits'])}"
    if UNFINISHED in told:
        yield f"  unfinished  {finishing(path)}"
    if told["presets"]["read"]:
        yield from _preset_lines(told["presets"])
    rejections = told["rejections"]
    total = sum(rejections.values())
    share = total / (total + told["patches_accepted"]) if total else 0.0
    reasons = f": {_counted(rejections)}" if rejections else ""
    yield f"  rejected    {counted(total, 'candidate')} ({share:.1%}){reasons}"
    for name, level in told["levels"].items():
        quantiles = "  ".join(f"{key} {level[key]:.4g}" for key in ("min", "median", "max") if key in level)
        yield f"  {one_line(name):<11} {quantiles or 'no value'}  {one_line(level['unit'])}"
    backend, sampler, sink = (one_line(plan[role]["name"]) for role in ("backend", "sampler", "sink"))
    known = {None, plan["determinism"]}
    measured = f" (measured {one_line(told['measured'])})" if told["measured"] not in known else ""
    yield f"  backend     {backend}, isolation {plan['isolation']}, determinism {plan['determinism']}{measured}"
    yield f"  sampler     {sampler}, seed {plan['seed']}, rounds {_listed(plan['rounds'])}"
    yield f"  sink        {sink}"
    yield f"  made with   {', '.join(one_line(f'{k} {v}') for k, v in told['made_with'].items())}"
    yield f"  plan        {told['fingerprint']}"
    yield f"  digest      {told['digest']}"


def _note_lines(notes: Mapping[str, Any]) -> Iterable[str]:
    return (f"  {name:<11} {_counted(values)}" for name, values in notes.items())


def _phrase_lines(phrases: Mapping[str, Any]) -> Iterable[str]:
    listed = f" of {phrases['listed']:,}" if phrases["listed"] else ""
    composer, notes, by = one_line(phrases["composer"]), phrases["notes"], _JOINED[phrases["joined"]]
    yield f"  phrases     {phrases['played']:,}{listed} scores of {composer}, notes joined by the {by}"
    yield f"  seconds     {phrases['seconds']:g}, tail {phrases['tail']:g}"
    if "median" in notes:
        yield f"  notes       {notes['min']:g} to {notes['max']:g} in a phrase, median {notes['median']:g}"
    if phrases["annotations"]:
        yield f"  annotated   {', '.join(phrases['annotations'])}"


def _preset_lines(presets: Mapping[str, Any]) -> Iterable[str]:
    yield f"  presets     {presets['used']} of {presets['read']} used"
    for credit in presets["credits"][:_CREDITS_SHOWN]:
        licence = one_line(credit["licence"]) or "no licence stated"
        yield f"              {credit['presets']} by {one_line(credit['author']) or 'an unnamed author'}, {licence}"
    if len(presets["credits"]) > _CREDITS_SHOWN:
        yield f"              and {len(presets['credits']) - _CREDITS_SHOWN} more makers; --json lists all"


def _folded(line: str) -> list[str]:
    """Return a line as those that fit a terminal of 80 columns; a path stays whole."""
    if not line.startswith("  "):
        return [line]
    return textwrap.wrap(line, 80, subsequent_indent=" " * 14, break_long_words=False, break_on_hyphens=False)


def _coverage_lines(covered: list[dict[str, Any]]) -> Iterable[str]:
    covered = [{**entry, "name": one_line(entry["name"]), "drawn": one_line(entry["drawn"])} for entry in covered]
    width = max((len(entry["name"]) for entry in covered), default=4)
    yield f"{'parameter':<{width}}  {'drawn from':<21} {'audible':>7}  least to most, or choices"
    for entry in covered:
        head = f"{entry['name']:<{width}}  {entry['drawn']:<21.21} {entry['audible']:>7.0%}  "
        yield head + _spread(entry)


def _holes(dataset: Dataset) -> tuple[Sequence[Hole], str]:
    """Return the ranges that rejections tear, or why they are not known."""
    from tonesmith.analysis.holes import holes
    from tonesmith.errors import DatasetError

    try:
        return holes(dataset), ""
    except DatasetError as error:
        return (), str(error)


def _hole_lines(torn: Sequence[Hole], unknown: str) -> Iterable[str]:
    if unknown:
        yield from (*textwrap.wrap(f"ranges are not known: {unknown}", 80), "")
    if torn:
        yield "mostly rejected, in ranges of one parameter"
        lines = (f"  {hole.text} ({hole.base_share:.1%} of all are)" for hole in torn)
        yield from (part for line in lines for part in textwrap.wrap(line, 80, subsequent_indent="    "))
        yield ""


def _reject_lines(ledger: Sequence[Rejection]) -> Iterable[str]:
    from tonesmith.cli.commands.reproduce import told

    if not ledger:
        yield "no candidate was rejected"
        return
    width = len(str(len(ledger) - 1))
    yield f"{'reject':<{max(width, 6)}}   patch  attempt  by whom and why"
    for number, rejection in enumerate(ledger):
        yield f"{number:>{max(width, 6)}}  {rejection.patch:>6}  {rejection.attempt:>7}  {told(rejection)}"


def _spread(entry: Mapping[str, Any]) -> str:
    """Return a bar for each tenth of the range, or each choice, as high as its share of the fullest."""
    counts = entry["counts"]
    fullest = max(counts, default=0) or 1
    bars = " ▁▂▃▄▅▆▇█"
    drawn = "".join(bars[-(-count * (len(bars) - 1) // fullest)] for count in counts[:24])
    return f"|{drawn}|" + (f" +{len(counts) - 24}" if len(counts) > 24 else "")


def _counted(counts: Mapping[str, int]) -> str:
    shown = [f"{one_line(name)} ({count})" for name, count in list(counts.items())[:6]]
    return ", ".join(shown) + (f" and {len(counts) - 6} more" if len(counts) > 6 else "")


def _listed(values: Iterable[int]) -> str:
    return ", ".join(map(str, values))
