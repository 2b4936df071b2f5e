"""The text of a dataset's README.md: what it is, how it was made, what is in it, and how to load it."""

from __future__ import annotations

import glob
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from tonesmith.card import items, label_key
from tonesmith.card.contents import contents, presets, splits
from tonesmith.card.licences import hub_licence
from tonesmith.card.making import making
from tonesmith.card.markdown import code, fenced, front_matter, plain, table
from tonesmith.card.source import CardSource
from tonesmith.terminal.text import counted, one_line, size

MARKER = "<!-- written by tonesmith: remove this line to keep a text of your own -->"

_SIZES = ((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"), (10**7, "1M<n<10M"))
"""Of Hugging Face's hub: below so many rows, the category."""


def readme(source: CardSource) -> str:
    """Return the text of a README.md."""
    parts = _of_corpus(source) if source.plan.items is not None else _of_sounds(source)
    return "\n".join([line for part in parts for line in part]) + "\n"


def _of_corpus(source: CardSource) -> Iterator[Iterator[str]]:
    yield from (_head(source), _facts(source), _loading(source), label_key.columns(source))
    yield from (items.labels(source), splits(source), items.checking(source))


def _of_sounds(source: CardSource) -> Iterator[Iterator[str]]:
    yield from (
        _head(source),
        _facts(source),
        _loading(source),
        label_key.columns(source),
        making(source),
        label_key.space(source),
        contents(source),
        presets(source),
        splits(source),
        _checking(source),
    )


def _head(source: CardSource) -> Iterator[str]:
    """Yield the YAML head, the marker, the title, and what it is in two sentences."""
    yield from front_matter(_hub_values(source))
    yield MARKER
    yield ""
    yield f"# {plain(source.name)}"
    yield ""
    if source.plan.items is not None:
        yield from items.about(source, source.plan.items)
        return
    audio, notes = source.report["audio"], source.plan.per_patch
    played = "phrase" if source.plan.phrases else "note"
    yield (
        f"Sounds of the synthesizer {plain(source.plan.backend.name)}, each with the settings that made it: "
        f"{counted(source.report['patches_accepted'], 'patch', 'patches')}, {counted(notes, played)} per patch, "
        f"{audio['seconds']:.4g} s in {_channels(audio['channels'])} at {audio['sample_rate']} Hz."
    )
    yield (
        f"Every row has the audio and its full label (parameters, modulations, assets, {played}), "
        "from which the synthesizer renders the same audio again. Made with tonesmith."
    )
    yield ""
    if source.unfinished:
        yield (
            "**Its division into files by split was interrupted: reading the files by name misses rows, or "
            f"gives some twice.** {code(f'tonesmith split {shlex.quote(source.file)} --finish')} finishes it. Until "
            f"then "
            "only tonesmith reads each row once."
        )
        yield ""


def _hub_values(source: CardSource) -> dict[str, Any]:
    rows = source.report["rows"]
    values: dict[str, Any] = {"pretty_name": source.name}
    if source.licences:
        only = source.licences[0] if len(source.licences) == 1 else None
        values["license"] = "unknown" if only == "" else hub_licence(only or "") or "other"
    values["task_categories"] = ["other"]
    values["size_categories"] = [next((name for below, name in _SIZES if rows < below), "n>10M")]
    values["tags"] = ["audio", "synthesizer", "sound-matching", "tonesmith", one_line(source.plan.backend.name)]
    if source.plan.items is not None:
        values["tags"] = ["audio", "music", "tonesmith"]
    if (
        source.unfinished
    ):  # told of no files, Hugging Face's libraries guess splits by their names, and miss whole blocks
        return {**values, "configs": [{"config_name": "default", "data_files": []}]}
    return {**values, **source.sink.front_matter(source.path, source.splits)}


def _facts(source: CardSource) -> Iterator[str]:
    report = source.report
    audio, rows, planned = report["audio"], report["rows"], report["rows_planned"]
    made = {key: value for key, value in report["made_with"].items() if key not in source.plan.versions}
    yield from table(
        ("", ""),
        (
            ("rows", str(rows) if report["complete"] else f"{rows} of {planned}: the run was not finished"),
            ("items" if "items" in report else "patches", str(report["patches_accepted"])),
            *(_sound(audio, rows) if audio["frames"] else (("audio", "none: scores alone"),)),
            ("size", size(report["nbytes"])),
            ("stored as", f"{plain(source.sink.name)}: {plain(source.sink.summary, 200)}"),
            *(() if "items" in report else (("synthesizer", plain(source.engine, 200)),)),
            *((("made with", plain(", ".join(f"{name} {of}" for name, of in made.items()), 200)),) if made else ()),
            ("plan", code(report["fingerprint"])),
            ("content", code(report["digest"])),
        ),
    )
    yield ""
    yield (
        "*plan* is the SHA-256 of every setting that decides the content, *content* that of the rows themselves: "
        "two datasets with the same one are the same."
    )
    yield ""


def _sound(audio: Mapping[str, Any], rows: int) -> tuple[tuple[str, str], ...]:
    form = f"{audio['sample_rate']} Hz, {_channels(audio['channels'])}, {audio['seconds']:.4g} s per row"
    return ("audio", form), ("sound", _duration(rows * audio["seconds"]))


def _loading(source: CardSource) -> Iterator[str]:
    yield from ("## Load it", "")
    own = "" if source.unfinished else _own_loading(source)
    if source.plan.items is not None:
        own = "\n".join(line for line in own.splitlines() if "continuous" not in line)
    if own:
        yield from fenced("python", own)
    ours = (
        f"from tonesmith import open_dataset\n\nds = open_dataset({source.file!r})\nrow = ds[0]\n"
        "print(row.audio.shape, row.note, row.parameters)\n"
    )
    if source.plan.items is not None:
        ours = ours.replace("row.audio.shape, row.note, row.parameters", "row.item, row.annotations, row.score")
    if own and "tonesmith" not in own:
        yield from ("", "With tonesmith, whichever format it is in:", "")
    elif own:
        yield from ("", "A row knows what it holds by name:", "")
    yield from fenced("python", ours)
    yield ""


def _own_loading(source: CardSource) -> str:
    """Return what the sink says of loading, which may look at the dataset, with the name in place of the path."""
    path = str(source.path)
    text = source.sink.loading(path)
    for pattern in (str, glob.escape):
        for spelled in (str, lambda name: repr(name)[1:-1]):
            text = text.replace(spelled(pattern(path)), spelled(pattern(source.file)))
    return text


def _checking(source: CardSource) -> Iterator[str]:
    yield from ("## Check it", "")
    name = shlex.quote(source.file)
    yield from fenced("bash", f"tonesmith verify {name}\ntonesmith verify {name} --render 8")
    yield ""
    yield (
        "The first reads every byte and compares it with its digest; the second renders eight rows again from their "
        "labels and compares every sample."
    )


def _channels(number: int) -> str:
    return {1: "mono", 2: "stereo"}.get(number, f"{number} channels")


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.4g} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{seconds / 3600:.1f} h"
