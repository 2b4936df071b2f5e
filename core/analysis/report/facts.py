"""What a report tells of a dataset in words: its head, its rejections, its runs, its presets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tonesmith.analysis.report.chart import Section, Table, short
from tonesmith.analysis.report.charts import bars
from tonesmith.dataset.reader import Dataset
from tonesmith.terminal.text import clock, counted, size

_MOST_LINES = 200
_MOST_NAMES = 12


def head_of(told: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the facts at the top of a report.

    Args:
        told: by :func:`tonesmith.dataset.report.report` of the dataset.
    """
    plan, audio, space = told["plan"], told["audio"], told["space"]
    planned = "" if told["complete"] else f" of {told['rows_planned']:,} planned"
    made = ", ".join(f"{short(name)} {short(version)}" for name, version in told["made_with"].items())
    return [
        ("rows", f"{told['rows']:,}{planned}, of {counted(told['patches_accepted'], 'patch', 'patches')}"),
        (
            "sounds",
            f"{audio['seconds']:.4g} s, {counted(audio['channels'], 'channel')}, {audio['sample_rate']:,} Hz",
        ),
        ("synthesizer", f"{short(plan['backend']['name'])}, {_space(space)}"),
        ("patches from", _counts(told["origins"]) or "none yet"),
        ("splits", _counts(told["splits"]) or "not split"),
        ("features", ", ".join(map(short, told["features"])) or "none stored"),
        ("licences", _licences(told["presets"])),
        ("stored by", f"{short(plan['sink']['name'])}, {size(told['nbytes'])}"),
        ("made with", made or "not told"),
        ("plan", told["fingerprint"]),
        ("content", told["digest"]),
    ]


def _space(space: Mapping[str, Any]) -> str:
    slots = f", {counted(space['modulation_slots'], 'modulation slot')}" if space["modulation_slots"] else ""
    varied = counted(space["continuous"] + space["categorical"], "parameter")
    return f"{varied} varied, {space['fixed']:,} fixed{slots}"


def _counts(counts: Mapping[str, int]) -> str:
    listed = [f"{short(name)} ({count:,})" for name, count in list(counts.items())[:_MOST_NAMES]]
    return ", ".join([*listed, *([f"and {len(counts) - _MOST_NAMES} more"] if len(counts) > _MOST_NAMES else [])])


def _licences(presets: Mapping[str, Any]) -> str:
    if not presets["read"]:
        return "no presets: nothing of other people is in it"
    licences = dict.fromkeys(short(credit["licence"]) or "none stated" for credit in presets["credits"])
    return f"{', '.join(list(licences)[:_MOST_NAMES])} ({counted(presets['read'], 'preset')})"


def rejected(told: Mapping[str, Any], others: Sequence[Any] = ()) -> Section | None:
    """Return the section of rejections: by reason, and whatever else tells of them; None without any."""
    causes = dict(list(told["rejections"].items())[:_MOST_LINES])
    if not causes:
        return None
    total, accepted = sum(told["rejections"].values()), told["patches_accepted"]
    share = total / max(total + accepted, 1)
    were = "was" if total == 1 else "were"
    note = (
        f"{counted(total, 'candidate')} ({share:.1%} of all that were drawn) {were} rejected and drawn again, so that "
        "what is left is not spread as it was drawn."
    )
    chart = bars("reason", {"all": list(causes.values())}, list(causes), note="", unit="candidates", ordered=False)
    return Section("rejections", "Rejections", note, (chart, *others))


def runs(path: Path | None, dataset: Dataset) -> Table | None:
    """Return how long each run took that has a log here; None without logs. Hosts are not told."""
    from tonesmith.run.history import past_runs

    found = past_runs(path, dataset.plan.fingerprint) if path is not None else []
    if not found:
        return None
    rows = []
    for run in found[-_MOST_LINES:]:
        seconds = max(run.seen - run.started, 0.0)
        rate = f"{run.rows / seconds:.1f}" if seconds > 0.0 and run.rows else ""
        rows.append((run.state, f"{run.rows:,}", clock(seconds), rate, short(run.error)))
    head = ("run", "rows", "time", "rows/s", "last error")
    return Table("Runs", "From the logs beside the dataset, oldest first.", head, rows)


def provenance(path: Path | None, dataset: Dataset, told: Mapping[str, Any]) -> Section:
    """Return the section that says how the dataset was made, and from whose presets."""
    tables = [_settings(told["plan"]), runs(path, dataset), *_presets(told["presets"])]
    return Section("making", "How it was made", "", tuple(table for table in tables if table is not None))


def _settings(plan: Mapping[str, Any]) -> Table:
    rows = [(short(key), str(value)[:300]) for key, value in flattened(plan) if value not in (None, "", [], {})]
    return Table("Settings of the plan", "", ("setting", "value"), rows[:_MOST_LINES])


def flattened(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each setting of nested JSON with its dotted name."""
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from flattened(inner, f"{prefix}.{key}" if prefix else str(key))
    elif isinstance(value, list | tuple) and value and isinstance(value[0], Mapping) and "name" in value[0]:
        for inner in value:
            yield from flattened(inner.get("options") or "defaults", f"{prefix}.{inner['name']}")
    else:
        yield prefix, value


def _presets(presets: Mapping[str, Any]) -> Iterator[Table]:
    if presets["credits"]:
        rows = [
            (
                short(credit["author"]) or "an unnamed author",
                short(credit["licence"]) or "none stated",
                credit["presets"],
            )
            for credit in presets["credits"][:_MOST_LINES]
        ]
        note = f"{presets['used']:,} of {counted(presets['read'], 'preset')} are in the rows."
        yield Table("Presets by author and licence", note, ("author", "licence", "presets"), rows)


def damaged_notes(damaged: Mapping[str, str]) -> list[tuple[str, bool]]:
    """Return a note for each block or row that is left out, since it cannot be read."""
    found = [(f"{where} is left out: {short(what)}", True) for where, what in list(damaged.items())[:_MOST_NAMES]]
    if len(damaged) > _MOST_NAMES:
        found.append((f"and {len(damaged) - _MOST_NAMES} more. `tonesmith verify` lists all.", True))
    return found
