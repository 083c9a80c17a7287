"""The audit trail: who did what, when, and to what; rows are added and never changed."""

from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from medkg.domain.model import Author, Role
from medkg.state.schema import AUDIT

__all__ = ["Entry", "recent", "record"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that was done; *version* is that of the graph that holds it, when it changed the graph."""

    id: int
    time: datetime
    actor: str
    role: Role
    action: str
    target: str
    version: int | None
    detail: str


def record(  # noqa: PLR0913 - the columns of a row
    connection: sa.Connection,
    author: Author,
    action: str,
    target: str,
    *,
    version: int | None = None,
    detail: str = "",
) -> None:
    """Add to the trail that *author* did *action* to *target*, in the transaction of *connection*."""
    texts = {"actor": author.name, "action": action, "target": target, "detail": detail}
    connection.execute(
        sa.insert(AUDIT).values(
            time=datetime.now(UTC),
            role=author.role.value,
            version=version,
            **{name: _storable(text) for name, text in texts.items()},
        )
    )


def recent(connection: sa.Connection, limit: int) -> tuple[Entry, ...]:
    """Return the last *limit* entries, the newest first."""
    rows = connection.execute(sa.select(AUDIT).order_by(AUDIT.c.id.desc()).limit(limit))
    return tuple(
        Entry(row.id, row.time, row.actor, Role(row.role), row.action, row.target, row.version, row.detail)
        for row in rows
    )


def _storable(text: str) -> str:
    """Replace what no database stores as text, so that no name that a client makes up evades the trail."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "\ufffd")
