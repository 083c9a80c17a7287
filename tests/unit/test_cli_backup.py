"""cli_backup.py: `medkg backup` and `medkg restore`, and what they say."""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from rdflib.term import Literal, URIRef

from medkg import cli
from medkg.domain.model import Role
from medkg.services import tokens
from medkg.state.database import Database
from medkg.store.snapshots import Snapshots
from medkg.store.writer import candidate


@dataclass(frozen=True)
class Ended:
    """How a call ended: exit code, standard output, standard error."""

    code: int
    out: str
    err: str


Run = Callable[..., Ended]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A data folder with a version."""
    root = tmp_path / "var"
    thing, name = URIRef("http://example.org/a"), URIRef("http://example.org/p")
    with candidate(root) as work:
        work.add([(thing, name, Literal("x"), URIRef("https://w3id.org/medkg/graph/source/one"))])
        work.close()
        work.publish()
    return root


@pytest.fixture
def run(root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """A caller of the command line, in process."""
    monkeypatch.setenv("MEDKG_DATA_DIR", str(root))
    monkeypatch.delenv("MEDKG_DATABASE_URL", raising=False)

    def call(*arguments: object) -> Ended:
        monkeypatch.setattr(sys, "argv", ["medkg", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        code = stopped.value.code
        assert isinstance(code, int)
        return Ended(code, *capsys.readouterr())

    return call


def test_there_and_back(run: Run, root: Path, tmp_path: Path) -> None:
    """Both commands say in one line what they did, and on standard error how far they are."""
    with Database.open(root) as database:
        tokens.create(database, tokens.local_author(), "ada", Role.STEWARD, None)

    saved = run("backup", tmp_path / "saved")
    assert saved.code == 0
    line = r"Version 1 is in .*/saved: 1 graphs, 1 triples in the merge, \d+ files, 0\.\d MB\.\n"
    assert re.fullmatch(line, saved.out)
    assert saved.err == "Copying the graph ...\nCopying the operational database ...\nWriting to disk ...\n"

    restored = run("restore", tmp_path / "saved")
    assert restored.code == 0
    line = r"Version 2 is the version 1 that was backed up on \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00\.\n"
    assert re.fullmatch(line, restored.out)
    assert restored.err == "Verifying ...\nCopying the graph ...\nWriting to disk ...\n"


def test_what_is_not_included_is_said(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no database, and where it is that of a server, a backup says so and what to do."""
    assert run("backup", tmp_path / "one").err.endswith("holds no operational database: there was none.\n")
    monkeypatch.setenv("MEDKG_DATABASE_URL", "postgresql://medkg:geheim@192.0.2.1/medkg")
    for arguments in (("backup", tmp_path / "two"), ("restore", tmp_path / "two")):
        ended = run(*arguments)
        assert ended.code == 0
        assert "is not part of a backup" in ended.err
        assert "pg_dump" in ended.err
        assert "geheim" not in ended.out + ended.err


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("backup", "{var}"), (2, "is not empty.")),
        (("backup", "/dev/null"), (2, "can't be used")),
        (("restore", "{var}"), (1, "there is no backup that can be read")),
        (("restore", "{bad}"), (1, "the backup is damaged: it can't be read")),
        (("backup", "{new}", "--data-dir", "{new}"), (3, "There is no graph in the data folder yet.")),
    ],
)
def test_what_fails_is_one_line(
    run: Run, root: Path, tmp_path: Path, arguments: tuple[str, ...], expected: tuple[int, str]
) -> None:
    """A mistake is one line on standard error and an exit code; nothing is made or changed."""
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "manifest.json").write_text("{")
    places = {"var": root, "bad": tmp_path / "bad", "new": tmp_path / "new"}

    ended = run(*[argument.format(**places) for argument in arguments])

    assert (ended.code, ended.out) == (expected[0], "")
    assert ended.err.startswith("medkg: ")
    assert ended.err.count("\n") == 1
    assert expected[1] in ended.err
    assert not (tmp_path / "new").exists()
    assert Snapshots(root).require().version == 1


def test_a_command_that_is_terminated_tidies_up(root: Path, tmp_path: Path) -> None:
    """A backup that gets SIGTERM leaves nothing of itself, and ends with the code of that signal."""
    with (root / "snapshots" / "1" / "large").open("wb") as file:
        file.truncate(20_000_000_000)
    command = [sys.executable, "-m", "medkg", "backup", str(tmp_path / "saved"), "--data-dir", str(root)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 20
        while not (tmp_path / "saved" / ".tmp" / "graph" / "large").exists():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=20)

    assert process.returncode == 128 + signal.SIGTERM
    assert "Traceback" not in err
    assert not (tmp_path / "saved").exists()
    assert list((root / "pins").iterdir()) == []
