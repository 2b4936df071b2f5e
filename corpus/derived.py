"""The verbs that make new items and files of those that are there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tonesmith.corpus.chosen import Options, laid_over
from tonesmith.corpus.store import Store
from tonesmith.corpus.truth import database
from tonesmith.errors import ConfigError, unknown_name
from tonesmith.terminal.progress import progress as counting

if TYPE_CHECKING:
    from tonesmith.corpus.derive.augmenting import Augmented
    from tonesmith.corpus.derive.composing import Composing
    from tonesmith.corpus.derive.remaking import Remade
    from tonesmith.corpus.derive.rendering import RenderedScores
    from tonesmith.corpus.featuring.making import Featured


class Derived(Store):
    """A corpus with the verbs that make files, each of which can be made again from its parent and its recipe."""

    def features(
        self,
        *names: str,
        options: Options | None = None,
        seconds: float | None = None,
        again: bool = False,
        workers: int = 0,
        trust: bool = False,
        dry_run: bool = False,
        progress: bool = False,
    ) -> dict[str, Featured]:
        """Compute features of the items, and return name -> what became of each. What is there is left alone.

        Args:
            names: such as "notes" of scores and "mel" of recordings; by default those that were computed before.
            options: name of a feature -> its options, over those of the last time, or else in ``corpus.toml``.
            seconds: of a recording that are heard; by default as the last time, or 300.
            again: whether those that are there are computed again, and compared bit for bit.
            workers: processes; 0 for one a core.
            trust: whether to run code that stored options of a feature name.
            dry_run: whether to count only.
            progress: whether to show it on the error stream.

        Raises :class:`PluginError` for an unknown feature, and :class:`ConfigError` for options of it. An item of which
        one cannot be computed is in the result, with the reason.
        """
        from tonesmith.corpus.featuring.asked import asked_for, last_time
        from tonesmith.corpus.featuring.making import Featuring

        with database.told(self.path):
            wanted = names or tuple(last_time(self.connection))
            below = self.settings.features
            asked = asked_for(self.connection, wanted, below, options or {}, seconds, trust=trust)
        label = f"computing features of {self.path.name}"
        with counting(label, "files", hidden=not progress) as counter, self.locked():
            made = Featuring(self, counter, again=again, workers=workers, dry_run=dry_run).make(asked)
        if any(one.items for one in made.values()) and not dry_run:
            self.back_up()
        return made

    def remove_features(self, *names: str, dry_run: bool = False) -> dict[str, int]:
        """Remove features with their files, and return name -> items that had each.

        Raises :class:`ConfigError` for one that is not there.
        """
        from tonesmith.corpus.featuring.asked import last_time
        from tonesmith.corpus.featuring.making import removed

        with self.locked():
            known = {**last_time(self.connection), **self.known_features()}
            for name in names:
                if name not in known:
                    raise ConfigError(unknown_name("feature of the corpus", name, sorted(known)))
            return {name: removed(self, name, dry_run=dry_run) for name in names}

    def known_features(self) -> dict[str, Any]:
        """Return name -> ``items``, ``nbytes`` and ``definitions`` of the features that items have."""
        from tonesmith.corpus.featuring.making import listed

        with database.told(self.path):
            return listed(self)

    def features_of(self, item: str) -> Mapping[str, Any]:
        """Return the features of an item: key, such as ``notes.pitch_range`` or ``mel``, -> number or array.

        Raises :class:`CorpusError` for files that are missing or damaged.
        """
        from tonesmith.corpus.featuring.kept import features_of

        with database.told(self.path):
            return features_of(self, item)

    def augment(
        self,
        *names: str,
        n: int = 10,
        items: Sequence[str] = (),
        split: str = "",
        seed: int = 0,
        options: Options | None = None,
        workers: int = 0,
        dry_run: bool = False,
        progress: bool = False,
    ) -> Augmented:
        """Make children of items, each a variant with its recipe. What is made already is left as it is.

        Args:
            names: of augmenters, in the order in which they are applied; by default all that come with tonesmith.
            n: children of each score, and of each recording.
            items: names of the items; by default all that are not augmented themselves.
            split: of whose items only children are made; by default of all.
            seed: of all draws.
            options: name of an augmenter -> its options, over those in ``corpus.toml``.
            workers: processes; 0 for one a core, or none for a few children. The same is made with any number.
            dry_run: whether to say only what would be done.
            progress: whether to show it on the error stream.

        Raises :class:`PluginError` for an unknown augmenter, and :class:`ConfigError` for options of it, for an unknown
        item or split, and for numbers below 1.
        """
        from tonesmith.corpus.derive.augmenting import Augmenting
        from tonesmith.corpus.derive.chain import USUAL, chains_of

        if n < 1 or not 0 <= seed < 2**63:
            raise ConfigError(f"n is {n}, seed {seed}: expected a number of at least 1, and a seed of at least 0.")
        chosen = laid_over("augmenter", self.settings.augmenters, options or {})
        chains = chains_of(names or USUAL, chosen, seed)
        ids = self._to_augment(items, split)
        with counting(f"augmenting {self.path.name}", "files", hidden=not progress) as counter, self.locked():
            augmenting = Augmenting(self, counter, chains, n, workers=workers, dry_run=dry_run)
            augmenting.augment(ids)
        if not (dry_run or self.is_written):
            self.write()
        return augmenting.done

    def compose(
        self,
        composer: str,
        n: int,
        *,
        options: Mapping[str, Any] | None = None,
        seed: int = 0,
        seconds: float | None = None,
        dry_run: bool = False,
        progress: bool = False,
    ) -> Composing:
        """Compose scores until there are so many of this composer, these options and this seed.

        What the composer says of them are labels: exact, as causes of the notes. The same call again adds nothing; one
        with a larger number goes on counting.

        Args:
            composer: its name, such as "emotion".
            n: items in all that it is to have made, with these options and this seed.
            options: of the composer.
            seed: of all draws.
            seconds: that a score may last at most.
            dry_run: whether to say only what would be done.
            progress: whether to show it on the error stream.

        Raises :class:`PluginError` for an unknown composer, and :class:`ConfigError` for options of it and for numbers
        below 1.
        """
        from tonesmith.corpus.derive.composing import compose, composer_of

        if n < 1 or not 0 <= seed < 2**63 or not (seconds is None or 0 < seconds <= 86400):
            raise ConfigError(
                f"n is {n}, seed {seed}, seconds {seconds}: expected n from 1, seed from 0, seconds above 0."
            )
        made_by = composer_of(composer, options or {}, seed, seconds)
        label = f"composing into {self.path.name}"
        with counting(label, "scores", hidden=not progress) as counter, self.locked():
            done = compose(self, counter, made_by, n, dry_run=dry_run)
        if not (dry_run or self.is_written):
            self.write()
        return done

    def render(  # noqa: PLR0913 - who plays, what, and how
        self,
        backend: str,
        *,
        presets: Sequence[str] = (),
        n: int = 1,
        items: Sequence[str] = (),
        options: Mapping[str, Any] | None = None,
        sample_rate: int = 44100,
        tail: float = 2.0,
        seed: int = 0,
        dry_run: bool = False,
        progress: bool = False,
    ) -> RenderedScores:
        """Render scores through a synth: each recording is a child of its score, aligned with it.

        Args:
            backend: the synth, such as "vita".
            presets: files, folders and globs of its presets; by default its own default patch is played.
            n: recordings of each score, with one preset each.
            items: names of the items; by default all that have a score.
            options: of the backend.
            sample_rate: Hz.
            tail: seconds rendered after a score.
            seed: by which presets are drawn.
            dry_run: whether to say only what would be done.
            progress: whether to show it on the error stream.

        Raises :class:`PluginError` for an unknown backend, and :class:`ConfigError` for options of it, for presets that
        cannot be read, an unknown item, and numbers out of their range.
        """
        from tonesmith.corpus.derive.known_patches import known_patches
        from tonesmith.corpus.derive.rendering import Rendering
        from tonesmith.corpus.derive.synth import Synth

        if n < 1 or not 0 <= seed < 2**63 or not 0 <= tail <= 60 or not 8000 <= sample_rate <= 192_000:
            raise ConfigError(
                f"n is {n}, seed {seed}, tail {tail}, sample rate {sample_rate}: expected n from 1, seed from 0, a "
                "tail of 0 to 60 s, and 8,000 to 192,000 Hz."
            )
        for item in items:
            self._check_item(item)
        synth = Synth(backend, options or {}, sample_rate, tail)
        scores = "SELECT item FROM media WHERE kind = 'score' ORDER BY item"
        ids = list(items) or [row[0] for row in self.connection.execute(scores)]
        with counting(f"rendering {self.path.name}", "scores", hidden=not progress) as counter, self.locked():
            patches = known_patches(self.connection, synth, presets, dry_run=dry_run)
            rendering = Rendering(self, counter, synth, patches, seed, dry_run=dry_run)
            rendering.render(ids, n)
        if not (dry_run or self.is_written):
            self.write()
        return rendering.done

    def remake(self, *items: str, trust: bool = False, dry_run: bool = False, progress: bool = False) -> Remade:
        """Make derived items again, parents before children, and compare each bit for bit with what was stored.

        A file that is missing or damaged is restored so. One that comes out otherwise is left as it is, with the reason
        in the result. Labels are taken anew from the parents.

        Args:
            items: names of derived items, with which those that they come from are made; by default all.
            trust: whether to load plugins that its recipes name and that you have not used.
            dry_run: whether to compare only.
            progress: whether to show it on the error stream.

        Raises :class:`ConfigError` for an unknown item, and for one that is not derived.
        """
        from tonesmith.corpus.derive.remaking import Remaking

        for item in items:
            self._check_item(item)
            if not self[item].recipe:
                raise ConfigError(f"{item} is an original: it has no recipe, and cannot be made again.")
        with counting(f"remaking {self.path.name}", "files", hidden=not progress) as counter, self.locked():
            remaking = Remaking(self, counter, dry_run=dry_run, trust=trust)
            remaking.remake(items)
        if not (dry_run or self.is_written):
            self.write()
        return remaking.done

    def _to_augment(self, items: Sequence[str], split: str) -> list[str]:
        """Return the items that are named, or all that are not augmented themselves, of a split or of all."""
        for item in items:
            self._check_item(item)
        with database.told(self.path):
            known = [row[0] for row in self.connection.execute("SELECT DISTINCT split FROM splits")]
            if split and split not in known:
                told = (
                    f"It has {', '.join(sorted(known))}." if known else f"Divide it: tonesmith corpus split {self.path}"
                )
                raise ConfigError(f"--split: {self.path} has no split {split!r}. {told}")
            made = "SELECT item FROM recipes WHERE operation = 'augment'"
            sql = f"SELECT id FROM items WHERE id NOT IN ({made}) ORDER BY id"  # noqa: S608 - our words
            every = list(items) or [row[0] for row in self.connection.execute(sql)]
            inside = {row[0] for row in self.connection.execute("SELECT item FROM splits WHERE split = ?", (split,))}
        return [item for item in every if not split or item in inside]
