"""The JSON of a plan, checked before a plan is made of it: the type and the range of every field.

Nothing is converted: a plan is made of the very numbers that are stored, for its fingerprint is taken of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from tonesmith.errors import DatasetError
from tonesmith.plan.annotated import Kind
from tonesmith.plan.feature import StoredFeature
from tonesmith.plan.notes import Notes
from tonesmith.plan.phrases import Joined
from tonesmith.plan.promises import Determinism, Isolation
from tonesmith.space.parameter import Curve

MOST_ROWS = 2**48
"""Of a plan: far beyond any disk, and still a number that a float64 and an int64 hold."""
_MOST_NAMES = 2**16
_LONGEST_TEXT = 2**16
_MOST_VALUES = 2**28
"""Of one array of a feature."""

_SHA256_DIGITS = 64

Text = Annotated[str, Field(max_length=_LONGEST_TEXT)]
Texts = Annotated[list[Text], Field(max_length=_MOST_NAMES)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Slot = Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")]
"""SHA-256 of what a slot holds, or "" for nothing."""
Weight = Annotated[float, Field(ge=0.0)]
_Gate = Annotated[tuple[Text, list[int]], BeforeValidator(lambda pair: tuple(pair) if isinstance(pair, list) else pair)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class _Plugin(_Part):
    name: Text
    options: dict[Text, Any]


class _Audio(_Part):
    sample_rate: int = Field(ge=1, le=2**24)
    channels: int = Field(ge=1, le=2**10)
    frames: int = Field(ge=0, le=2**31 - 1)


class _Parameter(_Part):
    name: Text
    kind: Literal["continuous", "categorical"]
    low: float
    high: float
    default: float
    choices: Texts = []
    unit: Text = ""
    group: Text = ""
    switch: Text = ""
    source: Text = ""
    when: list[_Gate] = []
    slot: Text = ""
    contents: list[Slot] = []
    curve: Curve = "linear"
    scale: float = 1.0
    offset: float = 0.0
    within: list[float] | None = Field(None, min_length=2, max_length=2)
    weights: list[Weight] = []
    by: Text = ""
    counts: list[Annotated[int, Field(ge=0, le=2**20)]] = []
    margin: float = 0.0


class _Routing(_Part):
    p: float
    most: int = Field(ge=0, le=2**15 - 1)
    amount: list[float] = Field(min_length=2, max_length=2)
    power: list[float] = Field(min_length=2, max_length=2)
    bipolar: float = Field(ge=0.0, le=1.0)
    stereo: float = Field(ge=0.0, le=1.0)
    sources: dict[Text, Weight]
    destinations: dict[Text, Weight]


class _Space(_Part):
    parameters: list[_Parameter] = Field(max_length=_MOST_NAMES)
    fixed: dict[Text, float]
    held: dict[Text, float] = {}
    sources: Texts
    destinations: Texts
    modulation_slots: int = Field(ge=0, le=2**15 - 1)
    routing: _Routing | None = None
    assets: dict[Text, Slot]
    modules: dict[Text, Text] = {}


class _Preset(_Part):
    sha256: Sha256
    patch: Sha256
    name: Text = ""
    author: Text = ""
    style: Text = ""
    licence: Text = ""


class _Array(_Part):
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
    shape: Annotated[list[Annotated[int, Field(ge=1, le=2**31 - 1)]], Field(max_length=6)]
    dims: Annotated[list[Text], Field(max_length=6)]
    unit: Text
    doc: Text
    dtype: Literal["float32", "float16", "bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64"]
    tolerance: float = Field(ge=0.0)
    missing: bool

    @model_validator(mode="after")
    def _axes(self) -> Self:
        if len(self.dims) != len(self.shape) or math.prod(self.shape) > _MOST_VALUES:
            raise ValueError(f"{self.name}: its shape and its dims do not fit each other, or are too large")
        return self


class _Feature(_Plugin):
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,63}$")]
    definition: dict[Text, Any]
    arrays: Annotated[list[_Array], Field(min_length=1, max_length=256)]


class _Field(_Part):
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
    kind: Kind
    doc: Text
    choices: Annotated[Texts, Field(max_length=2**15 - 1)]
    length: int = Field(ge=1, le=2**20)
    optional: bool = False


Said = dict[Text, bool | int | float | Text]


class _Phrases(_Part):
    composer: Text
    options: dict[Text, Any]
    seconds: float = Field(gt=0.0, le=3600.0)
    tail: float = Field(ge=0.0, le=3600.0)
    per_patch: int = Field(ge=1, le=2**20)
    max_notes: int = Field(ge=0, le=2**20)
    max_controls: int = Field(ge=0, le=2**20)
    joined: Joined
    fields: Annotated[list[_Field], Field(max_length=256)]
    scores: list[Annotated[list[Sha256 | Text | Said], Field(min_length=3, max_length=3)]]

    @model_validator(mode="after")
    def _scores(self) -> Self:
        names = {field.name for field in self.fields}
        for sha256, source, said in self.scores:
            if not (isinstance(sha256, str) and len(sha256) == _SHA256_DIGITS and isinstance(source, str)):
                raise ValueError("a score without a SHA-256 and a source")
            if not isinstance(said, dict) or said.keys() != names:
                raise ValueError("a score of which other things are said than the fields name")
        return self


class _Items(_Part):
    corpus: Text
    profile: Text
    truth: Sha256
    window: float = Field(ge=0.0, le=3600.0)
    hop: float = Field(ge=0.0, le=3600.0)
    lengths: dict[Literal["name", "parent", "operation", "licence"], Annotated[int, Field(ge=1, le=2**16)]]
    fields: Annotated[list[_Field], Field(max_length=1024)]
    classes: Text = ""


class StoredPlan(_Part):
    """What :meth:`tonesmith.plan.plan.Plan.to_json` writes, now or in an older version."""

    format: int
    seed: int = Field(ge=-(2**63), le=2**64 - 1)
    rounds: list[Annotated[int, Field(ge=0, le=MOST_ROWS)]] = Field(max_length=2**20)
    block: int = Field(ge=1, le=2**31 - 1)
    max_attempts: int = Field(ge=1, le=2**31 - 1)
    timeout: float = Field(gt=0.0, le=86400.0 * 365)
    audio: _Audio
    notes: dict[Text, Any]
    backend: _Plugin
    isolation: Isolation
    determinism: Determinism
    space: _Space
    sampler: _Plugin
    origins: Texts
    validators: list[_Plugin]
    measures: list[Annotated[list[Text], Field(min_length=3, max_length=3)]]
    sink: _Plugin
    versions: dict[Text, Text]
    presets: list[_Preset] = []
    features: Annotated[list[_Feature], Field(max_length=256)] = []
    memory: int = Field(0, ge=0, le=2**63 - 1)
    phrases: _Phrases | None = None
    items: _Items | None = None

    @model_validator(mode="after")
    def _sounds(self) -> Self:
        if not self.audio.frames and self.items is None:
            raise ValueError("its rows have no audio")
        return self


def stored_feature(data: Any) -> StoredFeature:
    """Return the feature that JSON of a stranger tells. Raises :class:`DatasetError`, naming the field."""
    try:
        _Feature.model_validate(data)
    except ValidationError as error:
        raise DatasetError(_told(error)) from None
    return StoredFeature.from_json(data)


def check_stored(data: Mapping[str, Any]) -> Notes:
    """Raise :class:`DatasetError`, naming the field, unless data is the JSON of a plan; return its notes.

    What a format older than this one did not have is left out. Whether the numbers fit each other is for what is made
    of them to say.
    """
    try:
        stored = StoredPlan.model_validate(data)
        notes = Notes.model_validate(stored.notes)
    except ValidationError as error:
        raise DatasetError(_told(error)) from None
    rows = stored.phrases.per_patch if stored.phrases else notes.per_patch
    if sum(stored.rounds) * rows > MOST_ROWS or stored.block * rows > MOST_ROWS:
        raise DatasetError(f"its rounds, blocks and notes ask for more than {MOST_ROWS} rows")
    return notes


def _told(error: ValidationError) -> str:
    """Return the first thing that is wrong, and how many more there are."""
    first, *others = error.errors(include_url=False, include_context=False, include_input=False)
    where = ".".join(map(str, first["loc"])) or "it"
    return f"{where}: {first['msg']}" + (f", and {len(others)} more" if others else "")
