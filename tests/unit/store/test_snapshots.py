"""store/snapshots.py: versions are immutable, numbered once, and replaced in one step."""

import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from medkg.domain.errors import Busy, StoreFailed, StoreMissing
from medkg.store.snapshots import Snapshot, Snapshots


@pytest.fixture
def snapshots(tmp_path: Path) -> Snapshots:
    return Snapshots(tmp_path / "var")


def _publish(snapshots: Snapshots, content: str = "graph") -> Snapshot:
    with snapshots.candidate() as path:
        path.mkdir()
        (path / "store").write_text(content)
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
    assert (published.path / "store").read_text() == "first"


def test_a_candidate_is_not_seen_before_it_is_published(snapshots: Snapshots) -> None:
    """Readers keep the old version while the next one is made."""
    first = _publish(snapshots)
    with snapshots.candidate() as path:
        path.mkdir()
        assert snapshots.current() == first
        second = snapshots.publish(path)
        assert snapshots.current() == second


@pytest.mark.parametrize("made", [True, False])
def test_a_candidate_disappears_with_its_block(snapshots: Snapshots, made: bool) -> None:
    """A block left without publishing, by an error or not, leaves no trace and no new version."""
    first = _publish(snapshots)
    with suppress(ZeroDivisionError), snapshots.candidate() as path:
        if made:
            path.mkdir()
            (path / "half").write_text("half a store")
        raise ZeroDivisionError
    with snapshots.candidate() as path:
        assert not path.exists()
    assert snapshots.current() == first
    assert _folder(snapshots) == ["1"]


def test_what_a_killed_build_left_is_swept(snapshots: Snapshots) -> None:
    """The folder of a candidate whose process was killed is gone once another one begins."""
    left = snapshots.root / "snapshots" / ".tmp-999999999" / "store"
    left.mkdir(parents=True)
    with snapshots.writing(), snapshots.candidate():
        assert not left.parent.exists()


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
            with suppress(ZeroDivisionError), snapshots.candidate() as path:
                path.mkdir()
                raise ZeroDivisionError
        elif event == "lose pointer":
            (snapshots.root / "current").unlink(missing_ok=True)
        elif event == "lose older" and greatest > 1:
            with suppress(FileNotFoundError):
                (snapshots.root / "snapshots" / str(greatest - 1) / "store").unlink()
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
with Snapshots(Path(sys.argv[1])).writing():
    print("held", flush=True)
    sys.stdin.read()
"""


def test_one_process_writes_at_a_time(snapshots: Snapshots) -> None:
    """A second writer is told that the folder is busy, and may write once the first is done or dead."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(snapshots.root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(Busy, match="Wait until it is done"), snapshots.writing():
            pass
        holder.kill()
    with snapshots.writing():
        pass


def test_two_writers_in_one_process_exclude_each_other(snapshots: Snapshots) -> None:
    """The lock holds between two objects of one process too, and is free after an error."""
    other = Snapshots(snapshots.root)
    with suppress(ZeroDivisionError), snapshots.writing():
        with pytest.raises(Busy), other.writing():
            pass
        raise ZeroDivisionError
    with other.writing():
        pass


def test_readers_need_no_lock(snapshots: Snapshots) -> None:
    """The current version can be read while a writer is at work."""
    first = _publish(snapshots)
    with snapshots.writing():
        assert Snapshots(snapshots.root).require() == first
