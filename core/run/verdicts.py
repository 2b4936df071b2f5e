"""Whether a validator returns what it declares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tonesmith.errors import PluginError
from tonesmith.host.roles import Validator
from tonesmith.plan.render import Verdict


def check_verdict(validator: Validator[Any], verdict: object) -> None:
    """Raise :class:`PluginError` unless a verdict has a number for each measure that is declared, and for no other."""
    if not isinstance(verdict, Verdict):
        raise PluginError(
            f"the validator {validator.name!r} returned {type(verdict).__name__} from check, not a Verdict."
        )
    if fault := _fault(verdict.measured, {measure.name for measure in validator.measures}):
        raise PluginError(f"the validator {validator.name!r} {fault}.")
    if not isinstance(verdict.reason, str):
        raise PluginError(f"the validator {validator.name!r} gave the reason {verdict.reason!r}, which is no text.")


def _fault(measured: Mapping[str, float], declared: set[str]) -> str:
    """Return what is wrong with measures, or ""."""
    if unknown := sorted(measured.keys() - declared):
        known = ", ".join(sorted(declared)) or "none"
        return f"measured {unknown[0]!r}, which is not among its measures ({known})"
    if missing := sorted(declared - measured.keys()):
        return f"did not measure {missing[0]!r}, which is among its measures. Where it has no value, it is NaN"
    for name, value in measured.items():
        try:
            float(value)
        except (TypeError, ValueError):
            return f"measured {name!r} as {value!r}, which is no number"
    return ""
