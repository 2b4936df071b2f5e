"""Making a dataset from Python."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from tonesmith.config import Config, PlanSettings, compose, load_config
from tonesmith.host import Host
from tonesmith.tomlsource import TomlSource
from tonesmith.watch import Summary, Watcher


def generate(
    path: str | os.PathLike[str],
    *,
    config: Config | str | os.PathLike[str] | None = None,
    workers: int | None = None,
    watcher: Watcher | None = None,
    **settings: Any,
) -> Summary:
    """Make a dataset, or go on with the one at ``path``, and return a summary.

    ::

        generate("out.zarr", patches=100, backend={"name": "vita", "tier": 2}, sampler="sobol", notes={"pitches": [60]})

    Args:
        path: of the dataset.
        config: a composition, or the path of a TOML file; None for the built-in defaults. A ``plugins.toml``
            in the current directory is not read, so that a program does the same wherever it is started.
        workers: processes; 0 is one per CPU core this process may use.
        watcher: hears what happens; None for silence.
        settings: laid over the composition. The keys are those of the TOML file; those of ``[plan]`` may
            stand alone, such as ``patches=100``.

    Raises:
        ConfigError: a setting is wrong.
        PluginError: a plugin is unknown or broken.
        DatasetError: the path holds the dataset of another plan.
        EngineError: the synth could not be loaded.
        RunError: the run could not go on.
    """
    from tonesmith.pipeline import resolve_plan, run

    host = Host.load()
    resolved = composed(config, settings, workers=workers, host=host)
    return run(resolve_plan(resolved, host), Path(path), workers=resolved.run.workers, host=host, watcher=watcher)


def composed(
    config: Config | str | os.PathLike[str] | None,
    settings: dict[str, Any],
    *,
    workers: int | None = None,
    host: Host | None = None,
) -> Config:
    """Return the composition that :func:`generate` would run. Raises :class:`ConfigError`."""
    overrides = {f"plan.{key}" if key in PlanSettings.model_fields else key: value for key, value in settings.items()}
    if workers is not None:
        overrides["run.workers"] = workers
    if isinstance(config, str | os.PathLike):
        return load_config(Path(config), overrides, host=host)
    return compose(TomlSource("", config.to_data() if config else {}), overrides, host=host)
