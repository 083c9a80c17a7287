"""state/tokens.py: a secret finds its own token until that is revoked, and is not stored."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from medkg.domain.errors import Conflict, NotFound
from medkg.domain.model import Role
from medkg.state import tokens
from medkg.state.database import Database
from medkg.state.tokens import Token


def _create(database: Database, name: str = "ada", role: Role = Role.STEWARD) -> tuple[Token, str]:
    with database.writing() as connection:
        return tokens.create(connection, name, role, namespace=None, created_by="root")


def _find(database: Database, secret: str) -> Token | None:
    with database.reading() as connection:
        return tokens.find(connection, secret)


def _revoke(database: Database, name: str = "ada") -> Token:
    with database.writing() as connection:
        return tokens.revoke(connection, name)


def _names(database: Database, *, revoked: bool = False) -> list[str]:
    with database.reading() as connection:
        return [token.name for token in tokens.listing(connection, revoked=revoked)]


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("namespace", [None, "veneto"])
def test_a_secret_finds_its_token(database: Database, role: Role, namespace: str | None) -> None:
    """All that was said of a token when it was made is known of it afterwards."""
    with database.writing() as connection:
        token, secret = tokens.create(connection, "ada", role, namespace=namespace, created_by="root")

    assert _find(database, secret) == token
    assert (token.name, token.role, token.namespace, token.created_by) == ("ada", role, namespace, "root")
    assert token.revoked is None
    assert abs(datetime.now(UTC) - token.created) < timedelta(minutes=1)


def test_no_two_secrets_are_alike(database: Database) -> None:
    """Each secret says what it is for, carries its id and 256 bits of its own, and fits a header as it is."""
    made = [_create(database, f"t{number}") for number in range(50)]
    parts = [secret.split("_", 2) for _, secret in made]

    assert [part[:2] for part in parts] == [["medkg", token.id] for token, _ in made]
    assert all(len(part[2]) == 43 for part in parts)
    assert len({part[1] for part in parts}) == len({part[2] for part in parts}) == 50
    assert all(secret.isascii() and secret.isprintable() and " " not in secret for _, secret in made)


def test_a_secret_is_not_stored(data_folder: Path) -> None:
    """Whoever reads the file of the database finds no secret in it."""
    with Database.open(data_folder) as database:
        _, secret = _create(database)
        files = b"".join(path.read_bytes() for path in data_folder.iterdir())

    assert b"ada" in files
    assert secret.rpartition("_")[2].encode() not in files


def test_only_the_whole_secret_will_do(database: Database) -> None:
    """A secret with any character changed, cut short, lengthened, or behind another id, finds nothing."""
    (_, secret), (other, _) = _create(database), _create(database, "bob")
    wrong = [
        secret[:place] + ("A" if letter != "A" else "B") + secret[place + 1 :]
        for place, letter in enumerate(secret)
    ]
    wrong += [
        secret[:-1],
        secret + "A",
        secret.upper(),
        f" {secret}",
        f"{secret}\n",
        secret.partition("_")[2],
    ]
    wrong += [f"medkg_{other.id}_{secret.split('_', 2)[2]}"]

    assert {text for text in wrong if _find(database, text) is not None} == set()
    assert _find(database, secret) is not None


@pytest.fixture(scope="module")
def with_token(tmp_path_factory: pytest.TempPathFactory) -> Database:
    """A database with a token in it that nobody knows."""
    database = Database.open(tmp_path_factory.mktemp("var"))
    _create(database)
    return database


@given(st.text() | st.from_regex(r"medkg_[0-9a-f]{12}_[A-Za-z0-9_-]{43}", fullmatch=True))
@example("\ud800")
@example("\0")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_text_finds_a_token_by_chance(with_token: Database, text: str) -> None:
    """Whatever is sent as a secret, nothing is found and nothing breaks."""
    assert _find(with_token, text) is None


def test_a_name_belongs_to_one_living_token(database: Database) -> None:
    """A second token of a name is refused with what to do; the first one goes on working."""
    _, secret = _create(database)
    with pytest.raises(Conflict, match=r"a token 'ada' already\. Revoke it first, or choose another name\."):
        _create(database, role=Role.ADMIN)

    assert _names(database) == ["ada"]
    assert getattr(_find(database, secret), "role", None) is Role.STEWARD


def test_a_revoked_token_is_of_no_use(database: Database) -> None:
    """From its revocation on, a secret finds nothing, and the token says when that was."""
    token, secret = _create(database)
    _, other = _create(database, "bob")
    revoked = _revoke(database)

    assert _find(database, secret) is None
    assert _find(database, other) is not None
    assert revoked.id == token.id
    assert revoked.revoked is not None
    assert revoked.revoked >= token.created


def test_a_name_is_free_again_after_its_token(database: Database) -> None:
    """A name can be given again once its token is revoked, again and again, and old secrets stay dead."""
    secrets = []
    for _ in range(3):
        secrets.append(_create(database)[1])
        _revoke(database)
    _, last = _create(database)

    assert [_find(database, secret) for secret in secrets] == [None] * 3
    assert _find(database, last) is not None
    assert _names(database) == ["ada"]
    assert _names(database, revoked=True) == ["ada"] * 4


@pytest.mark.parametrize("name", ["bob", "Ada", "ada ", "", "a%", "' OR 1=1 --"])
def test_only_a_living_token_can_be_revoked(database: Database, name: str) -> None:
    """A name that no living token has, to the letter, is not found, and nothing is revoked."""
    _create(database)
    _create(database, "bob")
    _revoke(database, "bob")

    with pytest.raises(NotFound, match=r"no living token .*See `medkg token list --all`"):
        _revoke(database, name)
    assert _names(database) == ["ada"]


def test_the_list_is_in_order(database: Database) -> None:
    """Tokens are listed by name; those that were revoked only when they are asked for."""
    for name in ("carol", "ada", "bob"):
        _create(database, name)
    _revoke(database, "bob")

    assert _names(database) == ["ada", "carol"]
    assert _names(database, revoked=True) == ["ada", "bob", "carol"]


def test_one_of_many_gets_the_name(database: Database) -> None:
    """Of several that make or revoke the token of one name at the same time, exactly one succeeds."""
    number = 8
    start = threading.Barrier(number)

    def attempt(make: bool) -> bool:
        start.wait()
        try:
            _create(database) if make else _revoke(database)
        except (Conflict, NotFound):
            return False
        return True

    with ThreadPoolExecutor(number) as pool:
        assert sum(pool.map(attempt, [True] * number)) == 1
        assert sum(pool.map(attempt, [False] * number)) == 1


@given(st.text(), st.text())
@example("", "")
@example("\ud800", "?")
@example("a\0", "a")
def test_secrets_are_the_same_or_not(one: str, other: str) -> None:
    """Two secrets are the same when they are the same text, whatever it is made of."""
    assert tokens.same_secret(one, other) == (one == other)
    assert tokens.same_secret(one, one)
