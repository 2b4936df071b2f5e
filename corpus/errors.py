"""What can go wrong with a corpus, in the words of the person at the terminal."""

from __future__ import annotations

from tonesmith.errors import TonesmithError


class CorpusError(TonesmithError):
    """Something of a corpus could not be done."""


class CorpusNotFoundError(CorpusError, FileNotFoundError):
    """There is no corpus at the path."""

    exit_code = 2


class CorpusBusyError(CorpusError):
    """Another command is changing the corpus."""


class CorpusDamagedError(CorpusError):
    """The file that holds what is known of a corpus cannot be read. The message says how it is repaired."""
