"""What the source of a Faust program says of its controls and DawDreamer does not: unit, scale, choices.

The scanner knows no Faust grammar but strings, comments, brackets and the calls that make controls and groups. It
takes any text, and what it does not understand it leaves out. Ranges and defaults are DawDreamer's own: in the source
they may be expressions. Metadata: https://faustdoc.grame.fr/manual/syntax/#ui-label-metadata
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

_CONTROLS = frozenset({"hslider", "vslider", "nentry", "checkbox", "button"})
_GROUPS = frozenset({"hgroup", "vgroup", "tgroup"})
_BRACKETS = {"(": 1, ")": -1}
_TOKENS = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?(?:\*/|\Z))
    |(?P<widget>\b(?:hslider|vslider|nentry|checkbox|button|hgroup|vgroup|tgroup)\b)
    |(?P<file>\b(?:import|library|component|soundfile|ffunction|fvariable|fconstant)\b)
    |(?P<string>"[^"]*(?:"|\Z))
    |(?P<bracket>[()])
    |(?P<other>\w+|[^\w\s"()])""",
    re.DOTALL | re.VERBOSE,
)
_METADATA = re.compile(r"\[([^\[\]:]*)(?::([^\[\]]*))?\]")
_GROUP_PREFIX = re.compile(r"\s*(?:\.\./|[hvt]:([^/]*)/)")
_CHOICE = re.compile(r"'([^']*)'\s*:\s*([-+0-9.eE]+)")
_STYLE = re.compile(r"\s*(?:menu|radio)\s*\{(.*)\}\s*", re.DOTALL)
_NUMBERED = re.compile(r"%\d*(?:\{\w+\}|\w+)")


@dataclass(frozen=True, slots=True)
class Control:
    """A call that makes a control, as the source has it.

    Attributes:
        label: the text without metadata and groups; ``%n`` stands in it for the number of a repeated control.
        groups: the groups around it, as far as the text tells: a definition may be used inside of others.
        unit: such as "Hz", or "".
        scale: "log", "exp", or "" for linear.
        choices: text and value of each entry of a menu or of radio buttons.
    """

    label: str
    groups: tuple[str, ...] = ()
    unit: str = ""
    scale: str = ""
    choices: tuple[tuple[str, float], ...] = ()

    def fits(self, label: str) -> bool:
        """Return whether a control that DawDreamer lists by a label may come from this call."""
        parts = [re.escape(part) for part in _NUMBERED.split(self.label)]
        return re.fullmatch(r"\s*-?\d+".join(parts), label) is not None

    def shared_groups(self, groups: Sequence[str]) -> int:
        """Return how many of its innermost groups are the innermost of these; -1 if they contradict."""
        if len(self.groups) > len(groups):
            return -1
        pairs = zip(reversed(self.groups), reversed(groups), strict=False)
        agree = all(Control(ours).fits(theirs) or addressed(ours) == theirs for ours, theirs in pairs)
        return len(self.groups) if agree else -1


def controls_of(source: str) -> tuple[Control, ...]:
    """Return every control that a program makes, in the order of its text. Never raises."""
    return tuple(_controls(source))


def control_for(label: str, groups: Sequence[str], controls: Iterable[Control]) -> Control:
    """Return what the source says of a control that DawDreamer lists; nothing where several say different things.

    Args:
        label: as DawDreamer has it.
        groups: the names above it in its address.
        controls: of the source.
    """
    fitting = [(c.shared_groups(groups), c) for c in controls if c.fits(label)]
    best = max((shared for shared, _ in fitting), default=-1)
    told = {(c.unit, c.scale, c.choices) for shared, c in fitting if shared == best and best >= 0}
    return Control(label, tuple(groups), *told.pop()) if len(told) == 1 else Control(label, tuple(groups))


def addressed(text: str) -> str:
    """Return a label or group as Faust writes it in an address."""
    return re.sub(r"[^A-Za-z0-9_.-]", "_", text)


def files_of(source: str) -> tuple[str, ...]:
    """Return the files that a program names: imports, libraries, components and sound files."""
    tokens = list(_tokens(source))
    return tuple(
        text
        for (kind, _), (bracket, _), (string, text) in zip(tokens, tokens[1:], tokens[2:], strict=False)
        if (kind, bracket, string) == ("file", "bracket", "string")
    )


def _tokens(source: str) -> Iterator[tuple[str, str]]:
    for match in _TOKENS.finditer(source):
        kind = match.lastgroup or ""
        if kind != "comment":
            yield kind, match[0].strip('"') if kind == "string" else match[0]


def _controls(source: str) -> Iterator[Control]:
    tokens = list(_tokens(source))
    depth = 0
    inside: list[tuple[int, str]] = []
    for index, (kind, text) in enumerate(tokens):
        if kind == "bracket":
            depth += _BRACKETS[text]
            while inside and inside[-1][0] > depth:
                inside.pop()
        label = _label_after(tokens, index) if kind == "widget" else None
        if label is None:
            continue
        if text in _GROUPS:
            inside.append((depth + 1, _plain(label)))
        elif text in _CONTROLS:
            yield _control(label, tuple(name for _, name in inside))


def _label_after(tokens: Sequence[tuple[str, str]], index: int) -> str | None:
    """Return the first argument of the call at an index, if it is one and begins with a string."""
    following = tokens[index + 1 : index + 3]
    if len(following) == 2 and following[0] == ("bracket", "(") and following[1][0] == "string":
        return following[1][1]
    return None


def _plain(label: str) -> str:
    return _METADATA.sub("", label).strip()


def _control(label: str, around: tuple[str, ...]) -> Control:
    metadata = {key.strip(): value.strip() for key, value in _METADATA.findall(label)}
    text, named = _METADATA.sub("", label), []
    while prefix := _GROUP_PREFIX.match(text):
        named += [prefix[1].strip()] if prefix[1] else []
        text = text[prefix.end() :]
    style = _STYLE.fullmatch(metadata.get("style", ""))
    return Control(
        label=text.strip(),
        groups=(*around, *named),
        unit=metadata.get("unit", ""),
        scale=metadata.get("scale", ""),
        choices=_choices(style[1]) if style else (),
    )


def _choices(text: str) -> tuple[tuple[str, float], ...]:
    """Return the entries of a menu; none if one of them is no number, or two have one text or one value."""
    try:
        entries = tuple((name.strip(), float(value)) for name, value in _CHOICE.findall(text))
    except ValueError:
        return ()
    names, values = {name for name, _ in entries}, {value for _, value in entries}
    whole = len(names) == len(values) == len(entries) > 1 and all(map(math.isfinite, values))
    return entries if whole else ()
