"""What folders, archives and manifests hold, and what of a stranger's is refused."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile

import pytest

from tonesmith import ConfigError, Found
from tonesmith.importers.archive import Archive
from tonesmith.importers.folder import Folder
from tonesmith.importers.manifest import Manifest
from tonesmith.testing import ImporterContract


class TestFolder(ImporterContract):
    importer = Folder
    names = ("source/a/one.mid", "source/a/b/two.wav", "source/three.mid")

    def make_source(self, folder):
        for name in (*self.names, "source/.hidden/x.mid", "source/.DS_Store"):
            path = folder.parent / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"x")
        (folder / "link.mid").symlink_to("three.mid")
        return folder


class TestFile(ImporterContract):
    importer = Folder
    names = ("one.mid",)

    def make_source(self, folder):
        (folder / "one.mid").write_bytes(b"x")
        return folder / "one.mid"


class TestZip(ImporterContract):
    importer = Archive
    names = ("a/one.mid", "two.wav")

    def make_source(self, folder):
        with zipfile.ZipFile(folder / "a.zip", "w") as archive:
            for name in (*self.names, "__MACOSX/a/._one.mid", "a/.hidden", "../../evil.mid", "/etc/evil.mid"):
                archive.writestr(name, "x")
        return folder / "a.zip"


class TestTar(ImporterContract):
    importer = Archive
    names = ("a/one.mid", "two.wav")

    def make_source(self, folder):
        with tarfile.open(folder / "a.tar.gz", "w:gz") as archive:
            for name in self.names:
                archive.addfile(tarfile.TarInfo(name))
        return folder / "a.tar.gz"


class TestManifest(ImporterContract):
    importer = Manifest
    names = ("raw/one.mid", "two.mid")

    def make_source(self, folder):
        (folder / "raw").mkdir()
        for name in (*self.names, "../outside.mid"):
            (folder / name).write_bytes(b"x")
        samples = [{"sample_id": f"s{n}", "file_path": path} for n, path in enumerate((*self.names, "../outside.mid"))]
        (folder / "manifest.json").write_text(json.dumps(samples))
        return folder / "manifest.json"


def unpacked(path, tmp_path, **options):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    found = list(Archive(Archive.Options(**options)).find(path, scratch))
    return {f.name: f.path.read_bytes() if isinstance(f, Found) else f.reason for f in found}


def test_members_of_a_tar_that_leave_its_folder_or_are_links_are_refused(tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for name in ("../evil.mid", "/evil.mid", "a/../../evil.mid", "C:/evil.mid", "a\\..\\..\\evil.mid"):
            archive.addfile(tarfile.TarInfo(name))
        for name, kind in (("link", tarfile.SYMTYPE), ("hard", tarfile.LNKTYPE), ("pipe", tarfile.FIFOTYPE)):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "/etc/passwd"
            archive.addfile(member)
    told = unpacked(tmp_path / "a.tar", tmp_path)
    assert set(told.values()) == {"has a name that leaves the folder", "is a link", "is not a file"}
    assert len(told) == 8
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tar", "scratch"]
    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_link_and_a_password_in_a_zip_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        link = zipfile.ZipInfo("link.mid")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("good.mid", "x")
        archive.writestr("locked.mid", "x")
    data = bytearray((tmp_path / "a.zip").read_bytes())
    data[data.rindex(b"PK\1\2") + 8] |= 1
    (tmp_path / "a.zip").write_bytes(data)
    told = unpacked(tmp_path / "a.zip", tmp_path)
    assert told == {"link.mid": "is a link", "good.mid": b"x", "locked.mid": "has a password"}


def test_two_members_of_one_name_are_both_unpacked(tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for content in (b"1", b"22"):
            member = tarfile.TarInfo("one.mid")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    found = list(Archive(Archive.Options()).find(tmp_path / "a.tar", scratch))
    assert [file.path.read_bytes() for file in found] == [b"1", b"22"]


@pytest.mark.parametrize("suffix", ["zip", "tar.gz"])
def test_a_bomb_is_refused_before_it_fills_the_disk(tmp_path, suffix):
    content = bytes(30_000_000)
    path = tmp_path / f"a.{suffix}"
    if suffix == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("big.wav", content)
    else:
        with tarfile.open(path, "w:gz") as tar:
            member = tarfile.TarInfo("big.wav")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    with pytest.raises(ConfigError, match=r"unpacks to more than 200 times its size.*raise archive.most_ratio"):
        unpacked(path, tmp_path)
    assert sum(file.stat().st_size for file in (tmp_path / "scratch").iterdir()) <= 14_000_000


def test_more_files_or_bytes_than_allowed_are_refused_with_the_option(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for number in range(5):
            archive.writestr(f"{number}.mid", "x" * 1000)
    with pytest.raises(ConfigError, match=r"more than 4 files. Raise archive.most_files"):
        unpacked(tmp_path / "a.zip", tmp_path, most_files=4)
    (tmp_path / "scratch").rename(tmp_path / "before")
    with pytest.raises(ConfigError, match=r"raise archive.most_gigabytes"):
        unpacked(tmp_path / "a.zip", tmp_path, most_gigabytes=1e-6)


def test_a_damaged_member_is_refused_and_the_others_are_taken(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("one.mid", "abcdefgh")
        archive.writestr("two.mid", "x")
    path = tmp_path / "a.zip"
    path.write_bytes(path.read_bytes().replace(b"abcdefgh", b"abcdefgX", 1))
    told = unpacked(path, tmp_path)
    assert told["one.mid"].startswith("is damaged: Bad CRC-32")
    assert told["two.mid"] == b"x"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "manifest.json is damaged: it is no JSON"),
        ('{"a": 1}', "manifest.json has no list of samples"),
        ("[" * 200 + "]" * 200, "more than 64 levels deep"),
    ],
)
def test_a_manifest_that_is_none_is_refused(tmp_path, text, said):
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(ConfigError, match=said):
        list(Manifest(Manifest.Options()).find(tmp_path, tmp_path))


def test_samples_that_cannot_be_taken_are_refused_one_by_one(tmp_path):
    (tmp_path / "link.mid").symlink_to("/etc/passwd")
    (tmp_path / "away").symlink_to("/etc")
    names = ["/etc/passwd", "a/../../x.mid", "gone.mid", "link.mid", "away/passwd", "", 5]
    samples = [3, {}, *({"sample_id": "s", "file_path": name} for name in names)]
    (tmp_path / "manifest.json").write_text(json.dumps({"samples": samples}))
    reasons = [file.reason for file in Manifest(Manifest.Options()).find(tmp_path, tmp_path)]
    outside = "lies outside the folder of the manifest"
    assert reasons == [
        *["has no sample_id"] * 2,
        *[outside] * 2,
        "is missing",
        "is a link",
        outside,
        *["has no file_path"] * 2,
    ]
