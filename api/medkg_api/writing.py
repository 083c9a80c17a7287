"""What the routes that write share: who the client is, its idempotency key, the note in the audit trail."""

import re
from typing import Final

import structlog
from fastapi import Request

from medkg.domain.errors import CallError, MedkgError
from medkg.domain.model import Author, Commit, Role
from medkg_api.deps import Context
from medkg_api.exchange import Parameters

__all__ = ["author_of", "key_of", "outcome", "require_admin"]

_log = structlog.get_logger("medkg_api")
_KEY: Final = re.compile(r"[\x21-\x7e]{1,200}")


def author_of(context: Context, request: Request, values: Parameters) -> Author:
    """Return who writes, from the bearer token; steward is the least role that may.

    :raises Unauthorized: there is no token, or it is not valid.
    :raises Forbidden: its role may not write.
    """
    from medkg.services import tokens

    author = tokens.require(_author(context, request), Role.STEWARD)
    unchecked = next((value for name, value in values if name == "unchecked"), "false").lower() in {
        "true",
        "1",
    }
    if unchecked:
        tokens.require(author, Role.ADMIN)
    return Author(author.name, author.role, unchecked)


def require_admin(context: Context, request: Request) -> None:
    """Let only an administrator's token pass.

    :raises Unauthorized: there is no token, or it is not valid.
    :raises Forbidden: its role is another.
    """
    from medkg.services import tokens

    tokens.require(_author(context, request), Role.ADMIN)


def key_of(request: Request) -> str:
    """Return the Idempotency-Key of a request, or nothing.

    :raises CallError: it is too long, or holds spaces or control characters.
    """
    key = request.headers.get("idempotency-key", "")
    if key and not _KEY.fullmatch(key):
        raise CallError(
            "The Idempotency-Key can't be used.", remedy="Send up to 200 visible ASCII characters."
        )
    return key


def outcome(context: Context, author: Author, action: str, target: str, commit: Commit) -> None:
    """Put an accepted write into the audit trail; the write stands even when that fails."""
    from medkg.services import tokens

    try:
        tokens.note(context.database(), author, action, target, commit)
    except MedkgError as error:
        _log.error(
            "audit", error=str(error), actor=author.name, action=action, target=target, version=commit.version
        )


def _author(context: Context, request: Request) -> Author | None:
    # Not needed until somebody writes; loading it takes as long as the rest of a start.
    from medkg.services import tokens

    setting = context.settings.admin_token
    secret = setting.get_secret_value() if setting else None
    return tokens.authorize(request.headers.get("authorization"), context.database(), secret)
