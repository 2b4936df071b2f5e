"""The scores that play the patches of a plan: chosen when it is made, and found again where its rows are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache
from typing import Any

from tonesmith.errors import ConfigError
from tonesmith.host.config import Chosen, PhraseSettings
from tonesmith.host.playing import check_plays
from tonesmith.host.registry import Host
from tonesmith.host.roles import Backend, Composed, Composer
from tonesmith.plan.phrases import Phrases, RowPhrase, ScoreRef
from tonesmith.plan.plan import Plan
from tonesmith.presets.asset_store import AssetStore
from tonesmith.score.phrase import Phrase
from tonesmith.score.stored import score_from
from tonesmith.terminal.messages import say
from tonesmith.terminal.text import counted

_LOOKED_AT = 256
"""Scores of a composer from which the columns get their length. Of a longer one later, the asset still has all."""
_SHOWN = 12
"""Remarks of a composer that are said."""
_KEPT = 256
"""Scores of a list that a worker keeps at hand."""


def planned_phrases(
    chosen: Chosen, settings: PhraseSettings, seed: int, backend: type[Backend[Any]], host: Host, store: AssetStore
) -> Phrases:
    """Return how the scores of a composer play each patch. Those of a list are put into the store.

    Args:
        chosen: the composer.
        settings: of the table ``[phrases]``.
        seed: of the plan.
        backend: that plays them.
        host: finds the composer.
        store: gets the scores of a list.

    Raises :class:`ConfigError` for what cannot be played as asked.
    """
    cls = host.find("composer", chosen.name)
    options = cls.Options.model_validate(chosen.options)
    composer = cls(options, seed, settings.seconds)
    found = composer.collected()
    _tell(cls.name, composer.remarks())
    scores = _looked_at(composer, found)
    for number, one in enumerate(scores):
        phrase = Phrase(one.score, settings.seconds, settings.tail)
        check_plays(backend, phrase, one.source or f"score {number} of the composer {cls.name}")
    if found is None and not settings.per_patch:
        raise ConfigError(
            f"phrases.per_patch: the composer {cls.name!r} has no end. Say how many phrases play each patch."
        )
    _tell_cut(scores, settings.seconds, cls.name)
    kept = tuple(ScoreRef(store.add(one.score.content), one.source, dict(one.annotations)) for one in found or ())
    return Phrases(
        composer=cls.name,
        options=cls.recorded(options),
        seconds=settings.seconds,
        tail=settings.tail,
        per_patch=settings.per_patch or len(kept),
        max_notes=settings.max_notes or max((len(one.score) for one in scores), default=0),
        max_controls=settings.max_controls or max((len(one.score.controls) for one in scores), default=0),
        joined="engine" if backend.plays == "scores" else "sum",
        fields=tuple(composer.fields()),
        scores=kept,
    )


def _looked_at(composer: Composer[Any], found: Sequence[Composed] | None) -> Sequence[Composed]:
    if found is None:
        return [composer.compose(index) for index in range(_LOOKED_AT)]
    if not found:
        raise ConfigError(f"the composer {composer.name!r} has no score to play.")
    return found


def _tell(name: str, remarks: Sequence[str]) -> None:
    for remark in remarks[:_SHOWN]:
        say(f"{name}: {remark}")
    if len(remarks) > _SHOWN:
        say(f"{name}: and {len(remarks) - _SHOWN:,} more.")


def _tell_cut(scores: Sequence[Composed], seconds: float, name: str) -> None:
    if cut := sum(one.score.duration > seconds + 1e-9 for one in scores):
        of = counted(len(scores), "score")
        say(f"{name}: {cut:,} of {of} last longer than {seconds:g} s, and what comes later is not played.")


class Phrasebook:
    """Finds what plays a patch of a plan of scores.

    Args:
        plan: that has phrases.
        host: finds the composer, of a plan without a list.
        asset: returns the content of an asset by its SHA-256.
    """

    def __init__(self, plan: Plan, host: Host, asset: Callable[[str], bytes]) -> None:
        assert plan.phrases is not None
        self._phrases, self._seed, self._host = plan.phrases, plan.seed, host
        self._score = lru_cache(maxsize=_KEPT)(lambda sha256: score_from(asset(sha256)))

    @cached_property
    def _composer(self) -> Composer[Any]:
        cls = self._host.find("composer", self._phrases.composer)
        options = cls.Options.model_validate(self._phrases.options)
        return cls(options, self._seed, self._phrases.seconds)

    def of_patch(self, patch: int) -> list[RowPhrase]:
        """Return what plays a patch: a phrase for each of its rows.

        Raises :class:`ScoreError` for an asset that is no score.
        """
        return [self._played(index) for index in self._phrases.indices(self._seed, patch)]

    def _played(self, index: int) -> RowPhrase:
        phrases = self._phrases
        if phrases.scores:
            listed = phrases.scores[index]
            return RowPhrase(phrases.phrase(self._score(listed.sha256)), index, listed.annotations)
        composed = self._composer.compose(index)
        return RowPhrase(phrases.phrase(composed.score), index, composed.annotations)
