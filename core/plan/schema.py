"""The columns of a dataset, which every sink stores and :class:`tonesmith.Dataset` reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tonesmith.errors import ConfigError

if TYPE_CHECKING:
    from tonesmith.space.space import ParameterSpace


@dataclass(frozen=True, slots=True)
class Column:
    """One stored array of a dataset.

    Attributes:
        name: such as "audio" or "modulation/source".
        shape: of one row.
        dtype: NumPy's name for it, such as "float32".
        dims: a name for each axis of ``shape``.
        doc: what it holds, with units.
        content: whether it is part of the row's digest. Measurements are not.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    dims: tuple[str, ...]
    doc: str
    content: bool = True


@dataclass(frozen=True, slots=True)
class Measure:
    """A number that a validator measures of each render: its name, unit and meaning."""

    name: str
    unit: str
    doc: str


MODULATION_FIELDS = ("source", "destination", "amount", "power", "bipolar", "stereo", "bypass")

EXPRESSION_COLUMNS = (
    Column("bend", (), "float64", (), "pitch wheel, -1 to 1 of the range that the synth bends"),
    Column("modwheel", (), "float64", (), "modulation wheel, 0 to 1"),
    Column("sustain", (), "bool", (), "whether the sustain pedal is down, so that the note is not let go"),
)
"""What notes have besides, of plans that say so."""


def columns(
    space: ParameterSpace,
    channels: int,
    frames: int,
    measures: Sequence[Measure],
    presets: bool = False,
    features: Sequence[Column] = (),
    scores: Sequence[Column] = (),
    expressed: Sequence[str] = (),
) -> tuple[Column, ...]:
    """Return the schema of a plan's dataset; one with ``presets`` tells of each row which it came from.

    Args:
        space: of the labels.
        channels: of every render.
        frames: of every render.
        measures: of the validators.
        presets: whether patches come from presets.
        features: their columns.
        scores: the columns of what plays the rows, where that is scores.
        expressed: those of :data:`EXPRESSION_COLUMNS` that the notes have.

    Raises :class:`ConfigError` if two measures, a measure and a column, or two features have one name.
    """
    of = " of the first note" if scores else ""
    held = "seconds that the score may take" if scores else "seconds from note on to note off"
    schema = [
        Column("audio", (channels, frames), "float32", ("channel", "frame"), "samples, full scale 1.0"),
        Column(
            "continuous",
            (len(space.continuous),),
            "float32",
            ("continuous_parameter",),
            "labels of the continuous parameters: linear in [0, 1] between low and high",
        ),
        Column(
            "categorical",
            (len(space.categorical),),
            "int32",
            ("categorical_parameter",),
            "labels of the categorical parameters: index of the choice",
        ),
        Column(
            "audible",
            (len(space.names),),
            "bool",
            ("parameter",),
            "which parameters, continuous then categorical, the gates leave audible",
        ),
        *_modulation(space.modulation_slots),
        Column("asset", (len(space.assets), 32), "uint8", ("asset_slot", "sha256"), "SHA-256 of each slot's content"),
        Column("pitch", (), "uint8", (), f"MIDI pitch{of}"),
        Column("velocity", (), "uint8", (), f"MIDI velocity{of}"),
        Column("hold", (), "float64", (), held),
        Column("tail", (), "float64", (), f"seconds rendered after {'that' if scores else 'the note off'}"),
        *(column for column in EXPRESSION_COLUMNS if column.name in expressed),
        Column("patch", (), "int64", (), "index of the patch in the plan"),
        Column("attempt", (), "int32", (), "which draw of the patch was accepted, 0 first"),
        Column("origin", (), "int16", (), "index of the sampler in the attribute origins"),
        Column("preset", (32,), "uint8", ("sha256",), "SHA-256 of the preset it came from, or zeros"),
    ]
    if presets:
        doc = "SHA-256 of the second preset that it was bred from, or zeros"
        schema.append(Column("mate", (32,), "uint8", ("sha256",), doc))
    schema += scores
    for measure in measures:
        if measure.name in {c.name for c in schema}:
            raise ConfigError(f"two columns are named {measure.name!r}. Rename the measure of the validator.")
        schema.append(Column(measure.name, (), "float32", (), f"{measure.doc}, {measure.unit}", content=False))
    for feature in features:
        if feature.name in {c.name for c in schema}:
            raise ConfigError(f"two columns are named {feature.name!r}. Leave out one of the features.")
        schema.append(feature)
    return tuple(c for c in schema if 0 not in c.shape)


def _modulation(slots: int) -> list[Column]:
    def field(name: str, dtype: str, doc: str) -> Column:
        return Column(f"modulation/{name}", (slots,), dtype, ("modulation_slot",), doc)

    return [
        field("source", "int16", "index of the source in the attribute sources, -1 for an empty slot"),
        field("destination", "int16", "index of the destination in the attribute destinations, -1 if empty"),
        field("amount", "float32", "-1 to 1"),
        field("power", "float32", "exponent of the curve, in the engine's units"),
        field("bipolar", "int8", "1 if the source swings both ways, -1 if empty"),
        field("stereo", "int8", "1 if left and right go opposite ways, -1 if empty"),
        field("bypass", "int8", "1 if switched off, -1 if empty"),
    ]
