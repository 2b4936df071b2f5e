"""What stands in a table of a step, as the words that would be typed."""

from __future__ import annotations

from typing import Any, Final

_COMMON: Final = frozenset({"path", "as_json", "quiet", "dry_run", "wait", "help", "listed", "restore"})
"""Parameters of commands that are not of a step: ``run`` has them itself, or they do something else."""


def parameters(command: Any) -> dict[str, Any]:
    """Return what a table may say -> the parameter: long flags without dashes, short ones, and names of arguments."""
    known: dict[str, Any] = {}
    arguments = [parameter for parameter in command.params if parameter.param_type_name == "argument"]
    for parameter in [*command.params]:
        if parameter.name in _COMMON or parameter in arguments[:1]:
            continue
        if parameter.param_type_name == "argument":
            known[parameter.name] = parameter
        else:
            known |= {flag.lstrip("-"): parameter for flag in parameter.opts}
    return known


def words_of(parameter: Any, value: Any) -> list[str]:
    """Return the words for a value, as they are typed. Raises :class:`ValueError` for one that cannot be typed."""
    argument = parameter.param_type_name == "argument"
    flag = () if argument else (parameter.opts[0],)
    if getattr(parameter, "is_flag", False) or isinstance(value, bool):
        if not (isinstance(value, bool) and getattr(parameter, "is_flag", False)):
            raise ValueError("expected true or false." if getattr(parameter, "is_flag", False) else "is not a switch.")
        return [*flag] if value else []
    if isinstance(value, dict):
        pairs = [(plugin, options) for plugin, options in value.items()]
        if not all(isinstance(options, dict) for _, options in pairs) or "--set" not in parameter.opts:
            raise ValueError(f"expected a value, and a table [...{parameter.name}.NAME] only of options of plugins.")
        given = [f"{plugin}.{name}={_literal(one)}" for plugin, options in pairs for name, one in options.items()]
        return [word for one in given for word in (*flag, one)]
    several = parameter.multiple if not argument else parameter.nargs != 1
    texts = [_text(one) for one in value] if isinstance(value, list) else [_text(value)]
    if argument:
        return texts
    return [word for text in (texts if several else [",".join(texts)]) for word in (*flag, text)]


def _text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise ValueError("expected a text, a number, or a list of these.")  # noqa: TRY004 - told with its line
    return str(value)


def own_text(value: Any) -> str:
    """Return a value of a plugin's option as it is typed behind its flag."""
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _literal(value: Any) -> str:
    import tomli_w

    return tomli_w.dumps({"v": value}).removeprefix("v = ").strip()
