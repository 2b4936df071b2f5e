"""One candidate tried again, in the process of a worker: with the label that the ledger has, if it has it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np

from tonesmith.errors import TonesmithError
from tonesmith.plan.rejected_label import label_json, patch_of
from tonesmith.run.produce import Watch, Workbench, drawn_label, verdict_of
from tonesmith.space.patch import Candidate


def tried(bench: Workbench, request: Mapping[str, Any], watch: Watch) -> tuple[dict[str, Any], bytes]:
    """Return what became of a candidate, and what was heard of it: float32 (channels, frames), note after note.

    Args:
        bench: the plan's plugins and engine.
        request: "try", the patch and attempt; "label", as :func:`tonesmith.plan.rejected_label.label_json` has it, or
            empty to have the sampler draw it.
        watch: hears if it is played again.
    """
    plan = bench.plan
    candidate, stored = Candidate(*request["try"]), request["label"]
    told, drawn = "drawn", None
    if stored:
        patch = patch_of(stored, plan.space)
        told = "stored"
        with suppress(TonesmithError):  # no sampler, as in a merged dataset, or one that draws no more
            told = "stored" if label_json(*drawn_label(bench, candidate)) == stored else "changed"
        drawn = plan.space.encode(patch), patch
    rejection, audio = verdict_of(bench, candidate, drawn or drawn_label(bench, candidate), watch)
    heard = [note for note in audio if not np.isnan(note).all()]
    joined = np.concatenate(heard, axis=1) if heard else audio[:0]
    return {"tried": rejection.to_json() if rejection else None, "label": told}, joined.tobytes()
