"""The kinds of files that tonesmith reads from others, and what it does with each."""

from __future__ import annotations

import contextlib
import io
import json
import struct
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import typer

from tonesmith.analysis.scoring.predictions import read_predictions
from tonesmith.cli.commands.inspect import inspect
from tonesmith.cli.commands.verify import verify
from tonesmith.dataset.export import label_of
from tonesmith.dataset.importance import BaseRecord, Importance, Moved, importance_path
from tonesmith.dataset.label_file import LABEL_ARRAYS, read_label
from tonesmith.dataset.opening import open_dataset
from tonesmith.dataset.reader import Dataset
from tonesmith.dataset.splits import Splits
from tonesmith.host.registry import Host
from tonesmith.plan.rejection import Rejection
from tonesmith.space.patch import sha256_hex
from tonesmith.space.preset import PresetRef, written_patch
from tonesmith.testing.sink_processes import Case
from tonesmith.testing.synthetic import ASSETS, attributes_of, synthetic_block, synthetic_plan


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Attributes:
        name: of the kind.
        make: writes a sound sample into a folder, and returns its path.
        uses: read the sample, each in its own way, by name.
        named: whether an error has to name the file.
    """

    name: str
    make: Callable[[Path], Path]
    uses: dict[str, Callable[[Path], object]]
    named: bool = True


def _dataset(sink: str, options: dict[str, Any]) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        plan = synthetic_plan(patches=3, block=1, frames=64)
        patches = [replace(_patch(plan, i), preset=f"{i + 1:064x}", origin="") for i in range(2)]
        texts = [written_patch(patch) for patch in patches]
        presets = tuple(PresetRef(f"{i + 1:064x}", sha256_hex(text), "a name") for i, text in enumerate(texts))
        plan = replace(plan, presets=presets)
        case = Case(Host.load().sinks()[sink], options, folder / "dataset", plan)
        made = case.made()
        attributes = {**attributes_of(plan), "splits": Splits({"train": 0.5, "test": 0.5}, "patch", "origin").to_json()}
        attributes |= {"made_with": {"tonesmith": "1"}, "stored_through": [], "merged": []}
        made.create(attributes, plan.schema, plan.rows, plan.block_rows)
        for content in (*ASSETS.values(), *texts):
            made.add_asset(content)
        made.record_fault(Rejection(2, 3, "engine", "crash", "SIGSEGV", 60, {"peak": 1.0}))
        for index in range(plan.blocks):
            made.write_block(replace(synthetic_block(plan, index, made), plan=plan.fingerprint))
        made.finish()
        return case.path

    return make


def _patch(plan: Any, index: int) -> Any:
    from tonesmith.plan.rows import label_from

    return plan.space.decode(label_from(plan.space, synthetic_block(plan, index).columns, 0))


def _rows(path: Path) -> None:
    opened = open_dataset(path)
    for i in {0, len(opened) - 1} if len(opened) else ():
        row = opened[i]
        json.dumps(label_of(row, opened.split_of(i)))
        str(row), row.parameters, row.audio.shape
        opened.assets_of(i)


def _printed(command: Callable[[Path], object]) -> Callable[[Path], None]:
    def use(path: Path) -> None:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(typer.Exit):
            command(path)

    return use


_KEPT = tempfile.TemporaryDirectory()


@lru_cache(maxsize=1)
def _like() -> Dataset:
    """Return the dataset that labels are of."""
    return open_dataset(_dataset("zarr", {})(Path(_KEPT.name)))


def _label(folder: Path) -> Path:
    path = folder / "label.json"
    path.write_text(json.dumps(label_of(_like()[1])))
    return path


def _npz(folder: Path) -> Path:
    batch = _like().get_batch([1], LABEL_ARRAYS)
    np.savez(folder / "labels.npz", row=[1], **batch)
    return folder / "labels.npz"


def _predictions(folder: Path) -> Path:
    batch = _like().get_batch([0, 1], LABEL_ARRAYS)
    table = pa.table({"row": [0, 1], **{name: column.tolist() for name, column in batch.items()}})
    pq.write_table(table, folder / "labels.parquet")
    return folder / "labels.parquet"


def _read_label(path: Path) -> None:
    read_label(path, _like())


def _read_predicted(path: Path) -> None:
    read_predictions(path, _like())


def _importance(folder: Path) -> Path:
    moved = Moved(log_mel=1.0, stft=0.5, peak=0.1, step=0.02, moves=2)
    records = [BaseRecord(number=i, patch=i, moved={"a": moved}, skipped={"b": "why"}) for i in range(2)]
    path = importance_path(folder / "d.zarr")
    Importance.of(["a", "b"], records, {"seed": 1}, {"tonesmith": "1"}).save(path)
    return path


def _composition(folder: Path) -> Path:
    path = folder / "plugins.toml"
    path.write_text(
        '[plan]\npatches = 4\nseed = 3\n[notes]\npitches = [48, 60]\nhold = 1.5\n[backend]\nname = "vita"\ntier = 1\n'
        '[space]\ninclude = ["osc_*"]\nfix = { osc_1_on = 1.0 }\nranges = { "osc_?_level" = [0.1, 0.9] }\n'
        "[space.modulations]\nmost = 3\n[validators.level]\nsilence = -60.0\n[presets]\npaths = []\n"
        '[sink]\nname = "zarr"\nlevel = 2\n'
    )
    return path


def _compose(path: Path) -> None:
    from tonesmith.host.composition import load_config

    load_config(path).to_toml()


def _manifest(folder: Path) -> Path:
    from tonesmith.presets.collections import MANIFEST, collection_from, write_manifest

    root = folder / "collection"
    root.mkdir()
    write_manifest(root, collection_from("mine", {"url": "https://example.org/a.git", "licence": "CC0-1.0"}))
    return root / MANIFEST


def _read_manifest(path: Path) -> None:
    from tonesmith.presets.collections import read_manifest

    read_manifest(path.parent)


def _table(folder: Path) -> Path:
    path = folder / "collections.toml"
    path.write_text('[mine]\nurl = "https://example.org/a.git"\nlicence = "CC0-1.0"\nauthor = "me"\n')
    return path


def _read_table(path: Path) -> None:
    from tonesmith.presets.collections import collections

    collections(path)


def _spec(folder: Path) -> Path:
    from importlib.resources import files

    shipped = files("tonesmith.backends.vst3") / "specs"
    source = min((one for one in shipped.iterdir() if one.name.endswith(".toml")), key=lambda one: len(one.read_text()))
    path = folder / "spec.toml"
    path.write_text("\n".join(source.read_text().splitlines()[:120]) + "\n")
    return path


def _read_spec(path: Path) -> None:
    from tonesmith.backends.vst3.spec import find_spec

    find_spec(str(path)).shape(still=True)


def _index(folder: Path) -> Path:
    from tonesmith.backends.vita.wavetables import INDEX

    path = folder / INDEX
    source = {"kind": "preset", "name": "a", "author": "me", "licence": "", "wavetables": {"wavetable_1": "0" * 64}}
    entry = {"name": "a", "author": "me", "bytes": 10, "keyframes": 2, "made_of": ["Wave Source"]}
    path.write_text(json.dumps({"format": 1, "wavetables": {"0" * 64: entry}, "sources": {"0" * 64: source}}))
    return path


def _read_index(path: Path) -> None:
    from tonesmith.backends.vita.wavetables import Catalog

    Catalog.open(path.parent)


def _vstpreset(folder: Path) -> Path:
    from tonesmith.backends.vst3.presetfile import vstpreset

    path = folder / "one.vstpreset"
    path.write_bytes(vstpreset("A" * 32, b"the state of a component", b"that of a controller"))
    return path


def _read_vstpreset(path: Path) -> None:
    from tonesmith.backends.vst3.presetfile import class_id, read_bounded, states

    content = read_bounded(path)
    class_id(content)
    states(content)


def _fxp(folder: Path) -> Path:
    path = folder / "one.fxp"
    state = bytes(range(64))
    head = b"CcnK" + struct.pack(">i", 0) + b"FPCh" + struct.pack(">i", 1) + b"cjs3" + struct.pack(">ii", 1, 1)
    path.write_bytes(head + b"name".ljust(28, b"\0") + struct.pack(">i", len(state)) + state)
    return path


def _read_fxp(path: Path) -> None:
    from tonesmith.backends.vst3.presetfile import fxp_chunk, read_bounded

    fxp_chunk(read_bounded(path), "cjs3")


DATASETS = {
    "zarr": ("zarr", {}),
    "folder": ("folder", {}),
    "hdf5": ("hdf5", {}),
    "hdf5-single": ("hdf5", {"single": True}),
    "lmdb": ("lmdb", {}),
    "parquet": ("parquet", {}),
    "webdataset": ("webdataset", {}),
}
_USES: dict[str, Callable[[Path], object]] = {
    "rows": _rows,
    "inspect": _printed(lambda path: inspect(path, params=True)),
    "verify": _printed(lambda path: verify(path, quiet=True)),
    "info": lambda path: json.dumps(open_dataset(path).info()),
    "splits": lambda path: open_dataset(path).splits,
    "rejections": lambda path: open_dataset(path).rejections,
}
KINDS = {
    kind.name: kind
    for kind in (
        *(Kind(name, _dataset(*how), _USES) for name, how in DATASETS.items()),
        Kind("label", _label, {"read": _read_label}),
        Kind("npz", _npz, {"read": _read_label, "score": _read_predicted}),
        Kind("predictions", _predictions, {"score": _read_predicted}),
        Kind("importance", _importance, {"load": Importance.load}),
        Kind("composition", _composition, {"compose": _compose}),
        Kind("manifest", _manifest, {"read": _read_manifest}),
        Kind("collections", _table, {"read": _read_table}),
        Kind("spec", _spec, {"read": _read_spec}),
        Kind("index", _index, {"read": _read_index}),
        Kind("vstpreset", _vstpreset, {"read": _read_vstpreset}, named=False),
        Kind("fxp", _fxp, {"read": _read_fxp}, named=False),
    )
}
