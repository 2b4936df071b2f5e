"""Matching a sound: which patch of a dataset's synth makes it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

from tonesmith.analysis.matching.distance import Distance
from tonesmith.analysis.matching.neighbours import Pool, nearest_rows
from tonesmith.analysis.matching.pitch import Pitch, pitch_of
from tonesmith.analysis.matching.remarks import remarks_of
from tonesmith.analysis.matching.results import Match, Nearest
from tonesmith.analysis.matching.search import search
from tonesmith.analysis.matching.starts import played_starts, stored_starts
from tonesmith.analysis.matching.trials import Budget, Heard, Listening, Trials
from tonesmith.analysis.matching.wanted import Settings, Wanted
from tonesmith.analysis.metrics import sound_of
from tonesmith.dataset.notes import changed_note, first_note
from tonesmith.dataset.player import Player
from tonesmith.dataset.reader import Dataset
from tonesmith.engine.machine import cores
from tonesmith.errors import ConfigError, check_libraries
from tonesmith.host.registry import Host
from tonesmith.space.patch import Note


class _Silent:
    def begin(self, total: int) -> None: ...

    def advance(self, count: int) -> None: ...

    def tell(self, text: str) -> None: ...


def match(
    wanted: Wanted,
    dataset: Dataset,
    settings: Settings | None = None,
    *,
    workers: int = 0,
    trust: bool = False,
    progress: Listening | None = None,
    told: Callable[[str], object] = str,
    stopped: Callable[[], bool] = lambda: False,
) -> Match:
    """Return the patch of a dataset's synth that comes nearest to a sound, and how near it comes.

    The same arguments give the same patch with any number of workers, unless time ran out, or somebody wanted an end.

    Args:
        wanted: the sound.
        dataset: whose synth plays, whose rows the search starts from, and in whose space it looks.
        settings: how to match.
        workers: engines, each in a process of its own; 0 for one a core.
        trust: whether to load what the dataset's plan names though this user has not used it.
        progress: told how many renders there are at most, of each that is done, and of the best.
        told: called with a sentence for each thing that was guessed or changed, before the search begins.
        stopped: returns whether somebody wants an end; what is best by then is returned.

    Raises:
        ConfigError: the dataset has no rows to start from, the note cannot be played, or cmaes is not installed.
        TrustError: the dataset's plan names a plugin that this user does not know.
        EngineError: no engine can be loaded, or none of the nearest rows can be rendered.
    """
    check_libraries("tonesmith match", ["cmaes"], "match")
    settings, progress, host = settings or Settings(), progress or _Silent(), Host.load()
    rate, engines, plan = dataset.plan.audio.sample_rate, workers or cores(), dataset.plan
    changed_note(plan, first_note(plan), settings.pitch, settings.velocity, settings.hold)  # a wrong one is told now
    with closing(Player(dataset, engines, trust=trust, host=host)) as player:
        heard = pitch_of(wanted.sound.audio, rate)
        pool = _pool(wanted, dataset, settings, heard, stopped)
        note = _note(wanted, dataset, settings, heard, pool)
        for remark in remarks_of(wanted, plan, settings, heard, note):
            told(remark)
        progress.begin(settings.renders)
        distance = Distance(sound_of(wanted.sound.audio, rate), settings.level)
        stored = stored_starts(dataset, pool, note, distance, engines, stopped)
        budget = Budget(settings.renders, settings.seconds)
        trials = Trials(dataset.space, player, note, distance, budget, engines, stopped, progress)
        played = played_starts(trials, dataset, pool, stored)
        nearest, again = Nearest(played[0][0], _best(trials)), {row for row, _ in played}
        others = [trial for row, trial in stored if row not in again]
        search(dataset.space, trials, [trial for _, trial in played], others, settings.seed)
    return Match(dataset, wanted, settings, heard, note, pool, nearest, trials, host)


def _pool(
    wanted: Wanted, dataset: Dataset, settings: Settings, heard: Pitch | None, stopped: Callable[[], bool]
) -> Pool:
    """Return the rows that sound most like what is wanted."""

    def listened(_: int) -> None:
        if stopped():
            raise KeyboardInterrupt

    if not len(dataset):
        raise ConfigError("the dataset has no rows yet, so there is nothing to start from.")
    pitch = settings.pitch if settings.pitch is not None else wanted.note.pitch if wanted.note else None
    if pitch is None and heard is not None and heard.is_sure:
        pitch = heard.midi
    pool = nearest_rows(dataset, wanted.sound.audio, pitch, settings.pool, settings.seed, wanted.left_out, listened)
    if not len(pool.rows):
        raise ConfigError("the dataset has no row of another patch, so there is nothing to start from.")
    return pool


def _note(wanted: Wanted, dataset: Dataset, settings: Settings, heard: Pitch | None, pool: Pool) -> Note:
    """Return the note that plays every candidate."""
    note = wanted.note
    if note is None:
        sure = heard is not None and heard.is_sure
        pitch = heard.midi if heard is not None and sure else dataset[int(pool.rows[0])].note.pitch
        note = changed_note(dataset.plan, first_note(dataset.plan), pitch)
    return changed_note(dataset.plan, note, settings.pitch, settings.velocity, settings.hold)


def _best(trials: Trials) -> Heard:
    assert trials.best is not None
    return trials.best
