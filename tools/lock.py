"""Writes the two lock files: what medkg needs to run, and what its developers need besides.

The lock is in pip's requirements format with hashes, for every supported Python, and names no registry.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HEADER = "# Made by `make lock` from pyproject.toml; do not edit.\n"
# What an editable install needs without build isolation.
BUILD = ("hatchling", "editables")


def main() -> None:
    """Resolve both sets; the development set starts from the other one, so the versions agree."""
    extra = "\n".join(BUILD)
    run = lock("requirements.lock", ["pyproject.toml", "-"], extra)
    lock("requirements-dev.lock", ["pyproject.toml", "--group", "dev", "-", "--constraint", run], extra)


def lock(name: str, arguments: list[str], extra: str) -> str:
    """Resolve *arguments* and the requirements in *extra* into the file *name*, and return the name."""
    command = [
        sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11",
        "--generate-hashes", "--no-header", "--no-emit-index-url", "--no-annotate", *arguments,
    ]  # fmt: skip
    found = subprocess.run(command, cwd=ROOT, input=extra, capture_output=True, text=True, check=False)  # noqa: S603
    if found.returncode:
        sys.exit(found.stderr)
    (ROOT / name).write_text(HEADER + found.stdout, encoding="utf-8")
    return name


if __name__ == "__main__":
    main()
