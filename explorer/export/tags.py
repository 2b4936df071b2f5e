"""Tags: what players show, and the recipe, in every format."""

from __future__ import annotations

import hashlib
import os
import struct
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from tonesmith.document import open_plain
from tonesmith.errors import ConfigError, check_libraries
from tonesmith.explorer.moves import told
from tonesmith.media.audio_errors import audio_errors

if TYPE_CHECKING:
    from tonesmith.explorer.recipe import Recipe

SOFTWARE = "tonesmith explore"
_MOST_BYTES = 2**20
"""Of the tags of a WAV file."""
_MOST_CHUNKS = 1000


def write_tags(path: Path, kind: str, recipe: Recipe) -> None:
    """Write title, model, seed, sliders and the recipe into a file.

    Args:
        path: of it, whatever its name ends in.
        kind: its suffix, such as ".wav".
        recipe: of the sound.
    """
    from mutagen.flac import FLAC
    from mutagen.mp3 import MP3
    from mutagen.oggopus import OggOpus
    from mutagen.oggvorbis import OggVorbis
    from mutagen.wave import WAVE

    kinds: dict[str, Any] = {".wav": WAVE, ".flac": FLAC, ".mp3": MP3, ".ogg": OggVorbis, ".opus": OggOpus}
    if kind in {".ogg", ".opus"}:
        _number(path, recipe)
    file = kinds[kind](str(path))
    if file.tags is None:
        file.add_tags()
    if kind in {".wav", ".mp3"}:
        _set_id3(file.tags, recipe)
    else:
        for name, value in {"title": recipe.title, "comment": recipe.text(), "software": SOFTWARE}.items():
            file[name] = value
        file.update({name: value for name, value in shown(recipe).items() if value})
    file.save()


def shown(recipe: Recipe) -> dict[str, str]:
    """Return what tags say of a recipe, beside its title: model, seed and sliders."""
    density = {} if recipe.density is None else {"density": recipe.density}
    time = {
        name: value for name, value in recipe.time if value not in {None, type(recipe.time).model_fields[name].default}
    }
    place = {name: value for name, value in recipe.place if value != type(recipe.place).model_fields[name].default}
    sliders = {**recipe.sliders, **density, **time, **place}
    return {
        "MODEL": recipe.model.name,
        "SEED": str(recipe.seed),
        "SLIDERS": " ".join(f"{name}={told(amount)}" for name, amount in sliders.items()),
    }


def _set_id3(tags: Any, recipe: Recipe) -> None:
    import mutagen.id3

    # Its classes have types, but their constructors have none
    id3: Any = mutagen.id3
    tags.add(id3.TIT2(encoding=3, text=recipe.title))
    tags.add(id3.TSSE(encoding=3, text=SOFTWARE))
    tags.add(id3.COMM(encoding=3, lang="eng", desc="", text=recipe.text()))
    for name, value in shown(recipe).items():
        if value:
            tags.add(id3.TXXX(encoding=3, desc=name, text=value))


def _number(path: Path, recipe: Recipe) -> None:
    """Give an Ogg stream a number that its recipe decides, where libsndfile has drawn one from the clock."""
    import mutagen.ogg

    ogg: Any = mutagen.ogg

    number = int.from_bytes(hashlib.sha256(recipe.text().encode()).digest()[:4], "little")
    with path.open("r+b") as file:
        size = os.fstat(file.fileno()).st_size
        while (start := file.tell()) < size:
            page = ogg.OggPage(file)
            page.serial = number
            after = file.tell()
            file.seek(start)
            file.write(page.write())
            file.seek(after)


def recipe_text(path: Path) -> str:
    """Return the comment of an audio file, "" if it has none. Raises :class:`ConfigError` if it cannot be read."""
    check_libraries(SOFTWARE, ["soundfile"], "explore")
    if not path.is_file():
        raise ConfigError(f"{path} is not a file." if path.exists() else f"{path} does not exist.")
    import soundfile

    try:
        with os.fdopen(open_plain(path), "rb") as plain, soundfile.SoundFile(plain.fileno(), closefd=False) as file:
            found = str(file.comment)
            kind = file.format
    except (soundfile.LibsndfileError, OSError, UnicodeDecodeError):
        raise ConfigError(f"{path} cannot be read as audio.") from None
    if found or kind != "WAV":
        return found
    with audio_errors(path), os.fdopen(open_plain(path), "rb") as plain:
        return _comment_of(_id3_of(plain))


def _id3_of(file: IO[bytes]) -> bytes:
    """Return the ID3 chunk of a WAV file, which libsndfile does not read; b"" if it has none, or one of over 1 MiB."""
    file.seek(12)
    for _ in range(_MOST_CHUNKS):
        head = file.read(8)
        if len(head) < 8:
            return b""
        name, size = struct.unpack("<4sI", head)
        if name.lower() == b"id3 ":
            return file.read(size) if size <= _MOST_BYTES else b""
        file.seek(size + size % 2, os.SEEK_CUR)
    return b""


def _comment_of(tag: bytes) -> str:
    """Return the comment in ID3v2.4 as it is written here: in UTF-8, not compressed."""
    place = 10
    while tag[:4] == b"ID3\x04" and place + 10 <= len(tag):
        name, flags = tag[place : place + 4], tag[place + 8 : place + 10]
        size = sum(
            (byte & 0x7F) << shift for byte, shift in zip(tag[place + 4 : place + 8], (21, 14, 7, 0), strict=True)
        )
        body = tag[place + 10 : place + 10 + size]
        if name == b"COMM" and flags == b"\0\0" and body[:5] == b"\x03eng\0":
            return body[5:].rstrip(b"\0").decode("utf-8", "replace")
        place += 10 + size
    return ""
