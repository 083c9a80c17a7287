"""services/backup.py: a backup is whole and real, or not there; a restore is a new version, or nothing."""

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from rdflib.term import Literal, URIRef

from medkg.domain.errors import Busy, CallError, MedkgError, SourceFileError, StorageFull, StoreMissing
from medkg.domain.model import GraphState, QueryRequest, Role
from medkg.services import backup as service
from medkg.services import tokens
from medkg.services.manifest import Manifest
from medkg.state.database import Database
from medkg.state.glance import VERSION_TABLE
from medkg.store.embedded import EmbeddedEngine
from medkg.store.index import Index
from medkg.store.snapshots import Snapshots
from medkg.store.writer import candidate

GRAPH = "https://w3id.org/medkg/graph/source/one"
COUNT = f"SELECT (COUNT(*) AS ?n) {{ GRAPH <{GRAPH}> {{ ?s ?p ?o }} }}"
LIMITED = """
import resource, sys
from pathlib import Path
from medkg.domain.errors import StorageFull
from medkg.services import backup
def quiet(stage, done, total): pass
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[4]), resource.RLIM_INFINITY))
try:
    getattr(backup, sys.argv[1])(Path(sys.argv[2]), Path(sys.argv[3]), progress=quiet)
except StorageFull as error:
    print(error)
    sys.exit(7)
"""


def quiet(stage: str, done: int, total: int) -> None:
    """Listen without a word."""


def build(root: Path, number: int, keys: dict[str, int] | None = None) -> int:
    """Publish a version with *number* triples."""
    graph = URIRef(GRAPH)
    with candidate(root) as work:
        work.remove(graph)
        work.add(
            (URIRef(f"http://example.org/s{i}"), URIRef("http://example.org/p"), Literal(f"v{i}"), graph)
            for i in range(number)
        )
        work.close()
        version = work.publish().version
    if keys:
        folder = Snapshots(root).require().path
        Index.read(folder).remembering(keys).write(folder)
    return version


def count(root: Path) -> int:
    engine = EmbeddedEngine(root)
    try:
        return int(b"".join(engine.run(QueryRequest(COUNT), "csv").chunks).split()[1])
    finally:
        engine.close()


def make_token(root: Path, name: str) -> None:
    with Database.open(root) as database:
        tokens.create(database, tokens.local_author(), name, Role.STEWARD, None)


def names(root: Path) -> set[str]:
    with Database.open(root, create=False) as database:
        return {token.name for token in tokens.listing(database)}


def back_up(root: Path, target: Path) -> Manifest:
    return service.backup(root, target, progress=quiet)


def restore(root: Path, source: Path) -> int:
    return service.restore(root, source, progress=quiet)[0]


def tree(folder: Path) -> dict[str, bytes]:
    """Return the files of a folder, but the lock, which is there for ever, and what SQLite keeps beside."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in {"service.lock", "state.sqlite-shm", "state.sqlite-wal"}
    }


def edit(folder: Path, **changes: Any) -> None:
    """Change the manifest of a backup."""
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A data folder with a version of three triples, a key, and a token."""
    root = tmp_path / "var"
    build(root, 3, {"a-key": 1})
    make_token(root, "ada")
    return root


@pytest.fixture
def saved(root: Path, tmp_path: Path) -> Path:
    """A backup of it."""
    back_up(root, tmp_path / "saved")
    return tmp_path / "saved"


def test_there_and_back(root: Path, saved: Path, tmp_path: Path) -> None:
    """An empty folder gets everything: triples, tokens, keys; its version is not one that was used before."""
    other = tmp_path / "other"
    assert restore(other, saved) == 2

    assert count(other) == 3
    assert names(other) == {"ada"}
    index = Index.read(Snapshots(other).require().path)
    assert index.keys == {"a-key": 1}
    assert index.graphs[GRAPH] == GraphState(3, 2)
    assert count(root) == 3


def test_what_came_after_the_backup_is_undone(root: Path, saved: Path) -> None:
    """A restore is the next version, never an old number; tokens are those of the backup."""
    assert build(root, 9) == 2
    make_token(root, "bob")
    with Database.open(root) as database:
        tokens.revoke(database, tokens.local_author(), "ada")

    assert restore(root, saved) == 3

    assert count(root) == 3
    assert names(root) == {"ada"}
    assert build(root, 4) == 4


def test_a_manifest_tells_all(root: Path, saved: Path) -> None:
    """The manifest has version, counts, software and time, and the size and SHA-256 of every other file."""
    made = Manifest.read(saved)

    assert (made.version, made.graphs, made.triples, made.database) == (1, 1, 3, "included")
    assert made.software
    assert made.oxigraph
    assert made.made.endswith("+00:00")
    found = {name: content for name, content in tree(saved).items() if name != "manifest.json"}
    assert {name: (entry.size, entry.sha256) for name, entry in made.files.items()} == {
        name: (len(content), hashlib.sha256(content).hexdigest()) for name, content in found.items()
    }
    assert all(name == "state.sqlite" or name.startswith("graph/") for name in found)
    assert str(root) not in (saved / "manifest.json").read_text()


def test_a_backup_is_made_of_real_copies(root: Path, saved: Path) -> None:
    """No file of a backup is a link to one of the data folder; it can be read by its owner alone."""
    inodes = {path.stat().st_ino for path in root.rglob("*") if path.is_file()}

    assert not [path for path in saved.rglob("*") if path.is_symlink()]
    assert not inodes & {path.stat().st_ino for path in saved.rglob("*") if path.is_file()}
    assert saved.stat().st_mode & 0o077 == 0
    assert (saved / "state.sqlite").stat().st_mode & 0o077 == 0
    shutil.rmtree(root)
    restore(root, saved)
    assert count(root) == 3


def test_what_is_no_state_stays_behind(root: Path, tmp_path: Path) -> None:
    """Documents that are being read, the writer's store, and differences are not in a backup."""
    for name in ("spool/x.nt", "live/1/store/x", "snapshots/1/added.nq", "snapshots/1/removed.nq"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("")

    back_up(root, tmp_path / "saved")

    names = {Path(name).name for name in tree(tmp_path / "saved")}
    assert not names & {"x.nt", "x", "added.nq", "removed.nq", "LOCK", "LOG"}


def test_a_folder_with_something_in_it_is_refused(root: Path, tmp_path: Path) -> None:
    """A backup never mixes with what is there, and leaves it alone; what a killed one left is no obstacle."""
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("dear")
    (tmp_path / "file").write_text("")
    for target, reason in (("full", "is not empty"), ("file", "can't be used")):
        with pytest.raises(CallError, match=reason):
            back_up(root, tmp_path / target)
    assert tree(tmp_path / "full") == {"letter.txt": b"dear"}

    (tmp_path / "killed" / ".tmp" / "graph").mkdir(parents=True)
    back_up(root, tmp_path / "killed")
    assert sorted(path.name for path in (tmp_path / "killed").iterdir()) == [
        "graph",
        "manifest.json",
        "state.sqlite",
    ]


def test_without_a_graph_there_is_nothing_to_back_up(tmp_path: Path) -> None:
    """A data folder that was never built has no backup, and none is begun."""
    with pytest.raises(StoreMissing):
        back_up(tmp_path / "var", tmp_path / "saved")
    assert not (tmp_path / "saved").exists()


def test_without_a_database_there_is_none_in_the_backup(tmp_path: Path) -> None:
    """A backup made before the first token has no database; restoring it leaves the one that is there."""
    root = tmp_path / "var"
    build(root, 1)
    assert back_up(root, tmp_path / "saved").database == "none"
    make_token(root, "bob")

    restore(root, tmp_path / "saved")

    assert names(root) == {"bob"}


def test_a_database_of_a_server_is_left_out(root: Path, tmp_path: Path) -> None:
    """The database of a server is neither read nor written; the manifest says so."""
    url = "postgresql://nobody@192.0.2.1/none"
    made = service.backup(root, tmp_path / "saved", url=url, progress=quiet)
    assert made.database == "external"
    assert not (tmp_path / "saved" / "state.sqlite").exists()
    assert service.restore(root, tmp_path / "saved", url=url, progress=quiet)[0] == 2


def test_a_database_elsewhere_is_saved_and_put_back(root: Path, tmp_path: Path) -> None:
    """With MEDKG_DATABASE_URL the file that it names is the one that counts."""
    (tmp_path / "else").mkdir()
    url = f"sqlite:///{tmp_path}/else/where.sqlite"
    with Database.open(root, url) as database:
        tokens.create(database, tokens.local_author(), "eve", Role.ADMIN, None)
    service.backup(root, tmp_path / "saved", url=url, progress=quiet)
    other = f"sqlite:///{tmp_path}/else/other.sqlite"

    service.restore(root, tmp_path / "saved", url=other, progress=quiet)

    with Database.open(root, other) as database:
        assert {token.name for token in tokens.listing(database)} == {"eve"}
    assert names(root) == {"ada"}


def damage_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def damage_end(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize("damage", [damage_byte, damage_end, Path.unlink])
def test_any_damaged_file_is_found(root: Path, saved: Path, damage: Callable[[Path], None]) -> None:
    """A flipped bit, a missing end, a missing file: each is named, and nothing is changed."""
    before = tree(root)
    for name in sorted(Manifest.read(saved).files):
        if name.endswith(".log") and not (saved / name).stat().st_size and damage is not Path.unlink:
            continue
        content = (saved / name).read_bytes()
        damage(saved / name)
        with pytest.raises(SourceFileError, match="the backup is damaged") as told:
            restore(root, saved)
        assert told.value.path == saved / name
        (saved / name).write_bytes(content)

    assert tree(root) == before
    assert restore(root, saved) == 2


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it can't be read"),
        (b"{}", "it can't be read"),
        (b"[]", "it can't be read"),
        (b"\xff", "it can't be read"),
        (None, "there is no backup that can be read"),
    ],
)
def test_a_manifest_that_is_none(root: Path, saved: Path, content: bytes | None, reason: str) -> None:
    """Without a manifest that can be read, a folder is no backup."""
    (saved / "manifest.json").unlink()
    if content is not None:
        (saved / "manifest.json").write_bytes(content)
    with pytest.raises(SourceFileError, match=reason) as told:
        restore(root, saved)
    assert told.value.path == saved / "manifest.json"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"format": 2, "software": "9.0"}, "made by a newer version of medkg"),
        ({"layout": 99, "software": "9.0"}, "made by a newer version of medkg"),
        ({"files": {"../out": {"size": 1, "sha256": ""}}}, "which is no file of a backup"),
        ({"files": {"/etc/passwd": {"size": 1, "sha256": ""}}}, "which is no file of a backup"),
        ({"files": {"graph/../../x": {"size": 1, "sha256": ""}}}, "which is no file of a backup"),
        ({"files": {}}, "it names no graph"),
    ],
)
def test_a_manifest_that_is_not_taken(root: Path, saved: Path, changes: Any, reason: str) -> None:
    """A backup of a newer version, and one that points out of its folder, are refused before any work."""
    edit(saved, **changes)
    with pytest.raises(SourceFileError, match=reason):
        restore(root, saved)
    assert Snapshots(root).require().version == 1


def test_a_database_of_a_newer_version_is_refused(root: Path, saved: Path) -> None:
    """A backup whose database has a schema of the future is named, and nothing is changed."""
    connection = sqlite3.connect(saved / "state.sqlite")
    with connection:
        connection.execute(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")  # noqa: S608 - a name of our own
    connection.close()
    content = (saved / "state.sqlite").read_bytes()
    files = json.loads((saved / "manifest.json").read_text())["files"]
    files["state.sqlite"] = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    edit(saved, files=files)
    before = tree(root)

    with pytest.raises(SourceFileError, match="was made by a newer version of medkg") as told:
        restore(root, saved)

    assert told.value.path == saved / "state.sqlite"
    assert tree(root) == before


def test_those_who_have_the_database_open_see_the_new_content(root: Path, saved: Path) -> None:
    """A service that has the database open goes on with what was restored; it can write at once."""
    make_token(root, "bob")
    with Database.open(root) as database:
        assert {token.name for token in tokens.listing(database)} == {"ada", "bob"}
        restore(root, saved)
        assert {token.name for token in tokens.listing(database)} == {"ada"}
        tokens.create(database, tokens.local_author(), "cyd", Role.ADMIN, None)
    assert names(root) == {"ada", "cyd"}


def test_a_damaged_database_is_replaced(root: Path, saved: Path) -> None:
    """A database that can't be read is moved away, and the one of the backup takes its place."""
    (root / "state.sqlite").write_bytes(b"no database" * 1000)
    restore(root, saved)
    assert names(root) == {"ada"}
    assert (root / "state.sqlite.damaged").read_bytes().startswith(b"no database")


def test_the_database_is_as_before_when_the_graph_fails(root: Path, saved: Path) -> None:
    """Graph and database are restored together, or neither is."""
    make_token(root, "bob")
    # The pointer can't be replaced, which is the last step.
    (root / ".current.tmp").mkdir()
    with pytest.raises(IsADirectoryError):
        restore(root, saved)
    assert names(root) == {"ada", "bob"}
    assert sorted(path.name for path in (root / "snapshots").iterdir()) == ["1"]


def test_a_folder_in_use_is_not_restored(root: Path, saved: Path) -> None:
    """Where another process holds the folder and lends it to nobody, a restore says who; a backup is made."""
    with Snapshots(root).holding("a build"):
        with pytest.raises(Busy, match=r"in use by a build \(process"):
            restore(root, saved)
        assert back_up(root, saved.parent / "again").version == 1
    assert not (root / "snapshots" / "2").exists()


def test_backups_while_versions_come_and_go(root: Path, tmp_path: Path) -> None:
    """A backup made while others publish is of one version, whole, and leaves no pin behind."""
    stop = threading.Event()
    failures: list[BaseException] = []

    def publish() -> None:
        number = 10
        while not stop.is_set():
            try:
                build(root, number := number + 1)
            except BaseException as error:  # noqa: BLE001 - told by the test
                failures.append(error)
                return

    thread = threading.Thread(target=publish)
    thread.start()
    try:
        made = [back_up(root, tmp_path / f"saved{number}") for number in range(4)]
    finally:
        stop.set()
        thread.join(60)
    assert failures == []
    for number, manifest in enumerate(made):
        assert restore(tmp_path / f"other{number}", tmp_path / f"saved{number}") == manifest.version + 1
        assert count(tmp_path / f"other{number}") == (3 if manifest.version == 1 else manifest.version + 9)
    assert list((root / "pins").iterdir()) == []


def test_a_pin_of_another_stays(root: Path, tmp_path: Path) -> None:
    """A version that something else has pinned is pinned still when its backup is done."""
    Snapshots(root).pin(1)
    back_up(root, tmp_path / "saved")
    assert [path.name for path in (root / "pins").iterdir()] == ["1"]


@pytest.mark.parametrize("limit", [100, 2_000, 20_000])
@pytest.mark.parametrize("work", ["backup", "restore"])
def test_files_that_can_t_grow_leave_nothing(root: Path, saved: Path, work: str, limit: int) -> None:
    """When the system refuses to write more, it is said in one line, and nothing half-written stays."""
    make_token(root, "bob")
    target = {"backup": saved.parent / "again", "restore": saved}[work]
    before = tree(root)
    command = [sys.executable, "-W", "error", "-c", LIMITED, work, str(root), str(target), str(limit)]

    ended = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (ended.returncode, ended.stderr) == (7, ""), ended
    assert "room" in ended.stdout
    assert not (saved.parent / "again").exists()
    assert tree(root) == before
    assert names(root) == {"ada", "bob"}


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[Path]:
    """A disk of *size* bytes in memory."""
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("only root mounts a disk, and not everywhere")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a disk")
@pytest.mark.parametrize("size", [8_192, 40_960, 65_536])
def test_a_full_disk_under_the_backup(root: Path, tmp_path: Path, size: int) -> None:
    """A backup that does not fit leaves the disk as empty as it was, and can be made on a larger one."""
    with small_disk(tmp_path / "disk", size) as disk:
        for target in (disk / "monday", disk):
            with pytest.raises(StorageFull, match="There is no room"):
                back_up(root, target)
            assert list(disk.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a disk")
@pytest.mark.parametrize("percent", [5, 40, 80, 98])
def test_a_full_disk_under_the_data_folder(root: Path, saved: Path, tmp_path: Path, percent: int) -> None:
    """A restore that does not fit leaves graph and tokens as they were, and works when there is room."""
    needed = sum(entry.size for entry in Manifest.read(saved).files.values())
    with small_disk(tmp_path / "disk", 8_000_000) as disk:
        shutil.copytree(root, disk / "var")
        make_token(disk / "var", "bob")
        before = tree(disk / "var")
        usage = shutil.disk_usage(disk)
        filler = disk / "filler"
        filler.write_bytes(b"x" * max(0, usage.free - needed * percent // 100))

        with pytest.raises(StorageFull) as told:
            restore(disk / "var", saved)

        assert isinstance(told.value, MedkgError)
        assert tree(disk / "var") == before
        filler.unlink()
        assert names(disk / "var") == {"ada", "bob"}
        assert restore(disk / "var", saved) == 2
        assert names(disk / "var") == {"ada"}
