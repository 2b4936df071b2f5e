"""Labels of a corpus as columns: the types of its profile, with a value that means that nobody said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tonesmith.corpus.rows.truth import Known, KnownItem
from tonesmith.corpus.truth.profile import Label
from tonesmith.errors import ConfigError
from tonesmith.host.roles.annotation import Said
from tonesmith.plan.annotated import AnnotationField, Kind, Value
from tonesmith.plan.items import PREFIX, TEXTS

if TYPE_CHECKING:
    from numpy.typing import NDArray

_KINDS: Mapping[str, Kind] = {"number": "number", "whole": "whole", "flag": "flag", "choice": "choice"}


def fields_of(known: Known) -> tuple[AnnotationField, ...]:
    """Return the labels of the profile, and those of all corpora that some item has.

    Raises :class:`ConfigError` for a value that the profile does not allow.
    """
    own, every = known.profile.labels, known.profile.every()
    said = {name for item in known.items for name in item.values}
    _check_values(known, every)
    return tuple(_field(name, label, known) for name, label in every.items() if name in own or name in said)


def _field(name: str, label: Label, known: Known) -> AnnotationField:
    doc = label.doc or name.replace("_", " ")
    kind: Kind = _KINDS.get(label.kind, "text")
    if kind != "text":
        return AnnotationField(name, kind, doc, label.choices if kind == "choice" else (), optional=True)
    longest = max((len(_text(item.values.get(name)).encode()) for item in known.items), default=0)
    told = f"{doc}, separated by spaces" if label.kind == "texts" else doc
    return AnnotationField(name, "text", told, (), max(longest, 1), optional=True)


def _check_values(known: Known, every: Mapping[str, Label]) -> None:
    for item in known.items:
        for name, value in item.values.items():
            if name not in every:
                raise ConfigError(
                    f"{known.folder}: {item.name} has the label {name!r}, and profile.toml has none of that name. "
                    "Add it there."
                )
            try:
                every[name].accepted(name, value)
            except ConfigError as error:
                raise ConfigError(
                    f"{known.folder}: {item.name}: {error} See tonesmith corpus check {known.folder}"
                ) from None


def label_columns(fields: Sequence[AnnotationField], known: Known) -> dict[str, NDArray[Any]]:
    """Return column -> (items, *shape) of the labels."""
    return dict(_columns(fields, known.items))


def _columns(fields: Sequence[AnnotationField], items: Sequence[KnownItem]) -> Iterator[tuple[str, NDArray[Any]]]:
    import numpy as np

    for field in fields:
        values = [field.stored(_value(field, item.values.get(field.name))) for item in items]
        yield field.column.name, np.array(values, field.column.dtype).reshape(len(items), *field.column.shape)


def _value(field: AnnotationField, said: Said | None) -> Value | None:
    if said is None:
        return None
    return _text(said) if field.kind in {"text", "choice"} else said  # type: ignore[return-value]  # of one value


def _text(said: Said | None) -> str:
    return " ".join(said) if isinstance(said, tuple) else "" if said is None else str(said).replace("\0", " ")


def text_columns(known: Known) -> tuple[dict[str, int], dict[str, NDArray[Any]]]:
    """Return name -> bytes of the texts that rows have of their items, and column -> (items, bytes)."""
    import numpy as np

    texts = {
        "name": [item.name for item in known.items],
        "parent": [item.parent for item in known.items],
        "operation": [item.operation for item in known.items],
        "licence": [known.licence for _ in known.items],
    }
    lengths = {name: max(len(text.encode()) for text in texts[name]) for name in TEXTS}
    lengths = {name: length for name, length in lengths.items() if length}
    columns = {
        f"{PREFIX}{name}": np.array(
            [np.frombuffer(text.encode().ljust(length, b"\0"), np.uint8) for text in texts[name]], np.uint8
        )
        for name, length in lengths.items()
    }
    return lengths, columns
