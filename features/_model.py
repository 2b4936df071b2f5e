"""A model that a user names: a callable by its import path, or an ONNX file."""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib import metadata, util
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tonesmith.errors import ConfigError, check_libraries

if TYPE_CHECKING:
    from numpy.typing import NDArray

ONNX = ".onnx"
Model = Callable[["NDArray[Any]", int], Any]
"""Takes float32 (channels, frames) and a sample rate in Hz."""


def is_file(name: str) -> bool:
    """Return whether a name is the path of an ONNX file."""
    return name.endswith(ONNX)


@lru_cache(maxsize=4)
def model_of(name: str) -> Model:
    """Return the model of a name; it is loaded once in a process.

    Raises :class:`ConfigError` if it cannot be: a library is missing, there is no such file, module or callable.
    """
    return _session(Path(name)) if is_file(name) else _callable(name)


def identity_of(name: str) -> Mapping[str, str]:
    """Return what tells a model from another of the same name: the SHA-256 of its file, and its distribution if known.

    Raises :class:`ConfigError` if it is not there.
    """
    if is_file(name):
        return {"sha256": hashlib.sha256(_content(Path(name))).hexdigest()}
    module = name.partition(":")[0]
    spec = util.find_spec(module)
    source = Path(spec.origin) if spec is not None and spec.origin else None
    found = {"sha256": hashlib.sha256(source.read_bytes()).hexdigest()} if source and source.is_file() else {}
    try:
        package = module.partition(".")[0]
        return {**found, "distribution": f"{package} {metadata.version(package)}"}
    except metadata.PackageNotFoundError:  # a module that is not installed, or whose distribution has another name
        return found


def _callable(name: str) -> Model:
    module, _, attribute = name.partition(":")
    try:
        found: Any = importlib.import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"features.embedding.model: {name!r} cannot be imported: there is no module {error.name!r}. Install it, or "
            "add its folder to PYTHONPATH."
        ) from error
    except AttributeError as error:
        raise ConfigError(f"features.embedding.model: the module {module!r} has no {attribute!r}.") from error
    except Exception as error:
        raise ConfigError(
            f"features.embedding.model: {name!r} cannot be imported: {type(error).__name__}: {error}."
        ) from error
    if not callable(found):
        raise ConfigError(f"features.embedding.model: {name!r} cannot be called.")
    model: Model = found
    return model


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ConfigError(f"features.embedding.model: {file} cannot be read: {error.strerror}.") from None


def _session(file: Path) -> Model:
    check_libraries("the feature 'embedding' with an ONNX file", ("onnxruntime",), "onnx")
    import onnxruntime

    content, settings = _content(file), onnxruntime.SessionOptions()
    settings.intra_op_num_threads = settings.inter_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(content, settings, providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001 - the library has a class of its own for each
        raise ConfigError(f"features.embedding.model: {file} is no ONNX model: {error!s:.200}.") from None
    inputs = session.get_inputs()
    if len(inputs) != 1 or not 1 <= len(inputs[0].shape) <= 3:
        raise ConfigError(
            f"features.embedding.model: {file} takes {len(inputs)} inputs. It must take one: (frames), "
            "(channels, frames) or (1, channels, frames)."
        )

    def run(audio: NDArray[Any], _: int) -> Any:
        axes = len(inputs[0].shape)
        given = audio[0] if axes == 1 else audio if axes == 2 else audio[None]
        return session.run(None, {inputs[0].name: given})[0]

    return run
