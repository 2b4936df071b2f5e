"""The model ``vae``: a convolutional variational autoencoder that starts as the atlas and adds what it learns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from tonesmith.errors import ConfigError, check_libraries
from tonesmith.host.roles import Material, Model, Options

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tonesmith.explorer.principal import Components


Device = Literal["auto", "cpu", "cuda", "mps"]


class VaeOptions(Options):
    """Options of the model ``vae``."""

    device: Device = Field("auto", description="Where it is trained; auto takes cuda, else mps, else cpu.")
    preset: Literal["auto", "tiny", "small", "medium", "large"] = Field(
        "auto", description="Size of the networks; auto goes by how long the sounds are, and by the device."
    )
    steps: int | None = Field(None, ge=1, le=1_000_000, description="Most training steps; else as the preset says.")
    minutes: float = Field(10.0, gt=0.0, le=10_000.0, description="Most minutes of each of its two trainings.")
    free_bits: float = Field(0.5, ge=0.0, le=10.0, description="Nats that each latent may carry free of charge.")
    seed: int = Field(0, ge=0, lt=2**31, description="Random seed of the training.")


class VaeModel(Model[VaeOptions]):
    """Principal components with networks that correct them, both ways. Corrections begin at zero.

    It is trained by torch, and used by NumPy alone. Each training holds one group of sounds out, which says when to
    stop. So it is never worse than the atlas on those.
    """

    name = "vae"
    summary = "a variational autoencoder that starts as the atlas; needs minutes, better with a GPU"
    Options = VaeOptions
    reach: ClassVar[int] = 6

    _components: Components
    _parameters: Mapping[str, NDArray[np.float32]]

    @classmethod
    def recorded(cls, options: VaeOptions) -> Mapping[str, Any]:
        """Return the options without the time that it may take, so that more of it goes on from where less ended."""
        return options.model_dump(mode="json", exclude={"minutes"})

    def check(self) -> None:
        """Raise :class:`ConfigError` if torch is not installed, or the device is not there."""
        check_libraries("the model 'vae'", ["torch"], "explore-torch")
        self._device()

    def _device(self) -> str:
        import torch

        there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
        if self.options.device == "auto":
            return next(name for name, is_there in there.items() if is_there)
        if not there[self.options.device]:
            able = " and ".join(name for name, is_there in there.items() if is_there)
            raise ConfigError(f"device: there is no {self.options.device} here. Expected auto or {able}.")
        return self.options.device

    def fit(self, material: Material) -> None:
        """Find the components, and train the networks until held-out sounds say to stop."""
        self._learn(material, None)

    def grow(self, material: Material, earlier: VaeModel) -> None:
        """Find components along those of an earlier model, and train its networks further, carried over to them."""
        self._learn(material, earlier)

    def _learn(self, material: Material, earlier: VaeModel | None) -> None:
        from tonesmith.explorer.models.atlas import AtlasModel
        from tonesmith.explorer.models.carried import carried
        from tonesmith.explorer.models.training import trained

        self.check()
        atlas = AtlasModel(AtlasModel.Options())
        atlas.fit(material, None if earlier is None else earlier._components)
        self._components = atlas.components
        start = None if earlier is None else carried(earlier._parameters, earlier._components, self._components)
        self._parameters, self._report = trained(material, self._components, self.options, self._device(), start)

    def encode(self, levels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the latents of frames (frames, bins) that follow each other: float32 (frames, k)."""
        from tonesmith.explorer.models.network import added_latent

        added = added_latent(self._parameters, levels - self._components.mean)
        return self._components.encode(levels) + added

    def decode(self, latent: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the levels of latents (frames, k): float32 (frames, bins), in dB."""
        from tonesmith.explorer.models.network import added_levels

        return self._components.decode(latent) + added_levels(self._parameters, latent)

    def save(self) -> Mapping[str, NDArray[Any]]:
        """Return the components and the parameters of the networks as arrays."""
        from tonesmith.explorer.models.atlas import tensors_of

        return {**tensors_of(self._components), **self._parameters}

    def load(self, tensors: Mapping[str, NDArray[Any]]) -> None:
        """Become the model that was saved."""
        from tonesmith.explorer.models.atlas import components_from
        from tonesmith.explorer.models.network import shapes_of, width_of

        components = components_from(tensors)
        size, bins = components.axes.shape
        width = width_of(tensors, size, bins)
        self._components = components
        self._parameters = {name: tensors[name] for name in shapes_of(size, bins, width)}
        self._report = {}

    def report(self) -> Mapping[str, float | str]:
        """Return how it was trained. ``active`` are the latents that vary from frame to frame: the others collapsed."""
        return self._report
