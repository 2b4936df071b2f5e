"""The verbs that make new items and files of those that are there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tonesmith.corpus.chosen import Options
from tonesmith.corpus.store import Store
from tonesmith.corpus.truth import database
from tonesmith.errors import ConfigError, unknown_name
from tonesmith.terminal.progress import progress as counting

if TYPE_CHECKING:
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
