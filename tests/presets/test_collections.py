from __future__ import annotations

import io
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import ROOT

from tonesmith.cli.commands import preset_sources
from tonesmith.errors import ConfigError
from tonesmith.host.cache import cache_folder
from tonesmith.presets.collections import (
    DEFAULT_TABLE,
    MANIFEST,
    Collection,
    checked_name,
    checked_path,
    checked_url,
    collection_from,
    collections,
    manifest_for,
    read_manifest,
    without_secret,
)
from tonesmith.presets.download import download, downloaded
from tonesmith.presets.folders import places, preset_folders, surge_folders, tally, vital_folders
from tonesmith.presets.git import DownloadError, sparse_patterns

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="downloads are made by git, which is not here")


class Repository:
    """A git repository in a folder, committed to by someone."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()
        self.git("init", "--quiet")
        self.git("config", "uploadpack.allowFilter", "true")

    def git(self, *arguments: str) -> str:
        who = {f"GIT_{role}_{what}": "x@y.z" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        command = ["git", "-C", str(self.path), *arguments]
        return subprocess.run(command, env={**os.environ, **who}, check=True, capture_output=True, text=True).stdout

    def commit(self, files: dict[str, str]) -> str:
        for name, text in files.items():
            (self.path / name).parent.mkdir(parents=True, exist_ok=True)
            (self.path / name).write_bytes(text.encode())
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "more")
        return self.git("rev-parse", "HEAD").strip()


FILES = {
    "LICENSE": "CC0",
    "readme.md": "Presets of mine.",
    "Vital/Bass/deep.vital": "{}",
    "Vital/lead.VITAL": "{...}",
    "Vital/notes.txt": "no preset",
    "Serum/big.fxp": "x" * 5000,
    "stray.txt": "not wanted",
}


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "theirs")
    made.commit({"older.txt": "history"})
    made.commit(FILES)
    return made


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def wanted(repository: Repository, **changes: str) -> Collection:
    keys = {"url": str(repository.path), "subfolder": "Vital", "licence": "CC0-1.0", "author": "X", **changes}
    return collection_from(keys.pop("name", "mine"), keys)


def files_in(root: Path) -> set[str]:
    found = (path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file() and not path.is_symlink())
    return {name for name in found if not name.startswith(".git/")}


def git_in(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_a_download_holds_the_folder_and_the_licence_and_no_more(
    repository: Repository, cache: Path, scheme: str
) -> None:
    result = download(wanted(repository, url=f"{scheme}{repository.path}"), cache)
    expected = {"LICENSE", "readme.md", "Vital/Bass/deep.vital", "Vital/lead.VITAL", "Vital/notes.txt", MANIFEST}
    assert files_in(result.root) == expected
    assert result.folder == cache / "mine" / "Vital"
    assert result.collection.commit == repository.git("rev-parse", "HEAD").strip()
    assert result.fresh
    assert result.shallow
    assert git_in(result.root, "rev-list", "--count", "HEAD") == "1"
    assert git_in(result.root, "status", "--porcelain") == ""
    big = repository.git("rev-parse", "HEAD:Serum/big.fxp").strip()
    here = git_in(result.root, "cat-file", "--batch-check", "--batch-all-objects")
    assert big not in here, "what was not asked for was fetched"
    assert [path.name for path in cache.iterdir()] == ["mine"], "nothing is left aside"
    if os.name == "posix":
        assert stat.S_IMODE(result.root.stat().st_mode) == 0o755


def test_a_server_without_filters_serves_as_well(repository: Repository, cache: Path) -> None:
    repository.git("config", "uploadpack.allowFilter", "false")
    assert "Serum/big.fxp" not in files_in(download(wanted(repository), cache).root)


def test_the_whole_repository_is_taken_where_no_folder_is_named(repository: Repository, cache: Path) -> None:
    assert set(FILES) < files_in(download(wanted(repository, subfolder=""), cache).root)


def test_licences_along_a_deep_path_come_along(repository: Repository, cache: Path) -> None:
    odd = "a [b]*/c #1 /!d"
    repository.commit(
        {
            f"{odd}/x.vital": "{}",
            "a [b]*/Licence.md": "GPL",
            "a [b]*/c #1 /COPYING": "GPL",
            "a [b]*/other.txt": "",
            "a bb/x.vital": "",
            "docs/TERMS.txt": "All rights given.",
        }
    )
    root = download(wanted(repository, subfolder=odd, licence_file="docs/TERMS.txt"), cache).root
    expected = {f"{odd}/x.vital", "a [b]*/Licence.md", "a [b]*/c #1 /COPYING", "docs/TERMS.txt"}
    assert files_in(root) == expected | {"LICENSE", "readme.md", MANIFEST}


def test_a_pinned_commit_is_taken_and_not_the_newest(repository: Repository, cache: Path) -> None:
    old = repository.git("rev-parse", "HEAD").strip()
    repository.commit({"Vital/newer.vital": "{}"})
    result = download(wanted(repository, commit=old), cache)
    assert result.collection.commit == old
    assert not (result.folder / "newer.vital").exists()
    assert git_in(result.root, "rev-list", "--count", "HEAD") == "1"


@pytest.mark.parametrize("pinned", [True, False])
def test_a_server_that_gives_no_single_commit_gives_its_history(
    repository: Repository, cache: Path, monkeypatch: pytest.MonkeyPatch, pinned: bool
) -> None:
    old = repository.git("rev-parse", "HEAD").strip()
    newest = repository.commit({"Vital/newer.vital": "{}"})
    for key, value in {"COUNT": "1", "KEY_0": "protocol.version", "VALUE_0": "0"}.items():
        monkeypatch.setenv(f"GIT_CONFIG_{key}", value)
    said: list[str] = []
    asked = wanted(repository, commit=old if pinned else "", url=f"file://{repository.path}")
    result = download(asked, cache, progress=said.append)
    assert not result.shallow
    assert any("whole history" in words for words in said)
    assert result.collection.commit == (old if pinned else newest)
    assert (result.folder / "newer.vital").exists() != pinned
    assert "Serum/big.fxp" not in files_in(result.root)
    with pytest.raises(DownloadError, match=f"no such commit {'0' * 39}1"):
        download(wanted(repository, commit="0" * 39 + "1", name="none", url=asked.url), cache)


def test_a_commit_that_is_nowhere_is_an_error(repository: Repository, cache: Path) -> None:
    with pytest.raises(DownloadError, match=f"not our ref {'0' * 39}1"):
        download(wanted(repository, commit="0" * 39 + "1"), cache)
    assert list(cache.iterdir()) == []


def test_a_preset_knows_its_collection_even_through_a_link(repository: Repository, cache: Path, tmp_path: Path) -> None:
    result = download(wanted(repository, homepage="https://x.org"), cache)
    assert manifest_for(result.folder / "Bass" / "deep.vital") == result.collection
    assert result.collection.licence == "CC0-1.0"
    assert result.collection.author == "X"
    assert tomllib.loads((result.root / MANIFEST).read_text())["commit"] == result.collection.commit
    link = tmp_path / "link.vital"
    link.symlink_to(result.folder / "Bass" / "deep.vital")
    loop = tmp_path / "loop.vital"
    loop.symlink_to(loop)
    assert manifest_for(link) == result.collection
    assert manifest_for(loop) is None
    assert manifest_for(repository.path / "Vital" / "lead.VITAL") is None
    assert [each.collection for each in downloaded(cache)] == [result.collection]


def test_a_damaged_manifest_is_an_error_with_its_line(repository: Repository, cache: Path) -> None:
    root = download(wanted(repository), cache).root
    manifest = root / MANIFEST
    manifest.write_text(manifest.read_text() + "licensee = 3\n")
    with pytest.raises(ConfigError, match=r"\.toml:11: licensee: unknown key"):
        manifest_for(root / "Vital")
    assert downloaded(cache) == []


def test_a_repository_cannot_bring_a_manifest_of_its_own(repository: Repository, cache: Path) -> None:
    forged = Collection("forged", "https://x/y", licence="CC0-1.0", author="nobody").to_toml()
    repository.commit({MANIFEST: forged, f"Vital/Bass/{MANIFEST}": forged, f"Vital/Bass/{MANIFEST.upper()}": forged})
    for subfolder in ("Vital", ""):
        result = download(wanted(repository, subfolder=subfolder, name=f"n{subfolder}"), cache)
        assert [name for name in files_in(result.root) if name.lower().endswith(MANIFEST)] == [MANIFEST]
        assert manifest_for(result.root / "Vital" / "Bass" / "deep.vital") == result.collection


def test_a_second_call_leaves_it_alone_and_an_update_renews_it(repository: Repository, cache: Path) -> None:
    first = download(wanted(repository), cache)
    (first.folder / "own.txt").touch()
    newest = repository.commit({"Vital/newer.vital": "{}"})
    second = download(wanted(repository, author="Ada", licence=""), cache)
    assert not second.fresh
    assert (second.folder / "own.txt").exists()
    assert (second.collection.author, second.collection.licence) == ("Ada", "CC0-1.0")
    assert manifest_for(second.folder) == second.collection
    third = download(wanted(repository, author="", licence=""), cache, update=True)
    assert (third.before, third.collection.commit) == (first.collection.commit, newest)
    assert (third.collection.author, third.collection.licence) == ("Ada", "CC0-1.0")
    assert (third.folder / "newer.vital").exists()
    assert not (third.folder / "own.txt").exists()
    assert [path.name for path in cache.iterdir()] == ["mine"]


def test_another_collection_of_the_same_name_is_told_and_replaced_only_when_asked(
    repository: Repository, cache: Path
) -> None:
    download(wanted(repository), cache)
    with pytest.raises(ConfigError, match="is in the cache with subfolder 'Vital', not 'Serum'"):
        download(wanted(repository, subfolder="Serum"), cache)
    replaced = download(wanted(repository, subfolder="Serum", licence=""), cache, update=True)
    assert (replaced.folder / "big.fxp").exists()
    assert not (replaced.root / "Vital").exists()
    assert (replaced.before, replaced.collection.licence) == ("", "")


def test_what_was_not_downloaded_is_never_replaced(repository: Repository, cache: Path) -> None:
    (cache / "mine").mkdir(parents=True)
    (cache / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(ConfigError, match="is in the way"):
        download(wanted(repository), cache, update=True)
    assert (cache / "mine" / "thesis.txt").read_text() == "years of work"


@pytest.mark.parametrize("update", [False, True])
def test_a_download_that_breaks_off_leaves_what_was_there(
    repository: Repository, cache: Path, monkeypatch: pytest.MonkeyPatch, update: bool
) -> None:
    before = download(wanted(repository), cache).collection if update else None
    repository.commit({"Vital/newer.vital": "{}"})
    renamed = Path.rename

    def torn(path: Path, target: Path) -> Path:
        if (path / MANIFEST).exists() and path.suffix == ".part":
            raise KeyboardInterrupt
        return renamed(path, target)

    with monkeypatch.context() as broken:
        broken.setattr(Path, "rename", torn)
        with pytest.raises(KeyboardInterrupt):
            download(wanted(repository), cache, update=update)
    assert [path.name for path in cache.iterdir()] == (["mine"] if update else [])
    assert read_manifest(cache / "mine") == before
    assert download(wanted(repository), cache, update=True).fresh


def test_a_killed_download_does_not_look_whole_and_is_cleared_away(
    repository: Repository, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = cache / ".mine.abc.part"
    (left / "Vital").mkdir(parents=True)
    young = cache / ".mine.def.part"
    young.mkdir()
    os.utime(left, (0, time.time() - 2 * 24 * 3600))
    assert downloaded(cache) == []
    assert download(wanted(repository), cache).fresh
    assert sorted(path.name for path in cache.iterdir()) == [".mine.def.part", "mine"]


def test_a_missing_folder_is_told_with_those_that_are_there(repository: Repository, cache: Path) -> None:
    with pytest.raises(DownloadError, match=r"no folder 'Vitall'\. Its folders: Serum, Vital\.$"):
        download(wanted(repository, subfolder="Vitall"), cache)
    with pytest.raises(DownloadError, match="no 'NOTICE', where its licence should be stated"):
        download(wanted(repository, licence_file="NOTICE"), cache)
    assert list(cache.iterdir()) == []


def test_what_git_said_is_in_the_error(cache: Path, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=r"mine: .*does not appear to be a git repository"):
        download(Collection("mine", str(tmp_path)), cache)
    with pytest.raises(DownloadError) as caught:
        download(Collection("mine", "https://ada:s3cret@127.0.0.1:9/x"), cache)
    assert "s3cret" not in str(caught.value)
    assert "127.0.0.1" in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ext::sh -c touch% hacked",
        "fd::17",
        "foo::bar",
        "--upload-pack=touch hacked",
        "-oProxyCommand=touch hacked",
        "ssh://-oProxyCommand=touch/x",
        "ssh://git@-oProxyCommand=touch/x",
        "ftp://x.org/y",
        "EXT::sh",
        "https://x.org/y\n[core]",
        "x\0y",
    ],
)
def test_a_url_that_git_would_run_is_refused(url: str, cache: Path) -> None:
    with pytest.raises(ConfigError, match=r"^url: "):
        collection_from("mine", {"url": url})


@pytest.mark.parametrize("url", ["ext::touch {}", "--upload-pack=touch {}", "-oProxyCommand=touch {}"])
def test_git_itself_refuses_such_a_url_too(
    url: str, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config").write_text('[protocol "ext"]\nallow = always\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "config"))
    with pytest.raises(DownloadError):
        download(Collection("mine", url.format(tmp_path / "hacked")), cache)
    assert not (tmp_path / "hacked").exists()


@pytest.mark.parametrize(
    "name", ["", "..", ".git", "../x", "a/b", "a\\b", "/etc", "-x", "a..b", "a.", "a" * 65, "a\nb"]
)
def test_a_name_that_is_no_folder_is_refused(name: str, repository: Repository, cache: Path) -> None:
    with pytest.raises(ConfigError, match="is not a valid name for a collection"):
        collection_from(name, {"url": "https://x/y"})
    with pytest.raises(ValueError, match="is not a valid name for a collection"):
        download(Collection(name, str(repository.path)), cache)


@pytest.mark.parametrize(
    "path", ["..", "a/../b", "/etc", "a//b", "./a", "a/", "C:/x", "a\\b", ".git", "a/.GIT/x", "a\nb"]
)
def test_a_folder_outside_the_repository_is_refused(path: str) -> None:
    for key in ("subfolder", "licence_file"):
        with pytest.raises(ConfigError, match=f"^{key}: .*must be a relative path"):
            collection_from("mine", {"url": "https://x/y", key: path})


@given(st.text())
def test_no_accepted_path_leads_out(text: str) -> None:
    try:
        path = checked_path(text)
    except ValueError:
        return
    inside = Path("/repository")
    assert Path(os.path.normpath(inside / path)).is_relative_to(inside)
    patterns = list(sparse_patterns(Collection("x", "y", subfolder=path)))
    assert all("\n" not in pattern and pattern.startswith(("/", "!")) for pattern in patterns)


@given(st.text())
def test_no_accepted_name_is_more_than_a_folder(text: str) -> None:
    try:
        name = checked_name(text)
    except ValueError:
        return
    assert Path(name).name == name
    assert not name.startswith((".", "-"))


@given(st.text(alphabet="ab:/@-.~ \\%\n", max_size=20), st.sampled_from(["", "https://", "ssh://", "file://", "ext::"]))
def test_no_accepted_url_is_an_option_or_a_helper(text: str, scheme: str) -> None:
    try:
        url = checked_url(scheme + text)
    except ValueError:
        return
    assert not url.startswith("-")
    assert "\n" not in url
    assert not re.match(r"\w+::", url)
    assert "://-" not in url


def test_no_password_of_a_url_is_kept(tmp_path: Path) -> None:
    assert without_secret("https://ada:p@ss@x.org/a@b") == "https://x.org/a@b"
    assert without_secret("https://token@x.org/a") == "https://x.org/a"
    assert without_secret("ssh://git:p@x.org/a") == "ssh://git@x.org/a"
    assert without_secret("git@x.org:a/b.git") == "git@x.org:a/b.git"
    assert without_secret("/srv/a@b") == "/srv/a@b"


def test_links_of_a_repository_are_not_made(repository: Repository, cache: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.vital").write_text("secret")
    (repository.path / "Vital" / "link.vital").symlink_to(tmp_path / "secret.vital")
    (repository.path / "Vital" / "away").symlink_to(tmp_path, target_is_directory=True)
    (repository.path / "Linked").symlink_to(tmp_path, target_is_directory=True)
    repository.commit({})
    result = download(wanted(repository), cache)
    assert not any(path.is_symlink() for path in result.root.rglob("*"))
    assert git_in(result.root, "status", "--porcelain") == ""
    assert (result.folder / "link.vital").read_text() != "secret"
    with pytest.raises(DownloadError, match="no folder 'Linked'"):
        download(wanted(repository, subfolder="Linked", name="linked"), cache)


def test_neither_hooks_nor_filters_nor_line_endings_touch_a_file(
    repository: Repository, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    template = tmp_path / "template" / "hooks"
    template.mkdir(parents=True)
    hook = template / "post-checkout"
    hook.write_text(f"#!/bin/sh\ntouch '{tmp_path}/hooked'\n")
    hook.chmod(0o755)
    settings = f"[init]\ntemplateDir = {tmp_path}/template\n[core]\nhooksPath = {template}\nautocrlf = true\n"
    (tmp_path / "config").write_text(f'{settings}[filter "shout"]\nsmudge = tr a-z A-Z\nrequired = true\n')
    text = "{\n$Id$ a: 1\n}\n"
    repository.commit({".gitattributes": "*.vital filter=shout ident text eol=crlf\n", "Vital/x.vital": text})
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "config"))
    result = download(wanted(repository), cache)
    stored = subprocess.run(
        ["git", "-C", repository.path, "cat-file", "blob", "HEAD:Vital/x.vital"], check=True, capture_output=True
    ).stdout
    assert (result.folder / "x.vital").read_bytes() == stored
    assert not (tmp_path / "hooked").exists()


def test_submodules_stay_empty(repository: Repository, cache: Path, tmp_path: Path) -> None:
    inner = Repository(tmp_path / "inner")
    inner.commit({"x.vital": "{}"})
    repository.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner.path), "Vital/inner")
    repository.commit({})
    assert "Vital/inner/x.vital" not in files_in(download(wanted(repository), cache).root)


def test_a_download_inside_a_hook_stays_in_its_own_folder(
    repository: Repository, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = Repository(tmp_path / "project")
    head = project.commit({"a.txt": ""})
    monkeypatch.setenv("GIT_DIR", str(project.path / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(project.path))
    monkeypatch.setenv("GIT_INDEX_FILE", str(project.path / ".git" / "index"))
    result = download(wanted(repository), cache)
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name)
    assert (result.folder / "Bass" / "deep.vital").exists()
    assert project.git("rev-parse", "HEAD").strip() == head
    assert project.git("status", "--porcelain") == ""


def fake_git(folder: Path, script: str) -> Path:
    folder.mkdir()
    program = folder / "git"
    program.write_text(f"#!{sys.executable}\n{script}")
    program.chmod(0o755)
    return folder


@pytest.mark.long
def test_a_server_that_stalls_ends_with_the_time(
    repository: Repository, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = (
        "import os, subprocess, sys, time\n"
        f"if 'fetch' not in sys.argv: os.execv({shutil.which('git')!r}, ['git', *sys.argv[1:]])\n"
        "child = subprocess.Popen(['sleep', '60'])\n"
        f"open({str(tmp_path / 'child')!r}, 'w').write(str(child.pid))\n"
        "time.sleep(60)\n"
    )
    monkeypatch.setenv("PATH", f"{fake_git(tmp_path / 'bin', script)}:{os.environ['PATH']}")
    since = time.monotonic()
    with pytest.raises(DownloadError, match=r"the download took more than 3 s"):
        download(wanted(repository), cache, timeout=3.0)
    assert time.monotonic() - since < 20
    assert list(cache.iterdir()) == []
    assert ended(int((tmp_path / "child").read_text())), "what git had started lives on"


def ended(pid: int) -> bool:
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


def test_git_has_no_terminal_and_no_one_to_ask(
    repository: Repository, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = (
        "import json, os, sys\n"
        f"json.dump([dict(os.environ), os.getsid(0), sys.stdin.read()], open({str(tmp_path / 'seen')!r}, 'w'))\n"
        "sys.stderr.write('remote: \\x1b[2Jwiped\\nfatal: could not read Username: terminal prompts disabled\\n')\n"
        "sys.exit(128)\n"
    )
    monkeypatch.setenv("PATH", f"{fake_git(tmp_path / 'bin', script)}:{os.environ['PATH']}")
    monkeypatch.setenv("GIT_SSH_COMMAND", "ssh -i key")
    monkeypatch.setenv("GIT_ASKPASS", "/bin/ask")
    with pytest.raises(DownloadError, match="the repository does not exist, or it asks for a password") as caught:
        download(wanted(repository), cache)
    assert "\x1b" not in str(caught.value)
    environ, session, stdin = json.loads((tmp_path / "seen").read_text())
    assert (environ["GIT_TERMINAL_PROMPT"], environ["GIT_ASKPASS"], stdin) == ("0", "", "")
    assert session != os.getsid(0)


def test_ssh_never_asks_and_keeps_the_key_of_the_user(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ssh = tmp_path / "ssh"
    ssh.write_text(f"#!/bin/sh\necho \"$@\" > '{tmp_path}/seen'\nexit 1\n")
    ssh.chmod(0o755)
    monkeypatch.delenv("GIT_SSH_COMMAND", raising=False)
    monkeypatch.delenv("GIT_SSH", raising=False)
    (tmp_path / "config").write_text(f"[core]\nsshCommand = {ssh} -i mine\n[ssh]\nvariant = ssh\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "config"))
    with pytest.raises(DownloadError, match="Could not read from remote repository"):
        download(Collection("mine", "git@localhost:x/y.git"), cache)
    seen = (tmp_path / "seen").read_text()
    assert seen.startswith("-i mine -oBatchMode=yes")


def test_without_git_one_sentence_says_so(
    repository: Repository, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DownloadError, match=r"git, which is not installed\. Install it"):
        download(wanted(repository), cache)


def test_a_cache_that_cannot_be_written_is_an_error(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DownloadError, match=r"mine: .*file"):
        download(wanted(repository), tmp_path / "file" / "cache")


def test_every_collection_of_the_built_in_table_states_its_licence() -> None:
    known = collections()
    assert known["instatetragrammaton"].licence == "CC-BY-4.0"
    for collection in known.values():
        assert collection.url.startswith("https://")
        assert collection.licence
        assert collection.licence_file
        assert collection.author
        assert len(collection.commit) == 40
    packaged = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    assert DEFAULT_TABLE.name in packaged["package-data"]["tonesmith.presets"]


def test_each_fault_of_a_table_is_told_with_its_line(tmp_path: Path) -> None:
    table = tmp_path / "mine.toml"
    table.write_text(
        '[a]\nlicence = "MIT"\n\n[b]\nurl = "ext::sh"\ncommit = "abc"\nlicens = ""\n\n["../c"]\nurl = "https://x/y"\n'
    )
    with pytest.raises(ConfigError) as caught:
        collections(table)
    said = str(caught.value).replace(f"{table}:", "").splitlines()
    assert said[0] == "1: a: needs a url."
    assert {line[:12] for line in said[1:]} == {"5: b.url: 'e", "6: b.commit:", "7: b.licens:", "9: ../c: '.."}
    table.write_text("url = 3\n")
    with pytest.raises(ConfigError, match=r"mine\.toml:1: url: must be a table"):
        collections(table)


HOME = Path("/home/ada")


@pytest.mark.parametrize(
    ("platform", "environ", "expected"),
    [
        ("linux", {}, ["/home/ada/.local/share/vital"]),
        ("linux", {"XDG_DATA_HOME": "/data"}, ["/data/vital", "/home/ada/.local/share/vital"]),
        ("linux", {"XDG_DATA_HOME": "relative"}, ["/home/ada/.local/share/vital"]),
        ("darwin", {}, ["/home/ada/Music/Vital"]),
        ("win32", {}, ["/home/ada/Documents/Vital"]),
        ("win32", {"OneDrive": "/o"}, ["/o/Documents/Vital", "/home/ada/Documents/Vital"]),
    ],
)
def test_vital_is_looked_for_where_each_platform_has_it(
    platform: str, environ: dict[str, str], expected: list[str]
) -> None:
    assert [path.as_posix() for path in vital_folders(platform, HOME, environ)] == expected


@pytest.mark.parametrize(
    ("platform", "environ", "own", "factory"),
    [
        (
            "linux",
            {},
            ["/home/ada"],
            ["/home/ada/.local/share/surge-xt", "/usr/local/share/surge-xt", "/usr/share/surge-xt"],
        ),
        (
            "darwin",
            {"SURGE_DATA_HOME": "/data"},
            ["/home/ada"],
            ["/data", "/home/ada/Library/Application Support/Surge XT", "/Library/Application Support/Surge XT"],
        ),
        (
            "win32",
            {"OneDrive": "/o", "LOCALAPPDATA": "/l", "PROGRAMDATA": "/p"},
            ["/o", "/home/ada"],
            ["/l/Surge XT", "/p/Surge XT"],
        ),
    ],
)
def test_surge_is_looked_for_where_each_platform_has_it(
    platform: str, environ: dict[str, str], own: list[str], factory: list[str]
) -> None:
    expected = [f"{base}/Documents/Surge XT/Patches" for base in own]
    expected += [f"{base}/{name}" for base in factory for name in ("patches_factory", "patches_3rdparty")]
    assert [path.as_posix() for path in surge_folders(platform, HOME, environ)] == expected


@pytest.mark.parametrize(
    ("platform", "config"),
    [
        ("linux", ".vital/Vital.config"),
        ("darwin", "Library/Application Support/vital/Vital.config"),
        ("win32", "AppData/Roaming/vital/Vital.config"),
    ],
)
def test_the_folder_chosen_in_vital_comes_first(tmp_path: Path, platform: str, config: str) -> None:
    path = tmp_path / config
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"data_directory": "/sounds", "author": "Ada"}))
    first, *rest = vital_folders(platform, tmp_path, {})
    assert first == Path("/sounds")
    for text in ("", "[1]", '{"data_directory": 3}', '{"data_directory": "a\\u0000b"}', "[" * 100_000):
        path.write_text(text)
        assert vital_folders(platform, tmp_path, {}) == rest


@pytest.mark.parametrize(
    ("platform", "environ", "expected"),
    [
        ("linux", {}, "/home/ada/.cache/tonesmith/presets"),
        ("linux", {"XDG_CACHE_HOME": "/c"}, "/c/tonesmith/presets"),
        ("linux", {"XDG_CACHE_HOME": "c"}, "/home/ada/.cache/tonesmith/presets"),
        ("darwin", {"XDG_CACHE_HOME": "/c"}, "/home/ada/Library/Caches/tonesmith/presets"),
        ("win32", {"LOCALAPPDATA": "/l"}, "/l/tonesmith/presets"),
        ("win32", {}, "/home/ada/AppData/Local/tonesmith/presets"),
        ("linux", {"TONESMITH_CACHE": "/t"}, "/t/presets"),
    ],
)
def test_the_cache_is_where_each_platform_has_it(platform: str, environ: dict[str, str], expected: str) -> None:
    assert cache_folder("presets", platform, HOME, environ).as_posix() == expected


def test_folders_with_presets_are_found_once_each(repository: Repository, cache: Path, tmp_path: Path) -> None:
    download(wanted(repository), cache)
    home = tmp_path / "home"
    own = home / ".local" / "share" / "vital"
    (own / "User" / "Presets").mkdir(parents=True)
    (own / "User" / "Presets" / "a.vital").write_text("12345")
    (own / "User" / "loop").symlink_to(own, target_is_directory=True)
    (own / "dangling.vital").symlink_to(own / "nothing")
    (own / "folder.vital").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "vital").symlink_to(own, target_is_directory=True)
    found = preset_folders(".vital", "linux", home, {"XDG_DATA_HOME": str(tmp_path / "data")}, cache)
    assert [(place.path, counted.presets, counted.nbytes) for place, counted in found] == [
        (tmp_path / "data" / "vital", 1, 5),
        (cache / "mine" / "Vital", 2, 7),
    ]
    assert found[1][0].collection == manifest_for(cache / "mine")
    mine = home / "Documents" / "Surge XT" / "Patches" / "Pads"
    mine.mkdir(parents=True)
    (mine / "a.fxp").write_text("123")
    (first, counted), *_ = preset_folders(".fxp", "linux", home, {}, cache)
    assert (first.path, first.what, counted.nbytes) == (mine.parent, "Surge XT's folder", 3)
    assert tally(tmp_path / "nowhere", ".vital").presets == 0
    assert [place.path for place in places("linux", home, {}, tmp_path / "no")] == [own, tmp_path / "no"]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("XDG_DATA_HOME", "TONESMITH_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(sys, "platform", "linux")
    return tmp_path / "home"


def shown(command: Callable[..., None], *arguments: Any, **options: Any) -> str:
    with redirect_stdout(io.StringIO()) as out:
        command(*arguments, **options)
    return out.getvalue()


def test_the_commands_bring_and_find_a_collection(repository: Repository, home: Path) -> None:
    nothing = shown(preset_sources.find)
    assert f"{home}/.local/share/vital" in nothing
    assert "tonesmith presets download --list" in nothing
    url = str(repository.path)
    told = shown(preset_sources.download, url=url, subfolder="Vital", licence="CC0-1.0", author="Ada")
    folder = home / ".cache" / "tonesmith" / "presets" / "theirs" / "Vital"
    commit = repository.git("rev-parse", "HEAD").strip()
    assert told.startswith("theirs: downloaded, 2 presets, ")
    for line in ("author   Ada", "licence  CC0-1.0", f"commit   {commit}", f"folder   {folder}"):
        assert f"  {line}\n" in told
    assert told.endswith(f"next: tonesmith presets list {folder}\n")
    assert shown(preset_sources.download, url=url, subfolder="Vital").startswith("theirs: already there")
    assert shown(preset_sources.download, url=url, subfolder="Vital", update=True).startswith("theirs: unchanged")
    newest = repository.commit({"Vital/newer.vital": "{}"})
    updated = json.loads(shown(preset_sources.download, url=url, subfolder="Vital", update=True, as_json=True))
    assert [(each["commit"], each["presets"], each["licence"]) for each in updated] == [(newest, 3, "CC0-1.0")]
    assert shown(preset_sources.find, cache=folder.parents[1]) == f"theirs: 3 presets, 9 B, CC0-1.0\n  {folder}\n"
    found = json.loads(shown(preset_sources.find, as_json=True))
    assert found["found"][0] == {
        "path": str(folder),
        "what": "theirs",
        "presets": 3,
        "nbytes": 9,
        "collection": "theirs",
        "author": "Ada",
        "licence": "CC0-1.0",
        "commit": newest,
    }


def test_collections_of_a_table_are_listed_and_downloaded_by_name(
    repository: Repository, home: Path, tmp_path: Path
) -> None:
    table = tmp_path / "mine.toml"
    table.write_text(f'[one]\nurl = "{repository.path}"\nsubfolder = "Vital"\n\n[two]\nurl = "https://a:b@x.org/y"\n')
    listed = shown(preset_sources.download, table=table)
    assert "one: Vital, licence not stated, author not stated" in listed
    assert "a:b@" not in listed
    assert [each["name"] for each in json.loads(shown(preset_sources.download, table=table, as_json=True))] == [
        "one",
        "two",
    ]
    assert "two" not in shown(preset_sources.download, ["one"], table=table, listing=True)
    told = shown(preset_sources.download, ["one", "one"], table=table, cache=tmp_path / "c")
    assert told.count("one: downloaded") == 1
    assert "licence  not stated: give it with --licence" in told
    assert (tmp_path / "c" / "one" / "Vital" / "lead.VITAL").exists()
    for line in shown(preset_sources.download).splitlines():
        assert len(line) <= 80


@pytest.mark.parametrize(
    ("names", "options", "said"),
    [
        (["instatetragramaton"], {}, "unknown collection 'instatetragramaton'. Did you mean 'instatetragrammaton'?"),
        ([], {"subfolder": "x"}, "--subfolder describes a collection at --url, but --url is missing."),
        (["nahush"], {"name": "x"}, "--name describes a collection at --url, but --url is missing."),
        (["nahush"], {"url": "https://x/y"}, "--url and 'nahush' are two collections"),
        ([], {"url": "https://x/.."}, "'..' is not a valid name for a collection"),
        ([], {"url": "ext::sh -c x"}, "is no"),
    ],
)
def test_arguments_that_make_no_sense_are_told(
    names: list[str], options: dict[str, str], said: str, home: Path
) -> None:
    with pytest.raises(ConfigError) as caught:
        preset_sources.download(names, **options)
    assert said in str(caught.value)
    assert not home.exists()
