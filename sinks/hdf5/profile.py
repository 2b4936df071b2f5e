"""What is in the files: our columns, and beside them the profile 2.1.0, which training code for Vital reads.

::

    tonesmith/<column>          ours; those of the profile are the same arrays under a second name
    audio/waveforms             audio
    params/continuous           continuous
    params/categorical          categorical
    params/modulation_t3        (4, sources, destinations): amount, bipolar, power, stereo; on request
    metadata/midi_note          pitch
    metadata/velocity           velocity
    metadata/source             name of the origin
    metadata/tier               of vita, 0 if the backend has none
    metadata/preset_hash        of the preset, or of the patch
    metadata/preset_name        of the preset, or ""
    schema                      attributes: names, ranges and rates
    importance_weights/weights  of the continuous parameters, once measured
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.errors import DatasetError
from tonesmith.plan.schema import Column
from tonesmith.sinks.base.block_layout import Layout
from tonesmith.sinks.hdf5.file import Held, Packing, text_array
from tonesmith.space.space import ParameterSpace

PROFILE = "2.1.0"

_SECOND = {
    "audio": "audio/waveforms",
    "continuous": "params/continuous",
    "categorical": "params/categorical",
    "pitch": "metadata/midi_note",
    "velocity": "metadata/velocity",
}
_PATCH = ("continuous", "categorical", "asset")
"""The columns, with those of the modulations, that make a patch."""


def path_of(column: str) -> str:
    """Return where a column of ours is."""
    return f"tonesmith/{column}"


class Form:
    """What every file of a dataset holds."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.packing = Packing(str(layout.options["compression"]), int(layout.options["level"]))
        try:
            self._plan: Mapping[str, Any] = layout.attributes["plan"]
            self._origins = [str(origin) for origin in self._plan["origins"]]
            self._presets = {str(p["sha256"]): str(p["name"]) for p in self._plan.get("presets", ())}
        except (LookupError, TypeError):
            raise DatasetError("the dataset has no plan among its attributes") from None

    @cached_property
    def space(self) -> ParameterSpace:
        """The parameters."""
        return ParameterSpace.from_json(self._plan["space"])

    @property
    def tier(self) -> int:
        """Of the backend; 0 if it has none."""
        tier = self._plan["backend"]["options"].get("tier", 0)
        if tier is None:  # not chosen: vita then varies what its tier 1 does, or with presets what its tier 3 does
            return 3 if self._plan.get("presets") else 1
        return tier if isinstance(tier, int) else 0

    @cached_property
    def held(self) -> tuple[Held, ...]:
        """Every array, ours first."""
        ours = [_ours(column) for column in self.layout.columns]
        absent = [name for name in ("continuous", "categorical") if name not in {c.name for c in self.layout.columns}]
        none = [Held(_SECOND[n], "float32" if n == "continuous" else "int32", (0,), doc="none varies") for n in absent]
        names = text_array(list(self._presets.values()))
        beside = [
            Held("metadata/source", text_array(self._origins).dtype.str[1:], (), doc="the sampler that made the patch"),
            Held("metadata/tier", "int32", (), constant=self.tier, doc="of the backend"),
            Held("metadata/preset_hash", "S64", (), doc="SHA-256 of the preset, or of the patch if it is from none"),
            Held("metadata/preset_name", names.dtype.str[1:], (), doc="of the preset, or empty"),
        ]
        return (*ours, *none, *beside, *self._matrix)

    @property
    def _matrix(self) -> list[Held]:
        sources, destinations = self._plan["space"]["sources"], self._plan["space"]["destinations"]
        if not (self.layout.options["modulation_t3"] and self._has_modulations):
            return []
        doc = "amount, bipolar, power, stereo by source and destination"
        return [Held("params/modulation_t3", "float32", (4, len(sources), len(destinations)), alone=True, doc=doc)]

    @property
    def _has_modulations(self) -> bool:
        return any(column.name == "modulation/source" for column in self.layout.columns)

    def values(self, columns: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Return path -> (rows, *shape) of all that has chunks, for the columns of some rows."""
        found = {path_of(name): array for name, array in columns.items()}
        held = {one.path: one.dtype for one in self.held}
        presets = [bytes(preset).hex() if preset.any() else "" for preset in columns["preset"]]
        found["metadata/source"] = np.array([self._origin(i) for i in columns["origin"]], held["metadata/source"])
        hashes = [preset or _patch_hash(columns, row) for row, preset in enumerate(presets)]
        found["metadata/preset_hash"] = text_array(hashes, 64)
        names = [self._presets.get(preset, "").encode() for preset in presets]
        found["metadata/preset_name"] = np.array(names, held["metadata/preset_name"])
        return found

    def matrix(self, columns: Mapping[str, NDArray[Any]], row: int) -> NDArray[np.float32]:
        """Return float32 (4, sources, destinations) of a row; zeros where nothing is connected or it is bypassed."""
        of = {name.removeprefix("modulation/"): array[row] for name, array in columns.items() if "modulation/" in name}
        matrix = np.zeros(self._matrix[0].shape, np.float32)
        for slot in np.flatnonzero((of["source"] >= 0) & (of["bypass"] != 1)).tolist():
            place = (slice(None), of["source"][slot], of["destination"][slot])
            matrix[place] = [of[name][slot] for name in ("amount", "bipolar", "power", "stereo")]
        return matrix

    def _origin(self, index: int) -> bytes:
        return self._origins[index].encode() if 0 <= index < len(self._origins) else b""

    def attributes(self) -> dict[str, Any]:
        """Return the attributes of the file itself."""
        layout, audio = self.layout, self._plan["audio"]
        return {
            "schema_version": PROFILE,
            "generator": "tonesmith",
            "sample_rate": layout.sample_rate,
            "channels": int(audio["channels"]),
            "frames": int(audio["frames"]),
            "rows": layout.rows,
            "block_rows": layout.block_rows,
        }

    def schema(self) -> dict[str, Any]:
        """Return the attributes of the group ``schema``."""
        space, audio, rate = self.space, self._plan["audio"], self.layout.sample_rate
        hold = self._plan["notes"].get("hold")
        choices = {p.name: list(p.choices) for p in space.categorical}
        return {
            "version": PROFILE,
            "sample_rate": rate,
            "channels": int(audio["channels"]),
            "frames": int(audio["frames"]),
            "render_duration": int(audio["frames"]) / rate,
            **({"note_duration": float(hold)} if isinstance(hold, (int, float)) else {}),
            "tier": self.tier,
            "n_continuous": len(space.continuous),
            "n_categorical": len(space.categorical),
            "continuous_names": [p.name for p in space.continuous],
            "continuous_low": np.array([p.low for p in space.continuous], "<f8"),
            "continuous_high": np.array([p.high for p in space.continuous], "<f8"),
            "continuous_units": [p.unit for p in space.continuous],
            "categorical_names": [p.name for p in space.categorical],
            "categorical_n_options": np.array([round(p.high - p.low) + 1 for p in space.categorical], "<i8"),
            "categorical_choices": json.dumps(choices, ensure_ascii=False),
            "wavetable_names": [],
            "mod_source_names": list(space.sources),
            "mod_destination_names": list(space.destinations),
        }


def _ours(column: Column) -> Held:
    second = _SECOND.get(column.name, "")
    return Held(path_of(column.name), column.dtype, column.shape, column.name == "audio", second, doc=column.doc)


def _patch_hash(columns: Mapping[str, NDArray[Any]], row: int) -> str:
    """Return the SHA-256 of a patch: code that splits by preset then keeps its notes together, and others apart."""
    digest = hashlib.sha256()
    for name in _patch_columns(list(columns)):
        array = columns[name][row]
        digest.update(array.astype(array.dtype.newbyteorder("<")).tobytes())
    return digest.hexdigest()


def _patch_columns(names: Sequence[str]) -> list[str]:
    return sorted(name for name in names if name in _PATCH or name.startswith("modulation/"))
