"""What is heard: the row that is shown, and two rows compared at one loudness."""

from __future__ import annotations

from collections.abc import Callable

from tonesmith.preview.detail import Detail
from tonesmith.preview.sound.loudness import SILENT, decibels, matched
from tonesmith.screen.player import Output, Player


class Listening:
    """Plays rows.

    Args:
        opened: opens the sound output; see :class:`Player`.
        told: told, in any thread, what went wrong, or "" when a sound has ended.
    """

    def __init__(self, opened: Callable[[int], Output], told: Callable[[str], object]) -> None:
        self.player = Player(opened, told)
        self.pair: dict[str, Detail] = {}
        self.heard = ""

    def play(self, detail: Detail, gain: float | None = None, start: float = 0.0) -> None:
        """Play a row from its start, or from so many seconds behind it.

        Args:
            detail: the row.
            gain: by which; None for its own, which keeps its peak within full scale.
            start: seconds.
        """
        factor = detail.loudness.gain if gain is None else gain
        self.player.play(detail.row.audio * factor, detail.row.plan.audio.sample_rate, start)

    def toggle(self, detail: Detail) -> None:
        """Stop what is played, or play a row."""
        self.heard = ""
        if self.player.playing:
            self.player.stop()
        else:
            self.play(detail)

    def keep(self, name: str, detail: Detail) -> None:
        """Keep a row as "A" or "B"."""
        self.pair[name] = detail

    def other(self) -> bool:
        """Play the one of A and B that was not heard last, at the same loudness and from the same place.

        Returns whether there are two.
        """
        if len(self.pair) < 2:
            return False
        name = "B" if self.heard == "A" else "A"
        start = self.player.position if self.heard else 0.0
        self.heard = name
        self.play(self.pair[name], dict(zip("AB", self.gains, strict=True))[name], start)
        return True

    @property
    def gains(self) -> tuple[float, float]:
        """Those of A and B, which are kept."""
        return matched(self.pair["A"].loudness, self.pair["B"].loudness)

    def __str__(self) -> str:
        """Return what is compared, such as "A row 3 -2.1 dB, B row 9 +0.0 dB"."""
        gains = self.gains if len(self.pair) == 2 else (1.0, 1.0)
        told = []
        for name, gain in zip("AB", gains, strict=True):
            if name in self.pair:
                turned = f" {decibels(gain):+.1f} dB" if len(self.pair) == 2 else ""
                told.append(f"{'>' if name == self.heard else ''}{name} row {self.pair[name].row.row}{turned}")
        if len(self.pair) == 2 and min(one.loudness.level for one in self.pair.values()) < SILENT:
            told.append("one is silent, so loudness is not matched")
        return ", ".join(told)
