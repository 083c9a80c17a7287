"""assets.py: the RDF folders are found in a checkout and in an installation, or their lack is named."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from medkg import assets

ROOT = Path(__file__).resolve().parents[2]
FOLDERS: tuple[assets.Folder, ...] = ("ontology", "shapes", "data")


@pytest.fixture
def find(tmp_path: Path) -> Callable[[str], str]:
    """Ask a copy of the module, alone in a package of its own under tmp_path/src, for a folder."""
    package = tmp_path / "src" / "medkg"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    shutil.copy(assets.__file__, package)

    def ask(call: str) -> str:
        code = (
            f"from medkg import assets\ntry: print({call})\nexcept FileNotFoundError as error: print(error)"
        )
        result = subprocess.run(
            [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(package.parent)!r})\n{code}"],
            capture_output=True,
            text=True,
            check=True,
        )
        return result.stdout.strip()

    return ask


@pytest.mark.parametrize("name", FOLDERS)
def test_a_checkout_has_its_folders(name: assets.Folder) -> None:
    """In a checkout the folders are those that one edits, and they hold Turtle."""
    assert assets.checkout() == ROOT
    assert assets.directory(name) == ROOT / name
    assert list(assets.directory(name).glob("*.ttl"))


def test_an_installation_has_its_folders_in_the_package(find: Callable[[str], str], tmp_path: Path) -> None:
    """Installed, the folders are in the package, wherever that is, and there is no checkout."""
    (tmp_path / "src" / "medkg" / "data").mkdir()
    assert find('assets.directory("data")') == str(tmp_path / "src" / "medkg" / "data")
    assert find("assets.checkout()") == "None"


def test_folders_beside_an_installation_are_not_taken(find: Callable[[str], str], tmp_path: Path) -> None:
    """A folder that happens to be called data is none of ours unless it is in a checkout of the project."""
    (tmp_path / "data").mkdir()
    assert "this installation of medkg has no data/ folder" in find('assets.directory("data")')
    (tmp_path / "pyproject.toml").touch()
    assert find('assets.directory("data")') == str(tmp_path / "data")


def test_an_incomplete_installation_says_what_is_missing(find: Callable[[str], str], tmp_path: Path) -> None:
    """The error names the folder that is missing and where it was looked for."""
    assert find('assets.directory("shapes")') == (
        f"this installation of medkg has no shapes/ folder: looked in {tmp_path / 'src' / 'medkg' / 'shapes'}"
    )
