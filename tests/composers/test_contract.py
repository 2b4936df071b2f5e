"""Every composer that composes keeps to the contract of its role."""

from __future__ import annotations

import pytest

from tonesmith.composers.dynamics import Dynamics
from tonesmith.composers.groove import Groove
from tonesmith.composers.melody import Melody
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


class TestDynamics(ComposerContract):
    composer = Dynamics
    refused = ({"soft": [20, 90]}, {"soft": 100, "loud": 90}, {"curve": []}, {"loud": 128})


class TestMelody(ComposerContract):
    composer = Melody
    refused = (
        {"low": 60, "high": 71},
        {"form": ["AABA"], "bpm": 60.0},
        {"scale": ["klingon"]},
        {"tonic": ["H"]},
        {"contour": ["arch", "arch"]},
    )


@pytest.mark.long
class TestMelodyOfManyMeters(ComposerContract):
    composer = Melody
    options = {
        "meter": ["2/4", "3/4", "5/4", "6/8", "7/8", "9/8", "12/8"],
        "scale": ["dorian", "blues", "major pentatonic"],
        "low": 0,
        "high": 127,
        "phrase_bars": 1,
    }
    seconds = None
