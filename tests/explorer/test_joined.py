"""Phases are summed along the strongest neighbours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tonesmith.explorer.joined import integrated


def rises(phase: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    to_bin, to_frame = np.zeros_like(phase), np.zeros_like(phase)
    to_bin[:, :-1], to_frame[:-1] = np.diff(phase, axis=1), np.diff(phase, axis=0)
    return to_bin, to_frame


def test_phases_that_agree_come_back_from_their_differences_and_go_on_from_known_ones():
    random = np.random.default_rng(0)
    phase = random.uniform(-3, 3, (40, 30)).astype(np.float32)
    strength = random.standard_normal(phase.shape).astype(np.float32)
    strength[:, 11] = strength[13] = -np.inf
    made = integrated(strength, *rises(phase), phase[:2])
    joined = np.zeros(phase.shape, bool)
    joined[:13] = True
    joined[:, 11] = False
    assert np.abs(made - phase)[joined].max() < 1e-4
    # What is joined to nothing known begins at 0 where it is strongest
    lower = strength[14:, :11]
    apart = (made - phase)[14:, :11]
    assert np.ptp(apart) < 1e-4
    assert made[14:, :11].ravel()[lower.argmax()] == 0.0
    assert not made[13].any()


def test_where_phases_disagree_the_strongest_way_is_taken():
    strength = np.array([[0, 0, 0], [0, -9, 0], [0, -5, 0]], np.float32)
    to_bin, to_frame = np.zeros((3, 3), np.float32), np.zeros((3, 3), np.float32)
    to_bin[2] = 1.0
    to_frame[:, 1] = 1.0
    made = integrated(strength, to_bin, to_frame, np.zeros((1, 3)))
    # Each place is reached from the last of its strongest neighbours, never through the weak middle
    assert made.tolist() == [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, -1.0, 0.0]]


def test_what_is_equally_strong_everywhere_is_joined_without_a_circle():
    phase = np.random.default_rng(1).uniform(-3, 3, (9, 8)).astype(np.float32)
    made = integrated(np.zeros_like(phase), *rises(phase), phase[:1])
    assert np.abs(made - phase).max() < 1e-4
