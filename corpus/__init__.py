"""Corpora: recordings and scores of one's own, annotated, checked and split. A plugin of the host like any other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tonesmith.host.hookspecs import hookimpl

if TYPE_CHECKING:
    import typer

    from tonesmith.corpus.corpus import Corpus
    from tonesmith.corpus.errors import CorpusBusyError, CorpusDamagedError, CorpusError, CorpusNotFoundError
    from tonesmith.host.roles import Reader

__all__ = ["Corpus", "CorpusBusyError", "CorpusDamagedError", "CorpusError", "CorpusNotFoundError"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'tonesmith.corpus' has no attribute {name!r}")
    if name == "Corpus":
        from tonesmith.corpus.corpus import Corpus

        return Corpus
    from tonesmith.corpus import errors

    return getattr(errors, name)


@hookimpl
def tonesmith_readers() -> list[type[Reader[Any]]]:
    """Let a corpus be opened as a dataset."""
    from tonesmith.corpus.rows.reader import CorpusReader

    return [CorpusReader]


@hookimpl
def tonesmith_commands(app: typer.Typer) -> None:
    """Add ``tonesmith corpus``."""
    from tonesmith.corpus.commands import corpus_app

    app.add_typer(corpus_app(), name="corpus")
