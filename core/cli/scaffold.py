"""``tonesmith plugins new``: the skeleton of a distribution that brings one plugin, and works as it is written."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Annotated

import typer

from tonesmith.errors import ConfigError, PluginError, unknown_name
from tonesmith.host.conformance import ROLES
from tonesmith.terminal.messages import echo

if TYPE_CHECKING:
    from tonesmith.host.registry import Host

_NAME = re.compile(r"[a-z][a-z0-9]*([_-][a-z0-9]+)*")
_LONGEST = 40
_OF = ("sound", "score")
"""What a feature is computed of."""
_TRIES = {
    "backend": "tonesmith generate --backend {name} -n 4 out.zarr",
    "sampler": "tonesmith generate --sampler {name} -n 4 out.zarr",
    "validator": "tonesmith generate --validator level --validator {name} -n 4 out.zarr",
    "feature": "tonesmith generate --feature {name} -n 4 out.zarr",
    "composer": "tonesmith compose {name} -n 4 -o scores",
    "model": "tonesmith explore fit my.model SOUNDS --model {name}",
    "sink": "tonesmith generate --sink {name} -n 4 out",
    "importer": "tonesmith corpus add my_corpus SOURCE --importer {name}",
    "annotator": "tonesmith corpus annotate my_corpus --with {name}",
    "augmenter": "tonesmith corpus augment my_corpus --with {name}",
    "executor": "tonesmith generate --executor {name} -n 4 out.zarr",
    "score_feature": "tonesmith corpus features my_corpus --add {name}",
}
"""Template -> the command that uses what it makes."""


def add_new(app: typer.Typer, host: Host) -> None:
    """Add ``new`` to ``tonesmith plugins``."""

    @app.command("new")
    def new(
        role: Annotated[str, typer.Argument(metavar="ROLE", help=f"Role: {alternatives(ROLES)}.")],
        name: Annotated[str, typer.Argument(metavar="NAME", help="Plugin name, in lower case.")],
        out: Annotated[
            Path | None,
            typer.Option("--out", "-o", metavar="DIR", help="Folder to create.", show_default="./tonesmith-NAME"),
        ] = None,
        of: Annotated[
            str, typer.Option("--of", metavar="KIND", help=f"What a feature is computed of: {alternatives(_OF)}.")
        ] = "sound",
    ) -> None:
        """Create a distribution with a working plugin and its tests, as a start for your own."""
        check_new(host, role, name)
        template = template_of(role, of)
        folder = out or Path(f"tonesmith-{name}")
        written = write_skeleton(role, name, folder, template)
        listed = "\n".join(f"  {path.relative_to(folder)}" for path in written)
        steps = [
            f'pip install -e "{_spelled(folder)}[test]"',
            f"python -m pytest {folder}",
            _TRIES[template].format(name=name),
        ]
        echo("\n".join([f"{folder}", listed, "Next:", *(f"  {step}" for step in steps)]))


def alternatives(words: Iterable[str]) -> str:
    """Return words as a sentence has them: "a, b or c"."""
    *most, last = words
    return f"{', '.join(most)} or {last}"


def template_of(role: str, of: str) -> str:
    """Return the template of a role. Raises :class:`ConfigError` for what no plugin of it is computed of."""
    if of not in _OF:
        raise ConfigError(f"--of: {unknown_name('kind', of, _OF)}")
    if of == "sound":
        return role
    if role != "feature":
        raise ConfigError(f"--of {of} is for a feature, and not for a plugin of the role {role}.")
    return "score_feature"


def check_new(host: Host, role: str, name: str) -> None:
    """Raise :class:`PluginError` unless a new plugin may have this role and name."""
    if role not in ROLES:
        raise PluginError(unknown_name("role", role, ROLES))
    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        raise PluginError(
            f"{name!r} is not a valid plugin name. Use at most {_LONGEST} lower-case letters and digits, "
            "with - or _ between them."
        )
    for record in host.plugins():
        if (record.role, record.name) == (role, name):
            raise PluginError(
                f"{record.distribution} {record.version} already has a {role} {name!r}. Choose another name."
            )


def write_skeleton(role: str, name: str, folder: Path, template: str = "") -> list[Path]:
    """Write the files of a new distribution, and return them.

    Args:
        role: of the plugin.
        name: likewise.
        folder: that does not exist, or is empty.
        template: of :func:`template_of`; by default the usual one of the role.

    Raises :class:`ConfigError`, having written nothing, if something is at the folder.
    """
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise ConfigError(f"{folder} already exists and was not changed. Name another folder with --out DIR.")
    word = name.replace("-", "_")
    title, kind = "".join(part.capitalize() for part in word.split("_")), role.capitalize()
    module = f"tonesmith_{word}"
    names = {
        "role": role,
        "name": name,
        "word": word,
        "module": module,
        "title": title,
        "kind": title if title.endswith(kind) and title != kind else title + kind,
        "distribution": f"tonesmith-{word.replace('_', '-')}",
    }
    places = {
        "pyproject.toml": folder / "pyproject.toml",
        "README.md": folder / "README.md",
        f"{template or role}.py": folder / "src" / module / "__init__.py",
        f"{template or role}_test.py": folder / "tests" / f"test_{word}.py",
    }
    templates = files("tonesmith.cli") / "templates"
    texts = {
        path: Template((templates / f"{file}.template").read_text("utf-8")).substitute(names)
        for file, path in places.items()
    }
    try:
        for path, text in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"{error.filename or folder} cannot be written: {error.strerror}. Name another folder: --out DIR."
        ) from None
    return list(texts)


def _spelled(folder: Path) -> str:
    return str(folder) if folder.is_absolute() else f"./{folder}"
