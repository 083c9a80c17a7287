"""The service description of ``/sparql`` (SPARQL 1.1 Service Description): what it takes, gives and holds."""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from anyio import to_thread
from fastapi import Request
from rdflib.namespace import RDF, XSD, Namespace
from rdflib.term import Literal, URIRef
from starlette.responses import Response

from medkg import __version__
from medkg.domain.model import GraphState, Quad
from medkg.domain.namespaces import DCTERMS
from medkg.store.formats import negotiate
from medkg.store.functions import EXTENSIONS
from medkg_api.deps import Context
from medkg_api.exchange import field
from medkg_api.headers import matches

__all__ = ["answer"]

SD: Final = Namespace("http://www.w3.org/ns/sparql-service-description#")
VOID: Final = Namespace("http://rdfs.org/ns/void#")
_FORMATS: Final = Namespace("http://www.w3.org/ns/formats/")
_RESULTS: Final = (
    "SPARQL_Results_JSON",
    "SPARQL_Results_XML",
    "SPARQL_Results_CSV",
    "SPARQL_Results_TSV",
    "Turtle",
    "N-Triples",
    "JSON-LD",
    "RDF_XML",
)
_PARTS: Final = 1_000
"""Properties or classes of which each is described; of more only the number is told."""
_INPUTS: Final = ("Turtle", "N-Triples", "JSON-LD", "RDF_XML")


async def answer(request: Request, context: Context, accept: str) -> Response:
    """Return the description in the graph format that *accept* prefers."""
    chosen = negotiate(accept, "graph")
    version = context.endpoint.version
    seen = f"{version} {__version__} {chosen.name} {_calls_others(context)}"
    tag = f'W/"{version}-sd-{hashlib.blake2s(seen.encode(), digest_size=8).hexdigest()}"'
    fields = {"ETag": tag, "Vary": "Accept", "Cache-Control": "no-cache", "X-Medkg-Version": str(version)}
    if matches(field(request, "if-none-match"), tag):
        return Response(status_code=304, headers=fields)
    graphs = await context.endpoint.graphs()
    quads = list(_statements(context, graphs))
    body = await to_thread.run_sync(context.engine.serialize, quads, chosen)
    return Response(body, media_type=chosen.content_type, headers=fields)


def _statements(context: Context, graphs: Mapping[str, GraphState]) -> Iterator[Quad]:
    base = context.settings.base_url
    address = URIRef(f"{base}/sparql")
    service, dataset, default = (
        URIRef(f"{address}#{name}") for name in ("service", "dataset", "default-graph")
    )
    languages = [SD.SPARQL11Query, SD.SPARQL10Query]
    features = [SD.EmptyGraphs] if not context.endpoint.union else [SD.EmptyGraphs, SD.UnionDefaultGraph]
    if _calls_others(context):
        features.append(SD.BasicFederatedQuery)

    def about(subject: URIRef, *pairs: tuple[URIRef, URIRef | Literal]) -> Iterator[Quad]:
        return ((subject, predicate, value, None) for predicate, value in pairs)

    yield from about(
        service,
        (RDF.type, SD.Service),
        (SD.endpoint, address),
        (DCTERMS.title, Literal("medkg", lang="en")),
        (SD.defaultDataset, dataset),
        *((SD.supportedLanguage, language) for language in languages),
        *((SD.feature, feature) for feature in features),
        *((SD.resultFormat, _FORMATS[name]) for name in _RESULTS),
        *((SD.extensionFunction, URIRef(name)) for name in EXTENSIONS),
    )
    updates = URIRef(f"{base}/update#service")
    yield from about(
        updates,
        (RDF.type, SD.Service),
        (SD.endpoint, URIRef(f"{base}/update")),
        (SD.defaultDataset, dataset),
        (SD.supportedLanguage, SD.SPARQL11Update),
        *((SD.inputFormat, _FORMATS[name]) for name in _INPUTS),
    )
    yield from about(
        dataset,
        (RDF.type, SD.Dataset),
        (RDF.type, VOID.Dataset),
        (SD.defaultGraph, default),
        (VOID.sparqlEndpoint, address),
    )
    yield from about(default, (RDF.type, SD.Graph), *_size(graphs.get("")))
    counts = context.endpoint.counts()
    if counts is not None:
        properties = _Part("property", VOID.propertyPartition, VOID.property, VOID.properties, VOID.triples)
        classes = _Part("class", VOID.classPartition, VOID["class"], VOID.classes, VOID.entities)
        for part, table in ((properties, counts.predicates), (classes, counts.classes)):
            yield from part.statements(address, default, table or {})
    for number, name in enumerate(sorted(name for name in graphs if name)):
        named, graph = URIRef(f"{address}#named-{number}"), URIRef(f"{address}#graph-{number}")
        yield from about(dataset, (SD.namedGraph, named))
        yield from about(named, (RDF.type, SD.NamedGraph), (SD.name, URIRef(name)), (SD.graph, graph))
        yield from about(graph, (RDF.type, SD.Graph), *_size(graphs[name]))


class _Part(NamedTuple):
    """How VoID (W3C note of 3 March 2011) says what parts a graph has: by its properties, or its classes."""

    name: str
    has: URIRef
    by: URIRef
    number: URIRef
    size: URIRef

    def statements(self, address: URIRef, graph: URIRef, table: Mapping[str, int]) -> Iterator[Quad]:
        """Yield how many parts a graph has and, unless they are very many, what each of them is."""
        # A class may be a blank node, which is nobody else's business.
        named = [(iri[1:-1], number) for iri, number in sorted(table.items()) if iri.startswith("<")]
        if named:
            yield graph, self.number, _integer(len(named)), None
        for place, (iri, number) in enumerate(named if len(named) <= _PARTS else ()):
            part = URIRef(f"{address}#{self.name}-{place}")
            yield graph, self.has, part, None
            yield part, self.by, URIRef(iri), None
            yield part, self.size, _integer(number), None


def _calls_others(context: Context) -> bool:
    return bool(context.settings.service_allow.split())


def _size(state: GraphState | None) -> list[tuple[URIRef, Literal]]:
    return [] if state is None else [(VOID.triples, _integer(state.triples))]


def _integer(number: int) -> Literal:
    return Literal(str(number), datatype=XSD.integer)
