"""store/snapshots.py: versions are immutable, numbered once, and replaced in one step."""

import itertools
import os
import shutil
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pyoxigraph as ox
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import medkg.store.snapshots
from medkg.domain.errors import Busy, StorageFull, StoreFailed, StoreMissing
from medkg.domain.model import GraphState
from medkg.store.index import Index
from medkg.store.snapshots import Snapshot, Snapshots


@pytest.fixture
def snapshots(tmp_path: Path) -> Snapshots:
    return Snapshots(tmp_path / "var")


def _publish(snapshots: Snapshots, content: str = "graph") -> Snapshot:
    with snapshots.candidate() as path:
        (path / "store").mkdir()
        (path / "store" / "graph").write_text(content)
        return snapshots.publish(path)


def _folder(snapshots: Snapshots) -> list[str]:
    return sorted(entry.name for entry in (snapshots.root / "snapshots").iterdir())


def test_an_empty_folder_has_no_version(snapshots: Snapshots) -> None:
    """Where nothing was built there is no current version, and requiring one says what to do."""
    assert snapshots.current() is None
    with pytest.raises(StoreMissing, match="Run `medkg build` first"):
        snapshots.require()

    assert not snapshots.root.exists()


def test_a_published_candidate_is_the_current_version(snapshots: Snapshots) -> None:
    """Publishing makes the candidate the current version, for this object and for any other."""
    published = _publish(snapshots, "first")
    assert published.version == 1
    for other in (snapshots, Snapshots(snapshots.root)):
        assert other.current() == other.require() == published
    assert (published.store / "graph").read_text() == "first"
    assert published.store == published.path / "store"


def test_a_candidate_is_not_seen_before_it_is_published(snapshots: Snapshots) -> None:
    """Readers keep the old version while the next one is made."""
    first = _publish(snapshots)
    with snapshots.candidate() as path:
        assert snapshots.current() == first
        second = snapshots.publish(path)
        assert snapshots.current() == second


@pytest.mark.parametrize("made", [True, False])
def test_a_candidate_disappears_with_its_block(snapshots: Snapshots, made: bool) -> None:
    """A block left without publishing, by an error or not, leaves no trace and no new version."""
    first = _publish(snapshots)
    with suppress(ZeroDivisionError), snapshots.candidate() as path:
        if made:
            (path / "half").write_text("half a store")
        raise ZeroDivisionError
    with snapshots.candidate() as path:
        assert list(path.iterdir()) == []
    assert snapshots.current() == first
    assert _folder(snapshots) == ["1"]


def test_what_a_killed_build_left_is_swept(snapshots: Snapshots) -> None:
    """The folder of a candidate whose process was killed is gone once another one begins."""
    left = snapshots.root / "snapshots" / ".tmp-999999999" / "store"
    left.mkdir(parents=True)
    with snapshots.holding("a test"), snapshots.candidate():
        assert not left.parent.exists()


def test_a_version_that_was_never_named_is_swept(snapshots: Snapshots) -> None:
    """What got its number but was not yet current when its writer was killed is gone, too."""
    _publish(snapshots)
    (snapshots.root / "snapshots" / "2").mkdir()
    snapshots.sweep()
    assert _folder(snapshots) == ["1"]
    (snapshots.root / "current").unlink()
    (snapshots.root / "snapshots" / "2").mkdir()
    snapshots.sweep()
    assert _folder(snapshots) == ["1", "2"], "without a pointer the newest one is all there is to go on from"


def test_the_current_version_and_the_one_before_stay(snapshots: Snapshots) -> None:
    """Publishing removes all versions but the last two: one may still be open in a reader."""
    for _ in range(5):
        _publish(snapshots)
    assert _folder(snapshots) == ["4", "5"]


@given(st.lists(st.sampled_from(["publish", "fail", "lose pointer", "lose older", "restart"]), max_size=12))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_number_is_never_used_twice(tmp_path_factory: pytest.TempPathFactory, events: list[str]) -> None:
    """Whatever happens between two builds, each version gets a greater number than all before it."""
    snapshots = Snapshots(tmp_path_factory.mktemp("var"))
    greatest = 0
    for event in events:
        if event == "publish":
            version = _publish(snapshots).version
            assert version > greatest
            greatest = version
        elif event == "fail":
            with suppress(ZeroDivisionError), snapshots.candidate():
                raise ZeroDivisionError
        elif event == "lose pointer":
            (snapshots.root / "current").unlink(missing_ok=True)
        elif event == "lose older" and greatest > 1:
            with suppress(FileNotFoundError):
                shutil.rmtree(snapshots.root / "snapshots" / str(greatest - 1))
        else:
            snapshots = Snapshots(snapshots.root)


@pytest.mark.parametrize("text", ["", "one", "7", "-1", "1 2", "../1", "\u0661", "\x00"])
def test_a_damaged_pointer_is_named(snapshots: Snapshots, text: str) -> None:
    """A pointer that names no version is an error that says what to do, and no missing graph."""
    _publish(snapshots)
    (snapshots.root / "current").write_text(text, encoding="utf-8")
    with pytest.raises(StoreFailed, match=r"pointer names no version\. Run `medkg build`\."):
        snapshots.current()


def test_a_build_mends_a_damaged_pointer(snapshots: Snapshots) -> None:
    """Doing what the message says, a new build, leads to a good version with a number of its own."""
    _publish(snapshots)
    (snapshots.root / "current").write_text("nonsense")
    assert _publish(snapshots).version == 2
    assert snapshots.require().version == 2


def test_the_next_version_goes_on_from_the_current_one(snapshots: Snapshots) -> None:
    """The version to go on from is the current one, else, where the pointer is lost, the newest."""
    assert snapshots.latest() is None
    first, second = _publish(snapshots), _publish(snapshots)
    assert snapshots.latest() == second
    pointer = snapshots.root / "current"
    pointer.write_text("1")
    assert snapshots.latest() == first
    for lost in ("nonsense", "77"):
        pointer.write_text(lost)
        assert snapshots.latest() == second
    pointer.unlink()
    assert snapshots.latest() == second


def test_a_number_of_a_lost_version_is_not_used_again(snapshots: Snapshots) -> None:
    """A pointer to a version whose folder is gone still counts as a number that was used."""
    _publish(snapshots)
    (snapshots.root / "current").write_text("7")
    assert _publish(snapshots).version == 8


def test_an_unreadable_pointer_is_named(snapshots: Snapshots) -> None:
    """A pointer that can't be read, here because it is a folder, is an error of ours."""
    (snapshots.root / "current").mkdir(parents=True)
    with pytest.raises(StoreFailed, match="can't be read"):
        snapshots.current()


def test_the_pointer_is_replaced_in_one_step(snapshots: Snapshots) -> None:
    """A reader that looks while versions change always sees a whole pointer to a version that is there."""
    _publish(snapshots)
    seen: list[int] = []
    failures: list[BaseException] = []
    done = threading.Event()

    def look() -> None:
        reader = Snapshots(snapshots.root)
        try:
            while not done.is_set():
                seen.append(reader.require().version)
        except BaseException as error:  # noqa: BLE001 - shown by the assertion below
            failures.append(error)

    readers = [threading.Thread(target=look) for _ in range(2)]
    for reader in readers:
        reader.start()
    for _ in range(60):
        _publish(snapshots)
    done.set()
    for reader in readers:
        reader.join()
    assert failures == []
    assert len(seen) > 60
    assert snapshots.require().version == 61


HOLDER = """
import sys
from pathlib import Path
from medkg.store.snapshots import Snapshots
with Snapshots(Path(sys.argv[1])).holding("a build"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_one_process_writes_at_a_time(snapshots: Snapshots) -> None:
    """A second writer is told who holds the folder, and may write once the first is done or dead."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(snapshots.root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        for _ in range(2):
            with pytest.raises(Busy) as caught, snapshots.holding("the service"):
                pass
            assert str(caught.value) == (
                f"The data folder is in use by a build (process {holder.pid}). "
                "Wait until it is done, or stop it."
            )
        holder.kill()
    with snapshots.holding("the service"):
        pass


def test_two_writers_in_one_process_exclude_each_other(snapshots: Snapshots) -> None:
    """The lock holds between two objects of one process too, and is free after an error."""
    other = Snapshots(snapshots.root)
    with suppress(ZeroDivisionError), snapshots.holding("the service"):
        with (
            pytest.raises(Busy, match=rf"by the service \(process {os.getpid()}\)"),
            other.holding("a build"),
        ):
            pass
        raise ZeroDivisionError
    with other.holding("a build"):
        pass


def test_a_holder_that_has_not_said_who_it_is(snapshots: Snapshots) -> None:
    """Between taking the lock and writing a name into it, the holder is another process."""
    with snapshots.holding("a build"):
        (snapshots.root / "service.lock").write_text("")
        with pytest.raises(Busy, match="in use by another process"), snapshots.holding("the service"):
            pass


def test_readers_need_no_lock(snapshots: Snapshots) -> None:
    """The current version can be read while a writer is at work."""
    first = _publish(snapshots)
    with snapshots.holding("a test"):
        assert Snapshots(snapshots.root).require() == first


# --- What stays ------------------------------------------------------------------------------------


def test_publishing_may_leave_pruning_to_others(snapshots: Snapshots) -> None:
    """Told so, publishing removes nothing; pruning spares the last two, those in use and the pinned."""
    for _ in range(7):
        with snapshots.candidate() as path:
            snapshots.publish(path, prune=False)
    assert _folder(snapshots) == list("1234567")
    snapshots.pin(2)
    snapshots.prune(keep={4})
    assert _folder(snapshots) == list("2467")
    snapshots.unpin(2)
    snapshots.unpin(2)
    snapshots.prune()
    assert _folder(snapshots) == list("67")


def test_a_pinned_version_outlives_the_process(snapshots: Snapshots) -> None:
    """A pin stands on the disk: another object spares the version too, and finds it."""
    first = _publish(snapshots)
    snapshots.pin(1)
    other = Snapshots(snapshots.root)
    for _ in range(3):
        _publish(other)
    assert _folder(other) == ["1", "3", "4"]
    assert other.find(1) == first
    assert other.find(2) is None


def test_a_version_before_a_gap_stays(snapshots: Snapshots) -> None:
    """The predecessor of the current version is the newest one before it, whatever its number."""
    _publish(snapshots)
    (snapshots.root / "current").write_text("7")
    _publish(snapshots)
    assert _folder(snapshots) == ["1", "8"]


# --- The layout ------------------------------------------------------------------------------------

QUAD = ox.Quad(
    ox.NamedNode("https://example.org/s"), ox.NamedNode("https://example.org/p"), ox.Literal("x"),
    ox.NamedNode("https://example.org/g"),
)  # fmt: skip


def _first_layout(root: Path) -> Snapshots:
    """Make a data folder as the first layout had it: two versions, each the folder of its store."""
    for version in (3, 4):
        path = root / "snapshots" / str(version)
        path.mkdir(parents=True)
        store = ox.Store(str(path))
        store.extend([QUAD])
        store.flush()
    (root / "current").write_text("4\n")
    return Snapshots(root)


def _is_migrated(snapshots: Snapshots) -> bool:
    current = snapshots.require()
    assert (snapshots.root / "format").read_text() == "2\n"
    assert Index.read(current.path).graphs == {"https://example.org/g": GraphState(1, current.version)}
    assert list(ox.Store.read_only(str(current.store))) == [QUAD]
    return _folder(snapshots) == [str(current.version)]


def test_the_first_layout_can_be_read(tmp_path: Path) -> None:
    """A version of the first layout is the folder of its store, for readers that may not change it."""
    current = _first_layout(tmp_path).require()
    assert current.store == current.merged == current.path
    assert list(ox.Store.read_only(str(current.store))) == [QUAD]


def test_the_first_layout_is_migrated(tmp_path: Path) -> None:
    """Migration keeps the graph, under a new number, and is done once."""
    snapshots = _first_layout(tmp_path)
    snapshots.migrate()
    assert snapshots.require().version == 5
    assert _is_migrated(snapshots)
    Snapshots(tmp_path).migrate()
    assert Snapshots(tmp_path).require().version == 5


@pytest.mark.parametrize(
    ("owner", "step", "call"),
    [
        (Snapshots, "begin", 1),
        (medkg.store.snapshots, "sync_tree", 1),
        (Path, "rename", 1),
        (medkg.store.snapshots, "replace_file", 1),
        (medkg.store.snapshots, "replace_file", 2),
        (shutil, "rmtree", 1),
    ],
)
def test_a_migration_that_was_cut_is_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: object, step: str, call: int
) -> None:
    """Whatever step a migration dies at, the graph can be read then, and the next one finishes it."""
    snapshots = _first_layout(tmp_path)
    calls, real = itertools.count(1), getattr(owner, step)

    def die(*arguments: object, **options: object) -> object:
        if next(calls) == call:
            raise SystemExit
        return real(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(owner, step, die)
        with pytest.raises(SystemExit):
            snapshots.migrate()
    current = Snapshots(tmp_path).require()
    assert list(ox.Store.read_only(str(current.store))) == [QUAD]
    again = Snapshots(tmp_path)
    again.migrate()
    assert _is_migrated(again)


def test_a_store_that_can_not_be_migrated_is_named(tmp_path: Path) -> None:
    """A damaged store of the first layout is an error, and stays what it is."""
    snapshots = _first_layout(tmp_path)
    (tmp_path / "snapshots" / "4" / "CURRENT").write_text("damaged")
    with pytest.raises(StoreFailed, match="can't be brought to the layout"):
        snapshots.migrate()
    assert _folder(snapshots) == ["3", "4"]


@pytest.mark.parametrize("text", ["3", "20", "", "two"])
def test_a_later_layout_is_refused(snapshots: Snapshots, text: str) -> None:
    """A folder with a layout that is not known is neither read nor changed, and the error says what to do."""
    _publish(snapshots)
    (snapshots.root / "format").write_text(text)
    other = Snapshots(snapshots.root)
    for call in (other.current, other.require, other.latest, other.migrate, lambda: other.publish(Path())):
        with pytest.raises(StoreFailed, match="Use the release that wrote it"):
            call()


def test_an_empty_folder_needs_no_migration(snapshots: Snapshots) -> None:
    """Where there is nothing, nothing is made."""
    snapshots.migrate()
    assert not snapshots.root.exists()


def test_a_full_disk_changes_nothing(snapshots: Snapshots, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the pointer can't be written, the version before stays, and the new one leaves nothing."""
    first = _publish(snapshots)

    def full(_path: Path, text: str) -> None:
        with Path("/dev/full").open("w", encoding="utf-8") as file:
            file.write(text)

    with monkeypatch.context() as patch, snapshots.candidate() as path:
        patch.setattr("medkg.store.snapshots.replace_file", full)
        with pytest.raises(StorageFull, match="disk of the data folder is full"):
            snapshots.publish(path)
    assert snapshots.require() == first
    assert _folder(snapshots) == ["1"]
