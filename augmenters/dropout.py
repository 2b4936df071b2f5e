"""Scores with some notes left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import Field

from tonesmith.host.hookspecs import hookimpl
from tonesmith.host.roles import Augmenter, Options, Parameters, Relabelled, Unsuited

if TYPE_CHECKING:
    from tonesmith.host.roles.annotation import Said
    from tonesmith.score.draws import Draws
    from tonesmith.score.score import Score


class DropoutOptions(Options):
    """Options of :class:`Dropout`."""

    share: float = Field(default=0.02, gt=0.0, le=0.5, description="Share of the notes that are left out.")


class Dropout(Augmenter[DropoutOptions]):
    """Leaves notes out, each as likely. Of notes that begin together in a part, one stays."""

    name = "dropout"
    summary = "scores with some notes left out"
    Options = DropoutOptions
    takes = "score"

    def draw(self, music: Score, draws: Draws) -> Parameters | Unsuited:
        """Return the share and a key."""
        if len(music) < 2:
            return Unsuited("has too few notes to leave one out")
        return {"share": self.options.share, "key": draws.key("key")}

    def apply(self, music: Score, parameters: Parameters) -> Score:
        """Return the score without some of its notes."""
        from dataclasses import replace

        import numpy as np

        from tonesmith.space.sampling import uniform

        notes = music.notes
        units = uniform(int(parameters["key"]), "dropout", 0, 0, len(notes))
        starts = np.flatnonzero(np.append(True, _steps(notes)))
        sizes = np.diff(np.append(starts, len(notes)))
        stays = units >= float(parameters["share"])
        lost = (np.add.reduceat(stays, starts) == 0) & (sizes > 1)
        stays[starts[lost]] = True
        if not stays.any():
            stays[0] = True
        return replace(music, notes=notes[stays])

    def relabel(self, labels: Mapping[str, Said], parameters: Parameters) -> dict[str, Relabelled]:
        """Return what is only inherited: chords, groove, contour, articulation and quality."""
        from tonesmith.augmenters._labels import inherited

        return inherited("dropout", labels, float(parameters["share"]))


def _steps(notes: Any) -> Any:
    """Return bool (notes - 1,): whether a note begins at another time, or in another part, than the one before it."""
    return (notes["onset"][1:] != notes["onset"][:-1]) | (notes["part"][1:] != notes["part"][:-1])


@hookimpl
def tonesmith_augmenters() -> Iterable[type[Augmenter[Any]]]:
    """Return the augmenter of this module."""
    return [Dropout]
