"""The reader of corpora: what ``open_dataset`` and ``tonesmith convert`` and ``split`` use of one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tonesmith.corpus.rows.form import FormOptions
from tonesmith.corpus.truth.database import NAME
from tonesmith.corpus.truth.settings import NAME as SETTINGS
from tonesmith.errors import ConfigError
from tonesmith.host.roles import Divided, Reader, Storage

_INSTEAD = {
    "by": "items of one ancestor, and near-duplicates, always stay together",
    "crossing": "it is of presets",
    "remove": "to divide everything anew, use --force",
    "finish": "the splits of a corpus are stored whole or not at all",
}


class CorpusReader(Reader[FormOptions]):
    """Opens a corpus: a row is an item, or a window of one."""

    name = "corpus"
    summary = "a corpus: a row is an item, or a window of one"
    kind = "a corpus"
    Options = FormOptions

    @classmethod
    def recognises(cls, path: Path) -> bool:
        """Return whether a folder has the files of a corpus."""
        return (path / NAME).is_file() or (path / SETTINGS).is_file()

    def open(self, path: Path) -> Storage:
        """Return the items of a corpus as rows. Raises :class:`ConfigError` for a form that does not fit them."""
        from tonesmith.corpus.rows.storage import CorpusStorage
        from tonesmith.corpus.rows.truth import known_of

        return CorpusStorage(known_of(path), self.options)

    @classmethod
    def split(cls, path: Path, asked: Mapping[str, Any], *, dry_run: bool) -> Divided:
        """Divide a corpus as ``tonesmith corpus split`` does."""
        from tonesmith.corpus.corpus import Corpus
        from tonesmith.corpus.printed import division_lines

        for name, why in _INSTEAD.items():
            if asked.get(name):
                raise ConfigError(f"--{name} means nothing for {path}, which is a corpus: {why}.")
        given = {name: asked[name] for name in ("train", "val", "test") if name in asked}
        shares = {name: given.get(name, 0.0) for name in ("train", "val", "test")} if given else None
        again = bool(asked.get("force"))
        with Corpus(path) as corpus:
            try:
                done = corpus.split(
                    shares,
                    stratify=asked.get("stratify"),
                    seed=asked.get("seed"),
                    again=again,
                    dry_run=dry_run,
                    progress=True,
                )
            except ConfigError as error:
                raise ConfigError(str(error).replace("--again", "--force")) from None
        told = {"path": str(path), "dry_run": dry_run, **done.to_json()}
        return Divided(told, tuple(division_lines(path, done, dry_run=dry_run)))
