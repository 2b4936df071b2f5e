"""An audition as a page: one file that asks nothing of the network, with a player and a picture of each sound."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from itertools import zip_longest

from tonesmith.analysis.audition.hearing import Auditioned
from tonesmith.analysis.audition.listening import Entry, Sound
from tonesmith.analysis.audition.words import compared, facts, headline
from tonesmith.space.pitches import pitch_name
from tonesmith.terminal.text import one_line

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src data:"
"""Nothing but what is in the page, and no script: whatever a name holds, it stays text."""
_STYLE = """
:root { color-scheme: light dark; --line: #8886; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 75rem; padding: 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; overflow-wrap: anywhere; } h3 { font-size: 1rem; margin: 0; }
.plans { display: grid; gap: 1.5rem; } .two { grid-template-columns: repeat(2, minmax(0, 1fr)); }
.cards { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(19rem, 1fr)); }
.two .cards { grid-template-columns: minmax(0, 1fr); }
.card { border: 1px solid var(--line); border-radius: .5rem; padding: .7rem; overflow-wrap: anywhere; }
.rejected { border-style: dashed; } .rejected h3 { color: light-dark(#a11, #f98); }
figure { margin: .6rem 0 0; } img { width: 100%; height: 7rem; image-rendering: pixelated; display: block; }
audio { width: 100%; height: 2.4rem; margin-top: .3rem; } figcaption, summary { font-size: .85rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; } dd { margin: 0; }
table { border-collapse: collapse; font-size: .8rem; } td, th { text-align: left; padding-right: .8rem; }
th { font-weight: 400; }
.trouble { border-left: .25rem solid light-dark(#a11, #f98); padding-left: .7rem; }
@media (max-width: 45rem) { .two { grid-template-columns: 1fr; } }
"""


def page_of(found: Sequence[Auditioned]) -> str:
    """Return the page of one plan, or of two side by side."""
    several = len(found) > 1
    notes = "".join(f"<p>{escape(line)}</p>" for line in compared(*found)) if several else ""
    plans = "".join(f"<section>{''.join(_plan(one))}</section>" for one in found)
    title = escape(" and ".join(f"Audition of {one_line(one.name)}" for one in found))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head>"
        f'<body><main><h1>Audition</h1>{notes}<div class="plans{" two" if several else ""}">{plans}</div>'
        "</main></body></html>\n"
    )


def _plan(found: Auditioned) -> Iterator[str]:
    yield f"<h2>{_text(headline(found))}</h2><dl>"
    yield from (f"<dt>{_text(name)}</dt><dd>{_text(value)}</dd>" for name, value in facts(found))
    yield "</dl>"
    for trouble in found.troubles:
        yield f'<p class="trouble"><b>{_text(trouble.what)}</b><br>{_text(trouble.suggestion)}</p>'
    yield '<div class="cards">'
    yield from map(_card, found.entries)
    yield "</div>"


def _card(entry: Entry) -> str:
    head = f"patch {entry.candidate.patch}, try {entry.candidate.attempt}: {entry.verdict}"
    kind = "card rejected" if entry.rejection else "card"
    sounds = "".join(map(_figure, entry.sounds))
    return f'<article class="{kind}"><h3>{_text(head)}</h3>{sounds}{_values(entry)}</article>'


def _figure(sound: Sound) -> str:
    note = f"{pitch_name(sound.note.pitch)}, velocity {sound.note.velocity}"
    if sound.clip is None:
        return f"<figure><figcaption>{note}: nothing was heard</figcaption></figure>"
    quieter = f"; played at {sound.clip.gain:.2g} of its level" if sound.clip.gain < 1.0 else ""
    pitch = f"pitch {sound.pitch}" if sound.pitch != "-" else "no clear pitch"
    told = f"{note}: peak {sound.peak:.1f} dBFS, rms {sound.rms:.1f} dBFS, {pitch}{quieter}"
    return (
        f'<figure><img alt="spectrogram of {note}" src="{sound.picture}">'
        f'<audio controls preload="metadata" aria-label="{note}" src="{sound.clip.uri}"></audio>'
        f"<figcaption>{told}</figcaption></figure>"
    )


def _values(entry: Entry) -> str:
    """Return the parameters that vary, two beside each other."""
    if not entry.values:
        return ""
    cells = [f"<th>{_text(name)}</th><td>{_text(value)}</td>" for name, value in entry.values.items()]
    rows = "".join(f"<tr>{one}{other}</tr>" for one, other in zip_longest(cells[::2], cells[1::2], fillvalue=""))
    return f"<details><summary>{len(cells)} parameters</summary><table>{rows}</table></details>"


def _text(text: str) -> str:
    return escape(one_line(text, 400))
