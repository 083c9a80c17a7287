"""store/rights.py: who may write which graph, as one table."""

import pytest

from medkg.domain.errors import Conflict, Forbidden, MedkgError
from medkg.domain.model import Author, Role
from medkg.domain.namespaces import GRAPH
from medkg.store.rights import check_rights, manual_slug

AUTHORS = {
    "admin": Author("a", Role.ADMIN),
    "unchecked": Author("a", Role.ADMIN, unchecked=True),
    "steward": Author("a", Role.STEWARD),
    "submitter": Author("a", Role.SUBMITTER),
}
ALL = set(AUTHORS)
WRITERS = ALL - {"submitter"}


@pytest.mark.parametrize("author", AUTHORS)
@pytest.mark.parametrize(
    ("graph", "union", "allowed"),
    [
        (str(GRAPH["manual/a-1"]), True, WRITERS),
        (str(GRAPH["manual/A"]), True, {"unchecked"}),
        (str(GRAPH["manual/a/b"]), True, {"unchecked"}),
        (str(GRAPH["prov/manual/a"]), True, {"unchecked"}),
        (str(GRAPH["source/a"]), True, {"unchecked"}),
        ("urn:g", True, {"unchecked"}),
        (str(GRAPH["inferred"]), True, set()),
        (None, True, set()),
        (str(GRAPH["manual/a-1"]), False, WRITERS),
        (str(GRAPH["inferred"]), False, WRITERS),
        ("urn:g", False, WRITERS),
        (None, False, WRITERS),
    ],
)
def test_who_may_write_what(author: str, graph: str | None, union: bool, allowed: set[str]) -> None:
    """Each role writes what the table says, and is told what to do otherwise."""
    if author in allowed:
        check_rights(AUTHORS[author], graph, union=union)
        return
    kind: type[MedkgError] = Conflict if graph is None and author != "submitter" else Forbidden
    with pytest.raises(kind) as caught:
        check_rights(AUTHORS[author], graph, union=union)
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("graph", "slug"),
    [
        ("manual/a-1", "a-1"),
        ("manual/", None),
        ("manual/a-", None),
        ("prov/manual/a", None),
        ("manual/a\n", None),
    ],
)
def test_the_slug_of_a_manual_graph(graph: str, slug: str | None) -> None:
    """A graph is manual when its name ends in a slug right behind graph/manual/."""
    assert manual_slug(str(GRAPH[""]) + graph) == slug
