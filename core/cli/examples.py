"""Examples of each command, and the page of the documentation about it, for ``--help``."""

from __future__ import annotations

import functools
from typing import Any

from tonesmith.cli.parameter_help import is_argument, spelled, takes_of

_EXAMPLES: dict[str, tuple[str, ...]] = {
    "": ("generate -n 48 out.zarr", "inspect out.zarr", "export out.zarr --row 0 --audio row0.wav"),
    "generate": (
        "generate -n 48 out.zarr",
        "generate --config out.zarr -n 96 out.zarr",
        "generate --backend vst3 --help",
    ),
    "audition": ("audition plugins.toml -o audition.html", "audition out.zarr -n 100"),
    "compose": (
        "compose groove -n 100 -o scores",
        "compose groove --composer.feel swing -o swung",
        "compose groove --help",
    ),
    "status": ("status out.zarr --watch",),
    "finish": ("finish out.zarr",),
    "inspect": ("inspect out.zarr --params",),
    "preview": ("preview out.zarr --filter 'pitch = 60'",),
    "report": ("report out.zarr -o report.html",),
    "compare": ("compare out.zarr other.zarr -o diff.html",),
    "plot": ("plot pca out.zarr -o sounds.png", "plot coverage out.zarr"),
    "plot pca": ("plot pca out.zarr other.zarr -o sounds.png",),
    "plot row": ("plot row out.zarr --row 3 -o row.png",),
    "plot coverage": ("plot coverage out.zarr --only filter_1",),
    "export": (
        "export out.zarr --row 0 --audio row0.wav --preset row0.vital",
        "export out.zarr --row -1 --label x.json",
    ),
    "render": ("render label.json --like out.zarr --audio again.wav",),
    "score": ("score out.zarr predicted.npz -o scored.zarr",),
    "match": (
        "match pluck.wav --like out.zarr -o pluck.vital",
        "match out.zarr --row 5 --like out.zarr -o like5.vital --renders 200",
    ),
    "verify": ("verify out.zarr", "verify out.zarr --render 50"),
    "reproduce": ("reproduce out.zarr --reject 0 --audio quiet.wav",),
    "features": ("features out.zarr", "features out.zarr --add mel --features.mel.bands 64"),
    "convert": ("convert out.zarr out.h5 --sink hdf5",),
    "merge": ("merge one.zarr two.zarr -o both.zarr",),
    "split": ("split out.zarr", "split out.zarr --by preset --stratify origin"),
    "presets": ("presets find", "presets list ~/Music/Vital"),
    "presets list": ("presets list ~/Music/Vital",),
    "presets show": ("presets show bank/bass.vital",),
    "presets check": ("presets check bank",),
    "presets find": ("presets find --suffix .fxp",),
    "presets download": ("presets download --list", "presets download --url https://example.org/presets.git"),
    "importance": ("importance out.zarr --bases 8 --dry-run",),
    "doctor": ("doctor", "doctor vita --quick", "doctor vst3 --help"),
    "plugins": ("plugins", "plugins show vita", "plugins new backend buzz"),
    "plugins list": ("plugins list",),
    "plugins show": ("plugins show sampler:lhs",),
    "plugins new": ("plugins new backend buzz",),
    "config": ("config schema -o tonesmith.schema.json",),
    "config schema": ("config schema -o tonesmith.schema.json",),
}
"""Command -> what follows "tonesmith". Of others, an example is made of what they need."""

_PAGES = {
    "": "index",
    "generate": "generate",
    "audition": "audition",
    "compose": "scores",
    "status": "long-runs",
    "finish": "clusters",
    "preview": "preview",
    "report": "report",
    "compare": "report",
    "render": "training",
    "score": "training",
    "match": "matching",
    "verify": "trust",
    "features": "features",
    "convert": "convert",
    "merge": "convert",
    "split": "splits",
    "presets": "presets",
    "importance": "importance",
    "doctor": "doctor",
    "plugins": "plugins",
    "plugins new": "writing-a-plugin",
    "config": "generate",
    "corpus": "corpora",
    "vita": "wavetables",
    "vst3": "vst3",
    "explore": "explorer",
}
"""Command -> its page. Of others, the reference."""

_SAMPLES = {"DATASET": "out.zarr", "SRC": "out.zarr", "OUT": "new.zarr", "CONFIG": "plugins.toml", "TARGET": "out.zarr"}
"""What stands for an argument in an example that is made."""


def examples_of(command: Any, path: str) -> list[str]:
    """Return commands that can be typed; of one without its own, what its epilogue says, or the least that it needs.

    Args:
        command: as Typer has it.
        path: the words that call it, such as "tonesmith plot pca".
    """
    name = _name(path)
    if name in _EXAMPLES:
        return [f"tonesmith {example}" for example in _EXAMPLES[name]]
    if command.epilog:
        return [line.strip() for line in str(command.epilog).splitlines() if line.strip()]
    if getattr(command, "commands", None):
        return [f"{path} {inner} --help" for inner in list(command.commands)[:3]]
    needed = [p for p in command.params if p.required]
    words = [w for p in needed if not is_argument(p) for w in (spelled(p), _sample(takes_of(p)))]
    return [" ".join([path, *(_sample(spelled(p)) for p in needed if is_argument(p)), *filter(None, words)])]


def _sample(word: str) -> str:
    return _SAMPLES.get(word, word)


def documentation_of(path: str) -> str:
    """Return where the page about a command is: its address, or its place among the sources."""
    words = _name(path).split()
    known = (" ".join(words[:count]) for count in range(len(words), 0, -1))
    page = next((_PAGES[name] for name in known if name in _PAGES), "cli") if words else _PAGES[""]
    site = _site()
    return f"{site}/{page}/" if site else f"docs/{page}.md"


@functools.cache
def _site() -> str:
    """Return the address of the documentation, as the distribution names it; "" if it names none."""
    from importlib import metadata

    try:
        urls = metadata.metadata("tonesmith").get_all("Project-URL") or []
    except metadata.PackageNotFoundError:
        return ""
    named = (url.partition(", ") for url in urls)
    return next((address.rstrip("/") for name, _, address in named if name.lower() == "documentation"), "")


def _name(path: str) -> str:
    return path.removeprefix("tonesmith").strip()
