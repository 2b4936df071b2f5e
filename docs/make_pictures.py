"""Draws the pictures of the documentation that show no sound: the flow, and the rooms of the code.

::

    python docs/make_pictures.py

This writes docs/images/flow.svg, which ``tests/docs`` compares. The rooms follow the imports: ``make docs`` draws them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from pathlib import Path

import make_architecture

DOCS = Path(__file__).parent
FLOW = DOCS / "images" / "flow.svg"
STYLE = """\
text { font-family: system-ui, "Segoe UI", Helvetica, Arial, sans-serif; fill: #27272a }
.lane { font-size: 13px; font-weight: 600; fill: #52525b }
.head { font-size: 14px; font-weight: 600 }
.note { font-size: 12px; fill: #3f3f46 }
.arrow { fill: none; stroke: #52525b; stroke-width: 1.3 }
.small { font-size: 11px; fill: #52525b }"""
MARKER = (
    '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    '<path d="M0 0 L8 4 L0 8 z" fill="#52525b"/></marker></defs>'
)
OWN, ROLE, STORED = ("#f4f4f5", "#71717a"), ("#e0edff", "#2563eb"), ("#e7f6ec", "#15803d")


@dataclass(frozen=True, slots=True)
class Box:
    """A box of the picture: its place and size in pixels, a heading, a line or two below it, fill and edge."""

    x: int
    y: int
    head: str
    notes: tuple[str, ...]
    colours: tuple[str, str] = OWN
    width: int = 164
    height: int = 66

    def svg(self) -> str:
        """Return it as SVG."""
        fill, edge = self.colours
        texts = [f'<text x="{self.x + 12}" y="{self.y + 23}" class="head">{escape(self.head)}</text>']
        texts += [
            f'<text x="{self.x + 12}" y="{self.y + 40 + 15 * number}" class="note">{escape(note)}</text>'
            for number, note in enumerate(self.notes)
        ]
        box = f'<rect x="{self.x}" y="{self.y}" width="{self.width}" height="{self.height}" rx="5"'
        return "\n".join([f'{box} fill="{fill}" stroke="{edge}"/>', *texts])


def picture(width: int, height: int, title: str, parts: Iterable[str]) -> str:
    """Return a whole SVG on white, which can be read on a dark page too."""
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="title">',
            f'<title id="title">{escape(title)}</title>',
            f"<style>\n{STYLE}\n</style>",
            MARKER,
            f'<rect width="{width}" height="{height}" rx="8" fill="#ffffff"/>',
            *parts,
            "</svg>\n",
        ]
    )


def arrow(*points: tuple[int, int]) -> str:
    """Return an arrow through points."""
    return f'<path d="M{" L".join(f"{x} {y}" for x, y in points)}" class="arrow" marker-end="url(#head)"/>'


def words(x: int, y: int, text: str, kind: str) -> str:
    """Return a line of text."""
    return f'<text x="{x}" y="{y}" class="{kind}">{escape(text)}</text>'


def flow() -> str:
    """Return how a dataset comes to be, from the settings to what is done with it."""
    first, second, third = 44, 180, 330
    columns = [24 + 188 * place for place in range(5)]
    boxes = [
        Box(columns[0], first, "settings", ("flags, plugins.toml,", "a dataset to continue")),
        Box(columns[1], first, "plan", ("frozen; decides", "every row")),
        Box(columns[2], first, "blocks to make", ("those that are not", "stored yet")),
        Box(columns[0], second, "sampler", ("draws a patch by", "its number"), ROLE),
        Box(columns[1], second, "label", ("is encoded; the patch", "is decoded from it")),
        Box(columns[2], second, "backend", ("plays the notes in a", "pristine synth"), ROLE),
        Box(columns[3], second, "validators", ("check the sound", ""), ROLE),
        Box(columns[4], second, "features", ("are computed", ""), ROLE),
        Box(columns[0], third, "you", ("open, train, listen,", "share")),
        Box(columns[1], third, "verify, render", ("a row again from its", "label, and compare")),
        Box(columns[3], third, "dataset", ("audio, labels, plan,", "rejects, card"), STORED),
        Box(columns[4], third, "sink", ("stores a block whole", "or not at all"), ROLE),
    ]
    middle = {line: line + 33 for line in (first, second, third)}
    across = [(first, 0), (first, 1), (second, 0), (second, 1), (second, 2), (second, 3)]
    arrows = [arrow((columns[c] + 164, middle[line]), (columns[c + 1], middle[line])) for line, c in across]
    start = columns[2] + 82
    arrows += [
        arrow((start, first + 66), (start, 134), (columns[0] + 82, 134), (columns[0] + 82, second)),
        arrow((columns[3] + 82, second + 66), (columns[3] + 82, 272), (columns[0] + 82, 272), (columns[0] + 82, 246)),
        arrow((columns[4] + 82, second + 66), (columns[4] + 82, third)),
        arrow((columns[4], middle[third]), (columns[3] + 164, middle[third])),
        arrow((columns[3], middle[third]), (columns[1] + 164, middle[third])),
        arrow((columns[1], middle[third]), (columns[0] + 164, middle[third])),
    ]
    lanes = [
        words(24, 30, "the process that you start", "lane"),
        words(604, 74, "blue: a plugin; choose or write your own", "small"),
        words(118, 166, "each worker: a process for each core, each synth in a process of its own", "lane"),
        words(24, 316, "what stays", "lane"),
        words(columns[2] - 10, 290, "rejected, crashed or hung: recorded, and drawn again", "small"),
    ]
    lines = [f'<line x1="12" y1="{y}" x2="960" y2="{y}" stroke="#e4e4e7"/>' for y in (148, 298)]
    title = "How a dataset is made: plan, blocks, sampler, label, backend, validators, features, sink"
    return picture(972, 412, title, [*lines, *lanes, *arrows, *(box.svg() for box in boxes)])


def rooms() -> str:
    """Return the rooms of core, each layer a line, and the plugins beside them. Arrows only go down."""
    parts, y = [words(24, 26, "each room imports only rooms below it", "lane")], 40
    for layer in make_architecture.layers():
        width = (640 - 12 * (len(layer) - 1)) // len(layer)
        for place, room in enumerate(layer):
            parts.append(Box(24 + place * (width + 12), y, room, (), width=width, height=34).svg())
        y += 42
    box = Box(700, 40, "plugins", make_architecture.ROLES, ROLE, height=y - 48)
    return picture(888, y + 10, "The rooms of tonesmith, from the top", [*parts, box.svg()])


if __name__ == "__main__":
    FLOW.write_text(flow(), encoding="utf-8")
