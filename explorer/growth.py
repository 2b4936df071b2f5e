"""A model grows: it is fitted again on what it remembers and on new sounds, and stays turned as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tonesmith.errors import ConfigError
from tonesmith.explorer import stored, versions
from tonesmith.explorer.aligned import Growth, moved_between
from tonesmith.explorer.atlas import Atlas, MadeBy
from tonesmith.explorer.calls import Model, Place, open_model
from tonesmith.explorer.controls import Labels, merged, other_ranges
from tonesmith.explorer.export.tags import recipe_text
from tonesmith.explorer.fitting import Corpus, fit_sounds
from tonesmith.explorer.material import Material, Remembered, remembered, weighted
from tonesmith.explorer.moves import ends
from tonesmith.explorer.recipe import Recipe, recipe_from
from tonesmith.explorer.rows import Chosen, Source, chosen_of, digest_of_source, sources_of
from tonesmith.explorer.sounds import digest_of, read_sound
from tonesmith.explorer.trial import Asked, asked_of
from tonesmith.explorer.weights import HALF, weight_of_made
from tonesmith.host.roles import Grows
from tonesmith.terminal.progress import Progress
from tonesmith.terminal.text import counted

MOST_FED = 64
"""Files that are fed at once."""


@dataclass(frozen=True, eq=False, slots=True)
class Grown:
    """A model that grew.

    Attributes:
        model: as it is now.
        version: its number.
        parent: the version that it grew from.
        added: names of the new sounds.
        growth: what moved.
    """

    model: Model
    version: int
    parent: int
    added: tuple[str, ...]
    growth: Growth


def add(
    path: Place,
    sounds: Iterable[Place],
    *,
    rows: int | None = None,
    split: str = "",
    options: Mapping[str, object] | None = None,
    told: Callable[[str], None] = lambda _: None,
    progress: Progress | None = None,
) -> Grown:
    """Fit a model again with more sounds, and store it as its next version, which is used from now on.

    Its axes are turned to those that it had, so that sliders and presets mean what they meant. The sounds that it
    has are taken from its memory, or from their files if those are among ``sounds``. A model other than the atlas is
    judged again beside one, and goes on from what it learned if it is still better.

    Args:
        path: of the model.
        sounds: audio files, folders with audio files in them or below, and datasets.
        rows: of each dataset at most, drawn at random but the same each time; all without.
        split: of the datasets that is used; all without.
        options: of a model other than the atlas, by name, where they are not those that it was fitted with.
        told: is called with a sentence about each file that is left out, and each doubt.
        progress: counts the sounds.

    Raises :class:`ConfigError` if there is nothing new that can be used, for a model of a plugin that cannot grow, and
    what :func:`open_model` raises.
    """
    parent, old = _used(Path(path))
    with _asked(old, options or {}, Path(path)) as asked:
        corpus, labels = _with_new(old, Path(path), sounds, chosen_of(rows, split), told)
        return _stored(old, parent, corpus, "add", told, progress, asked, labels)


@contextmanager
def _asked(old: Model, options: Mapping[str, object], path: Path) -> Iterator[Asked | None]:
    """Yield what is asked for when a model grows: what it is, with its own options unless there are others."""
    coded = old.atlas.coded
    if coded is not None and not isinstance(coded.model, Grows):
        kind = old.atlas.kind
        raise ConfigError(
            f"{path} is a model of the plugin {kind}, which cannot grow. Fit another with all sounds: "
            f"tonesmith explore fit MODEL SOUNDS --model {kind}"
        )
    own = {} if coded is None else coded.model.options.model_dump(mode="json")
    earlier = None if coded is None else coded.model
    with asked_of(old.atlas.kind, {**own, **options}, path, earlier) as asked:
        yield asked


def _with_new(
    old: Model, path: Path, sounds: Iterable[Place], rows: Chosen | None, told: Callable[[str], None]
) -> tuple[Growing, Labels]:
    """Return the sounds of a model with new ones, and the labels of those that are rows of datasets."""
    own = {sound.sha256: sound for sound in old.atlas.sounds}
    sources, labels = sources_of(map(Path, sounds), rows, told)
    chosen, files = list[tuple[Source, str]](), [(source, digest_of_source(source)) for source in sources]
    for file, digest in files:
        if isinstance(file, Path) and digest not in own and _recipe_or_none(file):
            told(f"left out: {file} was made by tonesmith explore. Feed it: tonesmith explore feed {path} {file}")
        elif digest not in own or own[digest].made_by is None:
            chosen.append((file, digest))
    if all(digest in own for _, digest in chosen):
        raise ConfigError(
            f"no new sound: of {counted(len(files), 'file')}, all that can be used are in {path} already."
        )
    again = {digest for _, digest in chosen}
    kept = [sound for sound in remembered(old.atlas) if sound.sound.sha256 not in again]
    _tell_memory(kept, told)
    return Growing(kept, Corpus([file for file, _ in chosen], told), {}), labels


def feed(
    path: Place,
    files: Iterable[Place],
    *,
    told: Callable[[str], None] = lambda _: None,
    progress: Progress | None = None,
) -> Grown:
    """Put sounds that a model made back into a model, and store it as its next version, which is used from now on.

    They are marked with what made them, are never held out, and count half as much as sounds of one's own: less if
    they would have more than a fifth of the weight together. A model other than the atlas does not learn from them: it
    stays as it is, and remembers them.

    Args:
        path: of the model.
        files: with recipes in their tags, at most 64.
        told: is called with a sentence about each file that is left out.
        progress: counts the sounds.

    Raises :class:`ConfigError` if a file has no recipe, or none is new, and what :func:`open_model` raises.
    """
    given = list(map(Path, files))
    if len(given) > MOST_FED:
        raise ConfigError(f"expected at most {MOST_FED} files at once, not {len(given):,}.")
    parent, old = _used(Path(path))
    own = {sound.sha256 for sound in old.atlas.sounds}
    made: dict[str, MadeBy] = {}
    new: list[Path] = []
    for file in given:
        made_by = _made_by(recipe_from(recipe_text(file), str(file)))
        read_sound(file)
        digest = digest_of(file)
        if digest in own:
            told(f"left out: {file} is in {path} already.")
            continue
        made[digest] = made_by
        new.append(file)
    if not new:
        raise ConfigError(f"no new sound: {path} has all of these files already.")
    kept = remembered(old.atlas)
    _tell_memory(kept, told)
    return _stored(old, parent, Growing(kept, Corpus(new, told), made), "feed", told, progress)


class Growing:
    """Sounds that a model remembers, and new ones.

    Args:
        kept: those that are remembered.
        corpus: the others.
        made: those of them that a model made, by the SHA-256 of their files.
    """

    def __init__(self, kept: Sequence[Remembered], corpus: Corpus, made: Mapping[str, MadeBy]) -> None:
        self._kept, self._corpus, self._made = kept, corpus, made
        self._weight = HALF
        if made or any(one.sound.made_by for one in kept):
            self._weight = weight_of_made([one.sound for one in self._all()])

    def __len__(self) -> int:
        return len(self._kept) + len(self._corpus)

    def read(self) -> Iterator[Material]:
        """Yield the remembered sounds, and then the new ones."""
        for one in self._all():
            yield weighted(one, self._weight) if one.sound.made_by else one

    def _all(self) -> Iterator[Material]:
        yield from self._kept
        for one in self._corpus.read():
            made_by = self._made.get(one.sound.sha256)
            yield one if made_by is None else weighted(one, one.sound.weight, made_by)


def _made_by(recipe: Recipe) -> MadeBy:
    steps = {name: ends(amount)[1] for name, amount in recipe.sliders.items()}
    return MadeBy(recipe.model.name, recipe.model.sha256, recipe.seed, steps)


def _recipe_or_none(file: Path) -> Recipe | None:
    try:
        return recipe_from(recipe_text(file), str(file))
    except ConfigError:
        return None


def _tell_memory(kept: Sequence[Remembered], told: Callable[[str], None]) -> None:
    """Tell how much of the sounds is remembered as it was, if it is not all."""
    frames, exact = sum(one.sound.frames for one in kept), sum(len(one.exact) for one in kept)
    if exact < frames:
        share = f"{exact:,} of {frames:,} frames of its sounds are remembered as they were"
        told(f"{share}, the others from the nearest. Name the folder of those sounds, too, to read them again.")


def _used(path: Path) -> tuple[int, Model]:
    """Return the version of a model that is used, and it."""
    stored.check_model(path)
    stored.check_writable(path)
    number = versions.chosen_of(path)
    return number, open_model(path, number)


def _stored(
    old: Model,
    parent: int,
    corpus: Growing,
    by: str,
    told: Callable[[str], None],
    progress: Progress | None,
    asked: Asked | None = None,
    labels: Labels | None = None,
) -> Grown:
    path = old.path or Path(old.name)
    labels, other = merged([part for part in (old.atlas.labels, labels) if part is not None])
    if other:
        told(other_ranges(other))
    atlas = fit_sounds(corpus, told=told, progress=progress, earlier=old.atlas, asked=asked, labels=labels)
    added = _added(old.atlas, atlas)
    if not added:
        raise ConfigError(f"no new sound can be used, so that {path} stays as it is.")
    growth = moved_between(old.atlas, atlas)
    story: dict[str, Any] = {"by": by, "parent": parent, "sounds": added, "moved": asdict(growth)}
    digest, number = stored.save_version(atlas, path, story)
    return Grown(Model(atlas, old.name, digest, path), number, parent, tuple(added), growth)


def _added(old: Atlas, new: Atlas) -> list[str]:
    before = {sound.sha256 for sound in old.sounds}
    return [sound.name for sound in new.sounds if sound.sha256 not in before]
