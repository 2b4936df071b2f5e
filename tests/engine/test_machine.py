"""How many workers a run has by default: no more than the job may use."""

from __future__ import annotations

from pathlib import Path

import pytest

from tonesmith.engine.machine import cores

V2 = "30 24 0:27 {root} /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
V1 = "31 24 0:28 / /sys/fs/cgroup/cpu,cpuacct rw shared:10 - cgroup cgroup rw,cpu,cpuacct\n"


@pytest.fixture(autouse=True)
def _many_cores(monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(64)))


def system(folder: Path, group: str, mounts: str, files: dict[str, str]) -> Path:
    kernel = {"proc/self/cgroup": group, "proc/self/mountinfo": f"22 1 8:1 / / rw - ext4 /dev/sda rw\n{mounts}"}
    for name, text in {**kernel, **files}.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return folder


def v2(folder: Path, limits: dict[str, str], root: str = "/") -> Path:
    files = {f"sys/fs/cgroup/{group}cpu.max": limit for group, limit in limits.items()}
    return system(folder, "0::/kube/pod/c1\n", V2.format(root=root), files)


@pytest.mark.parametrize(
    ("limits", "found"),
    [
        ({"kube/pod/c1/": "250000 100000\n"}, 3),
        ({"kube/pod/c1/": "max 100000\n", "kube/pod/": "400000 100000\n", "kube/": "max 100000\n"}, 4),
        ({"kube/pod/c1/": "800000 100000\n", "kube/": "150000 50000\n"}, 3),
        ({"kube/pod/c1/": "5000 100000\n"}, 1),
        ({"kube/pod/c1/": "max 100000\n"}, 64),
        ({"kube/pod/c1/": "nonsense"}, 64),
        ({"kube/pod/c1/": "100000 0\n"}, 64),
        ({}, 64),
    ],
)
def test_a_container_has_the_cores_of_the_least_quota_of_its_group_and_those_above(tmp_path, limits, found):
    assert cores(v2(tmp_path, limits), {}) == found


def test_a_group_is_looked_for_below_the_one_that_is_mounted(tmp_path):
    assert cores(v2(tmp_path, {"c1/": "200000 100000\n"}, root="/kube/pod"), {}) == 2


def test_where_another_group_is_mounted_its_top_counts(tmp_path):
    assert cores(v2(tmp_path, {"": "200000 100000\n"}, root="/docker/abc"), {}) == 2


@pytest.mark.parametrize(("quota", "found"), [("350000", 4), ("-1", 64)])
def test_version_1_of_control_groups_is_read_too(tmp_path, quota, found):
    top = "sys/fs/cgroup/cpu,cpuacct/docker/c1"
    files = {f"{top}/cpu.cfs_quota_us": f"{quota}\n", f"{top}/cpu.cfs_period_us": "100000\n"}
    groups = "5:memory:/docker/c1\n4:cpu,cpuacct:/docker/c1\n0::/\n"

    assert cores(system(tmp_path, groups, V1 + V2.format(root="/"), files), {}) == found


@pytest.mark.parametrize(("asked", "found"), [("4", 4), ("400", 64), ("0", 1), ("many", 64), ("-2", 64)])
def test_a_task_of_slurm_has_the_cores_that_its_script_asked_for(tmp_path, asked, found):
    assert cores(tmp_path, {"SLURM_CPUS_PER_TASK": asked}) == found


def test_the_least_of_all_limits_counts(tmp_path, monkeypatch):
    folder = v2(tmp_path, {"kube/": "300000 100000\n"})
    assert cores(folder, {"SLURM_CPUS_PER_TASK": "2"}) == 2
    assert cores(folder, {"SLURM_CPUS_PER_TASK": "8"}) == 3
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {5})
    assert cores(folder, {"SLURM_CPUS_PER_TASK": "8"}) == 1


def test_the_environment_of_the_process_itself_counts(monkeypatch):
    monkeypatch.setenv("SLURM_CPUS_PER_TASK", "1")

    assert cores() == 1
