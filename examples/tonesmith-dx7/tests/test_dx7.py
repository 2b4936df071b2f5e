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

    cut = (folder.folder / "bank.syx").read_bytes()[:3000]
    told = project({"cut.syx": cut}).run("presets", "check", "--backend", "dx7", "cut.syx")
    assert (told.status, "23 presets" in told.stdout, "cut short" in told.stdout) == (0, True, True), told.stdout
