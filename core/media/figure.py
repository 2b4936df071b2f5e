"""Figures of matplotlib: their style, and files that are the same of the same data.

It is an extra, imported where it is used, without ``pyplot`` and its global state.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tonesmith.errors import ConfigError, unknown_name

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8C8C8C")
"""Source: Okabe & Ito 2008, "Color Universal Design"; its yellow, faint on white, is a grey here."""
_METADATA: dict[str, dict[str, Any]] = {
    ".png": {"Software": None},
    ".svg": {"Date": None},
    ".pdf": {"CreationDate": None},
}
_STYLE = {
    "svg.hashsalt": "tonesmith",
    "text.parse_math": False,
    "font.size": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "savefig.dpi": 150.0,
}


def shortened(text: str, letters: int = 40) -> str:
    """Return a text on one line that can be printed, its middle left out where it is too long."""
    plain = "".join(c if c.isprintable() else "?" for c in text)
    return plain if len(plain) <= letters else f"{plain[: letters // 2 - 1]}…{plain[-(letters - letters // 2) :]}"


def check_picture(path: Path, datasets: Sequence[Path] = ()) -> None:
    """Raise :class:`ConfigError` unless a picture may be written to a path: matplotlib is there, and it draws that."""
    if path.suffix.lower() not in _METADATA:
        raise ConfigError(f"{path}: {unknown_name('kind of picture', path.suffix or path.name, _METADATA)}")
    place = path.resolve()
    for dataset in datasets:
        if place.is_relative_to(dataset.resolve()):
            raise ConfigError(f"{path} is inside the dataset {dataset}. Choose another place")
    if path.is_dir() or not place.parent.is_dir():
        raise ConfigError(f"cannot write {path}: it is a folder, or its folder does not exist")
    _require_matplotlib()


def write_picture(figure: Figure, path: Path) -> int:
    """Write a picture in the format of its suffix, and return its bytes: of the same data, the same on one machine.

    Raises :class:`ConfigError` if it cannot be written.
    """
    suffix = path.suffix.lower()
    content = io.BytesIO()
    with styled(), warnings.catch_warnings():
        # A name may have letters that the font does not
        warnings.filterwarnings("ignore", message="Glyph", category=UserWarning)
        figure.savefig(content, format=suffix[1:], metadata=_METADATA[suffix])
    try:
        return path.write_bytes(content.getvalue())
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror}") from None


def _require_matplotlib() -> None:
    try:
        import matplotlib.style  # noqa: F401
    except ImportError as error:
        told = f"pictures need matplotlib, which cannot be used here ({error})."
        raise ConfigError(f'{told} Install it: pip install "tonesmith[plot]"') from error


def styled() -> Any:
    """Return a context in which figures look as they should, whatever the user's own settings are."""
    _require_matplotlib()
    from matplotlib import style

    return style.context(["default", _STYLE])
