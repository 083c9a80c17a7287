"""Access tokens: who a request comes from, what that role may do, and the trail of what was done with it."""

import os
import pwd
import re
from typing import Final

from medkg.domain.errors import Forbidden, ParameterError, Unauthorized
from medkg.domain.model import Author, Commit, Role
from medkg.state import audit, tokens
from medkg.state.database import Database
from medkg.state.tokens import Token

__all__ = ["authorize", "create", "listing", "local_author", "note", "require", "revoke"]

_HEADER = re.compile(r"bearer +([\x21-\x7e]+) *", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_NAMESPACE = re.compile(r"(?=.{1,64}\Z)[a-z0-9]+(?:-[a-z0-9]+)*")
_SEND: Final = "Send the header `Authorization: Bearer TOKEN`."
_GRAPHS_SHOWN: Final = 20
_SETTING_NAME: Final = "admin (setting)"
"""No name of a token has brackets, so none can pass for this one."""


def authorize(header: str | None, database: Database, admin_token: str | None) -> Author | None:
    """Return whom the Authorization header of a request names, or None when it has none.

    Takes the bearer tokens of RFC 6750, section 2.1.  *admin_token* is the setting of that name.

    :raises Unauthorized: the header is of another kind, or its token is unknown or revoked.
    """
    if header is None:
        return None
    match = _HEADER.fullmatch(header)
    if match is None:
        raise Unauthorized("The Authorization header holds no bearer token.", remedy=_SEND)
    secret = match[1]
    if admin_token and tokens.same_secret(secret, admin_token):
        return Author(_SETTING_NAME, Role.ADMIN)
    with database.reading() as connection:
        token = tokens.find(connection, secret)
    if token is None:
        raise Unauthorized(
            "The access token is not known, or it was revoked.", remedy="Ask an administrator for a new one."
        )
    return Author(token.name, token.role)


def require(author: Author | None, role: Role) -> Author:
    """Return *author*, who has *role* or one that includes it.

    :raises Unauthorized: there is none.
    :raises Forbidden: the author has a lesser role.
    """
    if author is None:
        raise Unauthorized(f"This needs an access token with the role {role}.", remedy=_SEND)
    ranks = list(Role)
    if ranks.index(author.role) > ranks.index(role):
        raise Forbidden(
            f"This needs the role {role}, and the token has the role {author.role}.",
            remedy="Ask an administrator for a token with that role.",
        )
    return author


def create(
    database: Database, author: Author, name: str, role: Role, namespace: str | None = None
) -> tuple[Token, str]:
    """Make a token, with an entry in the audit trail, and return it with its secret.

    *namespace* is what the slugs of all that a submitter describes begin with.

    :raises ParameterError: the name or the namespace can't be used.
    :raises Conflict: a living token has that name.
    :raises Forbidden: the author is no administrator.
    """
    require(author, Role.ADMIN)
    if not _NAME.fullmatch(name):
        raise ParameterError(
            "name",
            f"{name!r} can't be the name of a token.",
            remedy="Use at most 64 of A-Z, a-z, 0-9 and . _ @ -, and begin with a letter or a digit.",
        )
    if namespace is not None:
        _check_namespace(namespace, role)
    with database.writing() as connection:
        token, secret = tokens.create(connection, name, role, namespace=namespace, created_by=author.name)
        detail = f"id {token.id}, role {role}" + (f", namespace {namespace}" if namespace else "")
        audit.record(connection, author, "token create", name, detail=detail)
    return token, secret


def revoke(database: Database, author: Author, name: str) -> Token:
    """Revoke the living token of that name, with an entry in the audit trail; it works no more at once.

    :raises NotFound: there is none.
    :raises Forbidden: the author is no administrator.
    """
    require(author, Role.ADMIN)
    with database.writing() as connection:
        token = tokens.revoke(connection, name)
        audit.record(connection, author, "token revoke", name, detail=f"id {token.id}, role {token.role}")
    return token


def note(database: Database, author: Author, action: str, target: str, commit: Commit) -> None:
    """Put an accepted write of the graph into the audit trail: its version, and the graphs it changed."""
    shown, rest = commit.changed[:_GRAPHS_SHOWN], len(commit.changed) - _GRAPHS_SHOWN
    changed = " ".join(shown) + (f" and {rest} more" if rest > 0 else "")
    detail = ("unchecked; " if author.unchecked else "") + f"changed: {changed or 'nothing'}"
    with database.writing() as connection:
        audit.record(connection, author, action, target, version=commit.version, detail=detail)


def listing(database: Database, *, revoked: bool = False) -> tuple[Token, ...]:
    """Return the living tokens, and with *revoked* the others too, by name and age."""
    with database.reading() as connection:
        return tokens.listing(connection, revoked=revoked)


def local_author() -> Author:
    """Return who runs this process: whoever may write the data folder is its administrator."""
    try:
        name = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        name = f"user {os.geteuid()}"
    return Author(f"{name} (command line)", Role.ADMIN)


def _check_namespace(namespace: str, role: Role) -> None:
    if role is not Role.SUBMITTER:
        raise ParameterError(
            "namespace",
            f"A token with the role {role} has no namespace.",
            remedy="Leave it out, or choose the role submitter.",
        )
    if not _NAMESPACE.fullmatch(namespace):
        raise ParameterError(
            "namespace",
            f"{namespace!r} can't be a namespace.",
            remedy="Use at most 64 of a-z, 0-9 and single hyphens.",
        )
