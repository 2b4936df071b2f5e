"""Labels that the names of folders state, such as happy/one.mid."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from tonesmith.host.hookspecs import hookimpl
from tonesmith.host.roles import Annotation, Annotator, Options, Subject

_WHOLE, _PART = 0.9, 0.7
"""How sure a label is that is the name of a folder, and one that is a word in it."""
_SHORTEST = 3
"""Letters of a word that is looked for within the name of a folder."""


class Folders(Annotator[Options]):
    """Reads the choices of the profile from the names of the folders that a file was in: "happy", or "sad songs".

    It says nothing where two folders state different choices of one label, and nothing of choices of one letter.
    """

    name = "folders"
    summary = "choices of the profile that are names of folders"
    Options = Options
    version = 1
    authority = "folder"

    def annotate(self, subject: Subject) -> Iterator[Annotation]:
        """Return a choice of each label that the folders state."""
        for label, words in subject.choices.items():
            found = [_stated(name, words) for name in subject.names]
            said = {choice for stated in found for choice in stated}
            if len(said) == 1:
                (choice,) = said
                yield Annotation(label, choice, max(stated.get(choice, 0.0) for stated in found))


def _stated(name: str, words: Mapping[str, str]) -> dict[str, float]:
    """Return choice -> how sure, of all that the folders of a file state."""
    stated: dict[str, float] = {}
    for folder in PurePosixPath(name).parent.parts:
        whole = re.sub(r"[\W_]+", "_", folder.lower()).strip("_")
        if len(whole) > 1 and whole in words:
            stated[words[whole]] = _WHOLE
            continue
        for part in whole.split("_"):
            if len(part) >= _SHORTEST and part in words:
                stated.setdefault(words[part], _PART)
    return stated


@hookimpl
def tonesmith_annotators() -> Iterable[type[Annotator[Any]]]:
    """Return the annotator of this module."""
    return [Folders]
