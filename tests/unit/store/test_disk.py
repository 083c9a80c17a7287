"""store/disk.py: a full disk is told from other failures, and files are replaced whole."""

import errno
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from medkg.domain.errors import StorageFull
from medkg.store.disk import replace_file, room, sync_tree


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        OSError("IO error: No space left on device: While appending to file: x.sst: No space left on device"),
        RuntimeError("IO error: Disk quota exceeded"),
    ],
)
def test_a_full_disk_has_its_own_error(error: Exception) -> None:
    """The system's numbers and the engine's texts for it are one error, which says what to do."""
    with pytest.raises(StorageFull, match="Make room on it"), room():
        raise error


@pytest.mark.parametrize(
    "error", [OSError(errno.EACCES, "no"), RuntimeError("x"), ValueError("no space left on device")]
)
def test_other_errors_stay_what_they_are(error: Exception) -> None:
    """What has another reason is not taken for a full disk."""
    with pytest.raises(type(error)) as caught, room():
        raise error
    assert caught.value is error


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    """The new text is there, and nothing beside it."""
    for text in ("one", "two"):
        replace_file(tmp_path / "file", text)
        assert (tmp_path / "file").read_text() == text
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_a_tree_is_synced(tmp_path: Path) -> None:
    """Folders in folders, links and empty files are no obstacle."""
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "file").touch()
    for name in ("one", "two"):
        (tmp_path / name).hardlink_to(tmp_path / "a" / "b" / "file")
    sync_tree(tmp_path)


FILLED = """
import sys
from pathlib import Path
import pyoxigraph as ox
from datetime import UTC, datetime
from rdflib.term import Literal, URIRef
from medkg.domain.errors import StorageFull
from medkg.domain.model import Author, GraphWrite, Role
from medkg.domain.namespaces import GRAPH
from medkg.store.live import Live
from medkg.store.snapshots import Snapshots
from medkg.store.writer import candidate
root, ballast = Path(sys.argv[1]), Path(sys.argv[1]) / "ballast"
with candidate(root) as work:
    work.add([(URIRef("urn:s"), URIRef("urn:p"), Literal("x"), GRAPH["source/one"])])
    work.close()
    work.publish()
live = Live(root)
body = root / "body.nt"
body.write_text("".join(f'<urn:{n}> <urn:p> "{n:0300d}" .\\n' for n in range(2000)))
try:
    with ballast.open("wb") as file:
        while True:
            file.write(bytes(65_536))
            file.flush()
except OSError:
    pass
change = GraphWrite("put", str(GRAPH["manual/x"]), body)
author, now = Author("Ada", Role.STEWARD), datetime.now(UTC)
refused = 0
for _ in range(3):
    try:
        live.write(change, author, now=now)
        live.publish()
    except StorageFull:
        refused += 1
assert refused == 3, refused
assert Snapshots(root).require().version == 1
assert len(list(ox.Store.read_only(str(Snapshots(root).require().store)))) == 2
ballast.unlink()
assert live.write(change, author, now=now).folder
assert live.publish().version == 2
assert not list((root / "snapshots").glob(".tmp-*"))
print("good")
"""


def test_a_disk_that_is_really_full(tmp_path: Path) -> None:
    """On a full disk every write is refused and the graph can be read; with room again, writing goes on."""
    unshare, mount = shutil.which("unshare"), shutil.which("mount")
    if unshare is None or mount is None:
        pytest.skip("no unshare or mount on this system")
    script = f'mount -t tmpfs -o size=48m none "{tmp_path}" && exec "$0" -c "$1" "{tmp_path}"'
    done = subprocess.run(
        [unshare, "--user", "--map-root-user", "--mount", "sh", "-c", script, sys.executable, FILLED],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    if "mount" in done.stderr or "unshare" in done.stderr:
        pytest.skip("this system lets nobody mount a file system")
    assert (done.stdout, done.stderr) == ("good\n", "")
