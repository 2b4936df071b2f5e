"""The text of a dataset's README.md: what it is, how it was made, what is in it, and how to load it."""

from __future__ import annotations

import glob
import json
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tonesmith import label_key
from tonesmith.licences import hub_licence
from tonesmith.markdown import WHOLE, code, counted, fenced, folded, front_matter, one_line, plain, table
from tonesmith.recipe import recipe_of, without_folders
from tonesmith.splits import LEFT_OUT, splits_of
from tonesmith.splitting import UNFINISHED

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tonesmith.dataset import Dataset
    from tonesmith.host import Host
    from tonesmith.plan import Plan, PluginRef
    from tonesmith.roles import Sink

MARKER = "<!-- written by tonesmith: remove this line to keep a text of your own -->"

_LINES = 100
"""Rows of a table of what may be cut."""

_SPREAD = ("min", "median", "max")

_SIZES = ((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"), (10**7, "1M<n<10M"))
"""Of Hugging Face's hub: below so many rows, the category."""


@dataclass(frozen=True)
class Told:
    """What a card tells of.

    Attributes:
        path: of the dataset. Of it, only the name is told.
        dataset: opened.
        report: of the dataset, see :func:`tonesmith.report.report`; its ``nbytes`` are those of the data alone.
        sink: that stores it.
        host: finds the plugins.
    """

    path: Path
    dataset: Dataset
    report: Mapping[str, Any]
    sink: type[Sink[Any]]
    host: Host

    @property
    def plan(self) -> Plan:
        """The plan of the dataset."""
        return self.dataset.plan

    @property
    def file(self) -> str:
        """Name of the dataset's folder or file."""
        return self.path.name

    @property
    def name(self) -> str:
        """Name of the dataset: that of its file, without the suffix."""
        return one_line(self.path.stem) or "dataset"

    @property
    def description(self) -> str:
        """Name of the Croissant description: in the dataset's folder, or beside a dataset that is one file."""
        return "croissant.json" if self.path.is_dir() else f"{self.file}.croissant.json"

    @cached_property
    def splits(self) -> tuple[str, ...]:
        """Names of the splits that have rows."""
        return tuple(name for name, rows in self.dataset.splits.items() if len(rows))

    @cached_property
    def licences(self) -> list[str]:
        """Licences of the presets that the plan draws from, "" for those that state none; sorted."""
        return sorted({credit["licence"] for credit in self.report["presets"]["credits"]})

    @property
    def unfinished(self) -> bool:
        """Whether files are still being divided by split, so that no pattern of names has each row once."""
        return UNFINISHED in self.dataset.attributes

    @property
    def engine(self) -> str:
        """The synth and its version, as its backend tells them."""
        versions = ", ".join(f"{name} {version}" for name, version in self.plan.versions.items())
        return f"{self.plan.backend.name} ({versions})" if versions else self.plan.backend.name


def readme(told: Told) -> str:
    """Return the text of a README.md."""
    parts = (
        _head(told),
        _facts(told),
        _loading(told),
        label_key.columns(told),
        _making(told),
        label_key.space(told),
        _contents(told),
        _presets(told),
        _splits(told),
        _checking(told),
    )
    return "\n".join([line for part in parts for line in part]) + "\n"


def _head(told: Told) -> Iterator[str]:
    """Yield the YAML head, the marker, the title, and what it is in two sentences."""
    yield from front_matter(_hub_values(told))
    yield MARKER
    yield ""
    yield f"# {plain(told.name)}"
    yield ""
    audio, notes = told.report["audio"], told.plan.notes.per_patch
    yield (
        f"Sounds of the synthesizer {plain(told.plan.backend.name)}, each with the settings that made it: "
        f"{counted(told.report['patches_accepted'], 'patch', 'patches')}, {counted(notes, 'note')} of each, "
        f"{audio['seconds']:.4g} s in {_channels(audio['channels'])} at {audio['sample_rate']} Hz."
    )
    yield (
        "Every row has the audio and the full label - parameters, modulations, assets, note - "
        "from which the synthesizer renders the same audio again. Made with tonesmith."
    )
    yield ""
    if told.unfinished:
        yield (
            f"**Its division into files by split was cut short: whoever reads the files by their names misses rows, or "
            f"has some twice.** {code(f'tonesmith split {shlex.quote(told.file)} --finish')} finishes it. Until then "
            "only tonesmith reads each row once."
        )
        yield ""


def _hub_values(told: Told) -> dict[str, Any]:
    rows = told.report["rows"]
    values: dict[str, Any] = {"pretty_name": told.name}
    if told.licences:
        only = told.licences[0] if len(told.licences) == 1 else None
        values["license"] = "unknown" if only == "" else hub_licence(only or "") or "other"
    values["task_categories"] = ["other"]
    values["size_categories"] = [next((name for below, name in _SIZES if rows < below), "n>10M")]
    values["tags"] = ["audio", "synthesizer", "sound-matching", "tonesmith", one_line(told.plan.backend.name)]
    if told.unfinished:  # told of no files, Hugging Face's libraries guess splits by their names, and miss whole blocks
        return {**values, "configs": [{"config_name": "default", "data_files": []}]}
    return {**values, **told.sink.front_matter(told.path, told.splits)}


def _facts(told: Told) -> Iterator[str]:
    report = told.report
    audio, rows, planned = report["audio"], report["rows"], report["rows_planned"]
    made = {key: value for key, value in report["made_with"].items() if key not in told.plan.versions}
    yield from table(
        ("", ""),
        (
            ("rows", str(rows) if report["complete"] else f"{rows} of {planned}: the run was not finished"),
            ("patches", str(report["patches_accepted"])),
            ("audio", f"{audio['sample_rate']} Hz, {_channels(audio['channels'])}, {audio['seconds']:.4g} s a row"),
            ("sound", _duration(rows * audio["seconds"])),
            ("size", _size(report["nbytes"])),
            ("stored as", f"{plain(told.sink.name)}: {plain(told.sink.summary, 200)}"),
            ("synthesizer", plain(told.engine, 200)),
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


def _loading(told: Told) -> Iterator[str]:
    yield from ("## Load it", "")
    own = "" if told.unfinished else _own_loading(told)
    if own:
        yield from fenced("python", own)
    ours = (
        f"from tonesmith import open_dataset\n\nds = open_dataset({told.file!r})\nrow = ds[0]\n"
        "print(row.audio.shape, row.note, row.parameters)\n"
    )
    if own and "tonesmith" not in own:
        yield from ("", "With tonesmith, whichever format it is in:", "")
    elif own:
        yield from ("", "A row knows its note and its parameters by name:", "")
    yield from fenced("python", ours)
    yield ""


def _own_loading(told: Told) -> str:
    """Return what the sink says of loading, which may look at the dataset, with the name in place of the path."""
    path = str(told.path)
    text = told.sink.loading(path)
    for pattern in (str, glob.escape):
        for spelled in (str, lambda name: repr(name)[1:-1]):
            text = text.replace(spelled(pattern(path)), spelled(pattern(told.file)))
    return text


def _making(told: Told) -> Iterator[str]:
    plan, merged = told.plan, "merged" in told.dataset.attributes
    yield from ("## How it was made", "")
    drawn_by = () if merged else (_plugin("patches drawn by", plan.sampler),)
    checked_by = (_plugin("checked by", ref) for ref in plan.validators)
    rows = (_plugin("synthesizer", plan.backend), *drawn_by, *checked_by, _plugin("stored by", plan.sink))
    yield from table(("", "plugin", "options"), rows)
    notes = plan.notes
    seed = "" if merged else f"Seed {plan.seed}. "
    drawn = " drawn at random between" if notes.draw else ":"
    yield ""
    yield (
        f"{seed}Notes of each patch{drawn} MIDI pitch {_listed(notes.pitches)}, velocity "
        f"{_listed(notes.velocities)}, held {_listed(_tuple(notes.hold))} s, with {notes.tail:g} s after the note off."
    )
    yield f"{_ISOLATION[plan.isolation]}; {_PROMISE[plan.determinism]}."
    if through := told.dataset.attributes.get("stored_through"):
        names = ", ".join(plain(sink["name"]) for sink in through)
        yield f"Before, the audio was stored with loss by {names}: it is what was read back from there."
    yield ""
    yield from _sources(told) if merged else _again(told)


_ISOLATION = {
    "snapshot": "Each row was rendered by a fork of one pristine engine",
    "fresh": "Each row was rendered by an engine of its own",
    "reuse": "All rows were rendered by one engine, which forgets the note before",
}
_PROMISE = {
    "exact": "all render again bit for bit in any process",
    "exact-in-run": "all render again bit for bit within one process",
    "floor": "all render again but for a noise far below hearing",
    "none": "none is promised to render again",
}

_CREDIT = ("author", "licence", "presets#")

_UNSET: tuple[Any, ...] = (None, "", [], {})


def _plugin(what: str, ref: PluginRef) -> tuple[str, str, str]:
    return what, plain(ref.name), _options(ref.options)


def _options(options: Mapping[str, Any]) -> str:
    """Return the options that are set, without the folders of the machine."""
    given = {name: value for name, value in without_folders(options).items() if value not in _UNSET}
    return ", ".join(code(f"{name} = {_option(value)}") for name, value in given.items())


def _option(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _again(told: Told) -> Iterator[str]:
    """Yield the composition and the commands that make the dataset again."""
    recipe, plan = recipe_of(told.plan, told.host), told.plan
    file = f"{told.name}.toml"
    command = f"tonesmith generate {shlex.quote(told.file)} --config {shlex.quote(file)}"
    sums = [sum(plan.rounds[: n + 1]) for n in range(1, len(plan.rounds))]
    if recipe.missing:
        yield f"This composition makes it again, once it has what is not told here: {'; '.join(recipe.missing)}."
    else:
        yield f"This composition makes it again, with the same versions. Save it as {code(file)}:"
    yield ""
    yield from ("<details><summary>the composition</summary>", "")
    yield from fenced("toml", recipe.toml)
    yield from ("", "</details>", "")
    yield from fenced("bash", "\n".join([command, *(f"{command} -n {patches}" for patches in sums)]))
    yield ""


def _sources(told: Told) -> Iterator[str]:
    """Yield what a merged dataset was made from."""
    yield "It was merged from other datasets, patch after patch:"
    yield ""
    rows = []
    for source in told.dataset.attributes["merged"]:
        first, stop = source["patches"]
        sampler = source["sampler"]
        facts = (plain(sampler["name"]), _options(sampler["options"]), str(source["seed"]))
        rows.append((f"{first} to {stop - 1}", *facts, code(source["fingerprint"]), code(source["digest"])))
    yield from _capped(("patches", "drawn by", "options", "seed#", "plan", "content"), rows)


def _contents(told: Told) -> Iterator[str]:
    """Yield where the patches came from, what was rejected, and how loud what is left is."""
    report = told.report
    yield from ("## What is in it", "")
    origins, rows = report["origins"], max(1, report["rows"])
    yield from _capped(
        ("patches from", "rows#", "share#"), [(plain(o), str(n), f"{n / rows:.1%}") for o, n in origins.items()]
    )
    rejections = report["rejections"]
    total = sum(rejections.values())
    if total:
        share = total / (total + report["patches_accepted"])
        were = "was" if total == 1 else "were"
        yield f"{counted(total, 'candidate')} ({share:.1%} of all drawn) {were} rejected and drawn anew:"
        yield ""
        listed = [(plain(cause), str(n), f"{n / total:.1%}") for cause, n in rejections.items()]
        yield from _capped(("rejected because", "candidates#", "share#"), listed)
    else:
        yield from ("No candidate was rejected.", "")
    levels = [
        (code(name), *(f"{level[key]:.4g}" if key in level else "" for key in _SPREAD), plain(level["unit"]))
        for name, level in report["levels"].items()
    ]
    if levels:
        yield from _capped(("measured", "least#", "median#", "most#", "unit"), levels)


def _presets(told: Told) -> Iterator[str]:
    presets = told.report["presets"]
    if not presets["read"]:
        return
    yield from ("## Presets", "")
    yield (
        f"Patches were drawn from {counted(presets['read'], 'preset')}, of which {presets['used']} "
        f"{'is' if presets['used'] == 1 else 'are'} in the rows. They are other people's work:"
    )
    yield ""
    rows = [
        (
            plain(c["author"] or "an unnamed author", WHOLE),
            plain(c["licence"] or "none stated", WHOLE),
            str(c["presets"]),
        )
        for c in presets["credits"]
    ]
    yield from folded(counted(len(rows), "author and licence", "authors and licences"), _CREDIT, rows)
    unstated = sum(c["presets"] for c in presets["credits"] if not c["licence"])
    if unstated:
        yield (
            f"{counted(unstated, 'preset')} {'states' if unstated == 1 else 'state'} no licence: "
            "ask their authors before you pass on anything made of them."
        )
    yield (
        "Whoever passes this dataset on keeps to these licences and names these authors. "
        f"{code(told.description, WHOLE)} has each preset by its SHA-256, as the column `preset` tells it."
    )
    yield ""


def _splits(told: Told) -> Iterator[str]:
    import numpy as np

    dataset = told.dataset
    yield from ("## Splits", "")
    if not dataset.splits:
        yield from ("It is not split. `tonesmith split` keeps all rows of one patch, or of one preset, together.", "")
        return
    patch = dataset.column("patch")
    total = max(1, len(dataset))
    rows = [
        (code(name), str(len(np.unique(patch[of]))), str(len(of)), f"{len(of) / total:.1%}")
        for name, of in _with_left_out(dataset).items()
    ]
    yield from _capped(("split", "patches#", "rows#", "share#"), rows)
    split = splits_of(dataset.attributes)
    facts = {name: getattr(split, name, None) for name in ("by", "stratify", "seed")}
    told_facts = ", ".join(f"{name} {code(value)}" for name, value in facts.items() if value not in (None, ""))
    if told_facts:
        yield f"Split {told_facts}."
    if told.sink.divides:
        yield "The rows of a split are in files of their own, whose paths under `data` begin with its name."
    else:
        yield "Which rows are in a split tells tonesmith, by `ds.splits`."
    yield ""


def _with_left_out(dataset: Dataset) -> Mapping[str, NDArray[np.int64]]:
    """Return split -> indices of its rows, and those of rows in no split, if there are such."""
    import numpy as np

    taken = np.concatenate(list(dataset.splits.values()))
    left = np.setdiff1d(np.arange(len(dataset)), taken)
    return {**dataset.splits, **({LEFT_OUT: left} if len(left) else {})}


def _checking(told: Told) -> Iterator[str]:
    yield from ("## Check it", "")
    name = shlex.quote(told.file)
    yield from fenced("bash", f"tonesmith verify {name}\ntonesmith verify {name} --render 8")
    yield ""
    yield (
        "The first reads every byte and compares it with its digest; the second renders eight rows again from their "
        "labels and compares every sample."
    )


def _capped(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield a table of not too many rows, and a blank line."""
    yield from table(heads, rows[:_LINES])
    if len(rows) > _LINES:
        yield from ("", f"and {len(rows) - _LINES} more.")
    yield ""


def _channels(number: int) -> str:
    return {1: "mono", 2: "stereo"}.get(number, f"{number} channels")


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.4g} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{seconds / 3600:.1f} h"


def _size(nbytes: int) -> str:
    amount, unit = float(nbytes), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if amount < 1000:
            break
        amount, unit = amount / 1000, larger
    return f"{amount:.3g} {unit}" if unit != "B" else f"{nbytes} B"


def _tuple(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def _listed(values: Iterable[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)
