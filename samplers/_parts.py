"""The parts of a mix: how they are written, and how many patches each makes of a round."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from tonesmith.errors import ConfigError, PluginError

_AMOUNT = r"(?P<count>\d+)|(?P<percent>\d+(\.\d*)?|\.\d+)%|(?P<share>\d+\.\d*|\.\d+)"
_SHORT = re.compile(rf"(?P<name>[^:]+)(:({_AMOUNT}))?")
MOST = 10**9
"""The largest count or share: as many patches as a plan can have."""
_OWN = ("name", "share", "count")

SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": "string"},
        {
            "type": "object",
            "properties": {
                "name": {"type": "string"},
                "share": {"type": "number", "exclusiveMinimum": 0, "maximum": MOST},
                "count": {"type": "integer", "minimum": 1, "maximum": MOST},
            },
            "required": ["name"],
        },
    ]
}
"""JSON schema of a part as it may be written."""


class Part(BaseModel):
    """A sampler of a mix: its name, its share or count, and its own options, complete once it is validated.

    Its text form is ``NAME``, ``NAME:COUNT`` with a whole number, or ``NAME:SHARE`` with a decimal point or ``%``.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    name: str
    share: float | None = Field(default=None, gt=0.0, le=MOST)
    count: int | None = Field(default=None, ge=1, le=MOST)

    @property
    def options(self) -> dict[str, Any]:
        """The options of its sampler, as JSON."""
        return dict(self.__pydantic_extra__ or {})

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, data: Any) -> Any:
        """Return the part as a table with every option of its sampler."""
        table = _read(data) if isinstance(data, str) else data
        if isinstance(table, Part):
            return table
        if not (isinstance(table, Mapping) and isinstance(table.get("name"), str)):
            raise ValueError("a part must name its sampler, as in { name = 'lhs', count = 100 } or 'lhs:100'")  # noqa: TRY004
        if table.get("share") is not None and table.get("count") is not None:
            raise ValueError(f"the part {table['name']!r} has both a share and a count. Give only one")
        given = {key: value for key, value in table.items() if key in _OWN and value is not None}
        options = {key: value for key, value in table.items() if key not in _OWN}
        return {**given, **_options_of(table["name"], options)}

    @model_serializer(mode="wrap")
    def _without_unset(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Return what is set: TOML has no null."""
        return {key: value for key, value in cast("dict[str, Any]", handler(self)).items() if value is not None}


def _read(text: str) -> dict[str, Any]:
    """Return the table that the text form of a part stands for."""
    found = _SHORT.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is not NAME, NAME:COUNT such as lhs:100, or NAME:SHARE such as lhs:0.25 or lhs:25%")
    name, count = found["name"], found["count"]
    share = found["share"] or (f"{found['percent']}e-2" if found["percent"] else None)
    for amount in filter(None, (count, share)):
        if not 0.0 < float(amount) <= MOST:
            raise ValueError(f"{text!r}: a count or share must be above 0 and at most {MOST:g}")
    amounts = {"count": count and int(count), "share": share and float(share)}
    return {"name": name, **{key: value for key, value in amounts.items() if value is not None}}


def _options_of(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a sampler's options as JSON, validated and with the defaults. Raises :class:`ValueError`."""
    from tonesmith.host.registry import Host
    from tonesmith.host.settings import InvalidSettings, dotted, validate

    try:
        model = Host.load().find("sampler", name).Options
    except PluginError as error:
        raise ValueError(str(error).rstrip(".")) from None
    if clash := [key for key in _OWN if key in model.model_fields]:
        raise ValueError(f"the sampler {name!r} has an option called {clash[0]}, which is reserved for the part")
    try:
        return validate(model, given).model_dump(mode="json")
    except InvalidSettings as error:
        told = "; ".join(f"{dotted((name, *p.path))}: {p.text.rstrip('.')}" for p in error.problems)
        raise ValueError(told) from None


@dataclass(frozen=True, slots=True)
class Claim:
    """What a part asks for.

    Attributes:
        most: patches of the whole plan, or None for no such number.
        share: weight of its share in what the numbers leave, or None for what the shares leave.
    """

    most: int | None = None
    share: float | None = None


class Unclaimed(Exception):  # noqa: N818 - the mix says what it means
    """A round has patches that no part takes; carries the sum of what the parts take in all."""

    def __init__(self, claimed: int) -> None:
        super().__init__(claimed)
        self.claimed = claimed


def layout(rounds: Sequence[int], claims: Sequence[Claim]) -> list[list[int]]:
    """Return how many patches of each round each part makes: lists (rounds, parts) whose rows sum to the rounds.

    First the numbers are filled, in order; a round that is too small for them leaves the rest to the next. What
    is left is split by the shares: they are weights where every part has one, and fractions where some part
    takes what is left. A round depends on none that comes after it.

    Raises :class:`Unclaimed` if a round has patches that no part takes.
    """
    used = [0] * len(claims)
    sizes: list[list[int]] = []
    for patches in rounds:
        row, left = [], patches
        for claim, before in zip(claims, used, strict=True):
            row.append(min(claim.most - before, left) if claim.most is not None else 0)
            left -= row[-1]
        weights = weights_of(claims)
        if left and not any(weights):
            raise Unclaimed(sum(claim.most or 0 for claim in claims))
        if left:
            row = [own + more for own, more in zip(row, split(left, weights), strict=True)]
        used = [before + own for before, own in zip(used, row, strict=True)]
        sizes.append(row)
    return sizes


def weights_of(claims: Sequence[Claim]) -> list[float]:
    """Return the weight of each part in what the numbers leave; 0 for a part that has a number.

    Raises :class:`ConfigError` if the shares leave nothing for a part that takes what is left.
    """
    rest = sum(claim.most is None and claim.share is None for claim in claims)
    shares = sum(claim.share or 0.0 for claim in claims)
    if rest and shares >= 1.0:
        raise ConfigError(
            f"the shares of the mix add up to {shares:g}, and a part without a share takes the rest. Make them "
            "less than 1 together, or give every part a share."
        )
    return [
        claim.share if claim.share is not None else 0.0 if claim.most is not None else (1.0 - shares) / rest
        for claim in claims
    ]


def split(number: int, weights: Sequence[float]) -> list[int]:
    """Return whole parts of a number in proportion to weights, by the largest remainder; the first of equals wins.

    Each is within 1 of its proportion, and they sum to the number.
    """
    quotas = [number * weight / sum(weights) for weight in weights]
    parts = [int(quota) for quota in quotas]
    order = sorted(range(len(weights)), key=lambda i: (parts[i] - quotas[i], i))
    for place in order[: number - sum(parts)]:
        parts[place] += 1
    return parts
