"""What an engine plays, a note or a phrase: told over a channel, and played by a backend."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple
from typing import Any

from numpy.typing import NDArray

from tonesmith.host.roles import Backend
from tonesmith.score.phrase import Phrase
from tonesmith.score.stored import stored_score
from tonesmith.space.patch import Note

Played = Note | Phrase


def sent(played: Played) -> Sequence[Any] | Mapping[str, Any]:
    """Return a JSON-serialisable form."""
    if isinstance(played, Phrase):
        return {"score": played.score.to_json(), "hold": played.hold, "tail": played.tail}
    return astuple(played)


def received(data: Sequence[Any] | Mapping[str, Any]) -> Played:
    """Return what :func:`sent` sent."""
    if isinstance(data, Mapping):
        return Phrase(stored_score(data["score"]), data["hold"], data["tail"])
    return Note(*data)


def pieces_of(backend: Backend[Any], played: Played) -> Iterable[NDArray[Any]]:
    """Return what a backend plays, in pieces that follow each other in time."""
    return backend.score_pieces(played) if isinstance(played, Phrase) else backend.pieces(played)
