"""Scores played less exactly."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from pydantic import Field

from tonesmith.host.hookspecs import hookimpl
from tonesmith.host.roles import Augmenter, Options, Parameters, Relabelled, Unsuited

if TYPE_CHECKING:
    from tonesmith.host.roles.annotation import Said
    from tonesmith.score.draws import Draws
    from tonesmith.score.score import Score

_FINE: Final = 960
"""Ticks per beat that onsets are moved in, at least: half a millisecond at 120 beats per minute."""
_FAR: Final = 3.0
"""Standard deviations beyond which no onset moves."""


class JitterOptions(Options):
    """Options of :class:`Jitter`."""

    ms: float = Field(default=5.0, gt=0.0, le=200.0, description="Standard deviation of onsets, in milliseconds.")


class Jitter(Augmenter[JitterOptions]):
    """Moves every onset by a time about normal, cut off at three standard deviations.

    Notes that begin together go on doing so, none passes another, and each is as long as before unless the next one of
    its pitch begins before its end.
    """

    name = "jitter"
    summary = "scores with onsets moved by some milliseconds"
    Options = JitterOptions
    takes = "score"

    def draw(self, music: Score, draws: Draws) -> Parameters | Unsuited:
        """Return the standard deviation and a key."""
        return {"ms": self.options.ms, "key": draws.key("key")} if len(music) else Unsuited("has no notes")

    def apply(self, music: Score, parameters: Parameters) -> Score:
        """Return the score with its onsets moved, in finer ticks where they were coarse."""
        from dataclasses import replace

        import numpy as np

        from tonesmith.score.draws import bells
        from tonesmith.score.finer import finer

        score = finer(music, _FINE)
        notes = score.notes.copy()
        onsets, place = np.unique(notes["onset"], return_inverse=True)
        far = np.clip(bells(int(parameters["key"]), len(onsets)), -_FAR, _FAR) * float(parameters["ms"])
        passed = score.tempos.passed(onsets) + np.round(far * 1e3 * score.resolution).astype(np.int64)
        moved = np.maximum.accumulate(score.tempos.reached(np.maximum(passed, 0)))
        ends = notes["onset"] + notes["duration"]
        notes["onset"] = moved[place]
        notes["duration"] = _until(score, ends, notes["onset"], notes["onset"] + notes["duration"]) - notes["onset"]
        return replace(score, notes=notes)

    def relabel(self, labels: Mapping[str, Said], parameters: Parameters) -> dict[str, Relabelled]:
        """Return what is only inherited: swing, offset, groove and quality."""
        from tonesmith.augmenters._labels import inherited

        return inherited("jitter", labels, float(parameters["ms"]))


def _until(score: Score, before: Any, onsets: Any, ends: Any) -> Any:
    """Return int64 (notes,): the ends, but none after the next onset of its pitch that it did not reach before.

    Args:
        score: before its onsets were moved.
        before: the ends that its notes had.
        onsets: that they have now.
        ends: likewise.
    """
    import numpy as np

    notes, ends = score.notes, ends.copy()
    order = np.lexsort((notes["onset"], notes["pitch"], notes["part"]))
    first, second = order[:-1], order[1:]
    same = (notes["part"][first] == notes["part"][second]) & (notes["pitch"][first] == notes["pitch"][second])
    apart = same & (before[first] <= notes["onset"][second])
    ends[first[apart]] = np.minimum(ends[first[apart]], onsets[second[apart]])
    return ends


@hookimpl
def tonesmith_augmenters() -> Iterable[type[Augmenter[Any]]]:
    """Return the augmenter of this module."""
    return [Jitter]
