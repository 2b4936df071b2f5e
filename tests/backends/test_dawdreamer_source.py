"""Sources of Faust programs: nothing of a stranger's text reaches for files or the network."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonesmith.backends.dawdreamer.compiler import compile_program
from tonesmith.backends.dawdreamer.lexer import text_of, words_of
from tonesmith.backends.dawdreamer.source import checked, mentions, read_source, standard_libraries
from tonesmith.engine.client import Engine
from tonesmith.errors import ConfigError
from tonesmith.plan.plan import Audio, PluginRef
from tonesmith.space.patch import Note, Patch, sha256_hex

SLIDER = 'process = hslider("x", 0.5, 0, 1, 0.1);'


class _Counting(BaseHTTPRequestHandler):
    requests = 0

    def do_GET(self) -> None:
        type(self).requests += 1
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"stolen = 1;")

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), _Counting) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{serving.server_port}/a.lib"
        serving.shutdown()


TRICKS = [
    'import("{url}"); {slider}',
    'x = library("{url}"); {slider}',
    'x = component("{url}"); {slider}',
    'x = soundfile("a[url:{{{quote}{url}{quote}}}]", 1); {slider}',
    'import("file://{path}"); {slider}',
    'import("{path}"); {slider}',
    'import("../{name}"); {slider}',
    'import("{name}"); {slider}',
    '<mdoc> it{quote}s an odd " quote </mdoc> import("{url}"); {slider}',
    '<mdoc></mdoc import("{url}");</mdoc> import("{url}"); {slider}',
    '<mdoc><equation> "</mdoc>" </equation></mdoc> import("{url}"); {slider}',
    '// a comment that ends\rimport("{url}"); {slider}',
    '/* one */ import /* " */ (  // "\n "{url}"); {slider}',
    '/**/import("{url}");/* {slider} */ {slider}',
    '//*/\nimport("{url}"); {slider}',
    'a = hslider("\\", 0, 0, 1, 1); import("{url}"); b = hslider("\\", 0, 0, 1, 1); {slider}',
    'declare name "a"; declare b "c" ; import("{url}"); {slider}',
    '1import("{url}"); {slider}',
    'process = environment {{ import("{url}"); process = 1; }}.process * hslider("x", 0, 0, 1, 1);',
    'process = hslider("x", 0, 0, 1, 1); effect = library("{url}").f;',
    'process = hslider("x", 0, 0, 1, 1) with {{ y = component("{url}"); }};',
    "import({quote}{url}{quote}); {slider}",
    'import("stdfaust.lib" "{url}"); {slider}',
    'import("./stdfaust.lib"); {slider}',
    'import(""); {slider}',
    "import",
]


@pytest.mark.parametrize("trick", TRICKS)
def test_no_text_makes_faust_open_a_file_or_a_url(tmp_path, server, trick):
    """Each is refused, or means a program that names nothing but Faust's own libraries."""
    secret = tmp_path / "secret.lib"
    secret.write_text("stolen = 1;")
    source = trick.format(url=server, path=secret, name=secret.name, slider=SLIDER, quote="'")
    before = _Counting.requests
    with pytest.raises(ConfigError):
        compile_program(source, 60.0)
    assert _Counting.requests == before


def test_faust_itself_would_ask_the_network(server):
    """The disease: what the tests above would count, if they let it."""
    code = "import sys, dawdreamer; f = dawdreamer.RenderEngine(44100, 512); p = f.make_faust_processor('x')\n"
    code += "p.set_dsp_string(sys.argv[1]); p.compile()"
    import subprocess
    import sys

    before = _Counting.requests
    subprocess.run([sys.executable, "-c", code, f'import("{server}"); {SLIDER}'], check=True, timeout=60)
    assert _Counting.requests == before + 1


def test_the_asset_of_a_dataset_is_checked_too(server):
    source = f'import("{server}"); {SLIDER}'.encode()
    name, before = sha256_hex(source), _Counting.requests
    reference = PluginRef("dawdreamer", {"instrument": "innocent.dsp"})
    with Engine(reference, Audio(44100, 1, 4410), 1, "reuse", {name: source}.__getitem__) as engine:
        played = engine.play(Patch({"x": 0.5}, assets={"faust_source": name}), [Note(60, 100, 0.05, 0.05)], 30.0)[0]

    assert (played.failure, "only Faust's own libraries" in played.detail) == ("error", True)
    assert _Counting.requests == before


def test_what_lies_in_comments_and_strings_is_no_import(tmp_path):
    source = '// import("a.lib")\n/* import("b.lib") */ <mdoc> import("c.lib") </mdoc>' + SLIDER.replace(
        "x", "x[tooltip: import(d.lib) // no]"
    )
    path = tmp_path / "a.dsp"
    path.write_text(source)
    assert read_source(path) == source
    assert checked(source) == " \n   " + SLIDER.replace("x", "x[tooltip: import(d.lib) // no]")


def test_files_beside_the_program_are_written_into_its_source(tmp_path):
    """Faust imports a file once, and a library and a component are scopes of their own."""
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "half.lib").write_text('import("maths.lib"); import("deep.lib"); half = deep / 2;')
    (tmp_path / "more" / "deep.lib").write_text("deep = 1;")
    (tmp_path / "own.lib").write_text('import("more/half.lib"); third = 1 / 3;')
    (tmp_path / "voice.dsp").write_text("deep = 5; process = deep / 16;")
    path = tmp_path / "a.dsp"
    path.write_text(
        'import("own.lib"); import("more/half.lib"); process = half * hslider("x", 1, 0, 1, 0.1), '
        'library("own.lib").third, component("voice.dsp");'
    )
    source = read_source(path).encode()
    reference = PluginRef("dawdreamer", {"instrument": "a.dsp"})
    for gone in tmp_path.rglob("*.lib"):
        gone.unlink()

    name = sha256_hex(source)
    with Engine(reference, Audio(44100, 3, 4410), 1, "reuse", {name: source}.__getitem__) as engine:
        outcome = engine.play(Patch({"x": 1.0}, assets={"faust_source": name}), [Note(60, 100, 0.05, 0.05)], 30.0)[0]
        assert outcome.failure == "", outcome.detail
        assert list(engine.audio[0][:, 0]) == [0.5, np.float32(1 / 3), 5 / 16]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('import("own.lib"); process = 1;', "needs itself"),
        ('import("../out.lib"); process = 1;', "neither a library of Faust nor a file beside it"),
        ('import("link.lib"); process = 1;', "neither a library of Faust nor a file beside it"),
        ('import("none.lib"); process = 1;', "neither a library of Faust nor a file beside it"),
        ('process = soundfile("a.wav", 1);', "plays a sound file"),
        ('process = fvariable(int environ, <unistd.h>);', "calls 'environ'"),
        ('process = ffunction(float sinf|getpid|sinl(float), <math.h>, "");', "calls 'getpid'"),
        ("process = 1; </equation>", "outside of <mdoc>"),
    ],
)  # fmt: skip
def test_what_a_dataset_could_not_keep_is_told(tmp_path, text, told):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "own.lib").write_text('x = library("own.lib").x;')
    (tmp_path / "out.lib").write_text("x = 1;")
    (folder / "link.lib").symlink_to(tmp_path / "out.lib")
    (folder / "a.dsp").write_text(text)
    with pytest.raises(ConfigError, match=told):
        read_source(folder / "a.dsp")


def test_functions_of_maths_may_be_called():
    source = 'f = ffunction(float sinhf|sinh|sinhl(float), <math.h>, ""); r = fconstant(int fSamplingFreq, <math.h>);'
    assert checked(source) == source


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_program_is_read_as_its_editor_saved_it(tmp_path, encoding):
    source = "// fréquence\n" + SLIDER
    path = tmp_path / "a.dsp"
    path.write_bytes(source.encode(encoding))
    assert read_source(path) == source


def test_a_file_that_is_too_large_is_refused(tmp_path):
    path = tmp_path / "a.dsp"
    path.write_text(SLIDER + " " * (3 << 20))
    with pytest.raises(ConfigError, match="over 1 MB"):
        read_source(path)


def test_faust_comes_with_its_libraries():
    assert {"stdfaust.lib", "maths.lib", "dx7.lib"} <= standard_libraries()


def test_a_name_is_mentioned_only_as_a_word():
    assert mentions("process = 1; effect = _;", "effect")
    assert not mentions('// effect\nmy_effect = hslider("effect", 0, 0, 1, 1);', "effect")


_PIECES = st.sampled_from(
    ['"', "/*", "*/", "//", "\n", "\r", "<mdoc>", "</mdoc>", "import", "(", ")", ";", "a.lib", " ", "*", "/", "<", "1"]
)


@given(st.lists(_PIECES, max_size=30).map("".join))
def test_what_faust_is_given_has_no_comment_left_and_is_parted_as_before(text):
    """A second reading finds the same words: nothing that was dropped hid the end of a string or of a comment."""
    words = words_of(text)
    assert [word for word in words_of(text_of(words)) if word.kind != "gap"] == [
        word for word in words if word.kind != "gap"
    ]
    code = text_of(word for word in words if word.kind != "string")
    assert not any(sign in code for sign in ("//", "/*", "<mdoc>"))
