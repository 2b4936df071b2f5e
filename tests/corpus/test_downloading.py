"""Downloads from a server on loopback that breaks off, lies, changes the file, ignores ranges and leads elsewhere."""

from __future__ import annotations

import hashlib
import http.server
import json
import threading

import pytest
from support.corpora import melody

from tonesmith import ConfigError
from tonesmith.cli import run
from tonesmith.corpus import Corpus, CorpusError
from tonesmith.corpus.downloading import Wanted, fetch
from tonesmith.corpus.origin import read_note
from tonesmith.corpus.sources import sources
from tonesmith.score.writer import midi_of
from tonesmith.terminal.progress import Progress

CONTENT = bytes(range(256)) * 4000


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.content, self.tag, self.cuts, self.asked = CONTENT, '"one"', [], []
        self.ranges, self.stated, self.leads_to = True, None, None

    def url(self, name="songs.zip"):
        return f"http://127.0.0.1:{self.server_address[1]}/{name}"


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        server, wanted = self.server, self.headers.get("Range", "")
        server.asked.append((wanted, self.headers.get("If-Range", "")))
        if server.leads_to:
            self.send_response(302)
            self.send_header("Location", server.leads_to)
            self.end_headers()
            return
        start = int(wanted[6:-1]) if wanted and server.ranges and self.headers.get("If-Range") == server.tag else 0
        body = server.content[start:]
        self.send_response(206 if start else 200)
        if start:
            whole = len(server.content)
            self.send_header("Content-Range", f"bytes {start}-{whole - 1}/{whole}")
        if server.tag:
            self.send_header("ETag", server.tag)
        self.send_header("Content-Length", str(server.stated or len(body)))
        self.end_headers()
        self.wfile.write(body[: server.cuts.pop(0)] if server.cuts else body)


@pytest.fixture
def server():
    made = Server()
    thread = threading.Thread(target=made.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


def fetched(server, folder, **words):
    return fetch(Wanted(server.url(), folder, **words), Progress())


def test_a_file_is_whole_checked_and_noted_and_once_there_not_asked_for_again(server, tmp_path):
    sha256 = hashlib.sha256(CONTENT).hexdigest()
    done = fetched(server, tmp_path / "new", sha256=sha256, licence="CC0-1.0")
    assert (done.path.read_bytes(), done.nbytes, done.sha256) == (CONTENT, len(CONTENT), sha256)
    assert sorted(path.name for path in done.path.parent.iterdir()) == ["songs.zip", "songs.zip.source.json"]
    assert read_note(done.path) == {"source": server.url(), "licence": "CC0-1.0", "url": server.url(), "sha256": sha256}
    asked = len(server.asked)
    assert not fetched(server, tmp_path / "new").fresh
    assert len(server.asked) == asked


def test_one_that_breaks_off_is_taken_up_where_it_ended(server, tmp_path):
    server.cuts = [300_000, 300_000]
    assert fetched(server, tmp_path).path.read_bytes() == CONTENT
    assert server.asked == [("", ""), ("bytes=300000-", '"one"'), ("bytes=600000-", '"one"')]


def test_another_command_resumes_what_one_that_ended_has_left(server, tmp_path):
    server.cuts = [300_000, 0]
    with pytest.raises(CorpusError, match=r"broke off.*300,000 bytes are here. Run the same command to resume"):
        fetched(server, tmp_path)
    assert not (tmp_path / "songs.zip").exists()
    done = fetched(server, tmp_path)
    assert (done.path.read_bytes(), done.resumed) == (CONTENT, 300_000)


def test_a_file_that_changed_on_the_server_is_never_mixed_with_the_old_one(server, tmp_path):
    server.cuts = [300_000, 0]
    with pytest.raises(CorpusError):
        fetched(server, tmp_path)
    server.content, server.tag = CONTENT[::-1], '"two"'
    assert fetched(server, tmp_path).path.read_bytes() == CONTENT[::-1]


@pytest.mark.parametrize("tag", ['"one"', "", 'W/"one"'])
def test_a_server_that_answers_200_to_a_range_or_has_no_tag_starts_over(server, tmp_path, tag):
    server.cuts, server.ranges, server.tag = [300_000], False, tag
    assert fetched(server, tmp_path).path.read_bytes() == CONTENT


def test_a_server_that_promises_more_than_it_has_is_told_of(server, tmp_path):
    server.stated, server.ranges = len(CONTENT) + 5, False
    with pytest.raises(CorpusError, match="broke off"):
        fetched(server, tmp_path)
    assert not (tmp_path / "songs.zip").exists()


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/x.zip", "data:,hello"])
def test_a_redirect_to_another_scheme_is_refused(server, tmp_path, target):
    server.leads_to = target
    with pytest.raises(CorpusError, match="which is not followed"):
        fetched(server, tmp_path)


def test_a_redirect_that_leads_to_itself_ends(server, tmp_path):
    server.leads_to = server.url()
    with pytest.raises(CorpusError, match="which is not followed"):
        fetched(server, tmp_path)


def test_more_than_is_taken_and_another_sha256_are_refused_and_nothing_stays(server, tmp_path):
    with pytest.raises(CorpusError, match="1,024,000 bytes, and at most 1,000 are taken"):
        fetched(server, tmp_path, most=1000)
    with pytest.raises(CorpusError, match="What came was removed"):
        fetched(server, tmp_path, sha256="0" * 64)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("ftp://host/x.zip", "is not a URL that begins with http"),
        ("file:///etc/passwd", "is not a URL that begins with http"),
        ("https://user:secret@host/x.zip", "has a user or a password"),
        ("https://host/", "does not end with the name of a file"),
        ("https://host/a/..", "does not end with the name of a file"),
        ("https://host/%2e%2e%2fx%5cy", "does not end with the name of a file"),
        ("https://host:99999/x.zip", "is not a URL"),
    ],
)
def test_what_is_no_address_of_a_file_is_refused_before_anything_is_made(tmp_path, url, said, capsys):
    assert run(["corpus", "download", url, "--to", str(tmp_path / "new")]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_items_that_come_from_a_download_have_its_licence(server, tmp_path, capsys):
    server.content = midi_of(melody(1))
    words = ["--to", str(tmp_path), "--licence", "CC-BY-4.0", "--json", "-q"]
    assert run(["corpus", "download", server.url("one.mid"), *words]) == 0
    path = json.loads(capsys.readouterr().out)["path"]
    with Corpus.new(tmp_path / "c") as corpus:
        corpus.add(path)
        (item,) = corpus
        assert (item.provenance["licence"], item.provenance["url"]) == ("CC-BY-4.0", server.url("one.mid"))
        assert corpus.stats().licences == {"CC-BY-4.0": 1}


def test_sources_fit_the_terminal_and_one_without_an_address_says_what_to_do(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert run(["corpus", "sources"]) == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80
    assert run(["corpus", "sources", "--json"]) == 0
    assert [one["name"] for one in json.loads(capsys.readouterr().out)["sources"]] == list(sources())
    for name, said in {
        "openmsx": "apt install openttd-openmsx",
        "lakh-midi": "No URL",
        "lakh-mid": "'lakh-midi'",
    }.items():
        assert run(["corpus", "download", name, "--to", "x"]) == 2
        assert said in capsys.readouterr().err


def test_a_name_that_is_taken_by_another_file_is_refused(server, tmp_path):
    (tmp_path / "songs.zip").write_bytes(b"mine")
    with pytest.raises(ConfigError, match="another file"):
        fetched(server, tmp_path)
    assert (tmp_path / "songs.zip").read_bytes() == b"mine"
