"""The part of a README that says how the dataset was made."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from tonesmith.card.composition import recipe_of, without_folders
from tonesmith.card.markdown import code, fenced, plain, table
from tonesmith.card.source import CardSource
from tonesmith.dataset.promise import promise_of
from tonesmith.terminal.text import counted, joined

if TYPE_CHECKING:
    from tonesmith.plan.plan import Plan, PluginRef
from tonesmith.card.contents import capped


def making(source: CardSource) -> Iterator[str]:
    """Yield the plugins, options and notes, and the command that makes the dataset again."""
    plan, merged = source.plan, "merged" in source.dataset.attributes
    yield from ("## How it was made", "")
    scored = "scored" in source.dataset.attributes
    drawn_by = () if merged or scored else (_plugin("patches drawn by", plan.sampler),)
    checked_by = (_plugin("checked by", ref) for ref in plan.validators)
    rows = (_plugin("synthesizer", plan.backend), *drawn_by, *checked_by, _plugin("stored by", plan.sink))
    yield from table(("", "plugin", "options"), rows)
    yield ""
    yield ("" if merged or scored else f"Seed {plan.seed}. ") + _played(plan)
    promise = promise_of(source.dataset)
    held = f", as was measured with {joined(promise.held)} held still" if promise.held else ""
    yield f"{_ISOLATION[plan.isolation]}; {_PROMISE[promise.level]}{held}."
    if through := source.dataset.attributes.get("stored_through"):
        names = ", ".join(plain(sink["name"]) for sink in through)
        yield f"Before, the audio was stored with loss by {names}: it is the audio read back from there."
    yield ""
    if scored:
        yield "Its labels are those that a model predicted of another dataset; `tonesmith score` rendered them."
        yield ""
        return
    yield from _sources(source) if merged else _again(source)


def _played(plan: Plan) -> str:
    """Return the sentence that tells what plays each patch."""
    if phrases := plan.phrases:
        what = (
            f"the {len(phrases.scores):,} scores of its list in turn" if phrases.scores else "a new score for each row"
        )
        joined_by = (
            "The notes of a score were each played alone, in a synth of their own, and added: nothing that notes do to "
            "each other in the synth (glide, one voice only, shared effects, a limit of voices) is heard."
            if phrases.joined == "sum"
            else "The synth played each score whole."
        )
        return (
            f"Each patch plays {counted(phrases.per_patch, 'phrase')} of up to {phrases.seconds:g} s, with "
            f"{phrases.tail:g} s after it: {what}, by the composer {plain(phrases.composer)}. {joined_by}"
        )
    notes = plan.notes
    drawn = " drawn at random between" if notes.draw else ":"
    return (
        f"Notes of each patch{drawn} MIDI pitch {_listed(notes.pitches)}, velocity "
        f"{_listed(notes.velocities)}, held {_listed(_tuple(notes.hold))} s, with {notes.tail:g} s after the note off."
        + "".join(f" {name.capitalize()} {_listed(_tuple(getattr(notes, name)))}." for name in notes.expressed)
    )


_ISOLATION = {
    "snapshot": "Each row was rendered by a fork of one pristine engine",
    "fresh": "Each row was rendered by an engine of its own",
    "reuse": "All rows were rendered by one engine, which forgets the note before",
}

_PROMISE = {
    "exact": "all render again bit for bit in any process",
    "exact-in-run": "all render again bit for bit within one process",
    "floor": "all render again except for noise far below hearing",
    "none": "none is promised to render again",
}

_UNSET: tuple[Any, ...] = (None, "", [], {})


def _plugin(what: str, ref: PluginRef) -> tuple[str, str, str]:
    return what, plain(ref.name), _options(ref.options)


def _options(options: Mapping[str, Any]) -> str:
    """Return the options that are set, without the folders of the machine."""
    given = {name: value for name, value in without_folders(options).items() if value not in _UNSET}
    return ", ".join(code(f"{name} = {_option(value)}") for name, value in given.items())


def _option(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _again(source: CardSource) -> Iterator[str]:
    """Yield the composition and the commands that make the dataset again."""
    recipe, plan = recipe_of(source.plan, source.host), source.plan
    file = f"{source.name}.toml"
    command = f"tonesmith generate {shlex.quote(source.file)} --config {shlex.quote(file)}"
    sums = [sum(plan.rounds[: n + 1]) for n in range(1, len(plan.rounds))]
    if recipe.missing:
        yield f"This composition makes it again, once you add what is not recorded here: {'; '.join(recipe.missing)}."
    else:
        yield f"This composition makes it again, with the same versions. Save it as {code(file)}:"
    yield ""
    yield from ("<details><summary>the composition</summary>", "")
    yield from fenced("toml", recipe.toml)
    yield from ("", "</details>", "")
    yield from fenced("bash", "\n".join([command, *(f"{command} -n {patches}" for patches in sums)]))
    yield ""


def _sources(source: CardSource) -> Iterator[str]:
    """Yield what a merged dataset was made from."""
    yield "It was merged from other datasets, patch after patch:"
    yield ""
    rows = []
    for part in source.dataset.attributes["merged"]:
        first, stop = part["patches"]
        sampler = part["sampler"]
        facts = (plain(sampler["name"]), _options(sampler["options"]), str(part["seed"]))
        rows.append((f"{first} to {stop - 1}", *facts, code(part["fingerprint"]), code(part["digest"])))
    yield from capped(("patches", "drawn by", "options", "seed#", "plan", "content"), rows)


def _tuple(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def _listed(values: Iterable[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)
