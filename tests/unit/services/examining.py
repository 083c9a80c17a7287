"""A small graph with all rules, which submissions are examined beside."""

from functools import cache
from pathlib import Path
from typing import Final

from medkg.domain.model import Quad
from medkg.domain.namespaces import GRAPH, GRAPH_ONTOLOGY, GRAPH_SHAPES, GRAPH_SHAPES_SUBMISSION
from medkg.intake.catalogue import catalogue
from medkg.intake.tables import Names
from medkg.services.examine import Asked, Examined, Examiner
from medkg.services.reading import Document, read
from medkg.services.reports import texts
from medkg.services.rules import Rules
from medkg.store.files import read_turtle
from medkg.store.memory import MemoryGraph
from medkg.store.writer import candidate

ROOT: Final = Path(__file__).parents[3]
BASE: Final = ROOT / "tests" / "shapes" / "base.ttl"
HEAD: Final = BASE.read_text(encoding="utf-8").partition("# --- Classes")[0]
START: Final = HEAD.count("\n") + 1
"""The line on which a document behind HEAD starts."""
GOOD: Final = """\
action:gamma a medkg:InnovationAction ;
    skos:prefLabel "A gamma centre for imaging"@en ;
    dct:description "What is to be done in the gamma action, over the years."@en ;
    medkg:concernsOrganisation organisation:alpha ;
    medkg:inRoadmap roadmap:alpha ;
    medkg:usesKET ket-2012:photonics ;
    medkg:region nuts:PL22 ;
    medkg:plannedFrom "2021-10"^^xsd:gYearMonth .
"""


def quads(folder: Path, *names: str) -> list[Quad]:
    """Return the triples of the Turtle files in a folder."""
    graph = GRAPH_SHAPES_SUBMISSION if folder.name == "submission" else GRAPH_SHAPES
    return [
        quad
        for path in sorted(folder.glob(names[0] if names else "*.ttl"))
        for quad in read_turtle(path, graph)
    ]


@cache
def public() -> MemoryGraph:
    """Return the small graph with the ontology; whoever changes it makes it as it was."""
    graph = MemoryGraph()
    graph.add((*quad[:3], None) for quad in quads(BASE.parent, "base.ttl"))
    graph.add((*quad[:3], None) for quad in quads(ROOT / "ontology"))
    return graph


@cache
def rules() -> Rules:
    """Return the rules, beside the small graph."""
    return Rules(public(), quads(ROOT / "shapes"), quads(ROOT / "shapes" / "submission"))


def submitted(text: str, kind: str = "text/turtle", **asked: str) -> Examined:
    """Return what is said about a document, with the usual prefixes when it is Turtle."""
    head = HEAD if kind == "text/turtle" else ""
    document = Document((head + text).encode(), kind, namespace="https://w3id.org/medkg/id/")
    examiner = Examiner(public(), rules(), version=7, catalogue=catalogue(), texts=texts.load())
    return examiner.examine(read(document, Names()), Asked(**{"file": "plan.ttl", **asked}))  # type: ignore[arg-type]


def publish(folder: Path, *further: Quad) -> None:
    """Publish a version of the small graph, with its rules, in a data folder."""
    sources = [(*quad[:3], GRAPH["source/base"]) for quad in quads(BASE.parent, "base.ttl")]
    terms = [(*quad[:3], GRAPH_ONTOLOGY) for quad in quads(ROOT / "ontology")]
    with candidate(folder) as work:
        work.add(
            [*sources, *terms, *quads(ROOT / "shapes"), *quads(ROOT / "shapes" / "submission"), *further]
        )
        work.close()
        work.publish()
