"""``tonesmith reproduce``: render a rejected candidate again, and see what happens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tonesmith.cli.options import Json, Trust
from tonesmith.errors import ConfigError
from tonesmith.host.registry import Host
from tonesmith.terminal.messages import echo, say
from tonesmith.terminal.text import json_text, one_line, size

if TYPE_CHECKING:
    from tonesmith.plan.rejection import Rejection
    from tonesmith.run.reproduce import Reproduced

_LABELS = {
    "changed": "The sampler, or what it draws from, has changed since: the label in the ledger was played.",
    "drawn": "The ledger has no label of this candidate: the sampler drew it again.",
}
_LONGEST = 300


def reproduce(
    dataset: Annotated[Path, typer.Argument(metavar="DATASET", help="Path of the dataset.")],
    reject: Annotated[
        int,
        typer.Option(
            "--reject", metavar="I", help="Rejected candidate, as `tonesmith inspect --rejects` numbers them."
        ),
    ],
    audio: Annotated[
        Path | None,
        typer.Option("--audio", metavar="FILE", help="Write what was heard as a 32-bit float WAV file."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a file that exists.")] = False,
    trust: Trust = False,
    as_json: Json = False,
) -> None:
    """Render a rejected candidate again, and see whether the same happens.

    What its engine prints goes to the error stream. The dataset stays as it is.
    Exits with 0 if the candidate is rejected for the same reason, and with 1 if not.
    """
    from tonesmith.dataset.opening import open_dataset
    from tonesmith.run.reproduce import reproduce as reproduced

    if audio is not None:
        _check_file(audio, force=force)
    opened = open_dataset(dataset)
    found = reproduced(opened, dataset, reject, Host.load(), again=_say_again, trust=trust)
    written = _write(audio, found, opened.plan.audio.sample_rate)
    if as_json:
        echo(json_text(_as_json(dataset, reject, found, audio if written else None)))
    else:
        echo("\n".join(_lines(dataset, reject, found)))
        if audio is not None:
            echo(f"{audio}  {size(written)}" if written else f"{audio} was not written: nothing was heard")
    if not found.same:
        raise typer.Exit(1)


def _say_again(why: str) -> None:
    say(f"played again: {one_line(why, _LONGEST)}")


def _check_file(path: Path, *, force: bool) -> None:
    if path.suffix.lower() != ".wav":
        raise ConfigError(f"--audio: {path} must end in .wav, the format that is written.")
    if path.exists() and not force:
        raise ConfigError(f"--audio: {path} exists. Name another file, or overwrite it with --force.")
    if not path.absolute().parent.is_dir():
        raise ConfigError(f"--audio: the folder of {path} does not exist.")


def _write(path: Path | None, found: Reproduced, sample_rate: int) -> int:
    """Write what was heard, if anything was and a file is named, and return its bytes."""
    from tonesmith.dataset.wav import wav_of

    if path is None or not found.audio.shape[1]:
        return 0
    try:
        return path.write_bytes(wav_of(found.audio, sample_rate))
    except OSError as error:
        raise ConfigError(f"--audio: cannot write {path}: {error.strerror}") from None


def _lines(path: Path, number: int, found: Reproduced) -> Iterator[str]:
    stored = found.stored
    yield f"{path}, reject {number}: patch {stored.patch}, attempt {stored.attempt}"
    yield f"  then      {told(stored)}"
    yield f"  now       {told(found.found) if found.found else 'accepted'}"
    if found.label in _LABELS:
        yield f"  {_LABELS[found.label]}"
    yield "  The same happened again." if found.same else "  It did not happen again."


def told(rejection: Rejection) -> str:
    """Return by whom a candidate was rejected, why, at which note, and the details, on one line."""
    from tonesmith.terminal.text import joined

    figures = [f"{name} {value:.4g}" for name, value in rejection.measured.items()]
    details = [rejection.detail, joined(figures)]
    note = f" at pitch {rejection.pitch}" if rejection.pitch >= 0 else ""
    more = "; ".join(filter(None, details))
    return one_line(f"{rejection.cause}{note}" + (f" ({more})" if more else ""), _LONGEST)


def _as_json(path: Path, number: int, found: Reproduced, audio: Path | None) -> dict[str, Any]:
    return {
        "path": str(path),
        "reject": number,
        "stored": found.stored.to_json(),
        "found": found.found.to_json() if found.found else None,
        "label": found.label,
        "same": found.same,
        "audio": str(audio) if audio else None,
    }
