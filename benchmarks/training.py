"""What training on a dataset costs: rows loaded as tensors, features computed, rows streamed, predictions scored.

loading: CPU per row of ``ds.torch()`` beside what people use instead, on the same rows of a Faust voice: audio with its
label, and the stored ``mel`` with its label. Batches of 32 in a random order, and no worker process. All files are in
the page cache. The incumbent is one HDF5 file by h5py with gzip 4, read row by row.

features: CPU per row of each built-in feature that needs no model.

stream: rows per CPU second of ``tonesmith.stream`` beside a worker of ``tonesmith generate``, which also stores them.

score: CPU per pair of each metric of ``tonesmith score``, each by itself, and of all together, which share spectra.

match: renders per second of ``tonesmith.match`` with two workers, and its CPU per render beside that of ``ds.render``,
each with the start of its engines.

Needs Linux, and the extra ``bench``.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

from _training_contenders import LABELS, WRITERS
from _turns import Contender, Round, Tonesmith, circumstances, copy_of, made, parser_of, turns

from tonesmith.api import convert
from tonesmith.dataset.reader import Dataset
from tonesmith.host.computing import Computer, feature_of, planned
from tonesmith.host.registry import Host
from tonesmith.host.roles import ScoreFeature

_BACKEND = {"name": "dawdreamer", "instrument": "fm"}
_INCUMBENT = "h5py gzip-4"
_SCRIPT = "_training_contenders.py"
_NEEDS_MODEL = {"embedding"}
_ENDLESS = 1_000_000
"""Patches of a stream's plan, so that it renders new ones in every round."""
_SECONDS = 0.5
"""CPU time that a reader takes in a round, or more."""
_FASTEST = 0.3e-3
"""Seconds that the fastest reader takes for a row, about."""


def main() -> None:
    """Measure, and print a table for each part."""
    options = _arguments()
    print(circumstances(options.rounds))
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        dataset = _dataset(Path(folder), options)
        form = dataset.plan.audio
        print(f"{len(dataset)} rows of {form.frames / form.sample_rate:g} s at {form.sample_rate} Hz")
        told = {}
        for part in options.parts:
            told[part] = _PARTS[part](Path(folder), dataset, options)
            print("\n".join(["", *_TABLES[part](told[part])]), flush=True)
    if options.json:
        options.json.write_text(json.dumps(told, indent=2))


def _settings(options: argparse.Namespace) -> dict[str, Any]:
    notes = {"pitches": [48, 60, 72], "hold": options.hold, "tail": options.tail}
    return {"patches": options.patches, "backend": _BACKEND, "notes": notes}


def _dataset(folder: Path, options: argparse.Namespace) -> Dataset:
    return made(folder / "rows.zarr", **_settings(options), features={"mel": {}})


def load(folder: Path, dataset: Dataset, options: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Return contender -> CPU ms per row, of audio and of mel."""
    rows = dataset.get_batch(slice(None), ["audio", "feature/mel", *LABELS])
    plain = {name.removeprefix("feature/"): values for name, values in rows.items()}
    paths = {"zarr": folder / "rows.zarr", "lmdb": folder / "rows.lmdb"}
    convert(paths["zarr"], paths["lmdb"], sink="lmdb")
    for kind, write in WRITERS.items():
        paths[kind] = folder / kind.replace(" ", "-")
        paths[kind].mkdir()
        write(paths[kind], plain)
    del rows, plain
    found: dict[str, dict[str, float]] = {kind: {} for kind in paths}
    passes = max(round(_SECONDS / _FASTEST / len(dataset)), 1) if options.passes is None else options.passes
    for what in ("audio", "mel"):
        jobs = {kind: {"kind": kind, "path": str(path), "what": what, "passes": passes} for kind, path in paths.items()}
        kinds = {kind: Contender("loading", _job(folder, job), _SCRIPT) for kind, job in jobs.items()}
        for kind, told in _same(turns(kinds, options.rounds)).items():
            found[kind][what] = median(1e3 * one["own"] / one["rows"] for one in told)
    return found


def _same(rounds: Mapping[str, list[Round]]) -> Mapping[str, list[Round]]:
    """Return rounds; end the benchmark if the readers did not give the same rows."""
    first = next(iter(rounds.values()))[0]
    for kind, told in rounds.items():
        for one in told:
            if one["rows"] != first["rows"] or abs(one["sum"] - first["sum"]) > 1e-6 * abs(first["sum"]) + 1e-3:
                raise SystemExit(f"{kind} gives other rows than zarr: {one} and {first}")
    return rounds


def _job(folder: Path, job: Mapping[str, Any]) -> Path:
    path = folder / f"job-{len(list(folder.glob('job-*')))}.json"
    path.write_text(json.dumps(job))
    return path


def compute(_: Path, dataset: Dataset, options: argparse.Namespace) -> dict[str, float]:
    """Return feature -> CPU ms per row."""
    host, audio = Host.load(), dataset.plan.audio
    rows = range(min(len(dataset), 48))
    columns = dataset.get_batch(list(rows), ["audio", "pitch", "velocity", "hold", "tail", "patch"])
    computers = {}
    sounds = {name for name, plugin in host.features().items() if not issubclass(plugin, ScoreFeature)}
    for name in sorted(sounds - _NEEDS_MODEL):
        computers[name] = Computer([planned(feature_of(host, name, {}), audio)], audio, host)
    work = {name: lambda one=one: one.columns(columns) for name, one in computers.items()}
    return {name: 1e3 * seconds / len(rows) for name, seconds in _in_turns(work, options.rounds).items()}


def _in_turns(work: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Return the median CPU seconds of pieces of work that take turns in this process, after one to warm up."""
    spent = defaultdict(list)
    for number in range(rounds + 1):
        for name, do in work.items():
            started = time.process_time()
            do()
            if number:
                spent[name].append(time.process_time() - started)
    return {name: median(seconds) for name, seconds in spent.items()}


def streamed(folder: Path, _: Dataset, options: argparse.Namespace) -> dict[str, float]:
    """Return rows per CPU second of generate and of stream, and the median ratio of the two over rounds."""
    settings = _settings(options)
    plain = made(folder / "plain.zarr", **settings)
    job = {"settings": settings | {"patches": _ENDLESS}, "rows": len(plain)}
    kinds = {
        "generate": Tonesmith([copy_of(plain, folder / "plain.zarr", folder / "copy.zarr")]),
        "stream": Contender("stream", _job(folder, job), _SCRIPT, ahead=True),
    }
    rounds = turns(kinds, options.rounds)
    found = {name: len(plain) / median(one["cpu"] for one in told) for name, told in rounds.items()}
    pairs = zip(rounds["generate"], rounds["stream"], strict=True)
    return {**found, "ratio": median(one["cpu"] / other["cpu"] for one, other in pairs)}


def compare(_: Path, dataset: Dataset, options: argparse.Namespace) -> dict[str, float]:
    """Return metric -> CPU ms per pair, each by itself, and of all."""
    from tonesmith.analysis.metrics import METRICS, metrics_of, sound_of

    audio = dataset.get_batch(slice(0, min(len(dataset), 13)), ["audio"])["audio"]
    pairs = list(pairwise(audio))
    rate = dataset.plan.audio.sample_rate

    def measured(of: Callable[[Any, Any], object]) -> Callable[[], object]:
        return lambda: [of(sound_of(one, rate), sound_of(other, rate)) for one, other in pairs]

    work = {metric.name: measured(metric.of) for metric in METRICS} | {"all": measured(metrics_of)}
    return {name: 1e3 * seconds / len(pairs) for name, seconds in _in_turns(work, options.rounds).items()}


def searched(folder: Path, _: Dataset, options: argparse.Namespace) -> dict[str, float]:
    """Return renders per second of match, and CPU ms per render of it and of ds.render, which does not compare."""
    job = {"path": str(folder / "rows.zarr"), "renders": options.renders}
    kinds = {name: Contender(name, _job(folder, job), _SCRIPT) for name in ("match", "render")}
    rounds = turns(kinds, options.rounds)
    rate = median(options.renders / one["wall"] for one in rounds["match"])
    spent = {name: 1e3 * median(one["cpu"] for one in told) / options.renders for name, told in rounds.items()}
    return {"renders per second": rate, **{f"{name}, CPU ms": value for name, value in spent.items()}}


def _table_of_loading(found: Mapping[str, Mapping[str, float]]) -> list[str]:
    lines = [f"{'loading, CPU ms per row':<26}{'audio':>8}{'of incumbent':>14}{'mel':>8}{'of incumbent':>14}"]
    for kind, told in found.items():
        cells = [f"{told[what]:>8.2f}{found[_INCUMBENT][what] / told[what]:>14.1f}" for what in ("audio", "mel")]
        lines.append(f"  {kind:<24}{''.join(cells)}")
    return [*lines, "  of incumbent: its CPU over that of the row"]


def _table_of_costs(title: str) -> Callable[[Mapping[str, float]], list[str]]:
    return lambda found: [title, *(f"  {name:<24}{value:>8.2f}" for name, value in found.items())]


_PARTS: Mapping[str, Callable[[Path, Dataset, argparse.Namespace], Any]] = {
    "loading": load,
    "features": compute,
    "stream": streamed,
    "score": compare,
    "match": searched,
}
_TABLES: Mapping[str, Callable[[Any], list[str]]] = {
    "loading": _table_of_loading,
    "features": _table_of_costs("features, CPU ms per row"),
    "stream": _table_of_costs("stream, rows per CPU second; ratio: of generate's speed"),
    "score": _table_of_costs("score, CPU ms per pair"),
    "match": _table_of_costs("match with two workers, per render"),
}


def _arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    parser = parser_of(__doc__)
    parser.add_argument("--patches", type=int, default=64, help="of the Faust voice fm, each at 3 pitches")
    parser.add_argument("--parts", nargs="+", choices=_PARTS, default=list(_PARTS), help="what to measure")
    parser.add_argument("--passes", type=int, help="over all rows in a round; default as many as take a second")
    parser.add_argument("--renders", type=int, default=300, help="of a match")
    parser.add_argument("--folder", type=Path, help="where to write; default the system's temporary folder")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures too")
    return parser.parse_args(words)


if __name__ == "__main__":
    main()
