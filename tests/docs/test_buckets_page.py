"""The page on buckets: every block runs, with a server of S3 on this machine."""

from __future__ import annotations

import pytest
from support.buckets import served
from support.documents import check_document, pages

from tonesmith.buckets import client

LONG = [
    "docs/buckets.md",
]


@pages([], LONG)
def test_every_block_runs(name: str, folder, commands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_stores", {})
    monkeypatch.setattr(client, "_process", 0)
    with served() as server:
        given = {"ENDPOINT_URL": server.endpoint, "ACCESS_KEY_ID": "key", "SECRET_ACCESS_KEY": "secret"}
        for variable, value in {**given, "REGION": "us-east-1"}.items():
            monkeypatch.setenv(f"AWS_{variable}", value)
        check_document(name, folder, commands)
