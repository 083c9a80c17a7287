"""What is installed is what is here: the wheel is complete, runs anywhere, and builds the same graph."""

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from medkg.services.build import Summary

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
IN_CI = os.environ.get("CI") == "true"  # noqa: TID251 - whether this run may take the time for a new environment
LOCKS = ("requirements.lock", "requirements-dev.lock")

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def _run(*command: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
    result = subprocess.run(  # type: ignore[call-overload]
        [str(part) for part in command], capture_output=True, text=True, check=False, timeout=600, **options
    )
    assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"
    return result  # type: ignore[no-any-return]


# --- The wheel -------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the checkout without a network."""
    folder = tmp_path_factory.mktemp("dist")
    _run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=ROOT)
    [wheel] = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="session")
def members(wheel: Path) -> frozenset[str]:
    """The names of the files in the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert [name for name, number in Counter(names).items() if number > 1] == []
    return frozenset(names)


def _files(folder: str) -> set[str]:
    """Return the files of a folder of the checkout, without what Python leaves beside its sources."""
    found = {str(path.relative_to(ROOT)) for path in (ROOT / folder).rglob("*") if path.is_file()}
    return {name for name in found if not re.search(r"(^|/)(__pycache__|\.\w+_cache)/", name)}


@pytest.mark.parametrize(
    ("folder", "inside"),
    [
        ("src/medkg", "medkg"),
        ("api/medkg_api", "medkg_api"),
        ("ontology", "medkg/ontology"),
        ("shapes", "medkg/shapes"),
        ("data", "medkg/data"),
    ],
)
def test_every_file_of_the_product_is_in_the_wheel(members: frozenset[str], folder: str, inside: str) -> None:
    """Code, templates, styles, ontology, shapes, data and questions are in the wheel, and no other file."""
    expected = {inside + name.removeprefix(folder) for name in _files(folder)}
    others = ("medkg/ontology/", "medkg/shapes/", "medkg/data/") if inside == "medkg" else ()
    assert {
        name for name in members if name.startswith(inside + "/") and not name.startswith(others)
    } == expected


def test_the_wheel_holds_nothing_else(members: frozenset[str]) -> None:
    """Two packages and the metadata: nothing at the top that another project could call its own."""
    assert {name.partition("/")[0] for name in members} == {
        "medkg",
        "medkg_api",
        f"medkg-{PROJECT['version']}.dist-info",
    }
    assert not [name for name in members if re.search(r"\.pyc$|__pycache__|\.tmp|~$|_cache/", name)]


@pytest.mark.parametrize(
    "name",
    [
        "medkg/py.typed",
        "medkg_api/py.typed",
        "medkg/ontology/medkg.ttl",
        "medkg/ontology/vocab/theme.ttl",
        "medkg/shapes/common.ttl",
        "medkg/data/catalog.ttl",
        "medkg/data/nuts.ttl",
        "medkg/data/questions/01-actions-in-region.rq",
        "medkg/services/reports/report.schema.json",
        "medkg/services/reports/texts.toml",
        "medkg/services/reports/templates/report.html",
        "medkg_api/templates/base.html",
        "medkg_api/static/medkg.css",
        f"medkg-{PROJECT['version']}.dist-info/licenses/LICENSE",
        f"medkg-{PROJECT['version']}.dist-info/licenses/LICENSE-DATA",
    ],
)
def test_what_must_not_be_missing(members: frozenset[str], name: str) -> None:
    """The files without which the product does not work, or may not be given away, are there by name."""
    assert name in members


def test_the_folders_of_rdf_hold_no_python() -> None:
    """A Python file in ontology/, shapes/ or data/ would make an editable install impossible."""
    assert [
        name for folder in ("ontology", "shapes", "data") for name in _files(folder) if name.endswith(".py")
    ] == []


# --- The wheel at work -----------------------------------------------------------------------------


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, installed into a folder of its own; its dependencies are those of the tests."""
    target = tmp_path_factory.mktemp("installed")
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-compile")
    _run(*pip, "--target", target, wheel, cwd=target)
    return target


@pytest.fixture(scope="session")
def run_installed(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run a Python of the tests on the installed wheel, outside the checkout."""
    folder = tmp_path_factory.mktemp("elsewhere")
    home = tmp_path_factory.mktemp("home")
    environment = {
        "PYTHONPATH": str(installed),
        "HOME": str(home),
        "PATH": "/usr/bin:/bin",
        "LC_ALL": "C.UTF-8",
    }

    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return _run(sys.executable, *arguments, cwd=folder, env=environment)

    return run


def test_the_installed_packages_are_those_that_run(run_installed: Run, installed: Path) -> None:
    """Both packages and the RDF folders come from the installation, and the data folder is the user's."""
    code = (
        "import medkg, medkg_api; from medkg import assets, config;"
        "print(medkg.__file__, medkg_api.__file__, *map(assets.directory, ('ontology', 'shapes', 'data')),"
        " config.load().data_dir, medkg.__version__)"
    )
    *paths, data_dir, version = run_installed("-c", code).stdout.split()
    assert len(paths) == 5
    assert all(Path(path).is_relative_to(installed) for path in paths)
    assert data_dir.endswith("/.local/share/medkg")
    assert version == PROJECT["version"]


@pytest.mark.parametrize("script", sorted(PROJECT["scripts"]))
def test_every_script_answers_for_help(run_installed: Run, installed: Path, script: str) -> None:
    """Each command that an installation brings runs and says how it is used."""
    assert "Usage: medkg" in run_installed(installed / "bin" / script, "--help").stdout
    assert run_installed("-m", "medkg", "--version").stdout == f"medkg {PROJECT['version']}\n"


def test_the_installed_wheel_builds_the_same_graph(
    run_installed: Run, tmp_path: Path, summary: Summary
) -> None:
    """A build outside the checkout gives the same canonical N-Quads as one inside, and can be asked."""
    built = run_installed("-m", "medkg", "build", "--data-dir", tmp_path)
    assert f"SHA-256 of the canonical N-Quads: {summary.sha256}\n" in built.stdout
    asked = run_installed("-m", "medkg", "query", "--data-dir", tmp_path, "--format", "csv", "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }")  # fmt: skip  # noqa: E501
    assert asked.stdout.split() == ["n", str(summary.merged)]


@pytest.mark.skipif(not IN_CI, reason="a new environment with all dependencies is made in CI alone (CI=true)")
def test_an_empty_environment_needs_nothing_but_the_lock(
    wheel: Path, tmp_path: Path, summary: Summary
) -> None:
    """In a new environment, the locked dependencies and the wheel are all that a build and a query need."""
    environment = tmp_path / "venv"
    _run(sys.executable, "-m", "venv", environment)
    python, medkg = environment / "bin" / "python", environment / "bin" / "medkg"
    pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    _run(*pip, "--require-hashes", "-r", ROOT / "requirements.lock", cwd=tmp_path)
    _run(*pip, "--no-deps", "--no-index", wheel, cwd=tmp_path)
    _run(python, "-m", "pip", "check", cwd=tmp_path)
    built = _run(medkg, "build", "--data-dir", tmp_path / "var", cwd=tmp_path)
    assert summary.sha256 in built.stdout
    asked = _run(
        medkg, "query", "--data-dir", tmp_path / "var", "ASK { ?s a medkg:Partnership }", cwd=tmp_path
    )
    assert asked.stdout == "yes\n"


# --- Version and locks -----------------------------------------------------------------------------


def test_the_version_is_the_newest_of_the_changelog() -> None:
    """The newest version of the changelog is that of the project; versions are dated, newest first."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## \[(?P<version>[^\]]+)\](?: - (?P<date>\S+))?", text, re.MULTILINE)
    released = [(version, day) for version, day in headings if version != "Unreleased"]
    assert released[0][0] == PROJECT["version"]
    assert all(re.fullmatch(r"\d{4}-\d{2}-\d{2}", day) for _, day in released)
    numbers = [tuple(map(int, version.split("."))) for version, _ in released]
    assert numbers == sorted(set(numbers), reverse=True)


def _requirements(name: str) -> dict[str, str]:
    """Return the text of each requirement of a lock file by the name and version that it pins."""
    lines = [
        line for line in (ROOT / name).read_text(encoding="utf-8").splitlines() if not line.startswith("#")
    ]
    entries = re.split(r"\n(?=\S)", "\n".join(lines))
    return {entry.split(" ", 1)[0]: entry for entry in entries if entry.strip()}


@pytest.mark.parametrize("name", LOCKS)
def test_every_requirement_is_pinned_with_hashes(name: str) -> None:
    """Each entry of a lock names one version and the hashes of its files."""
    requirements = _requirements(name)
    assert len(requirements) > 30
    for pinned, entry in requirements.items():
        assert re.fullmatch(r"[a-z0-9][a-z0-9.-]*(\[[a-z,]+\])?==[A-Za-z0-9.+!]+", pinned), pinned
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), pinned


@pytest.mark.parametrize("name", LOCKS)
def test_no_lock_names_a_registry(name: str) -> None:
    """A lock says what is installed, never from where: that is for each machine to say."""
    text = (ROOT / name).read_text(encoding="utf-8")
    assert (
        re.search(r"://|--(extra-)?index-url|--find-links|--trusted-host| @ |^-", text, re.MULTILINE) is None
    )


def test_the_locks_agree() -> None:
    """The development lock holds all that the other one does, in the same versions."""
    run, dev = (set(_requirements(name)) for name in LOCKS)
    assert run < dev


def test_the_locks_hold_what_the_project_needs() -> None:
    """Each declared dependency is in the lock, so that a new one can't be forgotten there."""
    locked = {re.split(r"[=\[]", pinned)[0] for pinned in _requirements("requirements.lock")}
    declared = {re.split(r"[^A-Za-z0-9-]", entry)[0].lower() for entry in PROJECT["dependencies"]}
    assert declared - locked == set()
