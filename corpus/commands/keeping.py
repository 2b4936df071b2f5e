"""Commands that keep a corpus whole: ``write``, ``repair``."""

from __future__ import annotations

from tonesmith.corpus.commands.options import WAIT, DryRun, Json, PathArgument, Quiet, Wait
from tonesmith.terminal.messages import echo
from tonesmith.terminal.text import counted, json_text


def write(path: PathArgument, as_json: Json = False, wait: Wait = WAIT) -> None:
    """Write manifest.json, config.json, splits/*.txt and annotations/*.json anew, after labels of your own."""
    from tonesmith.corpus.corpus import Corpus

    with Corpus(path, wait=wait) as corpus:
        corpus.write()
        count = len(corpus)
    echo(json_text({"path": str(path), "items": count}) if as_json else f"{path}: {counted(count, 'item')} written")


def repair(
    path: PathArgument, dry_run: DryRun = False, as_json: Json = False, quiet: Quiet = False, wait: Wait = WAIT
) -> None:
    """Repair a damaged corpus from its backup, or else from its files. The damaged file is kept.

    Files in raw/ that no item has become items again.
    """
    from tonesmith.corpus.printed import repaired_lines
    from tonesmith.corpus.repairing import repair

    done = repair(path, wait=wait, dry_run=dry_run, progress=not quiet)
    told = {"path": str(path), "dry_run": dry_run, **done.to_json()}
    echo(json_text(told) if as_json else "\n".join(repaired_lines(path, done, dry_run=dry_run)))
