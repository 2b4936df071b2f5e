"""Pictures of few colours, read back by another library."""

from __future__ import annotations

import io

import numpy as np
import pytest

from tonesmith.media.colours import greys, magma
from tonesmith.media.png import png_of


@pytest.mark.parametrize("colours", [greys(16), magma(64), magma(256)], ids=len)
@pytest.mark.parametrize("width", [1, 6, 7])
def test_another_library_reads_the_colours_that_were_written(colours, width):
    image = pytest.importorskip("PIL.Image", reason="Pillow comes with matplotlib")
    pixels = np.random.default_rng(0).integers(0, len(colours), (5, width)).astype(np.uint8)
    read = np.asarray(image.open(io.BytesIO(png_of(pixels, colours))).convert("RGB"))
    np.testing.assert_array_equal(read, colours[pixels])


def test_colours_rise_from_dark_to_bright():
    for colours in (greys(16), magma(64)):
        assert (np.diff(colours.astype(int).sum(axis=1)) > 0).all()
