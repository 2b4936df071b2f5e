"""Every built-in feature keeps to the contract of its role."""

from __future__ import annotations

import pytest

from tonesmith.features.f0 import F0
from tonesmith.features.mel import Mel
from tonesmith.features.mfcc import Mfcc
from tonesmith.features.perceptual import Perceptual
from tonesmith.features.stats import Stats
from tonesmith.features.stft import Stft
from tonesmith.testing import FeatureContract


class TestMel(FeatureContract):
    feature = Mel


@pytest.mark.long
class TestMelOfEachChannel(FeatureContract):
    feature = Mel
    options = {"channels": "each", "bands": 20, "scale": "htk", "norm": "area", "dtype": "float16", "high": 4000.0}


@pytest.mark.long
class TestMfcc(FeatureContract):
    feature = Mfcc
    options = {"bands": 40}


@pytest.mark.long
class TestStft(FeatureContract):
    feature = Stft
    options = {"window": 500, "hop": 333}


@pytest.mark.long
class TestComplexStft(FeatureContract):
    feature = Stft
    options = {"kind": "complex", "channels": "each"}


class TestStats(FeatureContract):
    feature = Stats


@pytest.mark.long
class TestStatsOfEachWindow(FeatureContract):
    feature = Stats
    options = {"over_time": "frames"}


class TestPerceptual(FeatureContract):
    feature = Perceptual


@pytest.mark.long
class TestF0(FeatureContract):
    feature = F0
    options = {"low": 80.0, "high": 2000.0}
