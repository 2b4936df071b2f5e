"""A corpus, as a program has it: the verbs of ``tonesmith corpus``."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tonesmith.corpus.chosen import Options, laid_over
from tonesmith.corpus.derived import Derived
from tonesmith.corpus.truth import database
from tonesmith.errors import ConfigError
from tonesmith.host.registry import Host
from tonesmith.terminal.progress import Progress
from tonesmith.terminal.progress import progress as counting

if TYPE_CHECKING:
    from tonesmith.corpus.adding import Added
    from tonesmith.corpus.annotating import Told
    from tonesmith.corpus.checking import Checked
    from tonesmith.corpus.cleaning.limits import Limits
    from tonesmith.corpus.cleaning.sanitising import Sanitised
    from tonesmith.corpus.splitting import Division
    from tonesmith.corpus.stats import Stats


class Corpus(Derived):
    """Recordings and scores with what is said of them.

    ::

        corpus = Corpus.new("emotion_v1", profile="emotion")
        corpus.add("music")
        corpus.annotate("folders")
        print(corpus.check())

    Args:
        path: of a corpus that is there.
        wait: seconds to wait for another command that is changing it.

    Raises :class:`CorpusNotFoundError` if there is none, :class:`CorpusDamagedError` if it cannot be read, and
    :class:`CorpusError` if a newer tonesmith changed it. It is closed with :meth:`close`, or as a context.
    """

    def add(
        self,
        *paths: str | os.PathLike[str],
        importer: str = "",
        options: Options | None = None,
        link: bool = False,
        dry_run: bool = False,
        progress: bool = False,
    ) -> Added:
        """Add scores and recordings. What is there already is left as it is, so that it can be repeated.

        Args:
            paths: of folders, files, archives, or corpora.
            importer: that reads them; by default the first that takes each.
            options: name of an importer -> its options, over those in ``corpus.toml``.
            link: whether originals are linked instead of copied. They must then stay where they are.
            dry_run: whether to say only what would be done.
            progress: whether to show it on the error stream.

        Raises :class:`ConfigError` for a path that cannot be added, before anything is. A file that cannot be taken is
        in the result, with its reason.
        """
        from tonesmith.corpus.adding import Adding, importer_of

        chosen = laid_over("importer", self.settings.importers, options or {})
        for path in map(Path, paths):
            self._check_outside(path)
        sources = [(path, importer_of(path, importer, chosen)) for path in map(Path, paths)]
        with counting(f"adding to {self.path.name}", "files", hidden=not progress) as counter, self.locked():
            adding = Adding(self, counter, link=link, dry_run=dry_run)
            for path, used in sources:
                adding.source(path, used)
        if not (dry_run or self.is_written):
            self.write()
        return adding.added

    def _check_outside(self, path: Path) -> None:
        inner = path.resolve()
        if inner == self.path.resolve() or inner.is_relative_to(self.path.resolve()):
            raise ConfigError(f"{path} is the corpus itself, or lies in it. Add something else.")

    def annotate(
        self, *names: str, options: Options | None = None, dry_run: bool = False, progress: bool = False
    ) -> dict[str, Told]:
        """Ask annotators of the items that they were not asked of, and return name -> what each said.

        Args:
            names: of annotators; by default all but ``table``, which needs a table.
            options: name of an annotator -> its options, over those in ``corpus.toml``.
            dry_run: whether to store nothing.
            progress: whether to show it on the error stream.

        Raises :class:`PluginError` for an unknown annotator, and :class:`ConfigError` for options of it.
        """
        from tonesmith.corpus.annotating import Annotating, annotators_of

        chosen = laid_over("annotator", self.settings.annotators, options or {})
        every = [name for name in sorted(Host.load().annotators()) if name != "table"]
        annotators = annotators_of(tuple(dict.fromkeys(names)) or every, chosen)
        label = f"annotating {self.path.name}"
        with counting(label, "items", hidden=not progress) as counter, self.locked():
            told = Annotating(self, counter, dry_run=dry_run).ask(annotators)
        if not (dry_run or self.is_written):
            self.write()
        return told

    def split(
        self,
        shares: Mapping[str, float] | None = None,
        *,
        stratify: str | None = None,
        seed: int | None = None,
        again: bool = False,
        listen: bool = True,
        dry_run: bool = False,
        progress: bool = False,
    ) -> Division:
        """Divide what is in no split yet. Items of one ancestor, and near-duplicates, stay together.

        Args:
            shares: split -> share; by default those of the last time, or 0.7, 0.15 and 0.15.
            stratify: label whose shares each split keeps; by default the classes of the profile.
            seed: of the order in which families are divided.
            again: whether to divide everything anew.
            listen: whether recordings are compared that were not yet, to keep those together that sound alike.
            dry_run: whether to store nothing.
            progress: whether to show it on the error stream.

        Raises :class:`ConfigError` for shares that do not sum to 1, and for other settings than those of the last time.
        """
        from tonesmith.corpus.cleaning.alike import compare_all
        from tonesmith.corpus.splitting import divide, settings_of

        with database.told(self.path):
            settings = settings_of(self, shares, stratify, seed, again=again)
        alike = []
        if listen:
            with self._listening(progress=progress) as (hearing, comparing):
                alike = compare_all(self, hearing, comparing, dry_run=dry_run)
        division = divide(self, settings, alike, again=again, dry_run=dry_run)
        if not dry_run:
            self.write()
        return division

    def sanitise(
        self,
        *checks: str,
        limits: Limits | None = None,
        deep: bool = False,
        dry_run: bool = False,
        progress: bool = False,
    ) -> Sanitised:
        """Move what is faulty out into ``removed/``, each item with its reason and what was made from it.

        Args:
            checks: what to look for: names of :data:`tonesmith.corpus.cleaning.limits.CHECKS`; by default all.
            limits: from where on something is a fault.
            deep: whether every file is read and measured again, not only those that were not yet.
            dry_run: whether to say only what would be done.
            progress: whether to show it on the error stream.

        Raises :class:`ConfigError` for an unknown check.
        """
        from tonesmith.corpus.cleaning.limits import Limits, checked_names
        from tonesmith.corpus.cleaning.sanitising import Sanitising

        sanitising = Sanitising(self, limits or Limits(), checked_names(checks), deep=deep)
        with self._listening(progress=progress) as (hearing, comparing):
            done = sanitising.run(hearing, comparing, dry_run=dry_run)
        if not (dry_run or self.is_written):
            self.write()
        return done

    @contextmanager
    def _listening(self, *, progress: bool) -> Iterator[tuple[Progress, Progress]]:
        """Lock the corpus, and count the files that are heard and the pairs that are compared."""
        name = self.path.name
        with (
            counting(f"listening to {name}", "files", hidden=not progress) as hearing,
            counting(f"comparing in {name}", "pairs", hidden=not progress) as comparing,
            self.locked(),
        ):
            yield hearing, comparing

    def restore(self, *items: str, dry_run: bool = False) -> list[str]:
        """Bring removed items back with what went with them, keep them from then on, and return their names.

        Raises :class:`ConfigError` for an item that was not removed, or went with another.
        """
        from tonesmith.corpus.cleaning.removal import bring_back

        with self.change(dry_run=dry_run) as connection:
            back = [name for item in dict.fromkeys(items) for name in bring_back(connection, item)]
        if not dry_run:
            self.write()
        return back

    def removed(self) -> list[dict[str, Any]]:
        """Return what was removed: ``item``, ``reason``, ``told``, ``head`` (that it went with), ``at``, ``files``."""
        from tonesmith.corpus.cleaning.removal import removed_items

        with database.told(self.path):
            return removed_items(self.connection)

    def check(self, *, deep: bool = False, progress: bool = False) -> Checked:
        """Check balance, diversity, quality, structure and leaks. Nothing is changed.

        Args:
            deep: whether every file is read and compared with its SHA-256, not only its size.
            progress: whether to show it on the error stream.
        """
        from tonesmith.corpus.checking import check

        label = f"checking {self.path.name}"
        with counting(label, "files", hidden=not progress) as counter, database.told(self.path):
            return check(self, counter, deep=deep)

    def stats(self) -> Stats:
        """Return what is in the corpus, in numbers."""
        from tonesmith.corpus.stats import stats_of

        with database.told(self.path):
            return stats_of(self)

    def plot(
        self, file: str | os.PathLike[str] | None = None, folder: str | os.PathLike[str] | None = None
    ) -> dict[str, int]:
        """Draw classes against targets, keys, tempos, durations, pitches and who says what; return path -> bytes.

        Args:
            file: one picture of all: .png, .svg or .pdf.
            folder: a picture for each, such as ``classes.png``. It is made if its parent is there.

        Raises :class:`ConfigError` for a place that cannot be written to, and if matplotlib is missing.
        """
        if file is None and folder is None:
            return {}
        from tonesmith.corpus.plots import plotted

        return plotted(self, None if file is None else Path(file), None if folder is None else Path(folder))
