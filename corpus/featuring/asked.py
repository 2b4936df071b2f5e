"""Which features are asked for: their options, and the key by which a computed one is known to be the same."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tonesmith.corpus.chosen import Options
from tonesmith.errors import ConfigError
from tonesmith.host.computing import feature_of, planned, planned_of_score
from tonesmith.host.feature_trust import check_feature_trusted, remember_feature
from tonesmith.host.registry import Host
from tonesmith.host.roles import Feature, ScoreFeature
from tonesmith.plan.feature import StoredFeature
from tonesmith.plan.plan import Audio

SECONDS: Final = 300.0
"""Of a recording that are heard by default."""
_SETTING: Final = "features"
_RATES: Final = (44_100, 192_000, 1_000_000)
"""Hz of the forms of audio of which one has to suit a feature, for its definition to be asked."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A feature with everything that decides its values, but the item.

    Attributes:
        name: of the plugin.
        options: of the plugin, all of them.
        seconds: of a recording that are heard, from its beginning.
        of: what it is computed of.
        key: digest of all this, and of the definition that the plugin has now.
    """

    name: str
    options: Mapping[str, Any]
    seconds: float
    of: str
    key: str

    @property
    def kind(self) -> str:
        """The kind of medium that it is computed of."""
        return "score" if self.of == "score" else "audio"

    def feature(self) -> Feature[Any]:
        """Return the plugin, made anew."""
        return feature_of(Host.load(), self.name, self.options)

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable form."""
        return {"options": dict(self.options), "seconds": self.seconds}


def asked_for(
    connection: sqlite3.Connection,
    names: Sequence[str],
    below: Options,
    above: Options,
    seconds: float | None,
    *,
    trust: bool = False,
) -> list[Asked]:
    """Return features by their names, with the options of the last time but for those that are given now.

    Args:
        connection: to the truth, which knows the options of the last time.
        names: of features.
        below: options of ``corpus.toml``, for a feature that was not computed before.
        above: options that are given now.
        seconds: of a recording that are heard; None for those of the last time.
        trust: whether to run code that stored options name.

    Raises :class:`PluginError` for an unknown feature, :class:`ConfigError` for options that cannot be used, and
    :class:`TrustError` for code that this user has not named himself.
    """
    host, before = Host.load(), last_time(connection)
    if strange := [name for name in above if name not in names]:
        raise ConfigError(f"--set {strange[0]}: the feature {strange[0]!r} is not among those to add.")
    found = []
    for name in dict.fromkeys(names):
        cls, told = host.find("feature", name), before.get(name, {})
        options: Any = {**told.get("options", below.get(name, {})), **above.get(name, {})}
        merged, typed = host.options_of("feature", name, options), host.options_of("feature", name, above.get(name, {}))
        if not set(cls.loads(merged)) <= set(cls.loads(typed)):
            check_feature_trusted(name, merged.model_dump(mode="json"), host, trust=trust)
        remember_feature(cls, merged)
        heard = told.get("seconds", SECONDS) if seconds is None else seconds
        found.append(_asked(feature_of(host, name, merged.model_dump(mode="json")), heard))
    return found


def _asked(feature: Feature[Any], seconds: float) -> Asked:
    options = feature.options.model_dump(mode="json")
    definition = definition_of(feature)
    told = [feature.name, options, definition] + ([seconds] if feature.of == "sound" else [])
    digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]
    return Asked(feature.name, options, seconds, feature.of, digest)


def definition_of(feature: Feature[Any]) -> Mapping[str, Any]:
    """Return how a feature is defined, of sounds at the first of a few rates that suits it.

    Raises :class:`ConfigError` if none does.
    """
    if isinstance(feature, ScoreFeature):
        return planned_of_score(feature).definition
    for rate in _RATES[:-1]:
        try:
            return _of_sounds(feature, rate).definition
        except ConfigError:
            continue
    return _of_sounds(feature, _RATES[-1]).definition


def _of_sounds(feature: Feature[Any], rate: int) -> StoredFeature:
    return planned(feature, Audio(rate, 2, rate))


def last_time(connection: sqlite3.Connection) -> dict[str, dict[str, Any]]:
    """Return name -> options and seconds of the features that were computed before."""
    row = connection.execute("SELECT value FROM settings WHERE name = ?", (_SETTING,)).fetchone()
    told: dict[str, dict[str, Any]] = json.loads(row[0]) if row else {}
    return told


def remember(connection: sqlite3.Connection, asked: Sequence[Asked]) -> None:
    """Store with which options features are computed."""
    told = {**last_time(connection), **{one.name: one.to_json() for one in asked}}
    connection.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (_SETTING, json.dumps(told, sort_keys=True)))


def forget(connection: sqlite3.Connection, name: str) -> None:
    """Store that a feature is not computed any more."""
    told = {other: value for other, value in last_time(connection).items() if other != name}
    connection.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (_SETTING, json.dumps(told, sort_keys=True)))
