"""services/tokens.py: a request is let in by its token alone, and only as far as its role goes."""

import os
import pwd
import string
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from medkg.domain.errors import Conflict, Forbidden, NotFound, ParameterError, StoreFailed, Unauthorized
from medkg.domain.model import Author, Commit, Role
from medkg.services import tokens
from medkg.state import audit
from medkg.state.database import Database

ROOT = Author("root", Role.ADMIN)
SETTING = "correct-horse-battery-staple"
VISIBLE = "".join(map(chr, range(0x21, 0x7F)))


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A database that is not changed."""
    with Database.open(tmp_path_factory.mktemp("var")) as database:
        tokens.create(database, ROOT, "bystander", Role.ADMIN)
        yield database


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Database]:
    """An empty database for a test that changes it."""
    with Database.open(tmp_path) as database:
        yield database


def _trail(database: Database) -> list[tuple[str, str, str, str]]:
    with database.reading() as connection:
        return [(e.actor, e.action, e.target, e.detail) for e in audit.recent(connection, 100)][::-1]


# --- Who it is -------------------------------------------------------------------------------------


def test_without_a_header_there_is_nobody(database: Database) -> None:
    """A request without the header is anonymous, which is no error: most of the service is open."""
    assert tokens.authorize(None, database, SETTING) is None


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("header", ["Bearer {}", "bearer {}", "BEARER {}", "bEaReR   {}", "Bearer {} "])
def test_a_token_names_its_author(own: Database, header: str, role: Role) -> None:
    """The author of a request has the name and the role of its token; the case of the scheme is free."""
    _, secret = tokens.create(own, ROOT, "ada", role)
    assert tokens.authorize(header.format(secret), own, SETTING) == Author("ada", role)


@pytest.mark.parametrize(
    "header",
    [
        "",
        " ",
        "Bearer",
        "Bearer ",
        "Bearer\t{}",
        " Bearer {}",
        "Bearer{}",
        "Bearer: {}",
        "Bearer {} {}",
        "Bearer {}, {}",
        "Bearer {},Basic eA==",
        "Basic {}",
        "Token {}",
        "{}",
        "Basic eA==, Bearer {}",
        "Bearer {}\n",
        "Bearer {}\r\nX: y",
        "Bearer {}\0",
        'Bearer "{}"',
        "Bearer {}é",
        "\uff22earer {}",
        "Bearer\u00a0{}",
        "Bearer token={}",
    ],
)
@pytest.mark.parametrize("with_setting", [True, False])
def test_any_other_header_is_refused(own: Database, header: str, with_setting: bool) -> None:
    """A header that is not exactly one bearer token is refused with what to do, not taken for nobody."""
    _, secret = tokens.create(own, ROOT, "ada", Role.ADMIN)
    given_header = header.replace("{}", SETTING if with_setting else secret)
    with pytest.raises(Unauthorized, match=r"Send the header|Ask an administrator") as caught:
        tokens.authorize(given_header, own, SETTING)
    assert SETTING not in str(caught.value)
    assert secret not in str(caught.value)


@given(st.text() | st.from_regex(r"(?i)bearer +[\x20-\x7e]*", fullmatch=True))
@example("Bearer \ud800")
@example("Bearer medkg_000000000000_" + "A" * 43)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_header_gets_in_by_chance(database: Database, header: str) -> None:
    """Whatever stands in the header, it is refused in words, and nothing breaks."""
    with pytest.raises(Unauthorized):
        tokens.authorize(header, database, SETTING)


@given(
    st.text(VISIBLE, min_size=24, max_size=60),
    st.sampled_from(["Bearer", "bearer", "BEARER"]),
    st.integers(1, 3),
    st.integers(0, 59),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_the_setting_lets_an_administrator_in(
    database: Database, secret: str, scheme: str, spaces: int, place: int
) -> None:
    """The token of the setting is an administrator's; with one character changed, it is nobody's."""
    header = scheme + " " * spaces
    assert tokens.authorize(header + secret, database, secret) == Author("admin (setting)", Role.ADMIN)

    place %= len(secret)
    wrong = secret[:place] + chr((ord(secret[place]) - 0x21 + 1) % 94 + 0x21) + secret[place + 1 :]
    for other in (wrong, secret[:-1], secret + "!"):
        with pytest.raises(Unauthorized):
            tokens.authorize(header + other, database, secret)


@pytest.mark.parametrize("setting", [None, ""])
@pytest.mark.parametrize("header", ["Bearer None", "Bearer ", "Bearer medkg", f"Bearer {SETTING}"])
def test_without_the_setting_nothing_stands_for_it(
    database: Database, header: str, setting: str | None
) -> None:
    """A setting that is not set lets nobody in, whatever is sent."""
    with pytest.raises(Unauthorized):
        tokens.authorize(header, database, setting)


def test_a_revoked_token_lets_nobody_in(own: Database) -> None:
    """A revoked token is refused from the next request on, in the same words as one that never was."""
    token, secret = tokens.create(own, ROOT, "ada", Role.STEWARD)
    assert tokens.authorize(f"Bearer {secret}", own, None) is not None
    tokens.revoke(own, ROOT, "ada")

    said = set()
    for text in (secret, f"medkg_{token.id}_{'A' * 43}", "nonsense"):
        with pytest.raises(Unauthorized) as caught:
            tokens.authorize(f"Bearer {text}", own, None)
        said.add(str(caught.value))
    assert said == {"The access token is not known, or it was revoked. Ask an administrator for a new one."}


def test_threads_may_ask_at_a_time(own: Database) -> None:
    """Requests in many threads are all told who they are, while tokens are made and revoked."""
    _, secret = tokens.create(own, ROOT, "ada", Role.STEWARD)

    def ask(number: int) -> Author | None:
        if number % 20 == 0:
            tokens.create(own, ROOT, f"t{number}", Role.SUBMITTER)
            tokens.revoke(own, ROOT, f"t{number}")
        return tokens.authorize(f"Bearer {secret}", own, None)

    with ThreadPoolExecutor(32) as pool:
        assert set(pool.map(ask, range(400))) == {Author("ada", Role.STEWARD)}


def test_a_database_that_fails_lets_nobody_in(tmp_path: Path) -> None:
    """A token that can't be looked up is a failure of the service; its holder is neither known nor nobody."""
    with Database.open(tmp_path) as database:
        token, secret = tokens.create(database, ROOT, "ada", Role.STEWARD)
        with database.writing() as connection:
            connection.exec_driver_sql("DROP TABLE tokens")
        with pytest.raises(StoreFailed) as caught:
            tokens.authorize(f"Bearer {secret}", database, SETTING)
        assert token.id not in f"{caught.value} {caught.value.__cause__}"
        assert tokens.authorize(f"Bearer {SETTING}", database, SETTING) == Author(
            "admin (setting)", Role.ADMIN
        )


# --- What it may do --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("has", "may"),
    [
        (Role.ADMIN, {Role.ADMIN, Role.STEWARD, Role.SUBMITTER}),
        (Role.STEWARD, {Role.STEWARD, Role.SUBMITTER}),
        (Role.SUBMITTER, {Role.SUBMITTER}),
    ],
)
@pytest.mark.parametrize("needed", list(Role))
def test_a_role_includes_the_lesser_ones(has: Role, may: set[Role], needed: Role) -> None:
    """An administrator may do all, a steward what submitters may, a submitter that alone."""
    author = Author("ada", has)
    if needed in may:
        assert tokens.require(author, needed) is author
    else:
        with pytest.raises(Forbidden, match=f"needs the role {needed}, and the token has the role {has}"):
            tokens.require(author, needed)


@pytest.mark.parametrize("needed", list(Role))
def test_nobody_has_no_role(needed: Role) -> None:
    """An anonymous request is told which role it needs and how to send a token."""
    with pytest.raises(Unauthorized, match=rf"role {needed}\. Send the header `Authorization: Bearer TOKEN`"):
        tokens.require(None, needed)


# --- Making and revoking ---------------------------------------------------------------------------


def test_what_is_done_to_tokens_is_on_the_trail(own: Database) -> None:
    """Who made and who revoked a token is recorded, with its role and id, and without its secret."""
    token, secret = tokens.create(own, ROOT, "veneto", Role.SUBMITTER, "veneto-health")
    assert token.created_by == "root"
    revoked = tokens.revoke(own, Author("eve", Role.ADMIN), "veneto")

    assert revoked.id == token.id
    assert _trail(own) == [
        ("root", "token create", "veneto", f"id {token.id}, role submitter, namespace veneto-health"),
        ("eve", "token revoke", "veneto", f"id {token.id}, role submitter"),
    ]
    assert secret not in str(_trail(own))


def test_what_fails_is_not_on_the_trail(own: Database) -> None:
    """A token that could not be made or revoked leaves no entry, and the others as they were."""
    tokens.create(own, ROOT, "ada", Role.STEWARD)
    before = _trail(own)
    with pytest.raises(Conflict):
        tokens.create(own, ROOT, "ada", Role.STEWARD)
    with pytest.raises(NotFound):
        tokens.revoke(own, ROOT, "bob")

    assert _trail(own) == before
    assert [token.name for token in tokens.listing(own)] == ["ada"]


@pytest.mark.parametrize(
    ("unchecked", "changed", "detail"),
    [
        (False, (), "changed: nothing"),
        (False, ("urn:a", "urn:b"), "changed: urn:a urn:b"),
        (True, ("urn:a",), "unchecked; changed: urn:a"),
        (False, ("urn:a",) * 20, "changed:" + " urn:a" * 20),
        (True, ("urn:a",) * 1000, "unchecked; changed:" + " urn:a" * 20 + " and 980 more"),
    ],
)
def test_a_write_is_on_the_trail(
    own: Database, unchecked: bool, changed: tuple[str, ...], detail: str
) -> None:
    """An accepted write is recorded with its version, the graphs it changed, and whether it was checked."""
    tokens.note(own, Author("ada", Role.ADMIN, unchecked), "update", "sparql", Commit(7, changed))

    assert _trail(own) == [("ada", "update", "sparql", detail)]
    with own.reading() as connection:
        assert audit.recent(connection, 1)[0].version == 7


@pytest.mark.parametrize("role", [Role.STEWARD, Role.SUBMITTER])
def test_tokens_are_the_business_of_administrators(own: Database, role: Role) -> None:
    """Nobody gains a role by making a token: only an administrator makes and revokes them."""
    tokens.create(own, ROOT, "ada", Role.ADMIN)
    with pytest.raises(Forbidden):
        tokens.create(own, Author("eve", role), "mallory", Role.SUBMITTER)
    with pytest.raises(Forbidden):
        tokens.revoke(own, Author("eve", role), "ada")

    assert [token.name for token in tokens.listing(own, revoked=True)] == ["ada"]


@pytest.mark.parametrize(
    "name", ["a", "veneto", "Ada.Lovelace", "ci-bot_2", "ada@example.org", "9", "a" * 64]
)
def test_names_that_can_be_used(own: Database, name: str) -> None:
    """Names of people, machines and regions, and addresses, can be names of tokens."""
    assert tokens.create(own, ROOT, name, Role.STEWARD)[0].name == name


@pytest.mark.parametrize(
    "name",
    ["", " ", "-f", ".", "a b", "ada\n", "admin (setting)", "Śląskie", "a/b", "a,b", "a" * 65, "a\0", "<b>"],
)
def test_names_that_cannot_be_used(own: Database, name: str) -> None:
    """A name that could be taken for an option, for the setting, or for two names is refused."""
    with pytest.raises(ParameterError, match="can't be the name of a token") as caught:
        tokens.create(own, ROOT, name, Role.STEWARD)
    assert caught.value.name == "name"
    assert tokens.listing(own, revoked=True) == ()


@given(st.text(string.ascii_lowercase + string.digits + "-", min_size=1, max_size=70))
@example("a" * 64)
@example("a" * 65)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_namespace_is_a_slug(database: Database, namespace: str) -> None:
    """A namespace is made of words of a-z and 0-9 with single hyphens between them, at most 64 in all."""
    good = all(namespace.split("-")) and len(namespace) <= 64
    with nullcontext() if good else pytest.raises(ParameterError, match="can't be a namespace"):
        token, _ = tokens.create(database, ROOT, "example", Role.SUBMITTER, namespace)
        tokens.revoke(database, ROOT, "example")
        assert token.namespace == namespace


@pytest.mark.parametrize("namespace", ["", "Veneto", "a b", "a/b", "é", "a\n", "https://example.org/"])
def test_other_namespaces_are_refused(own: Database, namespace: str) -> None:
    """What can't stand in the IRI of an entity can't be a namespace."""
    with pytest.raises(ParameterError, match="can't be a namespace"):
        tokens.create(own, ROOT, "ada", Role.SUBMITTER, namespace)


@pytest.mark.parametrize("role", [Role.ADMIN, Role.STEWARD])
def test_only_submitters_have_a_namespace(own: Database, role: Role) -> None:
    """A namespace on a token that is not bound by it would mislead; it is refused."""
    with pytest.raises(ParameterError, match=f"role {role} has no namespace"):
        tokens.create(own, ROOT, "ada", role, "veneto")


def test_whoever_runs_the_command_is_an_administrator(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line acts as the user of the system, by name or number; the environment can't rename it."""
    monkeypatch.setenv("USER", "mallory")
    monkeypatch.setenv("LOGNAME", "mallory")
    expected = pwd.getpwuid(os.geteuid()).pw_name
    assert tokens.local_author() == Author(f"{expected} (command line)", Role.ADMIN)

    monkeypatch.setattr(os, "geteuid", lambda: 2_000_000_123)
    assert tokens.local_author() == Author("user 2000000123 (command line)", Role.ADMIN)
