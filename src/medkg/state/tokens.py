"""The access tokens: random secrets of which the database holds a hash."""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from medkg.domain.errors import Conflict, NotFound
from medkg.domain.model import Role
from medkg.state.schema import TOKENS

__all__ = ["Token", "create", "find", "listing", "revoke", "same_secret"]

_SECRET = re.compile(r"medkg_([0-9a-f]{12})_[A-Za-z0-9_-]{43}")
_ID_BYTES: Final = 6
_SECRET_BYTES: Final = 32
_LIVING: Final = TOKENS.c.revoked.is_(None)


@dataclass(frozen=True, slots=True)
class Token:
    """What is known of an access token; its secret is not."""

    id: str
    name: str
    role: Role
    namespace: str | None
    created: datetime
    created_by: str
    revoked: datetime | None = None


def create(
    connection: sa.Connection, name: str, role: Role, *, namespace: str | None, created_by: str
) -> tuple[Token, str]:
    """Store a new token, and return it with its secret, which can't be had again.

    :raises Conflict: a living token has that name.
    """
    token = Token(secrets.token_hex(_ID_BYTES), name, role, namespace, datetime.now(UTC), created_by)
    # The id in front finds the row, so that the comparison of secrets is one, in constant time.
    secret = f"medkg_{token.id}_{secrets.token_urlsafe(_SECRET_BYTES)}"
    values = {column: getattr(token, column) for column in Token.__slots__}
    try:
        connection.execute(sa.insert(TOKENS).values(**values, hash=_digest(secret)))
    except IntegrityError:
        raise Conflict(
            f"There is a token {name!r} already.", remedy="Revoke it first, or choose another name."
        ) from None
    return token, secret


def find(connection: sa.Connection, secret: str) -> Token | None:
    """Return the living token with that secret, or None."""
    match = _SECRET.fullmatch(secret)
    if match is None:
        return None
    row = connection.execute(sa.select(TOKENS).where(TOKENS.c.id == match[1], _LIVING)).one_or_none()
    if row is None or not hmac.compare_digest(row.hash, _digest(secret)):
        return None
    return _token(row)


def listing(connection: sa.Connection, *, revoked: bool = False) -> tuple[Token, ...]:
    """Return the living tokens, and with *revoked* the others too, by name and age."""
    query = sa.select(TOKENS).order_by(TOKENS.c.name, TOKENS.c.created, TOKENS.c.id)
    return tuple(map(_token, connection.execute(query if revoked else query.where(_LIVING))))


def revoke(connection: sa.Connection, name: str) -> Token:
    """Revoke the living token of that name, and return it.

    :raises NotFound: there is none.
    """
    # On PostgreSQL the row is held from here on; a SQLite writer holds the whole database.
    query = sa.select(TOKENS).where(TOKENS.c.name == name, _LIVING).with_for_update()
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound(f"There is no living token {name!r}.", remedy="See `medkg token list --all`.")
    change = sa.update(TOKENS).where(TOKENS.c.id == row.id).values(revoked=datetime.now(UTC))
    connection.execute(change)
    return _token(connection.execute(sa.select(TOKENS).where(TOKENS.c.id == row.id)).one())


def same_secret(one: str, other: str) -> bool:
    """Tell whether two secrets are equal, in a time that says nothing of where they differ."""
    return hmac.compare_digest(_digest(one), _digest(other))


def _digest(secret: str) -> str:
    # A slow hash keeps words that people choose from being guessed. 256 random bits can't be guessed at any
    # speed, and every request with a token pays for the hash.
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _token(row: sa.Row[Any]) -> Token:
    return Token(row.id, row.name, Role(row.role), row.namespace, row.created, row.created_by, row.revoked)
