"""Medians and quantiles are those of NumPy, to the last bit."""

from __future__ import annotations

import numpy as np
import pytest

from tonesmith.score.quantiles import median, quantiles

SHARES = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7, 16, 101, 1000])
@pytest.mark.parametrize("kind", ["scattered", "equal", "whole"])
def test_they_are_those_of_numpy(count, kind):
    draw = np.random.default_rng(count)
    values = {
        "scattered": draw.normal(0.0, 1e-3, count) + 0.1,
        "equal": np.full(count, 0.1),
        "whole": draw.integers(0, 9, count).astype(np.float64),
    }[kind]
    assert median(values) == np.median(values)
    assert quantiles(values, *SHARES) == tuple(np.quantile(values, SHARES).tolist())
    assert quantiles(values, 0.9) == (np.percentile(values, 90),)
