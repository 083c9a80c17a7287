"""state/schema.py: the migrations make the tables that the code uses, and moments keep their zone."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import sqlite

from medkg.domain.model import Role
from medkg.state import database as module
from medkg.state.database import Database
from medkg.state.glance import STEP, VERSION_TABLE
from medkg.state.schema import METADATA, TOKENS, UtcDateTime


def test_the_migrations_make_the_tables_of_the_code(database: Database) -> None:
    """A database made step by step has exactly the tables, columns and indexes of the code."""
    with database.reading() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": VERSION_TABLE, "compare_server_default": True}
        )
        assert compare_metadata(context, METADATA) == []


def _definitions(connection: sa.Connection) -> dict[str, list[str]]:
    """Return what a SQLite database says of its tables and indexes: the parts of each, in any order."""
    query = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite%'"
    return {
        name: sorted(part.strip() for part in re.split(r",\s(?![^()]*\)\s*[,)])|\n", sql) if part.strip())
        for name, sql in connection.exec_driver_sql(query)
    }


def test_the_rules_of_the_tables_are_those_of_the_code(data_folder: Path) -> None:
    """Checks, conditions of indexes and the numbering of rows, which Alembic does not compare, agree too."""
    plain = sa.create_engine("sqlite://")
    with plain.begin() as connection:
        METADATA.create_all(connection)
        expected = _definitions(connection)
    plain.dispose()

    with Database.open(data_folder) as database, database.reading() as connection:
        found = _definitions(connection)
    del found[VERSION_TABLE]
    assert found == expected


def test_the_steps_form_one_line() -> None:
    """The steps are numbered from 0001 without a gap, each after the one before, and say what they do."""
    steps = list(ScriptDirectory.from_config(module._migrations()).walk_revisions())[::-1]

    numbers = [f"{number:04}" for number in range(1, len(steps) + 1)]
    assert numbers[-1] == STEP
    assert [step.revision for step in steps] == numbers
    assert [step.down_revision for step in steps] == [None, *numbers[:-1]]
    assert all(step.doc and step.path.endswith(".py") for step in steps)
    assert all(f"/v{step.revision}_" in step.path for step in steps)


def test_every_step_can_be_undone(open_database: Callable[[], Database]) -> None:
    """Going down to nothing leaves no table, and opening the database goes all the way up again."""
    with open_database() as database, database.writing() as connection:
        config = module._migrations()
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
        assert set(sa.inspect(connection).get_table_names()) <= {VERSION_TABLE, "sqlite_sequence"}

    with open_database() as database, database.reading() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(TOKENS)) == 0


@pytest.mark.parametrize("role", [*Role, "owner", ""])
def test_a_token_has_a_role_that_there_is(database: Database, role: str) -> None:
    """The database itself takes the roles of the code, and no other."""
    row = {
        "id": "1",
        "name": "n",
        "role": str(role),
        "hash": "h",
        "created": datetime.now(UTC),
        "created_by": "c",
    }
    if role in set(Role):
        with database.writing() as connection:
            connection.execute(sa.insert(TOKENS).values(row))
    else:
        with pytest.raises(sa.exc.IntegrityError), database._writer.begin() as connection:
            connection.execute(sa.insert(TOKENS).values(row))


@given(
    st.datetimes(
        min_value=datetime(1970, 1, 2),  # noqa: DTZ001 - the zone is chosen apart
        max_value=datetime(2999, 1, 1),  # noqa: DTZ001
        timezones=st.integers(-14, 14).map(lambda hours: timezone(timedelta(hours=hours))),
    )
)
def test_a_moment_is_the_same_afterwards(moment: datetime) -> None:
    """Whatever zone a moment is given in, it comes back in UTC, with or without a stored zone."""
    column = UtcDateTime()
    stored = column.process_bind_param(moment, sqlite.dialect())

    assert stored is not None
    for kept in (stored, stored.replace(tzinfo=None)):
        found = column.process_result_value(kept, sqlite.dialect())
        assert found == moment
        assert found.tzinfo is UTC


def test_a_moment_without_a_zone_is_refused() -> None:
    """A moment that could be any of twenty-seven is not stored; none at all is none."""
    column = UtcDateTime()

    with pytest.raises(ValueError, match="has no time zone"):
        column.process_bind_param(datetime(2026, 1, 1), sqlite.dialect())  # noqa: DTZ001
    assert column.process_bind_param(None, sqlite.dialect()) is None
    assert column.process_result_value(None, sqlite.dialect()) is None
