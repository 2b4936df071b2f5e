"""The Croissant description of a dataset: JSON-LD by which search engines and loaders know what is in it.

It follows version 1.0 of the format (http://mlcommons.org/croissant/1.0): files as FileSets beside the description,
the rows as a RecordSet where the files are tables, and columns, parameters and splits as RecordSets with their data.
"""

from __future__ import annotations

import glob
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tonesmith.card.licences import licence_url
from tonesmith.host.roles import FileSet
from tonesmith.terminal.text import json_escaped, one_line

if TYPE_CHECKING:
    from tonesmith.card.source import CardSource

_WRITER = {"@type": "sc:Organization", "name": "tonesmith"}
"""Under ``sdPublisher``, who published the description: it tells a description of ours from another."""

_KEPT = ("creator", "datePublished", "publisher", "sameAs", "url")
"""What only a maker knows: written into the file by hand, it stays when the file is written anew."""

_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""The context of the specification, to the letter: readers compare it."""

_MEDIA = {
    "application/vnd.apache.parquet": ["application/vnd.apache.parquet", "application/x-parquet"],
    "application/jsonl": ["application/jsonl", "application/jsonlines"],
}
"""Media types by which the format's own loader knows a file, beside that by which others do."""

_PARAMETERS = (
    "The parameters that vary: index among those of their kind, and raw range; choices are a JSON list. A continuous "
    "label x stands for the raw value low + x * (high - low), which the synthesizer shows as "
    "scale * (curve(raw) + offset) in its unit. A categorical label is the index of a choice."
)

_DATA = re.compile(r'^( *"data": )(\d+)(?=,?$)', re.MULTILINE)
"""Where the records of a set go. No string of JSON has a line end in it."""


def written(source: CardSource, kept: Mapping[str, Any], *, single: bool) -> str:
    """Return the text of a croissant.json.

    Args:
        source: what it tells of.
        kept: what the maker added to it, by key.
        single: whether the dataset is one file, which the description lies beside.
    """
    described = {**_described(source, single=single), **kept}
    data = [records.get("data", []) for records in described["recordSet"]]
    described["recordSet"] = [
        {**records, "data": place} if records.get("data") else records
        for place, records in enumerate(described["recordSet"])
    ]
    text = json.dumps(described, indent=1, ensure_ascii=False, allow_nan=False)
    return json_escaped(_DATA.sub(lambda place: f"{place[1]}{_a_line_each(data[int(place[2])])}", text)) + "\n"


def _a_line_each(records: Sequence[Mapping[str, Any]]) -> str:
    lines = (json.dumps(record, ensure_ascii=False, allow_nan=False) for record in records)
    return "[\n   {}\n  ]".format(",\n   ".join(lines))


def is_ours(content: bytes) -> bool:
    """Return whether a description was written by :func:`written`."""
    return _loaded(content).get("sdPublisher") == _WRITER


def kept(content: bytes) -> dict[str, Any]:
    """Return what the maker added to a description."""
    return {key: value for key, value in _loaded(content).items() if key in _KEPT}


def _loaded(content: bytes) -> dict[str, Any]:
    try:
        loaded = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return loaded if isinstance(loaded, dict) else {}


def _described(source: CardSource, *, single: bool) -> dict[str, Any]:
    sets = _file_sets(source, single=single)
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": source.name,
        "description": _description(source),
        "license": _licences(source),
        "version": _version(source),
        "citeAs": _citation(source),
        "keywords": _keywords(source),
        "sdPublisher": _WRITER,
        "distribution": [_distribution(files) for files in sets],
        "recordSet": [
            *(_rows(source, files) for files in sets if files.fields and not source.unfinished),
            _columns(source),
            *_parameters(source),
            *_numbered(source),
            *_presets(source),
            *_splits(source),
        ],
    }


def _keywords(source: CardSource) -> list[str]:
    if source.plan.items is not None:
        return ["audio", "music", "MIDI"]
    return ["audio", "synthesizer", "sound matching", one_line(source.plan.backend.name)]


def _description(source: CardSource) -> str:
    audio, rows = source.report["audio"], source.report["rows"]
    state = "" if source.report["complete"] else f" of {source.report['rows_planned']} planned"
    if items := source.plan.items:
        return f"{rows} rows{state} of the corpus {one_line(items.corpus)}: {items.told}, with scores and labels."
    return (
        f"{rows} sounds{state} of the synthesizer {one_line(source.engine, 200)}, each with the patch and the note "
        f"that made it: {audio['channels']} x {audio['frames']} samples at {audio['sample_rate']} Hz. "
        f"Stored as {one_line(source.sink.summary, 200)}."
    )


def _licences(source: CardSource) -> list[str]:
    """Return the address of each licence of the presets, its name where it has none, or that none is stated."""
    stated = [licence_url(licence) or one_line(licence, 200) for licence in source.licences if licence]
    if not source.licences:
        return ["not stated by the maker of the dataset"]
    unstated = f"not stated by the authors of {'some of ' if stated else ''}the presets"
    return [*dict.fromkeys(stated), *([unstated] if "" in source.licences else [])]


def _version(source: CardSource) -> str:
    """Return a version that grows with the dataset: 0 until it is complete, and a minor one for each extension."""
    extensions = len(source.plan.rounds) - 1
    return f"{1 if source.report['complete'] else 0}.{extensions}.0+{source.report['digest'][:12]}"


def _citation(source: CardSource) -> str:
    made = source.report["made_with"].get("tonesmith", "")
    return (
        f"{source.name}, version {_version(source)}: a dataset of the synthesizer "
        f"{one_line(source.plan.backend.name)}, made with {one_line(f'tonesmith {made}')}, plan SHA-256 "
        f"{source.report['fingerprint']}."
    )


def _file_sets(source: CardSource, *, single: bool) -> list[FileSet]:
    """Return the files of the sink; all of the folder for a sink that does not tell."""
    sets = list(source.sink.file_sets(source.plan, source.splits))
    if single:
        media = sets[0].media_type if sets else "application/octet-stream"
        return [FileSet("data", glob.escape(source.file), media, source.sink.summary, sets[0].fields if sets else {})]
    return sets or [FileSet("data", "*", "application/octet-stream", source.sink.summary)]


def _distribution(files: FileSet) -> dict[str, Any]:
    return {
        "@type": "cr:FileSet",
        "@id": files.name,
        "name": files.name,
        "description": files.doc,
        "encodingFormat": _MEDIA.get(files.media_type, files.media_type),
        "includes": files.includes,
    }


def _rows(source: CardSource, files: FileSet) -> dict[str, Any]:
    """Return the records that a table has: a field for each of its columns."""
    columns = {column.name: column for column in source.sink.columns(source.plan, source.splits)}
    fields = [
        {
            **_field(f"{files.name}-rows", name, kind, columns[name].doc if name in columns else ""),
            "source": {"fileSet": {"@id": files.name}, "extract": {"column": name}},
        }
        for name, kind in files.fields.items()
    ]
    return _record_set(f"{files.name}-rows", f"One record per row: {files.doc}", fields)


def _columns(source: CardSource) -> dict[str, Any]:
    """Return the columns as the format has them."""
    records = [
        {"name": c.name, "shape": " x ".join(map(str, c.shape)), "dtype": c.dtype, "description": c.doc}
        for c in source.sink.columns(source.plan, source.splits)
    ]
    kinds = dict.fromkeys(("name", "shape", "dtype", "description"), "sc:Text")
    return _inline("columns", "What is stored of each row, with the shape of a row's value.", kinds, records)


def _parameters(source: CardSource) -> Iterable[dict[str, Any]]:
    """Yield the parameters that vary, in the order of the labels; nothing where none does."""
    space = source.dataset.space
    varied = (*space.continuous, *space.categorical)
    if not varied:
        return
    kinds = {"name": "sc:Text", "kind": "sc:Text", "index": "sc:Integer", "low": "sc:Float", "high": "sc:Float"}
    kinds |= {"unit": "sc:Text", "choices": "sc:Text", "group": "sc:Text", "curve": "sc:Text"}
    kinds |= {"scale": "sc:Float", "offset": "sc:Float"}
    records = [
        {
            "name": p.name,
            "kind": p.kind,
            "index": index,
            "low": p.low,
            "high": p.high,
            "unit": p.unit,
            "choices": json.dumps(p.choices, ensure_ascii=False) if p.choices else "",
            "group": p.group,
            "curve": p.curve,
            "scale": p.scale,
            "offset": p.offset,
        }
        for parameters in (space.continuous, space.categorical)
        for index, p in enumerate(parameters)
    ]
    yield _inline("parameters", _PARAMETERS, kinds, records)


def _numbered(source: CardSource) -> Iterator[dict[str, Any]]:
    """Yield the names that stand behind numbers of a label; nothing where there are none."""
    space = source.dataset.space
    routed = space.modulation_slots > 0
    lists = (
        ("sources", "What modulation/source counts.", space.sources if routed else ()),
        ("destinations", "What modulation/destination counts.", space.destinations if routed else ()),
        ("origins", "The samplers, which the column origin counts or names.", source.plan.origins),
    )
    for name, doc, names in lists:
        if names:
            records = [{"index": index, "name": of} for index, of in enumerate(names)]
            yield _inline(name, doc, {"index": "sc:Integer", "name": "sc:Text"}, records)


def _presets(source: CardSource) -> Iterator[dict[str, Any]]:
    """Yield who made each preset that the plan draws from, under which licence; nothing where it draws from none."""
    if not source.plan.presets:
        return
    kinds = dict.fromkeys(("sha256", "name", "author", "licence"), "sc:Text")
    records = [{key: getattr(preset, key) for key in kinds} for preset in source.plan.presets]
    yield _inline("presets", 'The presets, with their authors and licences, "" where none is stated.', kinds, records)


def _splits(source: CardSource) -> Iterable[dict[str, Any]]:
    rows = source.report["splits"]
    if not rows:
        return
    records = [{"name": name, "rows": count} for name, count in rows.items()]
    doc = "The splits, and how many rows each has."
    yield {
        **_inline("splits", doc, {"name": "sc:Text", "rows": "sc:Integer"}, records),
        "dataType": "cr:Split",
        "key": {"@id": "splits/name"},
    }


def _inline(name: str, doc: str, kinds: Mapping[str, str], records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return a set of records that the description holds itself."""
    fields = [_field(name, key, kind) for key, kind in kinds.items()]
    data = [{f"{name}/{key}": value for key, value in record.items()} for record in records]
    return {**_record_set(name, doc, fields), "data": data}


def _record_set(name: str, doc: str, fields: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {"@type": "cr:RecordSet", "@id": name, "name": name, "description": doc, "field": list(fields)}


def _field(of: str, name: str, kind: str, doc: str = "") -> dict[str, Any]:
    # An identifier is part of an address: what has no place there is escaped
    field = {"@type": "cr:Field", "@id": f"{of}/{quote(name, safe='/')}", "name": name, "dataType": kind}
    return {**field, **({"description": doc} if doc else {})}
