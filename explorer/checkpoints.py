"""A fit that takes minutes is kept beside its model, so that it can go on after an interruption."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonesmith.document import parsed_object, read_plain
from tonesmith.errors import ConfigError, PathTakenError, TonesmithError

ABOUT = "training.json"
_FORMAT, _VERSION = "tonesmith-explorer-training", 1

Tensors = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """The folder of an interrupted fit: ``MODEL.training`` beside the model.

    Attributes:
        folder: which need not exist.
    """

    folder: Path

    @classmethod
    def beside(cls, model: Path) -> Checkpoints:
        """Return the one of a model."""
        return cls(model.absolute().with_name(f"{model.absolute().name}.training"))

    def check(self) -> None:
        """Raise :class:`PathTakenError` if something else is there."""
        if self.folder.exists() and not (self.folder / ABOUT).is_file():
            raise PathTakenError(f"{self.folder} exists and is not a training of tonesmith. Move it away.")

    def opened(self, fingerprint: str) -> Kept:
        """Return what is kept of a fit; what is there of another fit is removed."""
        self.check()
        if self.folder.exists() and self._fingerprint() != fingerprint:
            self.remove()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            about = {"format": _FORMAT, "format_version": _VERSION, "fingerprint": fingerprint}
            _put(self.folder / ABOUT, (json.dumps(about, indent=2) + "\n").encode())
        except OSError as error:
            raise ConfigError(f"cannot write {self.folder}: {error.strerror}.") from None
        return Kept(self.folder, fingerprint)

    def _fingerprint(self) -> object:
        try:
            about = parsed_object(read_plain(self.folder / ABOUT), str(self.folder / ABOUT))
        except (OSError, TonesmithError):
            return None
        return about.get("fingerprint") if about.get("format_version") == _VERSION else None

    def remove(self) -> None:
        """Remove the folder, if it is there."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def begun(self) -> bool:
        """Return whether there is something to go on from."""
        return any(self.folder.glob("*.safetensors"))


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of one fit.

    Attributes:
        folder: that it is in.
        fingerprint: of the fit.
    """

    folder: Path
    fingerprint: str

    def keeping(self, stage: str) -> tuple[Callable[[Tensors], None], Callable[[], Tensors | None]]:
        """Return what stores the arrays of a stage, and what returns those stored last, or None."""
        path = self.folder / f"{stage.replace(' ', '-')}.safetensors"

        def keep(tensors: Tensors) -> None:
            from safetensors.numpy import save

            content = {name: np.ascontiguousarray(values) for name, values in tensors.items()}
            _put(path, save(content, {"fingerprint": self.fingerprint}))

        def kept() -> Tensors | None:
            from safetensors import SafetensorError
            from safetensors.numpy import load

            try:
                found: dict[str, NDArray[Any]] = load(read_plain(path))
            except (OSError, SafetensorError, TonesmithError):
                return None
            return found

        return keep, kept


def _put(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.write_bytes(content)
    aside.replace(path)
