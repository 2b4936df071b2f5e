"""Builds the site of the documentation: ``make docs``.

::

    python docs/make_site.py

The pages of docs/, and those elsewhere that they link to, are written to build/docs, as mkdocs.yml wants them. Then
zensical builds them, and fails on a link that leads nowhere. ``--stage`` stops before that, for another builder.

What is read on the web is what lies in docs/, but for this:

- A link that leaves docs/ leads to the copy of that page in the site. Without a copy, it leads to the repository if
  mkdocs.yml has ``repo_url``, and is plain text otherwise.
- A link whose words are the name of a page has the heading of that page.
- ``<!-- file: NAME -->`` before a block of code becomes its title; ``<!-- run: skip ... -->`` is left out.
- The map of rooms, Mermaid in the repository, is a picture: Mermaid would be loaded from the net.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import make_pictures

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
STAGE = ROOT / "build" / "docs"
FENCED = re.compile(
    r"^(?:<!-- (?P<marker>[^\n]*) -->\n)?```(?P<language>\w*)\n(?P<text>.*?^```)$", re.MULTILINE | re.DOTALL
)
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")
ASSETS = {".png", ".svg", ".css", ".js"}


def copied() -> dict[Path, Path]:
    """Return each page of the site: the file that it is written from -> its place in the site."""
    pages = {path: path.relative_to(DOCS) for path in sorted(DOCS.rglob("*.md"))}
    pages |= {ROOT / "README.md": Path("index.md"), DOCS / "index.md": Path("index.md")}
    pages |= {ROOT / f"{name}.md": Path(f"{name.lower()}.md") for name in ("CHANGELOG", "CONTRIBUTING")}
    pages[ROOT / "benchmarks" / "README.md"] = Path("benchmarks.md")
    examples = sorted((ROOT / "examples").glob("*/README.md"))
    return pages | {path: Path("examples") / f"{path.parent.name}.md" for path in examples}


def stage(folder: Path = STAGE) -> None:
    """Write the pages, pictures and styles of the site to a folder, in place of what was there."""
    shutil.rmtree(folder, ignore_errors=True)
    pages = copied()
    for source, place in pages.items():
        if source != ROOT / "README.md":
            _write(folder / place, staged(source, pages))
    for path in DOCS.rglob("*"):
        if path.suffix in ASSETS:
            target = folder / path.relative_to(DOCS)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    _write(folder / "images" / "rooms.svg", make_pictures.rooms())


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def staged(source: Path, pages: Mapping[Path, Path]) -> str:
    """Return a page as the site has it.

    Args:
        source: the file.
        pages: every page of the site, as :func:`copied` returns them.
    """
    text, parts, end = source.read_text(encoding="utf-8"), [], 0
    for fence in FENCED.finditer(text):
        parts += [_relinked(text[end : fence.start()], source, pages), _titled(fence)]
        end = fence.end()
    return "".join([*parts, _relinked(text[end:], source, pages)])


def _titled(fence: re.Match[str]) -> str:
    marker, language = fence["marker"] or "", fence["language"]
    if language == "mermaid":
        return "![The rooms of tonesmith, from the top: each imports only what is below it](images/rooms.svg)"
    title = f' title="{marker.removeprefix("file: ")}"' if marker.startswith("file: ") else ""
    return f"```{language}{title}\n{fence['text']}"


def _relinked(text: str, source: Path, pages: Mapping[Path, Path]) -> str:
    """Return text between the blocks of code, with its links as they lead in the site."""

    def replaced(match: re.Match[str]) -> str:
        bang, words, link = match.groups()
        target = _target(link, source, pages)
        words = _title(LINK.sub(replaced, words), link, source)
        return f"{bang}[{words}]({target})" if target else words

    return LINK.sub(replaced, text)


def _target(link: str, source: Path, pages: Mapping[Path, Path]) -> str:
    """Return where a link leads in the site; "" if it leads to a file that the site has not."""
    path, hash_, anchor = link.partition("#")
    if not path or ":" in path:
        return link
    file = Path(os.path.normpath(source.parent / path))
    here = pages[source].parent
    for candidate in (file, file / "README.md", file / "index.md"):
        if candidate in pages:
            return f"{os.path.relpath(pages[candidate], here)}{hash_}{anchor}"
    if file.is_relative_to(DOCS) or not file.exists():
        return f"{os.path.relpath(file, DOCS / here)}{hash_}{anchor}"
    address = repository()
    return f"{address}/blob/main/{file.relative_to(ROOT)}{hash_}{anchor}" if address else ""


def _title(words: str, link: str, source: Path) -> str:
    """Return the heading of the page that a link leads to, if its words are the name of the page; else the words."""
    page = source.parent / link.partition("#")[0]
    if not words.endswith(".md") or not page.is_file():
        return words
    heading = re.search(r"^# (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return heading[1] if heading else words


def repository() -> str:
    """Return the address of the repository that mkdocs.yml names; "" if it names none."""
    found = re.search(r"^repo_url: *(\S+)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.MULTILINE)
    return found[1].rstrip("/") if found else ""


def build(folder: Path = ROOT) -> int:
    """Build the site in ``site`` from what is staged; print only what is wrong, and return the exit status.

    Args:
        folder: has ``mkdocs.yml`` and ``build/docs``.
    """
    command = [sys.executable, "-m", "zensical", "build", "--clean", "--strict"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        found = re.sub(r"\x1b\[[\d;]*m", "", done.stdout + done.stderr)
        print(found.partition("Traceback (most recent call last)")[0].rstrip(), file=sys.stderr)
    return done.returncode


def main() -> int:
    """Write the pages, and build the site from them."""
    parser = argparse.ArgumentParser(description="Build the site of the documentation in site/.")
    parser.add_argument("--stage", action="store_true", help="only write the pages to build/docs")
    arguments = parser.parse_args()
    stage()
    return 0 if arguments.stage else build()


if __name__ == "__main__":
    sys.exit(main())
