"""Scores for property tests."""

from __future__ import annotations

from hypothesis import strategies as st

from tonesmith.score.score import BEND, Key, Meter, Part, Score, Text, controls_of, notes_of
from tonesmith.score.timing import Tempos


@st.composite
def scores(draw):
    """Draw a score of up to three parts, in which no note overlaps another of its pitch and part."""
    parts = draw(
        st.lists(st.builds(Part, st.integers(0, 127), st.booleans(), st.binary(max_size=4)), min_size=1, max_size=3)
    )
    taken, notes = {}, []
    for part, pitch, gap, held, velocity in draw(
        st.lists(
            st.tuples(
                st.integers(0, len(parts) - 1),
                st.integers(0, 127),
                st.integers(0, 999),
                st.integers(1, 999),
                st.integers(1, 127),
            ),
            max_size=12,
        )
    ):
        onset = taken.get((part, pitch), 0) + gap
        taken[part, pitch] = onset + held
        notes.append((onset, held, pitch, velocity, part))
    bends = st.tuples(st.integers(0, 9999), st.integers(0, len(parts) - 1), st.just(BEND), st.integers(-8192, 8191))
    others = st.tuples(st.integers(0, 9999), st.integers(0, len(parts) - 1), st.integers(0, 127), st.integers(0, 127))
    return Score(
        draw(st.sampled_from((96, 480, 960))),
        notes_of(notes),
        tuple(parts),
        Tempos.of(draw(st.lists(st.tuples(st.integers(0, 9999), st.integers(1, 0xFFFFFF)), max_size=4))),
        tuple(
            draw(
                st.lists(
                    st.builds(Meter, st.integers(0, 9999), st.integers(1, 12), st.sampled_from((2, 4, 8))), max_size=3
                )
            )
        ),
        tuple(draw(st.lists(st.builds(Key, st.integers(0, 9999), st.integers(-7, 7), st.booleans()), max_size=3))),
        controls_of(draw(st.lists(bends | others, max_size=6))),
        tuple(
            draw(
                st.lists(
                    st.builds(
                        Text, st.integers(0, 9999), st.sampled_from(("text", "lyric", "cue")), st.binary(max_size=5)
                    ),
                    max_size=3,
                )
            )
        ),
    )
