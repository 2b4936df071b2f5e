"""The site: it builds without a dead link, needs no network, and has every page; its reference is that of the code."""

from __future__ import annotations

import importlib
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from support import ROOT

import tonesmith
from tonesmith.host.registry import Host
from tonesmith.host.settings import settings_of


@pytest.fixture(scope="module")
def script() -> Any:
    """Return what imports a script of docs/."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "docs")
        yield importlib.import_module


@pytest.fixture(scope="module")
def staged(script: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the pages of the site, as ``make docs`` writes them, and its settings."""
    folder = tmp_path_factory.mktemp("site")
    script("make_site").stage(folder / "build" / "docs")
    shutil.copy(ROOT / "mkdocs.yml", folder)
    return folder


def pages_of(folder: Path) -> set[str]:
    docs = folder / "build" / "docs"
    return {str(path.relative_to(docs)) for path in docs.rglob("*.md")}


def listed(nav: Any) -> list[str]:
    """Return the pages of a navigation, in its order."""
    if isinstance(nav, str):
        return [nav]
    return [page for part in (nav.values() if isinstance(nav, dict) else nav) for page in listed(part)]


def navigation() -> list[str]:
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    return listed(yaml.safe_load(text.partition("\nnav:")[2]))


def test_the_site_builds_without_a_dead_link_and_loads_nothing_from_the_net(script, staged, capfd):
    assert script("make_site").build(staged) == 0, capfd.readouterr().err
    built = sorted((staged / "site").rglob("*.html"))
    assert len(built) > 30
    for page in built:
        text = page.read_text(encoding="utf-8")
        loaded = re.findall(r"<(?:script|img|iframe|link)\b[^>]*?(?:src|href)=\"?(https?://[^\s\">]+)", text)
        assert loaded == [], page.name
        assert 'class="mermaid"' not in text, page.name
    for style in (staged / "site").rglob("*.css"):
        assert re.findall(r"url\([\"']?https?:|@import", style.read_text(encoding="utf-8")) == [], style.name


@pytest.mark.long
@pytest.mark.parametrize("link", ["nowhere.md", "index.md#nothing"])
def test_a_dead_link_fails_the_build_and_is_named_without_a_traceback(script, staged, tmp_path, capfd, link):
    folder = tmp_path / "copy"
    shutil.copytree(staged, folder, ignore=shutil.ignore_patterns("site"))
    (folder / "build" / "docs" / "broken.md").write_text(f"# Broken\n\n[it]({link})\n")

    assert script("make_site").build(folder) != 0

    told = capfd.readouterr().err
    assert "broken.md" in told
    assert "Traceback" not in told
    assert "\x1b" not in told


@pytest.mark.long
@pytest.mark.skipif(shutil.which("mkdocs") is None, reason="pip install mkdocs-material")
def test_mkdocs_builds_the_site_too(staged):
    done = subprocess.run(
        ["mkdocs", "build", "--strict"], cwd=staged, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_page_is_in_the_navigation_of_the_site_once(staged):
    assert sorted(navigation()) == sorted(pages_of(staged)), "nav in mkdocs.yml lists each page once"


def test_the_hub_links_to_every_page_of_the_documentation():
    hub = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    links = set(re.findall(r"\]\(([^)#]+)", hub))
    pages = {path.name for path in (ROOT / "docs").glob("*.md")} - {"index.md"}
    assert sorted(pages - links) == [], "docs/index.md links to each page"


def test_a_link_that_leaves_the_documentation_leads_to_its_copy_or_is_plain_text(script, tmp_path, monkeypatch):
    site = script("make_site")
    page = ROOT / "docs" / "reference" / "made-up.md"
    pages = {**site.copied(), page: Path("reference/made-up.md")}
    written = {
        "[a](../../benchmarks/README.md#sinks)": "[a](../benchmarks.md#sinks)",
        "[b](../../README.md)": "[b](../index.md)",
        "[c](../../examples/tonesmith-dx7/)": "[c](../examples/tonesmith-dx7.md)",
        "[d](../images/flow.svg)": "[d](../images/flow.svg)",
        "[e](https://example.org/a)": "[e](https://example.org/a)",
        "[f](../../Makefile) and [g](#here)": "f and [g](#here)",
    }
    text = "\n".join(written)
    monkeypatch.setattr(Path, "read_text", lambda self, **_: text)
    assert site.staged(page, pages).splitlines() == list(written.values())
    monkeypatch.setattr(site, "repository", lambda: "https://example.org/tonesmith")
    assert "[f](https://example.org/tonesmith/blob/main/Makefile)" in site.staged(page, pages)


def test_a_link_that_is_called_by_its_page_has_the_heading_of_that_page(script):
    site = script("make_site")
    text = "[sinks.md](sinks.md), [toml](reference/toml.md#plan), [reference/toml.md](reference/toml.md)"
    assert site._relinked(text, ROOT / "docs" / "index.md", site.copied()) == (
        "[Sinks: how a dataset is stored](sinks.md), [toml](reference/toml.md#plan), "
        "[The composition, key by key](reference/toml.md)"
    )


def test_a_block_bears_the_name_of_its_file_and_a_skipped_one_no_marker(script):
    site = script("make_site")
    text = "<!-- file: a.toml -->\n```toml\n[x](../Makefile)\n```\n\n<!-- run: skip why -->\n```console\n$ a\n```\n"
    blocks = [site._titled(match) for match in site.FENCED.finditer(text)]
    assert blocks == ['```toml title="a.toml"\n[x](../Makefile)\n```', "```console\n$ a\n```"]


def test_the_reference_is_that_of_the_code(script):
    assert script("make_reference").outdated() == [], "run: python docs/make_reference.py"


def test_the_reference_has_every_option_of_every_plugin_and_every_public_name():
    pages = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "docs" / "reference").glob("*.md")}
    missing = []
    for record in Host(allowed="").plugins():
        missing += [record.name] if f"{record.role} `{record.name}`" not in pages["cli.md"] else []
        if record.role in {"importer", "annotator", "augmenter", "model"}:  # no composition has theirs
            continue
        for setting in settings_of(record.plugin.Options):
            missing += [setting.key] if f"| `{setting.key}` |" not in pages["toml.md"] else []
            missing += [f"--{setting.key}"] if f".{setting.key}`" not in pages["cli.md"] else []
    missing += [name for name in tonesmith.__all__[:] if f"### {name}\n" not in pages["python.md"]]
    assert missing == ["__version__"]


def test_the_picture_of_the_flow_is_the_one_that_is_drawn(script):
    pictures = script("make_pictures")
    assert pictures.FLOW.read_text(encoding="utf-8") == pictures.flow(), "run: python docs/make_pictures.py"
