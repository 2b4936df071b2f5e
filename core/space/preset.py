"""A preset: a patch in a file someone made, and what a plan keeps of it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, overload

from tonesmith.document import parsed_object
from tonesmith.errors import DatasetError
from tonesmith.space.patch import Patch, sha256_hex

if TYPE_CHECKING:
    from collections.abc import Callable

    from tonesmith.space.parameter import Parameter
    from tonesmith.space.space import ParameterSpace


@dataclass(frozen=True, slots=True)
class Preset:
    """What a synth reads in a preset file.

    Attributes:
        patch: with a value for every parameter; ``patch.preset`` is the SHA-256 of the file, or of its part of
            a file that holds several.
        assets: SHA-256 -> content of each asset that the patch names.
        name, author, style, comments: as its maker wrote them, or "".
        version: of the synth that saved it.
        licence: under which it may be used, or "" where nothing says.
        random: names of the parameters and sources by which it draws random numbers as it plays.
        remarks: what its reader had to skip or correct, a sentence each. What concerns the whole file is said of
            the first preset in it.
    """

    patch: Patch
    assets: Mapping[str, bytes] = field(default_factory=dict)
    name: str = ""
    author: str = ""
    style: str = ""
    comments: str = ""
    version: str = ""
    licence: str = ""
    random: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PresetRef:
    """A preset of a plan.

    Attributes:
        sha256: of the file, which names it.
        patch: SHA-256 of the asset that holds its patch.
        name, author, style, licence: to give credit; they decide nothing of the dataset's content.
    """

    sha256: str
    patch: str
    name: str = ""
    author: str = ""
    style: str = ""
    licence: str = ""

    def to_json(self) -> dict[str, str]:
        """Return a JSON-serialisable form."""
        return asdict(self)


def written_patch(patch: Patch) -> bytes:
    """Return the canonical text of a patch: equal patches give equal bytes, and every bit of a float is kept."""
    return json.dumps(patch.to_json(), sort_keys=True, separators=(",", ":")).encode()


def read_patch(content: bytes, name: str) -> Patch:
    """Return the patch that :func:`written_patch` wrote.

    Args:
        content: of the asset.
        name: of the asset, for the message.

    Raises :class:`DatasetError` if it is something else.
    """
    what = f"the asset {name}, which holds the patch of a preset,"
    data = parsed_object(content, what)
    try:
        patch = Patch.from_json(data)
        texts = (patch.origin, patch.preset, patch.mate, *patch.values, *patch.assets, *patch.assets.values())
        texts += tuple(end for m in patch.modulations for end in (m.source, m.destination))
        numbers = (*patch.values.values(), *(n for m in patch.modulations for n in (m.amount, m.power)))
        whole = all(isinstance(text, str) for text in texts) and all(map(math.isfinite, numbers))
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError):
        whole = False
    if not whole:
        raise DatasetError(f"{what} is damaged: it is no patch")
    return patch


def stored_form(preset: Preset, space: ParameterSpace) -> tuple[PresetRef, bytes]:
    """Return what a plan keeps of a preset, and the content of the asset that holds its patch.

    Args:
        preset: to keep.
        space: of the plan. What it fixes, the preset has at that value, and in the slots that it fills.
    """
    chosen = {
        p.slot: p.contents[round(space.fixed[p.name] - p.low)]
        for p in space.parameters
        if p.slot and p.name in space.fixed
    }
    values, assets = {**preset.patch.values, **space.fixed}, {**preset.patch.assets, **chosen}
    patch = Patch(values, preset.patch.modulations, assets, preset=preset.patch.preset)
    text = written_patch(patch)
    ref = PresetRef(patch.preset, sha256_hex(text), preset.name, preset.author, preset.style, preset.licence)
    return ref, text


def with_choices(
    space: ParameterSpace, presets: Sequence[Preset], named: Sequence[tuple[str, str, str]] = ()
) -> ParameterSpace:
    """Return the space with what presets bring among the choices of the parameters that choose assets.

    These come after the choices that there are, which remain all that samplers draw.

    Args:
        space: to widen.
        presets: whose assets become choices.
        named: slot, SHA-256 and name of more of them.
    """
    brought = [(*asset, preset.name) for preset in presets for asset in preset.patch.assets.items()]
    brought += named

    def widened(parameter: Parameter) -> Parameter:
        if not parameter.slot:
            return parameter
        known = set(parameter.contents)
        added = {sha: name for slot, sha, name in brought if slot == parameter.slot and sha not in known}
        if not added:
            return parameter
        ordered = sorted(added)
        texts = parameter.choices or tuple(map(str, range(round(parameter.low), round(parameter.high) + 1)))
        return replace(
            parameter,
            high=parameter.high + len(ordered),
            choices=(*texts, *(f"{added[sha]} ({sha[:8]})" for sha in ordered)),
            contents=(*parameter.contents, *ordered),
            within=parameter.within or (parameter.low, parameter.high),
            weights=(*parameter.weights, *(0.0 for _ in ordered)) if parameter.weights else (),
        )

    return replace(space, parameters=tuple(map(widened, space.parameters)))


class PresetPatches(Sequence[Patch]):
    """The patches of a plan's presets, in its order; each is read from its asset when it is first asked for.

    Args:
        presets: of the plan.
        asset: returns the content of an asset by its SHA-256.
    """

    def __init__(self, presets: Sequence[PresetRef], asset: Callable[[str], bytes]) -> None:
        self._presets = tuple(presets)
        self._read = lru_cache(maxsize=256)(lambda name: read_patch(asset(name), name))

    def __len__(self) -> int:
        return len(self._presets)

    @overload
    def __getitem__(self, index: int) -> Patch: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Patch]: ...
    def __getitem__(self, index: int | slice) -> Patch | Sequence[Patch]:
        """Return a patch, or several."""
        if isinstance(index, slice):
            return tuple(self._read(ref.patch) for ref in self._presets[index])
        return self._read(self._presets[index].patch)

    def __iter__(self) -> Iterator[Patch]:
        return (self._read(ref.patch) for ref in self._presets)


def told_presets(patch: Patch, presets: Sequence[PresetRef]) -> str:
    """Return which presets a patch was made of, by name and SHA-256, or "" for none."""
    names = {ref.sha256: ref.name for ref in presets}
    known = [sha256 for sha256 in (patch.preset, patch.mate) if sha256 in names]
    return " and ".join(f"the preset {names[sha256]!r} (SHA-256 {sha256[:12]})" for sha256 in known)


def credits_of(presets: Sequence[PresetRef]) -> list[dict[str, Any]]:
    """Return who made the presets under which licence: author, licence, and how many, most first."""
    counts: dict[tuple[str, str], int] = {}
    for preset in presets:
        key = (preset.author, preset.licence)
        counts[key] = counts.get(key, 0) + 1
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [{"author": author, "licence": licence, "presets": count} for (author, licence), count in ordered]
