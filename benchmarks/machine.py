"""What every benchmark needs of the machine: to be idle, to be described, and to keep results."""

import json
import os
import platform
import time
from pathlib import Path
from typing import Final

__all__ = ["machine", "wait_until_idle", "write_json"]

IDLE: Final = 0.5


def wait_until_idle(patience: float = 300) -> None:
    """Wait until nothing else runs.

    :raises SystemExit: the load average stays high.
    """
    end = time.monotonic() + patience
    while os.getloadavg()[0] > IDLE:
        if time.monotonic() > end:
            raise SystemExit(
                f"The machine is not idle: load average {os.getloadavg()[0]:.1f}. Nothing is written."
            )
        time.sleep(5)


def machine() -> str:
    """Return what the machine is."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} cores, {platform.machine()}, {memory:.0f} GiB of memory, "
        f"Linux {platform.release()}, Python {platform.python_version()}"
    )


def write_json(path: Path, value: object) -> None:
    """Write a value so that a killed run leaves the old file or the new one."""
    fresh = path.with_suffix(".tmp")
    fresh.write_text(json.dumps(value, indent=1), encoding="utf-8")
    fresh.replace(path)
