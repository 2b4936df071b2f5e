"""Commands that keep what was found: ``preset``, ``history`` and ``compare``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tonesmith.errors import ConfigError
from tonesmith.explorer.options import Json, ModelFolder, Overwrite
from tonesmith.terminal.messages import echo
from tonesmith.terminal.text import counted, json_text

if TYPE_CHECKING:
    from tonesmith.explorer.calls import Model
    from tonesmith.explorer.recipe import Recipe

PresetName = Annotated[str, typer.Argument(metavar="NAME", help="Name of the preset.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    presets = typer.Typer(help="Save, list and delete presets of a model.", no_args_is_help=True)
    presets.command("save", epilog="tonesmith explore preset save rain.model soft --of out.flac")(_save)
    presets.command("list", epilog="tonesmith explore preset list rain.model")(_list)
    presets.command("show", epilog="tonesmith explore preset show rain.model soft")(_show)
    presets.command("delete", epilog="tonesmith explore preset delete rain.model soft")(_delete)
    app.add_typer(presets, name="preset")
    app.command("history", epilog="tonesmith explore history rain.model")(_history)
    numbers = "tonesmith explore compare 3 5 --model rain.model"
    app.command("compare", epilog=f"tonesmith explore compare a.flac b.flac -o both.wav\n{numbers}")(_compare)


def _save(
    model: ModelFolder,
    name: PresetName,
    of: Annotated[
        Path | None, typer.Option("--of", metavar="FILE", help="File that explore make made: its settings are saved.")
    ] = None,
    number: Annotated[
        int | None, typer.Option("--number", min=1, metavar="INT", help="Or its number in explore history.")
    ] = None,
    sliders: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=STEPS", help="Or a slider to move. Repeatable.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a preset of that name.")] = False,
    as_json: Json = False,
) -> None:
    """Save what made a sound as a preset: sliders, sources, seed, density, and all else but the file.

    It holds for every version of the model.
    """
    from tonesmith.explorer.calls import open_model
    from tonesmith.explorer.presets import save_preset

    if sum(given is not None for given in (of, number, sliders)) != 1:
        raise ConfigError("expected one of --of FILE, --number INT and --set NAME=STEPS.")
    opened = open_model(model)
    preset = save_preset(opened, name, _settings(opened, of, number, sliders), force=force)
    told = {"path": str(model), "name": name, "settings": preset.settings, "ranges": preset.ranges}
    echo(json_text(told) if as_json else f"{name}: tonesmith explore make {model} --preset {_quoted(name)} -o FILE")


def _settings(model: Model, of: Path | None, number: int | None, sliders: list[str] | None) -> Recipe:
    from tonesmith.explorer.export.tags import recipe_text
    from tonesmith.explorer.history import entry_of
    from tonesmith.explorer.recipe import ModelRef, recipe_from, recipe_of

    if of is not None:
        return recipe_from(recipe_text(of), str(of))
    if number is not None and model.path is not None:
        return entry_of(model.path, number).recipe
    moved = dict(_slider(text) for text in sliders or [])
    return recipe_of(model=ModelRef(name=model.name, sha256=model.sha256), sliders=moved)


def _slider(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        return name, float(value)
    except ValueError:
        raise ConfigError(f"--set: expected NAME=STEPS, such as brightness=+1.2, not {text!r}.") from None


def _quoted(name: str) -> str:
    import shlex

    return shlex.quote(name)


def _list(model: ModelFolder, as_json: Json = False) -> None:
    """List the presets of a model."""
    from tonesmith.explorer.calls import open_model
    from tonesmith.explorer.kept_lines import preset_rows
    from tonesmith.explorer.presets import presets_of
    from tonesmith.terminal.table import table

    presets = presets_of(open_model(model))
    if as_json:
        rows = [{"name": name, "settings": one.settings, "ranges": one.ranges} for name, one in presets.items()]
        echo(json_text({"path": str(model), "presets": rows}))
        return
    echo("\n".join(table(("preset", "settings"), preset_rows(presets))) if presets else f"{model} has no presets.")


def _show(model: ModelFolder, name: PresetName, as_json: Json = False) -> None:
    """Show a preset as the version of the model that is used has it."""
    from tonesmith.explorer.calls import open_model
    from tonesmith.explorer.kept_lines import preset_lines
    from tonesmith.explorer.presets import recalled

    found = recalled(open_model(model), name)
    told: dict[str, Any] = {
        "path": str(model),
        "name": name,
        "recipe": found.recipe.model_dump(mode="json"),
        "gone": list(found.gone),
        "changed": {slider: list(steps) for slider, steps in found.changed.items()},
    }
    echo(json_text(told) if as_json else "\n".join(preset_lines(name, found)))


def _delete(model: ModelFolder, name: PresetName, as_json: Json = False) -> None:
    """Delete a preset."""
    from tonesmith.explorer.calls import open_model
    from tonesmith.explorer.presets import delete_preset

    delete_preset(open_model(model), name)
    echo(json_text({"path": str(model), "name": name}) if as_json else f"{name} is deleted.")


def _history(
    model: ModelFolder,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, metavar="INT", help="Newest sounds to list.")] = 20,
    clear: Annotated[bool, typer.Option("--clear", help="Forget them all. Their files stay.")] = False,
    as_json: Json = False,
) -> None:
    """List what was made with a model, the newest last."""
    from tonesmith.explorer.history import entries_of, forget
    from tonesmith.explorer.kept_lines import history_json, history_lines
    from tonesmith.explorer.stored import check_model

    check_model(model)
    if clear:
        count = forget(model)
        echo(
            json_text({"path": str(model), "forgotten": count}) if as_json else f"{counted(count, 'sound')} forgotten."
        )
        return
    entries = entries_of(model)
    shown = entries[-limit:]
    told = history_json(model, shown) if as_json else history_lines(model, shown, len(entries))
    echo(json_text(told) if as_json else "\n".join(told))


def _compare(
    first: Annotated[str, typer.Argument(metavar="A", help="Audio file, or its number in explore history.")],
    second: Annotated[str, typer.Argument(metavar="B", help="The other one.")],
    model: Annotated[
        Path | None, typer.Option("--model", metavar="MODEL", help="Model for numbers, and for the distance in it.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="File to write, .wav or .flac: A, a pause, and B, as loud."),
    ] = None,
    force: Overwrite = False,
    as_json: Json = False,
) -> None:
    """Compare two sounds at the same loudness: what is heard of each, and how far they are from each other."""
    from tonesmith.explorer.calls import open_model
    from tonesmith.explorer.comparing import Pair, check_place, write_matched
    from tonesmith.explorer.kept_lines import compared_json, compared_lines

    if out is not None:
        check_place(out, force=force)
    opened = None if model is None else open_model(model)
    pair = Pair(*(_file(given, model) for given in (first, second)))
    found = pair.compared(None if opened is None else opened.atlas)
    nbytes = None if out is None else write_matched(pair.in_turn(), out, force=force)
    told: Any = compared_json(found, out, nbytes) if as_json else compared_lines(found, out)
    echo(json_text(told) if as_json else "\n".join(told))


def _file(given: str, model: Path | None) -> Path:
    """Return the path of a file that is named by it, or by its number in the history of a model."""
    if model is None or not given.isdecimal() or Path(given).exists():
        return Path(given)
    from tonesmith.explorer.history import entry_of

    entry = entry_of(model, int(given))
    if entry.state:
        told = "is not there any more" if entry.state == "gone" else "was changed since"
        raise ConfigError(f"sound {given} of {model} {told}: {entry.path}")
    return Path(entry.path)
