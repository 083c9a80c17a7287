"""Server processes under measurement: start, wait until ready, drain, stop; processor time and memory."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

__all__ = ["Server", "free_port", "require", "run"]

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_PATIENCE_S: Final = 900
"""How long a server may take to become ready: one that loads ten million triples first takes minutes."""


def require(program: str, packages: str) -> str:
    """Return the path of *program*, or end with what to install."""
    for folder in ("/usr/local/bin", "/usr/bin", "/bin"):
        if Path(folder, program).is_file():
            return str(Path(folder, program))
    raise SystemExit(f"{program} is missing; install the Debian package: apt-get install {packages}")


def free_port() -> int:
    """Return a port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def run(command: Sequence[str], *, limit: float = 3600, cwd: Path | None = None) -> str:
    """Run a program to its end and return what it printed; end with its errors when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=limit, cwd=cwd)
    if done.returncode:
        raise SystemExit(f"{' '.join(command[:3])} ... failed:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
    return done.stdout


class Server:
    """One running server and all processes below it."""

    def __init__(
        self,
        command: Sequence[str],
        log: Path,
        *,
        environment: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        settings = [f"{name}={value}" for name, value in (environment or {}).items()]
        self.started = time.monotonic()
        with log.open("ab") as file:
            self._process = subprocess.Popen(
                ["/usr/bin/env", *settings, *command],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                cwd=cwd,
            )
        self._log = log

    def wait(self, ready: Callable[[], bool]) -> float:
        """Wait until *ready* and return the seconds since the start.

        :raises SystemExit: it ended, or takes too long.
        """
        try:
            while time.monotonic() < self.started + _PATIENCE_S and self._process.poll() is None:
                if ready():
                    return time.monotonic() - self.started
                time.sleep(0.02)
        except BaseException:
            self.stop()
            raise
        self.stop()
        tail = self._log.read_text(encoding="utf-8", errors="replace")[-2000:]
        raise SystemExit(f"{self._log.stem} did not start:\n{tail}")

    def drain(self, limit: float = 60) -> float | None:
        """Wait until the server rests and return the seconds; None when it still works after *limit*."""
        begin, before = time.monotonic(), self.cpu_seconds()
        while time.monotonic() < begin + limit:
            time.sleep(0.5)
            now = self.cpu_seconds()
            if now - before < 0.05:  # noqa: PLR2004 - a tenth of one core
                return max(0.0, time.monotonic() - begin - 0.5)
            before = now
        return None

    def stop(self) -> None:
        """End the server and everything that it started."""
        family = self._family()
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(30)
        for process in (self._process.pid, *family):
            # Only processes of this session: a number may have been given to somebody else in the meantime.
            with suppress(ProcessLookupError, PermissionError):
                if process == self._process.pid or os.getsid(process) == self._process.pid:
                    os.kill(process, signal.SIGKILL)
        self._process.wait(30)

    def cpu_seconds(self) -> float:
        """Return the processor time that the living processes have taken."""
        return sum(float(sum(map(int, _stat(pid)[11:13]))) for pid in self._family()) / _TICKS

    def memory_mib(self) -> float:
        """Return the memory of all processes; what several share counts once (PSS)."""
        total = 0
        for pid in self._family():
            with suppress(OSError):
                text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
                total += next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
        return total / 1024

    def _family(self) -> list[int]:
        """Return the process and its descendants; every descendant's parent is in the list too."""
        parents = {int(entry.name): _stat(int(entry.name)) for entry in Path("/proc").glob("[0-9]*")}
        found = [self._process.pid]
        for process in found:
            found += [pid for pid, stat in parents.items() if stat and int(stat[1]) == process]
        return [pid for pid in found if parents.get(pid)]


def _stat(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat from the state on, none when the process is gone."""
    with suppress(OSError):
        return (
            Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        )
    return []
