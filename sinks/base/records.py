"""What lies beside the columns: markers of committed blocks, the ledger, assets."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tonesmith.buckets.address import BucketPath, is_remote, place_of
from tonesmith.buckets.reading import forget
from tonesmith.document import parsed_object, read_plain
from tonesmith.errors import DatasetError, unreadable
from tonesmith.sinks.base.files import flush, write_whole
from tonesmith.sinks.base.links import check_links
from tonesmith.sinks.base.listing import entries, listed, size_of

if TYPE_CHECKING:
    from tonesmith.plan.block import Block
    from tonesmith.plan.rejection import Rejection

SIDE = "tonesmith"
"""The folder beside the data."""

SIDES = {
    "blocks": "one file for each committed block: its rows' digests and what was rejected on the way",
    "ledger": "one file for each candidate that crashed or timed out",
    "assets": "the content of assets, by SHA-256",
    "plan": "an empty file whose name is the fingerprint of the plan",
    "aside": "what is being written",
}

Parts = Mapping[str, Sequence[int]]
"""Split -> places of its rows in a block; ``WHOLE`` where a block is not divided."""

WHOLE: Parts = {}

NO_SUMS: Mapping[str, Sequence[int]] = {}

_MARKER = re.compile(r"(\d{6,})-(\d{1,9})-(\d{1,12})\.json")
_SPLIT = re.compile(r"[a-z][a-z0-9_]{0,31}")
_FAULT = re.compile(r"\d+-\d+\.json")
SHA256 = re.compile(r"[0-9a-f]{64}")

_DIGEST_BYTES = 64
"""Of a row in a marker, at least: one that claims more rows than it has bytes for is none."""


class Marker(NamedTuple):
    """A file that says a block is committed: its name tells the block, its rows, and its own size in bytes.

    So that what is committed is known from a listing, at any number of blocks, and one that was cut short
    is known without reading it. In a bucket, the path has a stamp of the content.
    """

    path: str
    block: int
    rows: int

    @property
    def file(self) -> Path:
        """Where it is."""
        return place_of(self.path)

    def read(self) -> dict[str, Any]:
        """Return the marker's content; raise :class:`DatasetError` if it is damaged."""
        try:
            return self._read()
        except DatasetError:
            if not is_remote(self.file):
                raise
            forget(self.file)  # it may be the copy on this machine alone
            return self._read()

    def _read(self) -> dict[str, Any]:
        try:
            content = parsed_object(read_plain(self.file), str(self.file))
            digests = [bytes.fromhex(digest) for digest in content["digests"]]
            parts, sums = content.get("parts", WHOLE), content.get("sums", NO_SUMS)
            if (
                len(digests) == self.rows
                and {len(d) for d in digests} == {32}
                and content["block"] == self.block
                and isinstance(content.get("plan", ""), str)
                and all(_SPLIT.fullmatch(name) for name in parts)  # they name files
                and all(_are_whole(values) for values in (*parts.values(), *sums.values()))
                and _are_places(parts, self.rows)
            ):
                return {"plan": "", **content, "parts": dict(parts), "sums": sums, "digests": tuple(digests)}
        except FileNotFoundError:  # it was replaced since the listing
            raise
        except PermissionError as error:
            raise unreadable(self.file, error) from None
        except (OSError, DatasetError, ValueError, KeyError, TypeError, AttributeError):
            pass
        cure = f"Delete it and re-run the command that made the dataset, to make block {self.block} again."
        raise DatasetError(f"{self.file} is damaged. {cure}")


def check_side(path: Path) -> None:
    """Raise :class:`DatasetError` if a folder of what lies beside the columns is a link."""
    check_links(path, *(path / SIDE / side for side in SIDES))


def _are_whole(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(value, int) and 0 <= value < 2**80 for value in values)


def _are_places(parts: Parts, rows: int) -> bool:
    """Return whether parts have each place of a block once."""
    return not parts or sorted(place for places in parts.values() for place in places) == list(range(rows))


def markers(path: Path, block: int | None = None) -> list[Marker]:
    """Return every whole marker of a dataset, or of one block, in no order."""
    found = []
    prefix = "" if block is None else f"{block:06d}-"  # of some ten thousand names, all but one or two are others
    for place, name, size in entries(path / SIDE / "blocks", prefix):
        match = _MARKER.fullmatch(name)
        if match and size == int(match[3]) and size >= int(match[2]) * _DIGEST_BYTES:
            found.append(Marker(place, int(match[1]), int(match[2])))
    return found


def committed(path: Path) -> dict[int, Marker]:
    """Return block index -> its marker, in order. While a block grows it has two: the one of more rows counts."""
    best: dict[int, Marker] = {}
    for marker in sorted(markers(path), key=lambda m: (m.block, m.rows)):
        best[marker.block] = marker
    return best


class Digests(Mapping[int, tuple[bytes, ...]]):
    """Block index -> digests of its rows, each marker read when it is asked for."""

    def __init__(self, path: Path) -> None:
        self._markers = committed(path)

    def __getitem__(self, block: int) -> tuple[bytes, ...]:
        digests: tuple[bytes, ...] = self._markers[block].read()["digests"]
        return digests

    def __iter__(self) -> Iterator[int]:
        return iter(self._markers)

    def __len__(self) -> int:
        return len(self._markers)


def withdraw(path: Path, block: Block, parts: Parts = WHOLE, sums: Mapping[str, Sequence[int]] = NO_SUMS) -> None:
    """Remove markers that would not be true while the files of a block come into place: of other rows than it has.

    Args:
        path: of the dataset.
        block: whose files are about to come into place.
        parts: into which its rows are divided.
        sums: split -> checksums of what its file will hold.
    """
    check_side(path)
    for marker in markers(path, block.index):
        try:
            content = marker.read()
            true = content["digests"] == block.digests[: marker.rows] and _stands(content, block, parts, sums)
        except DatasetError:
            true = False
        if not true:
            _remove(marker)


def _stands(marker: Mapping[str, Any], block: Block, parts: Parts, sums: Mapping[str, Sequence[int]]) -> bool:
    """Return whether each file that a marker speaks for begins with what it had, or is not replaced."""
    before = marker["parts"] or {"": range(len(marker["digests"]))}
    after = parts or {"": range(block.rows)}
    return all(
        _begins(after[name], places) and _begins(sums.get(name, ()), marker["sums"].get(name, ()))
        for name, places in before.items()
        if name in after
    )


def _begins(values: Sequence[int], earlier: Sequence[int]) -> bool:
    return list(values[: len(earlier)]) == list(earlier)


def mark(path: Path, block: Block, parts: Parts = WHOLE, sums: Mapping[str, Sequence[int]] | None = None) -> None:
    """Mark a block as committed, and remove the markers that the new one replaces.

    Args:
        path: of the dataset.
        block: whose files are in place.
        parts: split -> the places in the block of the rows that its file holds.
        sums: split -> checksums of what its file holds, where the format has none of its own.
    """
    content = _json_bytes(
        {
            "block": block.index,
            "first_row": block.first_row,
            "rows": block.rows,
            "digests": [digest.hex() for digest in block.digests],
            "rejections": [_rejection_json(rejection) for rejection in block.rejections],
            **({"plan": block.plan} if block.plan else {}),
            **({"parts": {name: list(places) for name, places in parts.items()}} if parts != WHOLE else {}),
            **({"sums": {name: list(values) for name, values in sums.items()}} if sums else {}),
        }
    )
    folder = path / SIDE / "blocks"
    final = folder / f"{block.index:06d}-{block.rows}-{len(content)}.json"
    write_whole(path / SIDE / "aside", final, content, path)
    for marker in markers(path, block.index):
        if str(marker.file) != str(final):
            _remove(marker)


def write_fault(path: Path, rejection: Rejection) -> None:
    """Store a crash or timeout, at once."""
    final = path / SIDE / "ledger" / f"{rejection.patch:d}-{rejection.attempt:d}.json"
    write_whole(path / SIDE / "aside", final, _json_bytes(_rejection_json(rejection)), path)


def faults(path: Path) -> list[Rejection]:
    """Return what :func:`write_fault` stored, by patch and attempt."""
    found = []
    for place, name, _ in entries(path / SIDE / "ledger"):
        if not _FAULT.fullmatch(name):
            continue
        file = place_of(place)
        try:
            found.append(_rejection(parsed_object(read_plain(file), str(file))))
        except PermissionError as error:
            raise unreadable(file, error) from None
        except (OSError, DatasetError, ValueError, LookupError, TypeError, AttributeError):
            raise DatasetError(f"{file} is damaged. Delete it, and the candidate is tried again.") from None
    return sorted(found, key=lambda r: (r.patch, r.attempt))


def rejections(path: Path) -> list[Rejection]:
    """Return the reject ledger: that of the committed blocks, and the faults that are in no block yet.

    A block whose marker is damaged adds nothing: whoever reads the block is told.
    """
    found = [rejection for marker in committed(path).values() for rejection in _rejections_of(marker)]
    told = {(r.patch, r.attempt) for r in found}
    found += [fault for fault in faults(path) if (fault.patch, fault.attempt) not in told]
    return sorted(found, key=lambda r: (r.patch, r.attempt))


def _rejections_of(marker: Marker) -> list[Rejection]:
    try:
        return [_rejection(data) for data in marker.read()["rejections"]]
    except (DatasetError, ValueError, LookupError, TypeError, AttributeError):
        return []


def cut_short(path: Path) -> list[str]:
    """Return the names of markers that have another size than their names tell: their blocks count as missing."""
    found = sorted((name, size) for _, name, size in entries(path / SIDE / "blocks") if _MARKER.fullmatch(name))
    return [name for name, size in found if size != int(name[:-5].rpartition("-")[2])]


def write_asset(path: Path, content: bytes) -> str:
    """Store a content under its SHA-256, unless it is there."""
    from tonesmith.space.patch import sha256_hex

    name = sha256_hex(content)
    final = path / SIDE / "assets" / name
    check_links(path, final)
    if size_of(final) != len(content):
        write_whole(path / SIDE / "aside", final, content, path)
    return name


def read_asset(path: Path, name: str) -> bytes:
    """Return the content with that SHA-256; raise :class:`DatasetError` if it is missing or another."""
    from tonesmith.space.patch import sha256_hex

    if not is_asset_name(name):
        raise DatasetError(f"{name!r} is not the name of an asset, which is 64 hexadecimal digits")
    try:
        content = _asset(path, name)
    except PermissionError as error:
        raise unreadable(path / SIDE / "assets" / name, error) from None
    except OSError as error:
        raise DatasetError(f"{path}: cannot read the asset {name}: {error.strerror}") from None
    if sha256_hex(content) != name:
        raise DatasetError(f"{path}: the asset {name} is damaged: its SHA-256 does not match")
    return content


def _asset(path: Path, name: str) -> bytes:
    """Return what is stored under a name; in a bucket, anew if the copy on this machine is damaged."""
    from tonesmith.space.patch import sha256_hex

    file = _asset_file(path, name)
    content = read_plain(file)
    if is_remote(file) and sha256_hex(content) != name:
        forget(file)
        content = read_plain(file)
    return content


def _asset_file(path: Path, name: str) -> Path:
    """Return where an asset is; in a bucket, with its name as the stamp: its content never changes."""
    file = path / SIDE / "assets" / name
    return file.stamped(name) if isinstance(file, BucketPath) else file


def is_asset_name(name: str) -> bool:
    """Return whether a text may name an asset: it becomes part of a path."""
    return SHA256.fullmatch(name) is not None


def asset_names(path: Path) -> list[str]:
    """Return the SHA-256 of every asset that is stored, in order."""
    folder = path / SIDE / "assets"
    return sorted(filter(is_asset_name, listed(folder)))


def _remove(marker: Marker) -> None:
    path = marker.file
    path.unlink(missing_ok=True)
    if not isinstance(path, BucketPath):
        flush(path.parent)


def _json_bytes(data: Mapping[str, Any]) -> bytes:
    return json.dumps(data, allow_nan=False).encode()


def _rejection_json(rejection: Rejection) -> dict[str, Any]:
    """Return a rejection as strict JSON, which has no NaN: measured numbers are told in words."""
    return {**rejection.to_json(), "measured": {k: repr(float(v)) for k, v in rejection.measured.items()}}


def _rejection(data: Mapping[str, Any]) -> Rejection:
    from tonesmith.plan.rejection import Rejection

    measured: Iterable[tuple[str, Any]] = data["measured"].items()
    return Rejection.from_json({**data, "measured": {k: float(v) for k, v in measured}})
