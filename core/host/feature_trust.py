"""Whether a feature that a dataset names may run the code that its options name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tonesmith.host.trust import check_loads, remember_loads

if TYPE_CHECKING:
    from tonesmith.host.registry import Host
    from tonesmith.host.roles import Feature, Options


def check_feature_trusted(name: str, options: Mapping[str, Any], host: Host, *, trust: bool = False) -> None:
    """Raise :class:`TrustError` unless a feature may be made from options that were stored in a dataset.

    Nothing is loaded for it. A feature that runs no code but its own needs no trust: the user installed it.

    Args:
        name: of the feature.
        options: as they are stored.
        host: finds it.
        trust: whether its user vouches for what they name.

    Raises :class:`PluginError` for one that is not installed, :class:`ConfigError` for options that it has not.
    """
    checked: Any = host.options_of("feature", name, options)
    check_loads(host.find("feature", name).loads(checked), options, checked, {}, trust=trust)


def remember_feature(feature: type[Feature[Any]], options: Options) -> None:
    """Keep in the user's cache that this user has named what a feature loads."""
    remember_loads(feature.loads(options))
