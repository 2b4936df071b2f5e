"""Two ears: earlier and louder on the side of the source, right between measured directions, no click on the way."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial import ConvexHull

from tonesmith.errors import ConfigError
from tonesmith.explorer.binaural.convolved import Directions, around
from tonesmith.explorer.binaural.head import Head, kemar, vectors
from tonesmith.explorer.binaural.sofa import read_head

RATE = 48_000


def heard(sound: NDArray[Any], azimuth: Any, elevation: float = 0.0, block: int = 4_096) -> NDArray[Any]:
    """Return what ears hear of a sound (channels, samples) whose azimuth is a number, or a function of the sample."""
    where = azimuth if callable(azimuth) else lambda times: np.full(len(times), float(azimuth))
    directions = Directions(where, lambda times: np.full(len(times), elevation))
    sound = np.asarray(sound, np.float32)
    blocks = [sound[:, at : at + block] for at in range(0, sound.shape[1], block)]
    return np.concatenate(list(around(blocks, kemar(), directions)), axis=1)


@pytest.mark.parametrize(("azimuth", "near"), [(90.0, 0), (-90.0, 1), (450.0, 0)])
def test_a_source_at_90_degrees_is_louder_and_earlier_in_the_left_ear(azimuth, near):
    sound = np.random.default_rng(0).standard_normal((1, 12_000))
    ears = heard(sound, azimuth)
    loud = np.square(ears).sum(axis=1)
    assert loud[near] > 8.0 * loud[1 - near]
    found = [np.correlate(ear[:6_000], sound[0, :6_000], "full")[5_999:6_080].argmax() for ear in ears]
    assert 25 <= found[1 - near] - found[near] <= 40


def test_a_source_ahead_is_alike_in_both_ears_and_one_above_or_behind_sounds_otherwise():
    sound = np.random.default_rng(1).standard_normal((1, 8_000))
    ahead, behind, above = heard(sound, 0.0), heard(sound, 180.0), heard(sound, 0.0, 90.0)
    assert np.abs(ahead[0] - ahead[1]).max() < 1e-3
    assert abs(np.square(ahead).mean() / np.square(sound).mean() - 1.0) < 0.2
    bands = [np.abs(np.fft.rfft(ears[0]))[1:].reshape(-1, 100).mean(axis=1) for ears in (ahead, behind, above)]
    for one, other in pairwise(bands):
        assert np.abs(20 * np.log10(one / other))[4:30].max() > 3.0


def test_directions_that_are_left_out_are_made_of_their_neighbours():
    head = kemar()
    levels, times = [], []
    for place in np.flatnonzero(head.points[:, 2] > -0.6)[::40]:
        rest = np.delete(np.arange(len(head.points)), place)
        triangles = ConvexHull(head.points[rest]).simplices.astype(np.int64)
        without = Head(head.points[rest], head.response[rest], head.delay[rest], triangles)
        x, y, z = head.points[place]
        response, delay = without.at(np.degrees([np.arctan2(y, x)]), np.degrees([np.arcsin(z)]))
        both = np.abs(np.fft.rfft(np.stack([response[0], head.response[place]]), 1024))[..., 5:342]
        levels.append(np.abs(20 * np.log10(both[0] / both[1])).mean())
        times.append(abs(np.diff(delay[0]) - np.diff(head.delay[place])).max() / RATE)
    assert np.mean(levels) < 1.11
    assert np.mean(times) < 2.2e-6


@pytest.mark.parametrize("block", [256, 4_096])
def test_a_source_that_moves_leaves_no_click(block):
    tone = 0.5 * np.sin(2 * np.pi * 500.0 * np.arange(24_064) / RATE)[None]
    still = heard(tone, 60.0)[:, 600:]
    moved = heard(tone, lambda times: times / 24_064 * 360.0, block=block)[:, 600:]
    bend = [np.abs(np.diff(ears, 2)).max() for ears in (still, moved)]
    assert bend[1] < 1.5 * bend[0]
    assert np.square(moved[0, 3_000:9_000]).sum() > 2 * np.square(moved[1, 3_000:9_000]).sum()
    assert np.square(moved[1, 15_000:21_000]).sum() > 2 * np.square(moved[0, 15_000:21_000]).sum()


def test_the_side_is_heard_to_both_sides():
    left = np.random.default_rng(2).standard_normal(8_000)
    loud = np.square(heard(np.stack([left / 2, left / 2]), 0.0)).sum(axis=1)
    assert loud[0] > 4 * loud[1]


def sofa(path: Path, rows: int = 40, samples: int = 64, kind: str = "SimpleFreeFieldHRIR", **changed: Any) -> Path:
    """Write a SOFA file of directions all around, whose left ear is louder at the left."""
    sofar = pytest.importorskip("sofar")
    random = np.random.default_rng(0)
    azimuth, up = random.uniform(0, 360, rows), np.degrees(np.arcsin(random.uniform(-1, 1, rows)))
    response = np.zeros((rows, 2, samples))
    response[:, :, 20] = 1.0 + 0.8 * vectors(azimuth, up)[:, 1:2] * np.array([1.0, -1.0])
    made = sofar.Sofa(kind)
    content = {"Data_IR": response, "Data_SamplingRate": 48_000.0, "Data_Delay": np.zeros((1, 2))}
    content |= {"SourcePosition": np.stack([azimuth, up, np.ones(rows)], axis=1), "ReceiverPosition": np.eye(2, 3)}
    for name, value in (content | changed).items():
        setattr(made, name, value if name not in changed or np.ndim(value) else np.full_like(content[name], value))
    sofar.write_sofa(str(path), made)
    return path


def test_a_head_of_ones_own_is_read(tmp_path):
    pytest.importorskip("sofar")
    head = read_head(sofa(tmp_path / "own.sofa"))
    response, delay = head.at(np.array([90.0, -90.0]), np.zeros(2))
    loud = np.square(response).sum(axis=2)
    assert loud[0, 0] > 4 * loud[0, 1]
    assert loud[1, 1] > 4 * loud[1, 0]
    assert np.ptp(delay) < 0.1


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"kind": "GeneralFIR"}, "has the convention 'GeneralFIR'"),
        ({"rows": 3}, "has 3 directions, which do not surround the head"),
        ({"samples": 5_000}, "expected at most 20,000 of 4,096"),
        ({"SourcePosition": np.tile([1.0, 0.0, 1.0], (40, 1))}, "do not surround the head"),
        ({"Data_IR": np.nan}, "NaN or infinite"),
        ({"Data_IR": 0.0}, "a response that is silent"),
        ({"Data_SamplingRate": 1.0}, "a rate that is not 8 to 192 kHz"),
    ],
)
def test_a_file_that_is_no_head_is_refused_with_a_sentence(tmp_path, changed, said):
    pytest.importorskip("sofar")
    with pytest.raises(ConfigError, match=said):
        read_head(sofa(tmp_path / "x.sofa", **changed))


def test_what_is_no_sofa_file_is_refused(tmp_path):
    pytest.importorskip("sofar")
    (tmp_path / "x.sofa").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    with pytest.raises(ConfigError, match="cannot be read as a SOFA file"):
        read_head(tmp_path / "x.sofa")
    with pytest.raises(ConfigError, match="does not exist"):
        read_head(tmp_path / "y.sofa")
