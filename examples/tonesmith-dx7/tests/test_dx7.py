import dexed

from tonesmith.testing import BackendContract


class TestDX7(BackendContract):
    name = "dx7"


def test_each_voice_of_a_bank_is_a_preset(project):
    folder = project()
    voices = [dexed.Patch(f"VOICE {number}") for number in range(32)]
    dexed.Patch.save_to_bank(folder.folder / "bank.syx", voices)
    listed = folder.run("presets", "list", "--backend", "dx7", "bank.syx")
    assert "32 presets in 1 file" in listed.stdout, listed.stderr

    damaged = (folder.folder / "bank.syx").read_bytes()[:-2] + b"\x7f\xf7"
    refused = project({"bank.syx": damaged}).run("presets", "check", "--backend", "dx7", "bank.syx")
    assert (refused.status, "checksum" in refused.stdout) == (1, True)
