"""Who may write which graph."""

import re
from typing import Final

from medkg.domain.errors import Conflict, Forbidden
from medkg.domain.model import Author, Role
from medkg.domain.namespaces import GRAPH, GRAPH_INFERRED

__all__ = ["check_rights", "manual_slug"]

_MANUAL: Final = re.compile(re.escape(str(GRAPH["manual/"])) + r"([a-z0-9]+(?:-[a-z0-9]+)*)")


def manual_slug(graph: str) -> str | None:
    """Return the slug of a graph that stewards write by hand, or None for another graph."""
    match = _MANUAL.fullmatch(graph)
    return match[1] if match else None


def check_rights(author: Author, graph: str | None, *, union: bool) -> None:
    """Return when *author* may write a graph (None: the default graph).

    =========  ===========================  ================================================
    role       where the union is on        where it is off
    =========  ===========================  ================================================
    admin      ``graph/manual/{slug}``;     every graph
               without validation every
               one but ``graph/inferred``
    steward    ``graph/manual/{slug}``      every graph
    submitter  nothing                      nothing
    =========  ===========================  ================================================

    :raises Forbidden: the role does not include it.
    :raises Conflict: the default graph follows from the others here.
    """
    if author.role is Role.SUBMITTER:
        raise Forbidden(
            "This token may not write to the graph.", remedy="Send a submission, or use a steward's token."
        )
    if not union:
        return
    if graph is None:
        raise Conflict(
            "The default graph is the merge of the named graphs; nothing is written to it.",
            remedy=f"Name a graph: <{GRAPH['manual/']}...>.",
        )
    if graph == str(GRAPH_INFERRED):
        raise Forbidden(
            f"<{graph}> holds what follows from the other graphs; nobody writes it.",
            remedy="Write what it should follow from.",
        )
    if manual_slug(graph) is not None:
        return
    if author.role is not Role.ADMIN:
        raise Forbidden(
            f"A steward may not write <{graph[:200]}>.",
            remedy=f"Write to <{GRAPH['manual/']}...>, named with a-z, 0-9 and single hyphens.",
        )
    if not author.unchecked:
        raise Forbidden(
            f"<{graph[:200]}> is written without validation or not at all.",
            remedy="Add unchecked=true to the address if that is meant.",
        )
