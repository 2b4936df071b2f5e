"""Hypothesis strategies and builders that the tests share."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from tonesmith.host.roles import Sampler
from tonesmith.space.parameter import Parameter
from tonesmith.space.patch import Candidate, Modulation, Patch
from tonesmith.space.space import Label, ParameterSpace

AWKWARD_RANGES = [
    (0.0, 1.0),
    (-1.0, 1.0),
    (-10.0, -5.64385986328125),  # whose float32 quotients do not come back
    (0.0, 7399.44),  # whose ends are no float32
    (0.7, 0.9),  # whose lower end rounds to below itself
    (0.1, 0.3),  # whose upper end rounds to above itself
    (8.0, 136.0),
    (-48.0, 48.0),
    (1e-6, 1e6),
    (100_000.0, 100_001.0),  # with fewer raw values than labels
    (-1e-3, 1e5),
]


def continuous(name: str, low: float = 0.0, high: float = 1.0, within: tuple[float, float] | None = None) -> Parameter:
    return Parameter(name, "continuous", low, high, low, within=within)


def categorical(name: str, count: int, weights: tuple[float, ...] = ()) -> Parameter:
    return Parameter(name, "categorical", 0.0, count - 1.0, 0.0, weights=weights)


def switch(name: str, behind: str = "") -> Parameter:
    return Parameter(name, "categorical", 0.0, 1.0, 0.0, choices=("off", "on"), switch=behind)


def space_of(*parameters: Parameter) -> ParameterSpace:
    return ParameterSpace(parameters)


@st.composite
def ranges(draw: st.DrawFn) -> tuple[float, float]:
    if draw(st.booleans()):
        return draw(st.sampled_from(AWKWARD_RANGES))
    low = draw(st.floats(-1e5, 1e5))
    # The range holds a few float32: an engine has no control that cannot move.
    least = 8 * float(np.spacing(np.float32(abs(low) + 1e-3)))
    return low, low + draw(st.floats(least, 1e5))


@st.composite
def parameters(draw: st.DrawFn, name: str) -> Parameter:
    if draw(st.booleans()):
        low, high = draw(ranges())
        return Parameter(
            name, "continuous", low, high, draw(st.floats(low, high)), unit=draw(st.sampled_from(["", "dB"]))
        )
    low = draw(st.integers(-100, 100))
    high = low + draw(st.integers(1, 50))
    weights: tuple[float, ...] = ()
    if draw(st.booleans()):
        shares = draw(
            st.lists(st.floats(0, 1), min_size=high - low + 1, max_size=high - low + 1).filter(lambda w: sum(w) > 0.1)
        )
        weights = tuple(share / sum(shares) for share in shares)
    return Parameter(name, "categorical", low, high, draw(st.integers(low, high)), weights=weights)


@st.composite
def spaces(draw: st.DrawFn) -> ParameterSpace:
    made = tuple(draw(parameters(f"p{i}")) for i in range(draw(st.integers(1, 6))))
    fixed = {p.name: p.default for p in made[1:] if draw(st.booleans())}
    return ParameterSpace(
        made,
        fixed,
        sources=("lfo_1", "env_2"),
        destinations=("cutoff", "level"),
        modulation_slots=4,
        assets={"wave": "0" * 64},
    )


@st.composite
def modulations(draw: st.DrawFn) -> Modulation:
    return Modulation(
        draw(st.sampled_from(["lfo_1", "env_2"])),
        draw(st.sampled_from(["cutoff", "level"])),
        draw(st.floats(-1, 1)),
        draw(st.floats(-10, 10)),
        *(draw(st.booleans()) for _ in range(3)),
    )


@st.composite
def labels(draw: st.DrawFn, space: ParameterSpace) -> Label:
    return Label(
        continuous=np.array([draw(st.floats(0, 1, width=32)) for _ in space.continuous], np.float32),
        categorical=np.array([draw(st.integers(0, p.count - 1)) for p in space.categorical], np.int32),
        modulations=tuple(
            ParameterSpace._held(m) for m in draw(st.lists(modulations(), max_size=space.modulation_slots))
        ),
        assets=dict(space.assets),
    )


@st.composite
def labelled_spaces(draw: st.DrawFn) -> tuple[ParameterSpace, Label]:
    space = draw(spaces())
    return space, draw(labels(space))


def first_draws(sampler: Sampler, patches: range) -> list[Patch]:
    return [sampler.draw(Candidate(i)) for i in patches]


def stored(space: ParameterSpace, patches: list[Patch]) -> list[Label]:
    return [space.encode(patch) for patch in patches]
