"""Every built-in feature of scores keeps to the contract of its role."""

from __future__ import annotations

from tonesmith.features.groove import Groove
from tonesmith.features.harmony import Harmony
from tonesmith.features.notes import Notes
from tonesmith.testing import ScoreFeatureContract


class TestNotes(ScoreFeatureContract):
    feature = Notes


class TestHarmony(ScoreFeatureContract):
    feature = Harmony


class TestGroove(ScoreFeatureContract):
    feature = Groove
