"""A Slurm of one machine in a folder, for as long as a test lasts: munged, slurmctld and slurmd, which need root."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.processes import wait_for

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "sinfo", "squeue", "scontrol")
_SBIN = "/usr/sbin"
_CORES = 4
"""That the machine is said to have, whatever it has: what is tested is not how fast it is."""

_CONFIG = """\
ClusterName=tonesmith
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
SlurmctldPort={control}
SlurmdPort={node}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
JobCompType=jobcomp/none
AccountingStorageType=accounting_storage/none
KillWait=10
MailProg=/bin/true
NodeName={host} NodeAddr=127.0.0.1 CPUs={cores} RealMemory=65536 State=UNKNOWN
PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def lacking() -> str:
    """Return why no Slurm can be started here, or ""."""
    if os.geteuid():
        return "a Slurm of a test's own needs root"
    absent = [name for name in PROGRAMS if shutil.which(name, path=f"{os.environ['PATH']}:{_SBIN}") is None]
    return f"not installed: {', '.join(absent)} (Debian: slurm-wlm, munge)" if absent else ""


@dataclass(frozen=True)
class Slurm:
    """A cluster of one machine.

    Attributes:
        environment: with which its commands find it.
    """

    environment: dict[str, str]

    def __call__(self, *words: str, folder: Path | None = None) -> str:
        """Run a command of Slurm, and return what it printed."""
        done = subprocess.run(
            words, cwd=folder, env=self.environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, f"{words}: {done.stderr}"
        return done.stdout.strip()

    def running(self, job: str) -> list[str]:
        """Return the tasks of a job that run, such as "7_2"."""
        return self("squeue", "--noheader", "--states=RUNNING", "--format=%i", f"--jobs={job}").split()

    def states(self) -> set[str]:
        """Return the states of all jobs that are not over yet."""
        return set(self("squeue", "--noheader", "--format=%T").split())


@contextmanager
def slurm(folder: Path, environment: dict[str, str]) -> Iterator[Slurm]:
    """Start a Slurm that keeps all it has in a folder, and end it with all of its jobs."""
    folder.chmod(0o755)  # munged insists on it
    for name in ("state", "spool"):
        (folder / name).mkdir()
    key = folder / "munge.key"
    key.touch(mode=0o600)
    key.write_bytes(secrets.token_bytes(64))
    control, node = _free_ports(2)
    config = folder / "slurm.conf"
    host = socket.gethostname().partition(".")[0]
    config.write_text(_CONFIG.format(folder=folder, host=host, control=control, node=node, cores=_CORES))
    found = Slurm({**environment, "SLURM_CONF": str(config), "PATH": f"{environment['PATH']}:{_SBIN}"})
    with ExitStack() as stack:
        _serve(stack, found, folder, _munged(folder))
        wait_for((folder / "munge.socket").exists)
        _serve(stack, found, folder, ["slurmctld", "-D", "-f", str(config)])
        _serve(stack, found, folder, ["slurmd", "-D", "-f", str(config), "-N", host])
        wait_for(lambda: _is_idle(found), 60.0)
        try:
            yield found
        finally:
            found("scancel", "--user=root")
            wait_for(lambda: not found.states(), 60.0)


def _munged(folder: Path) -> list[str]:
    files = {"key-file": "munge.key", "socket": "munge.socket", "pid-file": "munge.pid"}
    files |= {"log-file": "munge.log", "seed-file": "munge.seed"}
    return ["munged", "--foreground", "--force", *(f"--{option}={folder / name}" for option, name in files.items())]


def _serve(stack: ExitStack, made: Slurm, folder: Path, command: list[str]) -> None:
    """Run a daemon until the stack is left."""
    log = stack.enter_context((folder / f"{command[0]}.out").open("wb"))
    daemon = subprocess.Popen(command, env=made.environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    stack.callback(daemon.wait)
    stack.callback(daemon.terminate)


def _is_idle(made: Slurm) -> bool:
    asked = ["sinfo", "--noheader", "--format=%t"]
    told = subprocess.run(asked, env=made.environment, capture_output=True, text=True, timeout=60, check=False)
    return told.stdout.split() == ["idle"]


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports
