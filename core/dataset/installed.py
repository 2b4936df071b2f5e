"""Whether the plugins that made a dataset are installed here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from tonesmith.dataset.items import refuse_items
from tonesmith.dataset.reader import Dataset
from tonesmith.errors import PluginError
from tonesmith.host.registry import Host
from tonesmith.plan.plan import Plan
from tonesmith.terminal.text import one_line

PLUGINS = "plugins"
"""The attribute of a dataset that names the distributions of its plugins: "backend pluck" -> "tonesmith-pluck 1.0"."""


def used_by(plan: Plan) -> Iterator[tuple[str, str]]:
    """Yield (role, name) of each plugin of a plan."""
    yield "backend", plan.backend.name
    yield "sampler", plan.sampler.name
    if plan.phrases:
        yield "composer", plan.phrases.composer
    yield from (("validator", ref.name) for ref in plan.validators)
    yield "sink", plan.sink.name
    yield from (("feature", feature.name) for feature in plan.features)


def installed(
    dataset: Dataset, path: Path, host: Host, roles: Sequence[str] = ("backend", "sampler", "validator", "sink")
) -> Dataset:
    """Return a dataset whose plugins of these roles are installed.

    Raises :class:`PluginError` for one that is not, with its distribution and how to install that, where it is known.
    """
    if "backend" in roles:
        refuse_items(dataset.plan, path, "there is nothing to render")
    for role, name in used_by(dataset.plan):
        if role in roles and not host.has(role, name):
            raise PluginError(_told(path, role, name, dataset.attributes.get(PLUGINS)))
    return dataset


def _told(path: Path, role: str, name: str, plugins: object) -> str:
    made = f"{path} was made with the {role} {one_line(name)!r}"
    known = plugins.get(f"{role} {name}") if isinstance(plugins, dict) else None
    distribution, _, version = one_line(known).partition(" ") if isinstance(known, str) else ("", "", "")
    if not distribution or not version:
        return f"{made}, which is not installed here. Install the plugin that has it."
    command = f'pip install "{distribution}=={version}"'
    return f"{made} of {distribution} {version}, which is not installed here. If you trust that plugin: {command}"
