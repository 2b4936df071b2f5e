"""Every built-in feature keeps to the contract of its role."""

from __future__ import annotations

from tonesmith.features.mel import Mel
from tonesmith.features.mfcc import Mfcc
from tonesmith.features.stats import Stats
from tonesmith.features.stft import Stft
from tonesmith.testing import FeatureContract


class TestMel(FeatureContract):
    feature = Mel


class TestMelOfEachChannel(FeatureContract):
    feature = Mel
    options = {"channels": "each", "bands": 20, "scale": "htk", "norm": "area", "dtype": "float16", "high": 4000.0}


class TestMfcc(FeatureContract):
    feature = Mfcc
    options = {"bands": 40}


class TestStft(FeatureContract):
    feature = Stft
    options = {"window": 500, "hop": 333}


class TestComplexStft(FeatureContract):
    feature = Stft
    options = {"kind": "complex", "channels": "each"}


class TestStats(FeatureContract):
    feature = Stats


class TestStatsOfEachWindow(FeatureContract):
    feature = Stats
    options = {"over_time": "frames"}
