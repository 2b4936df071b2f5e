"""Every composer that composes keeps to the contract of its role."""

from __future__ import annotations

import pytest

from tonesmith.composers.groove import Groove
from tonesmith.testing import ComposerContract


class TestGroove(ComposerContract):
    composer = Groove
    refused = (
        {"feel": []},
        {"feel": ["swing", "swing"]},
        {"feel": ["swing"], "meter": ["6/8"]},
        {"swing": [0.7, 0.6]},
        {"offset_ms": 100.0},
        {"bpm": [140.0, 80.0]},
    )


@pytest.mark.long
class TestGrooveOfManyMeters(ComposerContract):
    composer = Groove
    options = {
        "meter": ["2/4", "3/4", "5/4", "6/8", "7/8", "9/8", "12/8"],
        "level": ["eighth", "sixteenth"],
        "bass": False,
        "bpm": 200.0,
        "offset_ms": [5.0, 20.0],
    }
