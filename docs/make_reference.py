"""Writes the pages of docs/reference from the code.

::

    python docs/make_reference.py          # write them
    python docs/make_reference.py --check  # only say which are out of date; exit with 1 if one is

The commands, the tables of the composition, the hooks and the public names are read where they are defined, with the
built-in plugins alone. ``tests/docs`` fails when a page is out of date.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from making import commands, composition, hooks, names

FOLDER = Path(__file__).parent / "reference"
PAGES: dict[str, Callable[[], str]] = {
    "cli.md": commands.page,
    "toml.md": composition.page,
    "hooks.md": hooks.page,
    "python.md": names.page,
}
NOTICE = "<!-- Written by docs/make_reference.py from the code: change the code, and run it. -->\n\n"


def written() -> dict[str, str]:
    """Return each page by its name, as the code has it now."""
    with _nowhere():
        return {name: NOTICE + page() for name, page in PAGES.items()}


@contextmanager
def _nowhere() -> Iterator[None]:
    """Be in an empty folder: the defaults of flags are those of the ``plugins.toml`` that is found."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(before)


def outdated() -> list[str]:
    """Return the pages that are not as the code has them."""
    return [
        name
        for name, text in written().items()
        if not (FOLDER / name).is_file() or (FOLDER / name).read_text(encoding="utf-8") != text
    ]


def main() -> int:
    """Write the pages, or check them."""
    parser = argparse.ArgumentParser(description="Write docs/reference from the code.")
    parser.add_argument("--check", action="store_true", help="only say which pages are out of date")
    if parser.parse_args().check:
        found = outdated()
        if found:
            print(f"out of date: {', '.join(found)}. Run: python docs/make_reference.py", file=sys.stderr)
        return 1 if found else 0
    FOLDER.mkdir(exist_ok=True)
    for name, text in written().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
