"""Reports: a dataset as a page to look at and listen to, and two of them side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tonesmith.analysis.labels import labels_of
from tonesmith.analysis.report import facts
from tonesmith.analysis.report.chart import Section, short
from tonesmith.analysis.report.differences import differences_of
from tonesmith.analysis.report.items import item_head, labelled
from tonesmith.analysis.report.page import page_of
from tonesmith.analysis.report.points import points_of
from tonesmith.analysis.report.readable import readable
from tonesmith.analysis.report.sample import Sample, drawn, sample_of
from tonesmith.analysis.report.scored import compared_of, compared_section
from tonesmith.analysis.report.sections import Side, sections_of
from tonesmith.analysis.report.sounds import CLIP_SECONDS, check_libraries
from tonesmith.analysis.report.torn import torn
from tonesmith.buckets.address import is_remote, place_of
from tonesmith.dataset.beside import beside, write_beside
from tonesmith.dataset.opening import open_dataset
from tonesmith.dataset.reader import Dataset
from tonesmith.errors import ConfigError, unknown_name
from tonesmith.media.figure import COLOURS
from tonesmith.terminal.text import counted

MOST_ROWS = 3000
"""Rows that a report listens to at most."""
_CLIP_BYTES = 5_200_000
"""Of the clips of a page, before base64 makes a third more of them."""
_LABEL_VALUES = 8_000_000
"""Values of labels in memory at most."""
_PALETTE = [colour for colour in COLOURS if colour not in {"#000000", "#8C8C8C"}]
"""That is seen on white and on black; grey is for the rest."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """How a report is drawn.

    Attributes:
        rows: that are listened to at most, of each dataset.
        seed: of the draw.
    """

    rows: int = 300
    seed: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.rows <= MOST_ROWS:
            raise ConfigError(f"a report listens to 1 to {MOST_ROWS:,} rows, not {self.rows:,}.")


@dataclass(frozen=True, slots=True)
class Written:
    """A page that was written.

    Attributes:
        path: of the page.
        nbytes: its size.
        rows: that it has on its map.
        clips: how many of them can be heard.
        damaged: such as "block 3" -> what is wrong with it, of what was left out.
    """

    path: Path
    nbytes: int
    rows: int
    clips: int
    damaged: Mapping[str, str]


def drawing_of(settings: Mapping[str, Any], *, targets: bool = True) -> tuple[Drawing, Path | None]:
    """Return how a report is drawn by settings of Python, and the path of the targets.

    Raises :class:`ConfigError` for a setting that there is not, or a wrong value.
    """
    known = ("rows", "seed", *(("targets",) if targets else ()))
    for name in settings:
        if name not in known:
            raise ConfigError(unknown_name("setting of a report", name, known))
    numbers = {name: settings[name] for name in ("rows", "seed") if name in settings}
    for name, value in numbers.items():
        if not isinstance(value, int) or isinstance(value, bool):
            raise ConfigError(f"{name} must be a whole number, not {value!r:.40}.")
    path = settings.get("targets")
    return Drawing(**numbers), None if path is None else place_of(path)


class Listening:
    """Hears how far a report is. This one does nothing."""

    def begin(self, total: int) -> None:
        """There are so many rows to listen to."""

    def advance(self, count: int) -> None:
        """So many more are done."""


def write_report(
    path: Path,
    out: Path,
    drawing: Drawing | None = None,
    *,
    targets: Path | None = None,
    force: bool = False,
    progress: Any = None,
) -> Written:
    """Write the report of a dataset as one HTML file, at most 10 MB, that needs nothing else.

    Args:
        path: of the dataset.
        out: of the page.
        drawing: how many rows are listened to, and the seed of their draw.
        targets: of predictions that `tonesmith score` rendered, the dataset that has their targets; None for none.
        force: whether to overwrite a file.
        progress: has ``begin(total)`` and ``advance(count)``, which are told how many rows there are, and are done.

    Raises:
        ConfigError: the page cannot be written there, or a library is missing.
        DatasetError: the dataset cannot be read at all. Damaged blocks are named on the page and left out.
    """
    check_place(out, [path], force=force)
    check_libraries()
    drawing, progress = drawing or Drawing(), progress or Listening()
    dataset = open_dataset(path)
    pairs = compared_of(dataset, path, targets) if targets is not None else []
    name = path.resolve().name if not is_remote(path) else str(path).rstrip("/").rpartition("/")[2]
    progress.begin(min(len(dataset), drawing.rows))
    side, damaged = _side(name, dataset, drawing, progress)
    first, extras = compared_section(pairs, len(side.sample)) if pairs else (None, [])
    data: dict[str, Any] = {
        "title": short(name),
        "kind": "report",
        "palette": _PALETTE,
        "facts": item_head(side.told) if "items" in side.told else facts.head_of(side.told),
        "notes": [*facts.damaged_notes(damaged), *_notes(side, drawing)],
        "points": points_of({side.name: side.dataset}, [side.sample], extras),
    }
    page, clips = page_of(data, [*([first] if first else []), *_sections(side, path)])
    return _written(out, page, (len(data["points"]["rows"]), clips), damaged)


def write_comparison(
    first: Path,
    second: Path,
    out: Path,
    drawing: Drawing | None = None,
    *,
    force: bool = False,
    progress: Any = None,
) -> Written:
    """Write two datasets side by side as one HTML file: their plans' differences, both on one map, and their numbers.

    Arguments and errors as for :func:`write_report`.
    """
    if first.resolve() == second.resolve():
        raise ConfigError(f"{first} and {second} are the same dataset. Name two.")
    check_place(out, [first, second], force=force)
    check_libraries()
    drawing, progress = drawing or Drawing(), progress or Listening()
    opened = {path: open_dataset(path) for path in (first, second)}
    rates = {path: dataset.plan.audio.sample_rate for path, dataset in opened.items()}
    progress.begin(sum(min(len(dataset), drawing.rows) for dataset in opened.values()))
    sides, damaged = [], dict[str, str]()
    for name, dataset in zip(_names(first, second), opened.values(), strict=True):
        side, wrong = _side(name, dataset, drawing, progress, at=min(rates.values()), of=2)
        sides.append(side)
        damaged |= {f"{short(name)}, {where}": what for where, what in wrong.items()}
    data: dict[str, Any] = {
        "title": f"{short(sides[0].name)} and {short(sides[1].name)}",
        "kind": "compare",
        "palette": _PALETTE,
        "facts": [],
        "notes": [*facts.damaged_notes(damaged), *_compared_notes(sides, drawing, rates)],
        "points": points_of({side.name: side.dataset for side in sides}, [side.sample for side in sides]),
    }
    page, clips = page_of(data, [differences_of(sides), *sections_of(sides)])
    return _written(out, page, (len(data["points"]["rows"]), clips), damaged)


def check_place(out: Path, datasets: Sequence[Path], *, force: bool) -> None:
    """Raise :class:`ConfigError` unless a page may be written to a path."""
    if is_remote(out):
        raise ConfigError(f"{out} is in a bucket. Write the report to a file here, with --out FILE.")
    if out.suffix.lower() not in {".html", ".htm"}:
        raise ConfigError(f"{out} must end in .html, the format that is written.")
    place = out.resolve()
    for dataset in datasets:
        if not is_remote(dataset) and place.is_relative_to(dataset.resolve()):
            raise ConfigError(f"{out} is inside the dataset {dataset}. Choose another place.")
    if out.is_dir() or not place.parent.is_dir():
        raise ConfigError(f"cannot write {out}: it is a folder, or its folder does not exist.")
    if out.exists() and not force:
        raise ConfigError(f"{out} exists. Name another file, or overwrite it with --force.")


def _side(
    name: str, dataset: Dataset, drawing: Drawing, progress: Any, *, at: int = 0, of: int = 1
) -> tuple[Side, dict[str, str]]:
    """Return what is gathered of one dataset, and what of it could not be read."""
    dataset, told, damaged = readable(dataset)
    labels = labels_of(dataset, _LABEL_VALUES, drawing.seed, lenient=True)
    places = drawn(len(dataset), drawing.rows, drawing.seed)
    sample = sample_of(dataset, places, budget=_CLIP_BYTES // of, at=at, progress=progress.advance)
    return Side(name, dataset, told, labels, sample), {**damaged, **labels.damaged, **sample.damaged}


def _sections(side: Side, path: Path) -> Iterator[Section]:
    if (labels := labelled(side.told)) is not None:
        yield labels
    yield from sections_of([side])
    table = torn(side.dataset)
    if (section := facts.rejected(side.told, (table,) if table else ())) is not None:
        yield section
    yield facts.provenance(None if is_remote(path) else path, side.dataset, side.told)


def _notes(side: Side, drawing: Drawing) -> Iterator[tuple[str, bool]]:
    if not len(side.dataset):
        yield "The dataset has no rows yet.", True
        return
    if len(side.sample) < len(side.dataset):
        share = (
            f"{counted(len(side.sample), 'row')} of {len(side.dataset):,}, drawn at random with seed {drawing.seed},"
        )
        yield f"{share} are on the map and in what tells of sounds.", False
    else:
        yield f"All {counted(len(side.sample), 'row')} are on the map.", False
    yield from _clip_notes([side.sample])
    if not side.labels.whole:
        known = f"{counted(len(side.labels), 'patch', 'patches')} in blocks drawn at random with seed {drawing.seed}"
        yield f"Coverage, choices and modulations are those of {known}.", False


def _clip_notes(samples: Sequence[Sample]) -> Iterator[tuple[str, bool]]:
    sounds = [sound for sample in samples for sound in sample.sounds]
    clips = sum(bool(sound.clip) for sound in sounds)
    loud = sum(sound.divided > 1.0 for sound in sounds)
    yield f"Clips are Opus, mono, 48 kHz, the first {CLIP_SECONDS:g} s at most.", False
    if loud:
        yield (
            f"{counted(loud, 'clip')} would pass full scale, and {'is' if loud == 1 else 'are'} divided by the peak.",
            False,
        )
    if clips < len(sounds):
        yield (
            f"{clips:,} of {len(sounds):,} rows have a clip, for the size of the page. The others are small points.",
            False,
        )


def _compared_notes(sides: Sequence[Side], drawing: Drawing, rates: Mapping[Path, int]) -> Iterator[tuple[str, bool]]:
    for side in sides:
        share = f"{counted(len(side.sample), 'row')} of {len(side.dataset):,}"
        yield f"{short(side.name)}: {share}, drawn at random with seed {drawing.seed}, on the map.", False
    if len(set(rates.values())) > 1:
        yield f"Spectra are compared at {min(rates.values()):,} Hz, the lower of the sample rates.", False
    yield from _clip_notes([side.sample for side in sides])


def _names(*paths: Path) -> list[str]:
    names = [path.resolve().name if not is_remote(path) else str(path) for path in paths]
    return names if len(set(names)) == len(names) else [str(path) for path in paths]


def _written(out: Path, page: bytes, counts: tuple[int, int], damaged: Mapping[str, str]) -> Written:
    write_beside(out, page)
    return Written(out, len(page), *counts, damaged)


def page_beside(dataset: Path) -> Path:
    """Return the path of the page beside a dataset, where none is named."""
    if is_remote(dataset):
        raise ConfigError("a report of a dataset in a bucket needs a file here: name it with --out FILE.")
    return beside(dataset, ".report.html")
