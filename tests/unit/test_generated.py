"""The scripts in tools/ that make committed files: what they write is what is committed."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GENERATED = {
    "make_closed.py": ROOT / "shapes" / "submission" / "closed.ttl",
    "make_constraints.py": ROOT / "docs" / "constraints.md",
    "make_validation_doc.py": ROOT / "docs" / "validation.md",
}


def run(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "tools" / script), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize("script", GENERATED)
def test_the_committed_file_is_what_the_script_makes(script: str, tmp_path: Path) -> None:
    """Running a script anew gives the committed file byte for byte."""
    made = tmp_path / "made"
    result = run(script, "-o", str(made))

    assert result.returncode == 0, result.stderr
    assert made.read_bytes() == GENERATED[script].read_bytes()


@pytest.mark.parametrize("script", GENERATED)
@pytest.mark.parametrize("edited", [None, b"", b"# another file\n"], ids=["missing", "empty", "edited"])
def test_check_fails_on_any_other_file(script: str, edited: bytes | None, tmp_path: Path) -> None:
    """--check fails, says what to do and leaves the file alone when it is not what the script makes."""
    path = tmp_path / "file"
    if edited is not None:
        path.write_bytes(edited)
    result = run(script, "--check", "-o", str(path))

    assert result.returncode == 1
    assert f"run python tools/{script}" in result.stderr
    assert (path.read_bytes() if path.exists() else None) == edited


@pytest.mark.parametrize("script", GENERATED)
def test_check_passes_on_the_committed_file(script: str) -> None:
    """--check succeeds as long as nobody edits the generated file."""
    result = run(script, "--check")

    assert result.returncode == 0, result.stderr
