"""cli_tokens.py: `medkg token` makes, lists and revokes tokens; a secret is printed once, alone."""

import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import typer

from medkg import cli, cli_tokens
from medkg.domain.errors import Unauthorized
from medkg.domain.model import Author, Role
from medkg.services import tokens
from medkg.state.database import Database


@dataclass(frozen=True)
class Ended:
    """How a call ended: exit code, standard output, standard error."""

    code: int
    out: str
    err: str


Run = Callable[..., Ended]


@pytest.fixture
def data_folder(tmp_path: Path) -> Path:
    """A data folder that is not there yet."""
    return tmp_path / "var"


@pytest.fixture
def run(data_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """A caller of the command line, in process, on a data folder of its own."""
    group = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
    group.add_typer(cli_tokens.app)
    monkeypatch.setattr(cli, "app", group)
    monkeypatch.setenv("MEDKG_DATA_DIR", str(data_folder))
    monkeypatch.delenv("MEDKG_DATABASE_URL", raising=False)

    def call(*arguments: object) -> Ended:
        monkeypatch.setattr(sys, "argv", ["medkg", "token", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        code = stopped.value.code
        assert isinstance(code, int)
        return Ended(code, *capsys.readouterr())

    return call


@pytest.mark.parametrize("command", ["create", "list", "revoke"])
def test_every_command_has_help_with_an_example(run: Run, command: str) -> None:
    """`--help` says what the command does, and shows a call of it."""
    ended = run(command, "--help")

    assert ended.code == 0
    assert f"Usage: medkg token {command}" in ended.out
    assert f"Example: medkg token {command}" in ended.out


def test_without_a_command_there_is_help(run: Run) -> None:
    """`medkg token` alone shows what there is."""
    ended = run()

    assert all(f"  {name} " in ended.out + ended.err for name in ("create", "list", "revoke"))


def test_a_secret_stands_alone_on_standard_output(run: Run, data_folder: Path) -> None:
    """What a script reads from `create` is the secret and nothing else; it works, and it is told what for."""
    ended = run("create", "ada", "--role", "steward")

    assert ended.code == 0
    assert re.fullmatch(r"medkg_[0-9a-f]{12}_[\w-]{43}\n", ended.out)
    assert "The token ada has the role steward. It is shown this once; keep it secret.\n" in ended.err
    assert ended.out.strip() not in ended.err
    with Database.open(data_folder) as database:
        author = tokens.authorize(f"Bearer {ended.out.strip()}", database, None)
    assert author == Author("ada", Role.STEWARD)


def test_no_other_command_shows_a_secret(run: Run) -> None:
    """Neither lists nor messages hold a secret, nor its hash."""
    secret = run("create", "ada", "--role", "admin").out.strip()
    said = [run("list"), run("list", "--format", "json"), run("create", "ada", "--role", "admin")]
    said += [run("revoke", "ada"), run("list", "--all", "--format", "json")]

    assert secret.rpartition("_")[2] not in str(said)
    assert not re.search(r"[0-9a-f]{64}", str(said))


def test_the_list_as_a_table(run: Run) -> None:
    """The list shows name, role, namespace and who made it when; the revoked ones only with --all."""
    run("create", "veneto", "--role", "submitter", "--namespace", "veneto-health")
    run("create", "bob", "--role", "steward")
    run("revoke", "bob")

    header, row = run("list").out.splitlines()
    assert header.split() == ["Name", "Role", "Namespace", "Id", "Created", "Created", "by", "Revoked"]
    assert row.split()[:3] == ["veneto", "submitter", "veneto-health"]
    assert tokens.local_author().name in row
    assert [line.split()[0] for line in run("list", "--all").out.splitlines()] == ["Name", "bob", "veneto"]


def test_the_list_as_json(run: Run) -> None:
    """The list as JSON has a member for each column; times have their zone, what is missing is null."""
    run("create", "bob", "--role", "steward")
    run("create", "veneto", "--role", "submitter", "--namespace", "veneto")
    run("revoke", "bob")

    [found] = json.loads(run("list", "--format", "json").out)
    assert list(found) == ["name", "role", "namespace", "id", "created", "created_by", "revoked"]
    assert (found["name"], found["role"], found["namespace"]) == ("veneto", "submitter", "veneto")
    assert found["revoked"] is None
    bob, _ = json.loads(run("list", "--all", "--format", "json").out)
    assert bob["namespace"] is None
    assert all(
        re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", bob[name]) for name in ("created", "revoked")
    )


def test_an_empty_list(run: Run) -> None:
    """Where all tokens are revoked, the table says that there are none, and JSON is an empty list."""
    run("create", "ada", "--role", "steward")
    run("revoke", "ada")

    assert run("list") == Ended(0, "no rows\n", "")
    assert run("list", "--format", "json") == Ended(0, "[]\n", "")


def test_a_revoked_token_is_refused(run: Run, data_folder: Path) -> None:
    """`revoke` says that it is done; the secret is of no use to a service that is already running."""
    secret = run("create", "ada", "--role", "steward").out.strip()
    with Database.open(data_folder) as service:
        assert tokens.authorize(f"Bearer {secret}", service, None) is not None
        assert run("revoke", "ada") == Ended(0, "The token ada is revoked.\n", "")
        with pytest.raises(Unauthorized):
            tokens.authorize(f"Bearer {secret}", service, None)


def test_the_option_names_the_folder(run: Run, data_folder: Path, tmp_path: Path) -> None:
    """--data-dir is another data folder than that of the setting, for each of the commands."""
    other = tmp_path / "other"
    assert run("create", "ada", "--role", "steward", "--data-dir", other).code == 0
    assert "ada" in run("list", "--data-dir", other).out
    assert run("revoke", "ada", "--data-dir", other).code == 0
    assert [path.name for path in other.iterdir()] == ["state.sqlite"]
    assert not data_folder.exists()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("create", "ada", "--role", "steward"), 1, "There is a token 'ada' already. Revoke it first"),
        (("create", "a b", "--role", "steward"), 1, "'a b' can't be the name of a token."),
        (("create", "bob", "--role", "submitter", "--namespace", "A"), 1, "'A' can't be a namespace."),
        (("create", "bob", "--role", "admin", "--namespace", "a"), 1, "role admin has no namespace."),
        (("revoke", "bob"), 1, "There is no living token 'bob'."),
        (("list", "--data-dir", "/dev/null/var"), 3, "There is no operational database yet."),
        (("create", "ada", "--role", "admin", "--data-dir", "/dev/null"), 3, "can't be opened"),
    ],
)
def test_what_fails_is_one_line(run: Run, arguments: tuple[str, ...], code: int, message: str) -> None:
    """A mistake is one line on standard error and an exit code; standard output stays empty."""
    run("create", "ada", "--role", "steward")
    ended = run(*arguments)

    assert (ended.code, ended.out) == (code, "")
    assert ended.err.startswith("medkg: ")
    assert message in ended.err
    assert ended.err.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("create",),
        ("create", "ada"),
        ("create", "ada", "--role", "owner"),
        ("create", "--role", "steward"),
        ("list", "--format", "xml"),
        ("revoke",),
        ("renew", "ada"),
    ],
)
def test_a_wrong_call_is_told_how(run: Run, arguments: tuple[str, ...], data_folder: Path) -> None:
    """A call that misses something, or has something unknown, ends with 2 and leaves no trace."""
    ended = run(*arguments)

    assert (ended.code, ended.out) == (2, "")
    assert "Usage: medkg token" in ended.err
    assert not data_folder.exists()


def test_the_setting_names_the_database(
    run: Run, data_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With MEDKG_DATABASE_URL the tokens are there, and a bad one is a line without what it says."""
    monkeypatch.setenv("MEDKG_DATABASE_URL", f"sqlite:///{tmp_path}/elsewhere.sqlite")
    assert run("create", "ada", "--role", "steward").code == 0
    assert "ada" in run("list").out
    assert (tmp_path / "elsewhere.sqlite").is_file()
    assert not data_folder.exists()

    monkeypatch.setenv("MEDKG_DATABASE_URL", "mysql://medkg:geheim@localhost/medkg")
    ended = run("list")
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert "geheim" not in ended.err


@pytest.mark.parametrize("command", [("list",), ("revoke", "ada")])
def test_only_create_makes_a_database(run: Run, command: tuple[str, ...], data_folder: Path) -> None:
    """A mistyped folder is not made by a command that has nothing to put in it."""
    ended = run(*command)

    assert ended.code == 3
    assert "There is no operational database yet. Run `medkg token create` first." in ended.err
    assert not data_folder.exists()
