"""The plan of a corpus that is opened as a dataset: no synth, no patches, but items."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tonesmith.corpus.rows.form import Form
from tonesmith.corpus.rows.labels import fields_of
from tonesmith.corpus.rows.truth import ORIGINAL, Known
from tonesmith.plan.items import Items
from tonesmith.plan.notes import Notes
from tonesmith.plan.phrases import Phrases
from tonesmith.plan.plan import Plan, PluginRef
from tonesmith.space.space import ParameterSpace

CORPUS: Final = "corpus"
"""What stands in a plan for the synth, the sampler and the sink."""
_BLOCK_BYTES: Final = 16 << 20
_BLOCK_ROWS: Final = 256
_MOST_NOTES: Final = 4096
_NOTES_A_SECOND: Final = 64
"""Notes that the columns of a window have room for; the asset holds all."""
_MOST_CONTROLS: Final = 512


def plan_of(known: Known, form: Form, rows: int, lengths: Mapping[str, int]) -> Plan:
    """Return the plan of a corpus in a form.

    Args:
        known: the corpus.
        form: of its rows.
        rows: that it has.
        lengths: name of a text of items -> bytes that its column has.
    """
    audio = form.audio
    nbytes = max(1, 4 * audio.channels * audio.frames)
    items = Items(
        known.name,
        known.profile_name,
        known.truth,
        form.window,
        form.hop,
        dict(lengths),
        fields_of(known),
        known.profile.classes,
    )
    return Plan(
        seed=0,
        rounds=(rows,),
        block=max(1, min(_BLOCK_ROWS, _BLOCK_BYTES // nbytes)),
        max_attempts=1,
        timeout=1.0,
        audio=audio,
        notes=Notes(pitches=(60,), hold=1.0, tail=0.0),
        backend=PluginRef(CORPUS),
        isolation="fresh",
        determinism="exact",
        space=ParameterSpace(()),
        sampler=PluginRef(CORPUS),
        origins=origins_of(known),
        validators=(),
        measures=(),
        sink=PluginRef(CORPUS),
        versions={},
        phrases=_phrases(known, form),
        items=items,
    )


def origins_of(known: Known) -> tuple[str, ...]:
    """Return what made the items: nothing, and the operations of their recipes."""
    return (ORIGINAL, *sorted({item.operation for item in known.items} - {"", ORIGINAL}))


def _phrases(known: Known, form: Form) -> Phrases | None:
    notes = [item.score.notes for item in known.items if item.score is not None]
    if not notes:
        return None
    room = min(max(notes), round(form.window * _NOTES_A_SECOND) if form.window else _MOST_NOTES)
    room = max(1, min(room, _MOST_NOTES))
    return Phrases(
        composer=CORPUS,
        options={},
        seconds=form.seconds,
        tail=0.0,
        per_patch=1,
        max_notes=room,
        max_controls=min(room, _MOST_CONTROLS),
        joined="engine",
    )
