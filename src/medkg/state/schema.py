"""The tables of the operational database, as the code of this version uses them.

A change here needs a migration in ``migrations/versions``; a test compares the two.
"""

from datetime import UTC, datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

__all__ = ["AUDIT", "METADATA", "TOKENS", "UtcDateTime"]


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """A moment in UTC, with its zone on the way in and on the way out; SQLite stores none."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the moment in UTC.

        :raises ValueError: it has no zone, so nobody knows which moment it is.
        """
        del dialect
        if value is not None and value.tzinfo is None:
            raise ValueError(f"{value} has no time zone")
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the moment with its zone."""
        del dialect
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


METADATA: Final = sa.MetaData(
    naming_convention={"pk": "pk_%(table_name)s", "ck": "ck_%(table_name)s_%(constraint_name)s"}
)

TOKENS: Final = sa.Table(
    "tokens",
    METADATA,
    sa.Column("id", sa.String(12), primary_key=True),
    sa.Column("name", sa.String(64), nullable=False),
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("namespace", sa.String(64)),
    sa.Column("hash", sa.String(64), nullable=False),
    sa.Column("created", UtcDateTime, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("revoked", UtcDateTime),
    sa.CheckConstraint("role IN ('admin', 'steward', 'submitter')", name="role"),
    # A name is free again once its token is revoked.
    sa.Index(
        "ix_tokens_living_name",
        "name",
        unique=True,
        sqlite_where=sa.text("revoked IS NULL"),
        postgresql_where=sa.text("revoked IS NULL"),
    ),
)

AUDIT: Final = sa.Table(
    "audit",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("time", UtcDateTime, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("target", sa.Text, nullable=False),
    sa.Column("version", sa.Integer),
    sa.Column("detail", sa.Text, nullable=False),
    # Without it, SQLite gives the number of a deleted last row to the next one.
    sqlite_autoincrement=True,
)
