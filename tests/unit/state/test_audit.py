"""state/audit.py: the trail keeps who did what, in order, whatever it is called."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from medkg.domain.model import Author, Role
from medkg.state import audit
from medkg.state.audit import Entry
from medkg.state.database import Database
from medkg.state.schema import AUDIT

ADA = Author("ada", Role.STEWARD)


def _recent(database: Database, limit: int = 1000) -> tuple[Entry, ...]:
    with database.reading() as connection:
        return audit.recent(connection, limit)


def test_an_entry_says_who_did_what(database: Database) -> None:
    """An entry has actor, role, action, target, version and detail as given, and its time in UTC."""
    with database.writing() as connection:
        audit.record(connection, ADA, "graph put", "https://example.org/g", version=7, detail="12 triples")
        audit.record(connection, Author("root", Role.ADMIN), "token create", "veneto")

    second, first = _recent(database)
    assert (first.actor, first.role, first.action) == ("ada", Role.STEWARD, "graph put")
    assert (first.target, first.version, first.detail) == ("https://example.org/g", 7, "12 triples")
    assert (second.actor, second.role, second.version, second.detail) == ("root", Role.ADMIN, None, "")
    assert first.time.tzinfo is UTC
    assert first.time <= second.time
    assert datetime.now(UTC) - first.time < timedelta(minutes=1)


@pytest.mark.parametrize(("limit", "expected"), [(0, ""), (1, "e"), (3, "edc"), (5, "edcba"), (99, "edcba")])
def test_the_newest_come_first(database: Database, limit: int, expected: str) -> None:
    """The last entries are given, as many as are asked for, the newest first."""
    for target in "abcde":
        with database.writing() as connection:
            audit.record(connection, ADA, "test", target)

    found = _recent(database, limit)
    assert "".join(entry.target for entry in found) == expected
    assert [entry.id for entry in found] == sorted((entry.id for entry in found), reverse=True)


def test_a_number_is_not_given_twice(open_database: Callable[[], Database]) -> None:
    """An entry that somebody deletes leaves a gap, which tells that something is missing."""
    for _ in range(2):
        with open_database() as database, database.writing() as connection:
            audit.record(connection, ADA, "test", "gone")
            [entry] = audit.recent(connection, 1)
            connection.execute(sa.delete(AUDIT))
    with open_database() as database, database.writing() as connection:
        audit.record(connection, ADA, "test", "here")
        assert [found.id for found in audit.recent(connection, 9)] == [entry.id + 1] == [3]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Śląskie, 東京, 🩺", "Śląskie, 東京, 🩺"),
        ("line\r\nline\ttab", "line\r\nline\ttab"),
        ("'); DROP TABLE audit; --", "'); DROP TABLE audit; --"),
        (":name %(name)s %s ?", ":name %(name)s %s ?"),
        ("a\0b", "a\ufffdb"),
        ("a\ud800b", "a?b"),
        ("x" * 100_000, "x" * 100_000),
    ],
)
def test_no_text_evades_the_trail(database: Database, text: str, kept: str) -> None:
    """Texts are kept as they are; what no database can store is replaced, and the rest is kept."""
    with database.writing() as connection:
        audit.record(connection, Author(text, Role.ADMIN), text, text, detail=text)

    [entry] = _recent(database)
    assert {entry.actor, entry.action, entry.target, entry.detail} == {kept}


@pytest.fixture(scope="module")
def one_file(tmp_path_factory: pytest.TempPathFactory) -> Database:
    """A database for many examples."""
    return Database.open(tmp_path_factory.mktemp("var"))


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0")), st.none() | st.integers(0, 2**31 - 1))
@example("", 0)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_what_is_recorded_is_read_again(one_file: Database, text: str, version: int | None) -> None:
    """Any text of Unicode comes back as it was given."""
    with one_file.writing() as connection:
        audit.record(connection, ADA, text, text, version=version, detail=text)

    [entry] = _recent(one_file, 1)
    assert (entry.action, entry.target, entry.detail, entry.version) == (text, text, text, version)
