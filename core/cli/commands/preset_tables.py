"""The tables and lines that ``tonesmith presets`` prints."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from tonesmith.terminal.text import one_line

if TYPE_CHECKING:
    from tonesmith.presets.audition import Examination, Examined, Heard
    from tonesmith.presets.ingest import Refused
    from tonesmith.space.parameter import Parameter
    from tonesmith.space.space import ParameterSpace

_SHOWN = 20
_WIDTH = 80

plain = partial(one_line, longest=1000)
"""A text of unknown origin as one line that a terminal only prints."""


def preset_table(presets: Iterable[Examined]) -> list[str]:
    """Return the lines of the table of ``presets list``."""
    from tonesmith.terminal.table import table

    rows = [
        (
            one_line(e.preset.name, 20) or one_line(e.path.stem, 20),
            one_line(e.preset.author, 12),
            one_line(e.preset.style, 9),
            one_line(e.preset.version, 7),
            f"{e.size / 1024:4.0f}",
            f"{len(e.preset.patch.modulations):4}",
            f"{e.own}/{e.used}",
            " ".join(_flags(e)),
        )
        for e in presets
    ]
    heads = ("name", "author", "style", "version", " KiB", "mods", "wt", "flags")
    return [*table(heads, rows), ""] if rows else []


def _flags(examined: Examined) -> Iterator[str]:
    if examined.preset.random:
        yield "random"
    if examined.preset.remarks:
        yield "remarks"
    if examined.heard is not None:
        if examined.heard.failure:
            yield "fails"
        if examined.heard.reason:
            yield examined.heard.reason


def summary_lines(found: Examination, files: int) -> Iterator[str]:
    """Yield how many presets and files there are, which were refused and why, and who made them."""
    from tonesmith.terminal.text import counted

    yield f"{counted(len(found.presets), 'preset')} in {counted(files, 'file')}"
    copies = [(copy, e.path) for e in found.presets for copy in e.copies]
    yield from _some("copy", [f"{plain(str(copy))} of {plain(str(path))}" for copy, path in copies])
    yield from _some("refused", [f"{plain(item.place)}: {reason_of(item)}" for item in found.refused])
    yield from _some("remark", list(_remarks(found.presets)))
    failed = [e for e in found.presets if e.heard is not None and e.heard.failure]
    yield from _some("fails", [f"{_place(e)}: {one_line(e.heard.failure, 300)}" for e in failed if e.heard])
    for credit in _credits(found.presets)[:_SHOWN]:
        author, licence = plain(credit["author"]), plain(credit["licence"])
        yield f"  by        {credit['presets']:>4} {author or 'an unnamed author'}, {licence or 'no licence stated'}"


def _some(label: str, texts: Sequence[str]) -> Iterator[str]:
    for text in texts[:_SHOWN]:
        yield f"  {label:<9} {text}"
    if len(texts) > _SHOWN:
        yield f"  {label:<9} and {len(texts) - _SHOWN} more; --json lists all"


def _remarks(presets: Iterable[Examined]) -> Iterator[str]:
    for examined in presets:
        place = _place(examined)
        yield from (f"{place}: {one_line(remark, 300)}" for remark in examined.preset.remarks)


def reason_of(refused: Refused) -> str:
    """Return why a file was refused, on one line."""
    return one_line(refused.reason, 300)


def _credits(presets: Iterable[Examined]) -> list[dict[str, Any]]:
    from tonesmith.space.preset import PresetRef, credits_of

    return credits_of(
        [PresetRef(e.preset.patch.preset, "", author=e.preset.author, licence=e.preset.licence) for e in presets]
    )


def check_line(examined: Examined) -> str:
    """Return the line of ``presets check`` for one preset."""
    path, heard = _place(examined), examined.heard
    assert heard is not None
    if heard.failure:
        return f"fails    {path}: {one_line(heard.failure, 300)}"
    if heard.again is False:
        return f"differs  {path}: two engines gave different samples"
    return f"ok       {path}" + (f" ({heard.reason})" if heard.reason else "")


def _place(examined: Examined) -> str:
    """Return where a preset is: its file, and its number and name in one that holds several."""
    path, name = plain(str(examined.path)), plain(examined.member) or one_line(examined.preset.name, 20)
    return f"{path}: {examined.number} {name}".rstrip() if examined.number else path


def found_json(found: Examination) -> dict[str, Any]:
    """Return all that was found, as JSON."""
    return {
        "presets": [preset_json(e) for e in found.presets],
        "refused": [
            {"path": str(item.path), "member": item.member, "reason": reason_of(item)} for item in found.refused
        ],
        "credits": _credits(found.presets),
    }


def preset_json(examined: Examined) -> dict[str, Any]:
    """Return what is known of one preset, as JSON."""
    preset = examined.preset
    texts = ("name", "author", "style", "comments", "version", "licence")
    return {
        "path": str(examined.path),
        "number": examined.number,
        "member": examined.member,
        "copies": [str(path) for path in examined.copies],
        "sha256": preset.patch.preset,
        "nbytes": examined.size,
        **{key: getattr(preset, key) for key in texts},
        "modulations": len(preset.patch.modulations),
        "wavetables": {"own": examined.own, "used": examined.used},
        "random": list(preset.random),
        "remarks": list(preset.remarks),
        "heard": _told_heard(examined.heard),
    }


def _told_heard(heard: Heard | None) -> dict[str, Any] | None:
    if heard is None:
        return None
    measured = {name: value for name, value in heard.measured.items() if math.isfinite(value)}
    return {"failure": heard.failure, "reason": heard.reason, "measured": measured, "again": heard.again}


def details_of(examined: Examined, space: ParameterSpace) -> dict[str, Any]:
    """Return the modulations, assets and parameters of a preset, as JSON."""
    patch = examined.preset.patch
    audible = dict(zip(space.names, space.audible(patch).tolist(), strict=True))
    return {
        "routing": [
            {"source": m.source, "destination": m.destination, "amount": m.amount, "power": m.power}
            | {"bipolar": m.bipolar, "stereo": m.stereo, "bypass": m.bypass}
            for m in patch.modulations
        ],
        "assets": [_asset(examined, slot, sha, space) for slot, sha in patch.assets.items()],
        "parameters": {
            p.name: {"raw": raw, "text": p.text(raw), "audible": audible[p.name], "default": _is_default(p, raw)}
            for p in space.parameters
            for raw in (patch.values[p.name],)
        },
    }


def _asset(examined: Examined, slot: str, sha256: str, space: ParameterSpace) -> dict[str, Any]:
    from tonesmith.presets.audition import asset_name

    content = examined.preset.assets[sha256]
    told = {"slot": slot, "sha256": sha256, "nbytes": len(content), "name": one_line(asset_name(content), 60)}
    return {**told, "default": space.assets.get(slot) == sha256}


def _is_default(parameter: Parameter, raw: float) -> bool:
    return math.isclose(raw, parameter.default, rel_tol=1e-6, abs_tol=1e-9)  # as near as float32 comes


def shown_lines(examined: Examined, space: ParameterSpace) -> Iterator[str]:
    """Yield the lines of ``presets show``."""
    from tonesmith.terminal.text import size

    preset, details = examined.preset, details_of(examined, space)
    yield plain(str(examined.path))
    if examined.number:
        yield from _wrapped("number", str(examined.number))
    yield from _wrapped("member", plain(examined.member))
    for label, text in (("name", preset.name), ("author", preset.author), ("style", preset.style)):
        yield from _wrapped(label, plain(text))
    yield from _wrapped("licence", plain(preset.licence) or "not stated")
    yield from _wrapped("comments", plain(preset.comments))
    yield from _wrapped("version", plain(preset.version))
    yield from _wrapped("file", size(examined.size))
    yield from _wrapped("sha256", preset.patch.preset)
    yield from _wrapped("sound", _sound(examined.heard))
    yield from _wrapped("random", ", ".join(preset.random) or "draws no random numbers")
    yield from _shown_remarks(preset.remarks)
    yield ""
    yield f"modulations: {len(details['routing'])}"
    for m in details["routing"]:
        switches = [name for name in ("bipolar", "stereo", "bypass") if m[name]]
        kind = f" ({', '.join(switches)})" if switches else ""
        yield f"  {m['source']} -> {m['destination']}  {m['amount']:.4g}{kind}"
    own = [asset for asset in details["assets"] if not asset["default"]]
    yield ""
    yield f"assets of its own: {len(own)}"
    for asset in own:
        yield f"  {asset['slot']:<17} {size(asset['nbytes']):>10}  {asset['name']}".rstrip()
    yield ""
    yield from _changed(space, details["parameters"])


def _shown_remarks(remarks: Sequence[str]) -> Iterator[str]:
    for remark in remarks[:_SHOWN]:
        yield from _wrapped("remark", one_line(remark, 300))
    if len(remarks) > _SHOWN:
        yield from _wrapped("remark", f"and {len(remarks) - _SHOWN} more; --json lists all")


def _sound(heard: Heard | None) -> str:
    from tonesmith.presets.audition import NOTE

    if heard is None:
        return "not played"
    if heard.failure:
        return f"fails: {one_line(heard.failure, 300)}"
    note = f"pitch {NOTE.pitch}, velocity {NOTE.velocity}, held {NOTE.hold:g} s, {NOTE.tail:g} s after"
    levels = f"peak {heard.measured['peak']:.1f} dBFS, rms {heard.measured['rms']:.1f} dBFS"
    return f"{levels}{f' ({heard.reason})' if heard.reason else ''}; {note}"


def _changed(space: ParameterSpace, parameters: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    changed: dict[str, list[str]] = {}
    for parameter in space.parameters:
        told = parameters[parameter.name]
        if not told["default"]:
            name = parameter.name.removeprefix(f"{parameter.group}_")
            changed.setdefault(parameter.group, []).append(f"{name} = {told['text']}")
    yield f"parameters not at their default: {sum(map(len, changed.values()))} of {len(parameters)}"
    for group, texts in changed.items():
        yield from _wrapped(group, ", ".join(texts))


def _wrapped(label: str, text: str) -> list[str]:
    """Return lines of 80 columns in which a name and its value stay together; none for no text."""
    kept = text.replace(" = ", "\0=\0")
    lines = textwrap.wrap(kept, _WIDTH, initial_indent=f"  {label:<11} ", subsequent_indent=" " * 14)
    return [line.replace("\0", " ") for line in lines] if text else []
