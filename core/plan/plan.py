"""The plan: everything that decides a dataset's content, frozen, with a fingerprint."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any

from tonesmith.errors import DatasetError, TonesmithError
from tonesmith.plan.feature import StoredFeature, feature_columns
from tonesmith.plan.items import Items, retold
from tonesmith.plan.notes import Notes
from tonesmith.plan.phrases import Phrases
from tonesmith.plan.promises import Determinism, Isolation
from tonesmith.plan.schema import Column, Measure, columns
from tonesmith.space.preset import PresetRef
from tonesmith.space.space import ParameterSpace

FORMAT = 5
"""Version of the stored form. Older ones are read: 1 knew no presets, 2 no features, 3 no scores, 4 no items; a
newer one is refused."""
_WITHOUT_ITEMS = 4
_WITHOUT_SCORES = 3
_WITHOUT_FEATURES = 2


@dataclass(frozen=True, slots=True)
class PluginRef:
    """A plugin by name, with its options as JSON: what a worker rebuilds it from."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable form."""
        return {"name": self.name, "options": dict(self.options)}


@dataclass(frozen=True, slots=True)
class Audio:
    """The form of every render: Hz, channels, and frames as the engine itself counts them."""

    sample_rate: int
    channels: int
    frames: int


@dataclass(frozen=True)
class Plan:
    """Everything that decides a dataset's content.

    Attributes:
        rounds: patches of each round. Extending a dataset adds a round; earlier patches stay as they are.
        block: patches of a full block.
        max_attempts: draws of one patch before the run stops.
        timeout: seconds that one candidate may take; a candidate that takes longer is rejected.
        presets: that samplers draw from, in the order of their hashes.
        memory: bytes that one candidate may take; one that takes more is rejected. 0 for no limit.
        isolation, determinism: what is used, and what it promises, on the machine that made the plan.
        versions: of the engine and its library.
        features: that are computed of every row, and stored with it.
        notes: that play each patch. Of a plan of scores, a note as long as its phrases, for whoever plays one.
        phrases: that play each patch instead, or None.
        items: of a corpus that the rows are, where nothing was rendered; or None. Their audio may have 0 frames: there
            is none then.
    """

    seed: int
    rounds: tuple[int, ...]
    block: int
    max_attempts: int
    timeout: float
    audio: Audio
    notes: Notes
    backend: PluginRef
    isolation: Isolation
    determinism: Determinism
    space: ParameterSpace
    sampler: PluginRef
    origins: tuple[str, ...]
    validators: tuple[PluginRef, ...]
    measures: tuple[Measure, ...]
    sink: PluginRef
    versions: Mapping[str, str]
    presets: tuple[PresetRef, ...] = ()
    features: tuple[StoredFeature, ...] = ()
    memory: int = 0
    phrases: Phrases | None = None
    items: Items | None = None

    @property
    def per_patch(self) -> int:
        """Notes or phrases, and so rows, of each patch."""
        return self.phrases.per_patch if self.phrases else self.notes.per_patch

    @property
    def patches(self) -> int:
        """Patches of all rounds."""
        return sum(self.rounds)

    @property
    def rows(self) -> int:
        """Rows of the whole dataset: patches times notes, or phrases."""
        return self.patches * self.per_patch

    @property
    def block_rows(self) -> int:
        """Rows of a full block."""
        return self.block * self.per_patch

    @property
    def blocks(self) -> int:
        """Number of blocks."""
        return -(-self.patches // self.block)

    def patches_of(self, block: int) -> range:
        """Return the indices of the patches in a block."""
        if not 0 <= block < self.blocks:
            raise IndexError(f"block {block} is not in the plan, which has blocks 0..{self.blocks - 1}")
        return range(block * self.block, min((block + 1) * self.block, self.patches))

    def rows_of(self, block: int) -> int:
        """Return the number of rows in a block."""
        return len(self.patches_of(block)) * self.per_patch

    @cached_property
    def schema(self) -> tuple[Column, ...]:
        """The columns of the dataset."""
        form = (self.space, self.audio.channels, self.audio.frames, self.measures, bool(self.presets))
        scores = self.phrases.columns if self.phrases else []
        items = self.items.columns if self.items else []
        made = columns(*form, feature_columns(self.features), [*items, *scores], self.notes.expressed)
        return retold(made) if self.items else made

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of all but the rounds and the credits: plans that agree in it agree in every row they share."""
        return fingerprint_of(self.to_json())

    def __repr__(self) -> str:
        plugins = f"{self.backend.name}, {self.sampler.name}, {self.sink.name}"
        return f"<Plan {self.fingerprint[:12]}: {self.rows} rows of {self.patches} patches, {plugins}>"

    def extended_to(self, patches: int) -> Plan:
        """Return this plan with a further round, so that it has so many patches."""
        return replace(self, rounds=(*self.rounds, patches - self.patches)) if patches > self.patches else self

    @property
    def _format(self) -> int:
        """The oldest version that has all that this plan has."""
        if self.items or self.phrases:
            return FORMAT if self.items else _WITHOUT_ITEMS
        return _WITHOUT_SCORES if self.features else _WITHOUT_FEATURES

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable form."""
        return {
            "format": self._format,
            "seed": self.seed,
            "rounds": list(self.rounds),
            "block": self.block,
            "max_attempts": self.max_attempts,
            "timeout": self.timeout,
            "audio": {f.name: getattr(self.audio, f.name) for f in fields(self.audio)},
            "notes": self.notes.to_json(),
            "backend": self.backend.to_json(),
            "isolation": self.isolation,
            "determinism": self.determinism,
            "space": self.space.to_json(),
            "sampler": self.sampler.to_json(),
            "origins": list(self.origins),
            "validators": [v.to_json() for v in self.validators],
            "measures": [[m.name, m.unit, m.doc] for m in self.measures],
            "sink": self.sink.to_json(),
            "versions": dict(self.versions),
            "presets": [preset.to_json() for preset in self.presets],
            **({"features": [feature.to_json() for feature in self.features]} if self.features else {}),
            **({"memory": self.memory} if self.memory else {}),
            **({"phrases": self.phrases.to_json()} if self.phrases else {}),
            **({"items": self.items.to_json()} if self.items else {}),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Plan:
        """Return the plan that :meth:`to_json` wrote.

        Raises :class:`DatasetError` for a format newer than this version of tonesmith reads, and for what is no plan.
        """
        from tonesmith.plan.stored import check_stored  # its models take milliseconds to make

        if not isinstance(data, Mapping):
            raise _damaged(f"it is {type(data).__name__}, not an object")
        if (form := data.get("format")) not in range(1, FORMAT + 1):
            raise DatasetError(
                f"the plan has format {form!r:.40}; this version of tonesmith reads {FORMAT} and "
                "older. Upgrade tonesmith."
            )
        try:
            plan = cls._from_json(data, check_stored(data))
            _ = plan.schema  # it may name a column twice
        except TonesmithError as error:
            raise _damaged(str(error)) from error
        return plan

    @classmethod
    def _from_json(cls, data: Mapping[str, Any], notes: Notes) -> Plan:
        return cls(
            seed=data["seed"],
            rounds=tuple(data["rounds"]),
            block=data["block"],
            max_attempts=data["max_attempts"],
            timeout=data["timeout"],
            audio=Audio(**data["audio"]),
            notes=notes,
            backend=PluginRef(**data["backend"]),
            isolation=data["isolation"],
            determinism=data["determinism"],
            space=ParameterSpace.from_json(data["space"]),
            sampler=PluginRef(**data["sampler"]),
            origins=tuple(data["origins"]),
            validators=tuple(PluginRef(**v) for v in data["validators"]),
            measures=tuple(Measure(*m) for m in data["measures"]),
            sink=PluginRef(**data["sink"]),
            versions=dict(data["versions"]),
            presets=tuple(PresetRef(**preset) for preset in data.get("presets", ())),
            features=tuple(map(StoredFeature.from_json, data.get("features", ()))),
            memory=data.get("memory", 0),
            phrases=Phrases.from_json(data["phrases"]) if "phrases" in data else None,
            items=Items.from_json(data["items"]) if "items" in data else None,
        )


def _damaged(told: str) -> DatasetError:
    return DatasetError(f"the plan among the dataset's attributes is damaged ({told[:300]}). Restore it from a copy.")


def fingerprint_of(data: Mapping[str, Any]) -> str:
    """Return the fingerprint of a plan's JSON, of this format or an older one."""
    body = {key: value for key, value in data.items() if key != "rounds"}
    if "presets" in body:
        body["presets"] = [[preset["sha256"], preset["patch"]] for preset in body["presets"]]
    if "phrases" in body:
        body["phrases"] = {**body["phrases"], "scores": [[sha, said] for sha, _, said in body["phrases"]["scores"]]}
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
