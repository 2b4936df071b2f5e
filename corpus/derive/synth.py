"""A synth that plays scores of a corpus, and the patches that it plays them with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from tonesmith.corpus.derive.recipe import canonical
from tonesmith.corpus.truth.files import write_whole
from tonesmith.errors import ConfigError, TonesmithError
from tonesmith.host.registry import Host

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tonesmith.engine.client import Engine
    from tonesmith.engine.description import Description
    from tonesmith.host.roles import Backend
    from tonesmith.plan.plan import PluginRef
    from tonesmith.score.score import Score
    from tonesmith.space.patch import Patch

_TIMEOUT: Final = 120.0
"""Seconds that an engine may take for as many notes as it renders at once, or for a phrase."""


class Synth:
    """A backend, with an engine for each length that is asked for.

    Args:
        name: of the backend.
        options: of it.
        sample_rate: Hz.
        tail: seconds rendered after a score.

    Raises :class:`PluginError` or :class:`ConfigError` for what cannot be used.
    """

    def __init__(self, name: str, options: Mapping[str, Any], sample_rate: int, tail: float) -> None:
        from tonesmith.engine.isolation import isolation_of, promise_of
        from tonesmith.host.trust import remember
        from tonesmith.plan.plan import PluginRef

        host = Host.load()
        self.backend: type[Backend[Any]] = host.find("backend", name)
        chosen = self.backend.Options.model_validate(host.options_of("backend", name, options).model_dump())
        remember(self.backend, chosen)
        self.sample_rate, self.tail = sample_rate, tail
        self.reference: PluginRef = PluginRef(name, chosen.model_dump(mode="json"))
        self._isolation = isolation_of(self.backend, chosen)
        self.determinism = promise_of(self.backend, self._isolation, chosen)
        self._described: dict[int, Description] = {}
        self._engines: dict[int, Engine] = {}

    @classmethod
    def of(cls, told: Mapping[str, Any], versions: Mapping[str, str], *, trust: bool = False) -> Synth:
        """Return the synth that a recipe tells.

        Args:
            told: what the recipe says of it.
            versions: of the libraries that the recipe names.
            trust: whether its user vouches for the plugin that it names.

        Raises :class:`TrustError` for a plugin that its user has not used.
        """
        from tonesmith.host.trust import check_loads

        host = Host.load()
        backend = host.find("backend", told["backend"])
        options = host.options_of("backend", told["backend"], told["options"])
        check_loads(backend.loads(options), told["options"], options, versions, trust=trust)
        return cls(told["backend"], told["options"], int(told["sample_rate"]), float(told["tail"]))

    @property
    def told(self) -> dict[str, Any]:
        """What a recipe says of it."""
        form = {"sample_rate": self.sample_rate, "tail": self.tail, "determinism": self.determinism}
        return {"backend": self.backend.name, "options": dict(self.reference.options), **form}

    @property
    def versions(self) -> Mapping[str, str]:
        """Of the engine and its library."""
        return dict(self.described(2).versions)

    def preset_files(self, paths: Sequence[str]) -> Sequence[Path]:
        """Return the preset files in paths. Raises :class:`ConfigError` for paths without any."""
        from tonesmith.presets.files import preset_files

        if paths and not self.backend.preset_suffixes:
            raise ConfigError(f"--presets: the backend {self.backend.name} cannot read presets.")
        return preset_files(paths, self.backend.preset_suffixes) if paths else ()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for engine in self._engines.values():
            engine.close()
        self._engines = {}

    def described(self, hold: int) -> Description:
        """Return what the engine says of itself, for renders of a length. Raises :class:`EngineError`."""
        from tonesmith.engine.client import Engine
        from tonesmith.plan.plan import Audio

        if hold not in self._described:
            asked = Audio(self.sample_rate, 0, 0)
            with Engine(self.reference, asked, 1, self._isolation, _no_asset) as engine:
                self._described[hold] = engine.describe(float(hold), self.tail)
        return self._described[hold]

    def play(self, patch: Patch, score: Score, hold: int, asset: Callable[[str], bytes]) -> NDArray[np.float32]:
        """Return float32 (channels, frames) of a score played with a patch.

        Raises :class:`TonesmithError` with the reason if it cannot be.
        """
        from tonesmith.score.phrase import Phrase

        engine = self._engine(hold, asset)
        outcomes = engine.play(patch, [Phrase(score, float(hold), self.tail)], _TIMEOUT)
        if outcomes[-1].failure:
            raise TonesmithError(f"it cannot be rendered: {outcomes[-1].failure}: {outcomes[-1].detail}")
        audio: NDArray[np.float32] = engine.audio[0].copy()
        return audio

    def _engine(self, hold: int, asset: Callable[[str], bytes]) -> Engine:
        from tonesmith.engine.client import Engine
        from tonesmith.engine.summing import slots_for

        if hold not in self._engines:
            for other in self._engines.values():
                other.close()
            audio = self.described(hold).audio
            slots = slots_for(self.reference, audio, 1)
            self._engines = {hold: Engine(self.reference, audio, slots, self._isolation, asset)}
        return self._engines[hold]


@dataclass(frozen=True)
class Patches:
    """What scores are played with.

    Attributes:
        names: SHA-256 of the text of each patch, in their order.
        asset: returns a text, or what a patch names, by its SHA-256.
    """

    names: tuple[str, ...]
    asset: Callable[[str], bytes]

    @property
    def digest(self) -> str:
        """What decides which patch is drawn."""
        from tonesmith.space.patch import sha256_hex

        return sha256_hex(canonical(self.names).encode())

    def drawn(self, seed: int, content: str, number: int) -> str:
        """Return the patch of a rendering of a score: the first is drawn, and others follow it."""
        from tonesmith.score.draws import Draws

        first = Draws(seed, f"render {content}", 0).whole("patch", 0, len(self.names) - 1)
        return self.names[(first + number) % len(self.names)]


def patches_of(synth: Synth, paths: Sequence[str]) -> Patches:
    """Return the patches in preset files, or the synth's own default.

    Raises :class:`ConfigError` for paths without presets, and for files that are none.
    """
    from tonesmith.presets.asset_store import AssetStore
    from tonesmith.presets.ingest import ingest
    from tonesmith.space.patch import Patch
    from tonesmith.space.preset import stored_form, with_choices, written_patch

    files = synth.preset_files(paths)
    store, described = AssetStore(), synth.described(2)
    for content in described.assets.values():
        store.add(content)
    space = described.space
    if not files:
        patch = space.decode(space.encode(Patch({p.name: p.default for p in space.parameters})))
        return Patches((store.add(written_patch(patch)),), store.__getitem__)
    found, refused = ingest(files, synth.backend, synth.reference.options, sample_rate=synth.sample_rate, store=store)
    if not found:
        told = "; ".join(f"{one.place}: {one.reason}" for one in refused[:5])
        raise ConfigError(f"--presets: none of {len(files)} files can be read: {told}.")
    for content in synth.backend.stock(synth.backend.Options.model_validate(synth.reference.options)).values():
        store.add(content)
    wide = with_choices(space, [item.preset for item in found])
    names = [store.add(stored_form(item.preset, wide)[1]) for item in found]
    return Patches(tuple(dict.fromkeys(names)), store.__getitem__)


def folder_of(corpus: Path) -> Path:
    """Return where a corpus keeps patches and what they name, each by its SHA-256."""
    return corpus / "raw" / "synthetic" / "patches"


def keep(corpus: Path, patches: Patches, name: str) -> None:
    """Keep a patch and what it names in a corpus, for making recordings again."""
    from tonesmith.space.preset import read_patch

    text = patches.asset(name)
    for asset, content in [(name, text), *((a, patches.asset(a)) for a in read_patch(text, name).assets.values())]:
        if not (folder_of(corpus) / asset).is_file():
            write_whole(folder_of(corpus) / asset, content)


def _no_asset(name: str) -> bytes:
    raise ConfigError(f"the asset {name} is not known yet")
