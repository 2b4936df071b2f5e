"""The source of a Faust program: read from its file, made one text, and checked for what it would reach for.

A program may be a stranger's: a dataset keeps its source, and whoever renders a row again compiles it. ``import``,
``library``, ``component`` and ``soundfile`` of Faust open any file of the machine and any URL. So a program is compiled
only if it names nothing but Faust's own libraries; what lies beside a user's own file is written into its source first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tonesmith.backends.dawdreamer.lexer import Word, text_of, words_of
from tonesmith.errors import ConfigError
from tonesmith.host.textfile import read_text

_MOST_BYTES = 1 << 20
_DEEPEST = 16
_OPENERS = frozenset({"import", "library", "component"})
_FOREIGN = frozenset({"ffunction", "fvariable", "fconstant"})
_VARIABLES = frozenset({"count", "fSamplingFreq", "fSamplingRate", "fSampleRate"})
"""Foreign variables and constants that Faust's own libraries use: frames of a block, and the sample rate."""
_TYPES = frozenset({"int", "float", "any"})
_MATHS = frozenset(
    """
    acos acosh asin asinh atan atan2 atanh cbrt ceil copysign cos cosh erf erfc exp exp10 exp2 expm1 fabs fdim floor fma
    fmax fmin fmod hypot ilogb isinf isnan j0 j1 jn ldexp lgamma log log10 log1p log2 logb nearbyint nextafter pow
    remainder rint round scalbn sin sinh sqrt tan tanh tgamma trunc y0 y1 yn
    """.split()  # noqa: SIM905 - a list of so many would be a page
)
"""Functions of <math.h> that keep no state. ``rand`` and its like draw from a state that outlives a note."""


def standard_libraries() -> frozenset[str]:
    """Return the names of the libraries that come with DawDreamer, as a program imports them."""
    import dawdreamer

    folder = Path(dawdreamer.__file__).with_name("faustlibraries")
    return frozenset(path.name for place in (folder, folder / "dx7") for path in place.glob("*.lib"))


def read_source(path: Path) -> str:
    """Return the program in a ``.dsp`` file, with the files beside it that it names written into it.

    Raises :class:`ConfigError` if it cannot be read, or needs what a dataset could not keep.
    """
    source = _text(path, str(path))
    known = standard_libraries()
    if any(name not in known for _, name in _opened(words_of(source))):
        source = text_of(_whole(source, _Place(path.parent.resolve(), (path.resolve(),)), known, set()))
    if len(source.encode()) > _MOST_BYTES:
        raise ConfigError(
            f"{path} is over 1 MB, with the files that it names. Faust programs of that size are not compiled."
        )
    checked(source)
    return source


def checked(source: str) -> str:
    """Return a program without comments and documentation, ready to be compiled.

    Raises :class:`ConfigError` if it names a file, a URL or a function that is not Faust's own.
    """
    words = words_of(source.partition("\0")[0])
    solid = [word for word in words if word.kind != "gap"]
    _check_files(solid)
    _check_foreign(solid)
    if "</" in text_of(word for word in words if word.kind != "string"):
        raise ConfigError("the instrument has a tag of documentation outside of <mdoc>. Take it out.")
    return text_of(words)


def mentions(source: str, name: str) -> bool:
    """Return whether a name is a word of a program."""
    return any(word.kind == "name" and word.text == name for word in words_of(source))


def _check_files(solid: Sequence[Word]) -> None:
    known = standard_libraries()
    for opener, name in _opened(solid):
        if opener == "soundfile":
            raise ConfigError(
                "the instrument plays a sound file, and a dataset keeps no sound files of an instrument. Write short "
                "ones into the source as a waveform."
            )
        if name not in known:
            raise ConfigError(
                f"the instrument needs the file {name!r}, and only Faust's own libraries may be named in what is "
                "compiled. Write what is needed of it into the .dsp file, or put it beside that file."
            )


def _check_foreign(solid: Sequence[Word]) -> None:
    for place, word in enumerate(solid):
        if word.kind != "name" or word.text not in _FOREIGN:
            continue
        known = _VARIABLES if word.text != "ffunction" else _MATHS
        for name in _foreign_names(solid[place + 1 :]):
            if name not in known and name[:-1] not in known:
                raise ConfigError(
                    f"the instrument calls {name!r}, which is not Faust's. Only functions of <math.h> may be called: "
                    "nothing else is known to give the same sound again."
                )


def _foreign_names(following: Sequence[Word]) -> Iterator[str]:
    """Yield the names in ``(type name|name|name(``, or in ``(type name,``."""
    for word in following[1:]:
        if word.text in {"(", ",", ")"}:
            return
        if word.kind == "name" and word.text not in _TYPES:
            yield word.text


def _opened(words: Sequence[Word]) -> Iterator[tuple[str, str]]:
    """Yield what opens a file, and its name; where the grammar has a string and there is none, an empty name."""
    solid = [word for word in words if word.kind != "gap"]
    for place, word in enumerate(solid):
        if word.kind == "name" and word.text in _OPENERS | {"soundfile"}:
            named = solid[place + 2] if place + 2 < len(solid) else word
            yield word.text, named.content if named.kind == "string" else ""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a text is: the folder that its files must be in, and the files around it, the innermost last."""

    folder: Path
    files: tuple[Path, ...]

    def beside(self, name: str) -> _Place:
        """Return the place of a file that this text names. Raises :class:`ConfigError` if it is not in the folder."""
        named = bool(name) and "://" not in name and "\0" not in name and not Path(name).is_absolute()
        tried = [(folder / name).resolve() for folder in (self.files[-1].parent, self.folder)] if named else []
        found = next((path for path in tried if path.is_relative_to(self.folder) and path.is_file()), None)
        if found is None:
            raise ConfigError(
                f"the instrument needs the file {name!r}, which is neither a library of Faust nor a file beside it. "
                "Put it into the folder of the .dsp file, or write what is needed of it into that file."
            )
        if found in self.files or len(self.files) >= _DEEPEST:
            raise ConfigError(f"the instrument needs the file {name!r}, which needs itself.")
        return _Place(self.folder, (*self.files, found))

    @property
    def text(self) -> str:
        """The text of the file."""
        return _text(self.files[-1], str(self.files[-1]))


def _whole(source: str, place: _Place, known: Collection[str], seen: set[Path]) -> Iterator[Word]:
    """Yield the words of a program, with those of the files in its folder in place of their names.

    As in Faust, a file is imported once into what imports it, and a library or component is a scope of its own.

    Args:
        source: of the program.
        place: that it is in.
        known: libraries that are left by their names.
        seen: files that were imported into this scope.
    """
    words, at = words_of(source), 0
    while at < len(words):
        opener, end = words[at], _end_of_call(words, at)
        name = next((word.content for word in words[at:end] if word.kind == "string"), "")
        if opener.kind != "name" or opener.text not in _OPENERS or end == at or name in known:
            yield opener
            at += 1
            continue
        inner = place.beside(name)
        if opener.text == "import":
            at = _after_semicolon(words, end)
            if inner.files[-1] not in seen:
                seen.add(inner.files[-1])
                yield from _whole(inner.text, inner, known, seen)
            continue
        at = end
        yield from words_of("environment {")
        yield from _whole(inner.text, inner, known, set())
        yield from words_of("}.process" if opener.text == "component" else "}")


def _end_of_call(words: Sequence[Word], place: int) -> int:
    """Return the place behind ``name ( string )``; the place itself if that is not what stands there."""
    solid = [at for at in range(place, min(place + 8, len(words))) if words[at].kind != "gap"][:4]
    texts = [words[at].text for at in solid]
    right = len(solid) == 4 and (texts[1], texts[3]) == ("(", ")") and words[solid[2]].kind == "string"
    return solid[3] + 1 if right else place


def _after_semicolon(words: Sequence[Word], place: int) -> int:
    following = next((at for at in range(place, len(words)) if words[at].kind != "gap"), place)
    return following + 1 if following < len(words) and words[following].text == ";" else place


def _text(path: Path, name: str) -> str:
    try:
        if path.stat().st_size > 2 * _MOST_BYTES:
            raise ConfigError(f"{name} has {path.stat().st_size} bytes. Faust programs over 1 MB are not compiled.")
        return read_text(path)
    except OSError as error:
        raise ConfigError(f"{name} cannot be read: {error.strerror}.") from None
