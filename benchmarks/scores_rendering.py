"""What a phrase costs to render: against the bare engine that plays the same MIDI, and against its notes alone.

A phrase of 4 s with 12 notes, on a VST3 in pedalboard, on a Faust program in DawDreamer, and on Vital, whose notes are
added up. CPU seconds of this process and its children, of turns that take turns.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import Any

from _processes import cpu_seconds

from tonesmith.engine.client import Engine
from tonesmith.engine.isolation import isolation_of
from tonesmith.engine.summing import slots_for
from tonesmith.host.registry import Host
from tonesmith.plan.plan import Audio, PluginRef
from tonesmith.score.phrase import Phrase
from tonesmith.score.score import Score
from tonesmith.score.single_notes import single_notes
from tonesmith.space.patch import Patch

RATE = 44100
HOLD, TAIL = 3.5, 0.5
TURNS = 7
PITCHES = (60, 64, 67, 72, 71, 67, 62, 65, 69, 74, 72, 69)
SCORE = Score.of([(0.55 * i, 0.8, pitch, 80 + 3 * i) for i, pitch in enumerate(PITCHES)])
PHRASE = Phrase(SCORE, HOLD, TAIL)


def rendering(vst3: Path | None = None) -> dict[str, dict[str, float]]:
    """Return engine -> CPU seconds of the phrase (``ours``), of what it is compared with, and the ratio of both.

    Args:
        vst3: a VST3 instrument; None for none.
    """
    found = {"faust": _compared(PluginRef("dawdreamer", {}), _bare_faust())}
    if vst3 is not None:
        found["vst3"] = _compared(PluginRef("vst3", {"plugin": str(vst3)}), _bare_vst3(vst3))
    found["vita"] = _against_notes(PluginRef("vita", {}))
    return found


def _compared(backend: PluginRef, bare: Callable[[], object]) -> dict[str, float]:
    with _engine(backend) as (engine, patch):
        return _turns(lambda: _played(engine, patch, [PHRASE]), bare, engine)


def _against_notes(backend: PluginRef) -> dict[str, float]:
    notes = [place.note for place in single_notes(PHRASE, RATE)]
    with _engine(backend) as (engine, patch):
        return _turns(lambda: _played(engine, patch, [PHRASE]), lambda: _played(engine, patch, notes), engine)


def _played(engine: Engine, patch: Patch, played: list[Any]) -> None:
    for outcome in engine.play(patch, played, 600.0):
        assert not outcome.failure, outcome.detail


@contextmanager
def _engine(backend: PluginRef) -> Iterator[tuple[Engine, Patch]]:
    """Give a loaded engine, and its default patch."""
    cls = Host.load().find("backend", backend.name)
    options = cls.Options.model_validate(backend.options)
    reference = PluginRef(backend.name, options.model_dump(mode="json"))
    isolation = isolation_of(cls, options)
    with Engine(reference, Audio(RATE, 0, 0), 1, isolation, _no_asset) as engine:
        told = engine.describe(HOLD, TAIL)
    patch = Patch({p.name: p.default for p in told.space.parameters}, assets=dict(told.space.assets))
    slots = max(len(PITCHES), slots_for(reference, told.audio, 1))
    with Engine(reference, told.audio, slots, isolation, told.assets.__getitem__) as engine:
        yield engine, patch


def _no_asset(_: str) -> bytes:
    raise AssertionError("an asset was asked for before any patch")


def _turns(ours: Callable[[], object], other: Callable[[], object], engine: Engine) -> dict[str, float]:
    """Return the means of CPU seconds, after one turn that does not count."""
    spent: dict[str, list[float]] = {"ours": [], "other": []}
    for turn in range(TURNS + 1):
        for name, act in (("ours", ours), ("other", other)):
            before = _cpu(engine.pid)
            act()
            if turn:
                spent[name].append(_cpu(engine.pid) - before)
    told = {name: fmean(seconds) for name, seconds in spent.items()}
    return {**told, "ratio": told["other"] / told["ours"]}


def _cpu(pid: int) -> float:
    """Return CPU seconds of this process, and of an engine's with its forks."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    return own.ru_utime + own.ru_stime + (cpu_seconds(pid) if pid else 0.0)


def _bare_faust() -> Callable[[], object]:
    """Return what plays the notes in DawDreamer's own polyphony."""
    import dawdreamer

    from tonesmith import backends

    folder = Path(next(iter(backends.__path__))) / "dawdreamer" / "voices"
    engine = dawdreamer.RenderEngine(RATE, 512)
    faust = engine.make_faust_processor("bare")
    faust.set_dsp_string((folder / "subtractive.dsp").read_text())
    faust.num_voices = len(PITCHES)
    faust.compile()
    engine.load_graph([(faust, [])])

    def play() -> object:
        faust.clear_midi()
        for onset, held, note in zip(SCORE.onsets.tolist(), SCORE.durations.tolist(), SCORE.notes, strict=True):
            faust.add_midi_note(int(note["pitch"]), int(note["velocity"]), onset, min(held, HOLD - onset))
        engine.render(HOLD + TAIL)
        return engine.get_audio().copy()

    return play


def _bare_vst3(path: Path) -> Callable[[], object]:
    """Return what plays the notes in pedalboard, reset before each phrase as its users have it."""
    import pedalboard

    plugin = pedalboard.VST3Plugin(str(path))
    told = []
    for onset, held, note in zip(SCORE.onsets.tolist(), SCORE.durations.tolist(), SCORE.notes, strict=True):
        told.append(([0x90, int(note["pitch"]), int(note["velocity"])], onset))
        told.append(([0x80, int(note["pitch"]), 0], min(onset + held, HOLD)))
    return lambda: plugin(told, HOLD + TAIL, RATE, 2, 8192, True)


def main() -> None:
    """Compile the VST3 of the tests, and print the table."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    from support.vst3.build import built

    with TemporaryDirectory() as folder:
        found = rendering(built(Path(folder), "TinySynth"))
    print(f"a phrase of {HOLD + TAIL:g} s and {len(PITCHES)} notes, ms of CPU, means of {TURNS}")
    for name, told in found.items():
        against = "its notes alone" if name == "vita" else "the bare engine"
        print(f"{name:6} {1e3 * told['ours']:8.1f}  {against} {1e3 * told['other']:8.1f}  ratio {told['ratio']:.2f}")


if __name__ == "__main__":
    main()
