"""The folder that an app works in: its models, the sounds made with them, and nothing outside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tonesmith.errors import ConfigError, unknown_name
from tonesmith.explorer import calls, stored
from tonesmith.explorer.comparing import Pair
from tonesmith.explorer.export.tags import recipe_text
from tonesmith.explorer.model_library import Library, checked_name
from tonesmith.explorer.presets import presets_of, recalled, save_preset
from tonesmith.explorer.recipe import Recipe, recipe_from
from tonesmith.explorer.shown import lines_of

if TYPE_CHECKING:
    from tonesmith.explorer.description import Description
    from tonesmith.terminal.progress import Progress

MADE = "made"
"""Folder of the sounds, in that of the models."""
_MOST_OPEN = 2


@dataclass(frozen=True, slots=True)
class Wanted:
    """A sound that is wanted.

    Attributes:
        source: a sound of the model, or an audio file; "" to wander through all sounds.
        sliders: values by name: of the model, in steps, and of time and space.
        seconds: of the sound.
        density: events per second; 0 for one flow.
        seed: of all that is drawn.
        channels: "mono", "stereo" or "binaural"; "" for those of the model.
        suffix: of the file.
    """

    source: str = ""
    sliders: Mapping[str, float] | None = None
    seconds: float = 10.0
    density: float = 0.0
    seed: int = 0
    channels: str = ""
    suffix: str = ".flac"


class Workshop:
    """Models and sounds in one folder.

    Args:
        root: the folder, which is made if it is not there.

    Raises :class:`ConfigError` if it cannot be made.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        try:
            (self.root / MADE).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"--library: cannot make {root}: {error.strerror}.") from None
        self.shelf = Library(self.root)
        self._open: dict[str, calls.Model] = {}

    def models(self) -> list[str]:
        """Return the names of the models, in their order."""
        return self.shelf.names()

    def about(self, name: str) -> Description:
        """Return what is said of a model."""
        return stored.read_description(self.shelf.place(name))

    def lines(self, name: str) -> str:
        """Return what ``tonesmith explore show`` prints of a model."""
        return "\n".join(lines_of(self.about(name), self.shelf.place(name)))

    def fit(
        self,
        name: str,
        sounds: Sequence[str],
        *,
        rows: int = 0,
        force: bool = False,
        told: Callable[[str], None] = lambda _: None,
        progress: Progress | None = None,
    ) -> str:
        """Fit a model to audio files, folders and datasets, and return what is said of it.

        Args:
            name: of the model.
            sounds: paths.
            rows: of each dataset at most; 0 for all.
            force: whether a model of that name is replaced.
            told: is called with a sentence about each file that is left out, and each doubt.
            progress: counts the sounds.

        Raises :class:`ConfigError` for a name that is none, no sounds, and a model of that name unless ``force``.
        """
        if checked_name(name) == MADE:
            raise ConfigError(f"{MADE!r} is the folder of the sounds. Name the model otherwise.")
        if not sounds:
            raise ConfigError("Choose the audio files that it is fitted to, or name a folder or a dataset.")
        calls.fit(self.root / name, sounds, rows=rows or None, force=force, told=told, progress=progress)
        self._open.pop(name, None)
        return self.lines(name)

    def make(self, name: str, wanted: Wanted, *, progress: Progress | None = None) -> calls.Made:
        """Make a sound with a model, in a file of its own."""
        return calls.make(
            self._opened(name),
            self._free(name, wanted.suffix),
            sources=[wanted.source] if wanted.source else [],
            sliders=wanted.sliders,
            seconds=wanted.seconds,
            density=wanted.density or None,
            seed=wanted.seed,
            channels=wanted.channels or None,
            progress=progress,
        )

    def presets(self, name: str) -> list[str]:
        """Return the names of the presets of a model."""
        return sorted(presets_of(self._opened(name)))

    def save_preset(self, name: str, preset: str, sound: str) -> None:
        """Keep what made a sound as a preset of a model. Raises :class:`ConfigError` for a name that is taken."""
        path = self.sound(sound)
        save_preset(self._opened(name), preset.strip(), recipe_from(recipe_text(path), path.name))

    def preset(self, name: str, preset: str, told: Callable[[str], None]) -> Recipe:
        """Return what a preset says, as the model has it now. Raises :class:`ConfigError` if there is none."""
        return recalled(self._opened(name), preset, told).recipe

    def made(self) -> list[str]:
        """Return the names of the sounds, the latest first."""
        files = [path for path in (self.root / MADE).iterdir() if path.is_file() and not path.name.startswith(".")]
        return [
            path.name for path in sorted(files, key=lambda path: (path.stat().st_mtime_ns, path.name), reverse=True)
        ]

    def sound(self, name: str) -> Path:
        """Return the file of a sound. Raises :class:`ConfigError` if there is none."""
        if name not in self.made():
            raise ConfigError(unknown_name("sound", name, self.made(), 6))
        return self.root / MADE / name

    def compare(self, first: str, second: str) -> Pair:
        """Return two sounds at the same loudness, and what sets them apart."""
        return Pair(self.sound(first), self.sound(second))

    def tags(self, name: str) -> tuple[str, ...]:
        """Return the tags of a model."""
        return self.shelf.tag(name)

    def set_tags(self, name: str, told: str) -> tuple[str, ...]:
        """Give a model those tags, which commas part, and take all others from it."""
        wanted = [tag.strip() for tag in told.split(",") if tag.strip()]
        return self.shelf.tag(name, wanted, set(self.tags(name)) - set(wanted))

    def _opened(self, name: str) -> calls.Model:
        place = self.shelf.place(name)
        found = self._open.pop(name, None)
        if found is None or found.sha256 != stored.read_description(place).weights:
            found = calls.open_model(place)
        self._open[name] = found
        while len(self._open) > _MOST_OPEN:
            self._open.pop(next(iter(self._open)))
        return found

    def _free(self, name: str, suffix: str) -> Path:
        number = 1
        while (place := self.root / MADE / f"{name}-{number:03}{suffix}").exists():
            number += 1
        return place
