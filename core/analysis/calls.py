"""What a program calls to look at sounds: a report, a comparison of two datasets, a match."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from tonesmith.buckets.address import place_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tonesmith.analysis.matching.results import Match
    from tonesmith.analysis.report.report import Written
    from tonesmith.dataset.reader import Dataset
    from tonesmith.dataset.row import Row


def report(
    path: str | os.PathLike[str], out: str | os.PathLike[str], *, force: bool = False, **settings: Any
) -> Written:
    """Write a dataset as one HTML page to look at and listen to, and return its path, size and what was left out.

    ::

        report("d.zarr", "report.html", rows=300)

    Args:
        path: of the dataset.
        out: of the page, which ends in .html.
        force: whether to overwrite a file.
        settings: ``rows``, ``seed`` and ``targets``, as the flags of ``tonesmith report``.

    Raises:
        ConfigError: a setting is wrong, the page cannot be written, or a library of the extra ``report`` is missing.
        DatasetError: the dataset cannot be read. Damaged blocks are named on the page and left out.
    """
    from tonesmith.analysis.report.report import drawing_of, write_report

    drawing, targets = drawing_of(settings)
    return write_report(place_of(path), place_of(out), drawing, targets=targets, force=force)


def compare(
    path: str | os.PathLike[str],
    other: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    force: bool = False,
    **settings: Any,
) -> Written:
    """Write two datasets side by side as one HTML page. Arguments and errors as for :func:`report`, but ``targets``."""
    from tonesmith.analysis.report.report import drawing_of, write_comparison

    drawing, _ = drawing_of(settings, targets=False)
    return write_comparison(place_of(path), place_of(other), place_of(out), drawing, force=force)


def match(
    sound: str | os.PathLike[str] | NDArray[Any] | Row,
    dataset: Dataset | str | os.PathLike[str],
    *,
    sample_rate: int | None = None,
    row: int | None = None,
    workers: int = 0,
    trust: bool = False,
    progress: bool = False,
    **settings: Any,
) -> Match:
    """Return the patch that makes a sound, as near as the search came. See :mod:`tonesmith.analysis.matching.match`.

    ::

        found = match("pluck.wav", "d.zarr", renders=300)
        Path("pluck.vital").write_bytes(found.preset())

    Args:
        sound: path of an audio file, or of a dataset if ``row`` is given; a row; or float (channels, frames).
        dataset: whose synth plays, and from whose rows the search starts; opened, or its path.
        sample_rate: Hz, of an array.
        row: index of the row of the dataset at ``sound``.
        workers: engines, each in a process of its own; 0 for one a core.
        trust: whether to load what the dataset's plan names though this user has not used it.
        progress: whether to show on the error stream how far it is.
        settings: ``renders``, ``seconds``, ``pool``, ``seed``, ``level``, ``pitch``, ``velocity`` and ``hold``, as
            :class:`tonesmith.analysis.matching.wanted.Settings` has them.

    Raises:
        ConfigError: the sound cannot be read or is silent, a setting is wrong, or cmaes is not installed.
        EngineError: no engine can be loaded, or none of the nearest rows can be rendered.
    """
    from tonesmith.analysis.matching.match import match as matched
    from tonesmith.analysis.matching.wanted import Settings, wanted_of
    from tonesmith.dataset.opening import open_dataset
    from tonesmith.terminal.progress import progress as shown

    opened = open_dataset(dataset) if isinstance(dataset, str | os.PathLike) else dataset
    asked, wanted = Settings(**settings), wanted_of(sound, opened, row=row, sample_rate=sample_rate)
    with shown("matching", "renders", hidden=not progress) as showing:
        return matched(wanted, opened, asked, workers=workers, trust=trust, progress=showing)
