"""The questions of the serving benchmark: 27 kinds, up to 50 variants of each, and how a load mixes them.

Each kind has two texts that ask the same.  ``plain`` is what a user writes who knows the ontology only, with
property paths over the trees of regions and technologies; ``closure`` uses skos:broaderTransitive, which
medkg materialises.  Where no tree is involved the two are one text.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from string import Template as Text
from typing import Final, Literal, TypeVar

from benchmarks.data import SEED, World, entity, nuts

T = TypeVar("T")
TextKind = Literal["plain", "closure"]
MixKind = Literal["light", "full"]
Form = Literal["rows", "graph"]

TEXTS: Final[tuple[TextKind, ...]] = ("plain", "closure")
MIXES: Final[tuple[MixKind, ...]] = ("light", "full")
REQUESTS: Final = 4_000
VARIANTS: Final = 50
HEAVY_SHARE: Final = 0.05
ACCEPT: Final[dict[Form, str]] = {
    "rows": "application/sparql-results+json",
    # A server that is asked for a graph as JSON may well answer 406, and quickly.
    "graph": "application/n-triples",
}
PROLOGUE: Final = """PREFIX medkg: <https://w3id.org/medkg/ontology#>
PREFIX status: <https://w3id.org/medkg/vocab/action-status/>
PREFIX trl: <https://w3id.org/medkg/vocab/trl/>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>
"""
BIG_COUNTRIES: Final = "DE FR IT PL ES SE NL AT BE FI"


@dataclass(frozen=True, slots=True)
class Template:
    """One kind of question.  *weight* is its share of the light mix; a heavy one stands in the full mix only.

    *limit* says that a LIMIT without an order cuts the result: engines may give different rows then.
    """

    name: str
    what: str
    plain: str
    closure: str = ""
    weight: int = 0
    form: Form = "rows"
    limit: int = 0

    @property
    def heavy(self) -> bool:
        """Whether a question of this kind may take long on a large graph."""
        return self.weight == 0

    def text(self, kind: TextKind) -> str:
        """Return the text of a kind, with ``$`` before the names to fill in."""
        return self.closure if kind == "closure" and self.closure else self.plain


TEMPLATES: Final = (
    Template("point", "all statements about one action", "SELECT ?p ?o { $action ?p ?o }", weight=20),
    Template("describe", "DESCRIBE one action", "DESCRIBE $action", weight=8, form="graph"),
    Template(
        "hop",
        "regions of one action",
        "SELECT ?name ?region ?place { $action skos:prefLabel ?name ; medkg:region ?region . "
        "?region skos:prefLabel ?place }",
        weight=15,
    ),
    Template(
        "ask",
        "does one action use a technology of a group (tree)?",
        "ASK { $action medkg:usesKET/skos:broader* $group }",
        "ASK { $action medkg:usesKET/skos:broaderTransitive? $group }",
        weight=10,
    ),
    Template(
        "star",
        "actions with a technology in a region",
        "SELECT ?action ?name { ?action medkg:usesKET $ket ; medkg:region $region ; skos:prefLabel ?name "
        'FILTER(LANG(?name) = "en") }',
        weight=8,
    ),
    Template(
        "hops",
        "members of a region's clusters with their districts",
        "SELECT ?cluster ?member ?district { ?cluster a medkg:Cluster ; medkg:inRegion $region . "
        "?membership medkg:memberOf ?cluster ; medkg:member ?member . ?member medkg:inRegion ?district }",
        weight=5,
    ),
    Template(
        "partners",
        "who works with an organisation most often",
        "SELECT ?other (COUNT(?action) AS ?n) { ?action medkg:concernsOrganisation $organisation , ?other "
        "FILTER(?other != $organisation) } GROUP BY ?other ORDER BY DESC(?n) ?other LIMIT 20",
        weight=5,
    ),
    Template(
        "optional",
        "actions of a region with what is known of them",
        "SELECT ?action ?name ?end ?scheme { ?action medkg:region $region ; skos:prefLabel ?name "
        "OPTIONAL { ?action medkg:endDate ?end } OPTIONAL { ?action medkg:fundedUnder ?scheme } }",
        weight=5,
    ),
    Template(
        "recent",
        "latest actions of a roadmap",
        "SELECT ?action ?start { ?action medkg:inRoadmap $roadmap ; medkg:startDate ?start } "
        "ORDER BY DESC(?start) ?action LIMIT 20",
        weight=6,
    ),
    Template(
        "filter",
        "running actions of a theme since a date",
        "SELECT ?action ?start { ?action medkg:actionStatus status:running ; medkg:thematicFocus $theme ; "
        'medkg:startDate ?start FILTER(?start >= "2024-01-01"^^xsd:date) } LIMIT 100',
        weight=3,
        limit=100,
    ),
    Template(
        "construct",
        "CONSTRUCT all statements about a roadmap's actions in a region",
        "CONSTRUCT { ?action ?p ?o } WHERE { "
        "?action medkg:region $region ; medkg:inRoadmap $roadmap ; ?p ?o }",
        weight=1,
        form="graph",
    ),
    Template(
        "absent",
        "clusters in no partnership",
        "SELECT ?cluster ?region { ?cluster a medkg:Cluster ; medkg:inRegion ?region FILTER NOT EXISTS { "
        "?membership medkg:member ?cluster } } LIMIT 200",
        weight=2,
        limit=200,
    ),
    Template(
        "union",
        "clusters and partnerships of three regions",
        "SELECT ?region ?found { VALUES ?region { $region $second $third } "
        "{ ?found a medkg:Cluster ; medkg:inRegion ?region } UNION "
        "{ ?membership medkg:member ?region ; medkg:memberOf ?found } }",
        weight=5,
    ),
    Template(
        "skew",
        "a star whose parts differ much in size",
        "SELECT ?action { ?action medkg:actionStatus status:completed ; medkg:startTRL trl:9 ; "
        "medkg:inRoadmap $roadmap ; medkg:usesKET $ket }",
    ),
    Template(
        "linked",
        "regions that share most partnerships with a region",
        "SELECT ?other (COUNT(DISTINCT ?partnership) AS ?n) { "
        "?one medkg:member $region ; medkg:memberOf ?partnership . "
        "?two medkg:memberOf ?partnership ; medkg:member ?other . ?other a medkg:Region "
        "FILTER(?other != $region) } GROUP BY ?other ORDER BY DESC(?n) ?other LIMIT 10",
        weight=3,
    ),
    Template(
        "tree-count",
        "number of organisations of a country (tree)",
        "SELECT (COUNT(?member) AS ?n) { ?member medkg:inRegion/skos:broader* $country }",
        "SELECT (COUNT(?member) AS ?n) { ?member medkg:inRegion/skos:broaderTransitive? $country }",
    ),
    Template(
        "trees",
        "actions with a technology of a group in a country (two trees)",
        "SELECT DISTINCT ?action { ?action medkg:usesKET/skos:broader* $group . "
        "?action medkg:region/skos:broader* $country }",
        "SELECT DISTINCT ?action { "
        "{ SELECT ?action { ?action medkg:usesKET/skos:broaderTransitive? $group } } "
        "{ SELECT ?action { ?action medkg:region/skos:broaderTransitive? $country } } }",
    ),
    Template(
        "tree-groups",
        "number of actions of each country (tree)",
        "SELECT ?country (COUNT(DISTINCT ?action) AS ?n) { ?country medkg:nutsLevel 0 . "
        "?action medkg:region/skos:broader* ?country } GROUP BY ?country",
        "SELECT ?country (COUNT(DISTINCT ?action) AS ?n) { ?country medkg:nutsLevel 0 . "
        "?action medkg:region/skos:broaderTransitive? ?country } GROUP BY ?country",
    ),
    Template(
        "groups",
        "number of uses of each technology",
        "SELECT ?ket (COUNT(*) AS ?n) { ?thing medkg:usesKET ?ket } GROUP BY ?ket",
    ),
    Template(
        "sums",
        "cost and number of the projects of each scheme",
        "SELECT ?scheme (SUM(?cost) AS ?sum) (COUNT(?project) AS ?n) { "
        "?project medkg:fundedUnder ?scheme ; medkg:totalCost ?cost } GROUP BY ?scheme",
    ),
    Template(
        "top",
        "the ten actions that end last",
        "SELECT ?action ?name ?end { ?action medkg:endDate ?end ; skos:prefLabel ?name "
        'FILTER(LANG(?name) = "en") } ORDER BY DESC(?end) ?action LIMIT 10',
    ),
    Template(
        "contains",
        "actions with a word in their name",
        "SELECT ?action ?name { ?action a medkg:InnovationAction ; skos:prefLabel ?name "
        'FILTER(CONTAINS(LCASE(STR(?name)), "$word")) } LIMIT 20',
        limit=20,
    ),
    Template("size", "number of triples", "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"),
    Template(
        "page",
        "a page of the actions by name",
        "SELECT ?action ?name { ?action a medkg:InnovationAction ; skos:prefLabel ?name } "
        "ORDER BY STR(?name) ?action LIMIT 50 OFFSET 1000",
    ),
    Template(
        "classes", "number of instances of each class", "SELECT ?c (COUNT(?s) AS ?n) { ?s a ?c } GROUP BY ?c"
    ),
    Template("properties", "all properties in use", "SELECT DISTINCT ?p { ?s ?p ?o }"),
    Template(
        "rows",
        "5,000 names of actions",
        "SELECT ?action ?name { ?action a medkg:InnovationAction ; skos:prefLabel ?name } LIMIT 5000",
        limit=5_000,
    ),
)


@dataclass(frozen=True, slots=True)
class Request:
    """One query as it is sent: its kind, the number of its variant, its text."""

    template: Template
    variant: int
    query: str

    @property
    def accept(self) -> str:
        """The media type to ask for."""
        return ACCEPT[self.template.form]


def variants(template: Template, of: World, kind: TextKind) -> list[Request]:
    """Return the variants of a template, at most 50, all different, in the same order for both texts."""
    rng = random.Random(f"{SEED} {template.name}")  # noqa: S311 - repeatable on purpose
    found: dict[str, str] = {}
    for _ in range(VARIANTS):
        values = _values(of, rng)
        found.setdefault(
            Text(template.plain).substitute(values), Text(template.text(kind)).substitute(values)
        )
    return [Request(template, number, PROLOGUE + text) for number, text in enumerate(found.values())]


def mix(kind: MixKind, of: World, text: TextKind) -> list[Request]:
    """Return the 4,000 requests of a mix, the same questions in the same order for both texts.

    The n-th of N variants is drawn with N * u ** 3, so the first ones come again and again.
    """
    rng = random.Random(f"{SEED} {kind}")  # noqa: S311 - repeatable on purpose
    light = [template for template in TEMPLATES if not template.heavy]
    heavy = [template for template in TEMPLATES if template.heavy]
    chosen = rng.choices(light, weights=[template.weight for template in light], k=REQUESTS)
    if kind == "full":
        for place in rng.sample(range(REQUESTS), int(REQUESTS * HEAVY_SHARE)):
            chosen[place] = rng.choice(heavy)
    ready = {template.name: variants(template, of, text) for template in TEMPLATES}
    return [_popular(ready[template.name], rng) for template in chosen]


def distinct(requests: Sequence[Request]) -> int:
    """Return the number of different queries among *requests*."""
    return len({request.query for request in requests})


def _values(of: World, rng: random.Random) -> dict[str, str]:
    """Return a value for every name that a template may have, each as likely as another.

    Which variant is asked how often is the matter of the mix.
    """
    region, second, third = rng.sample(of.places.items, 3)
    return {
        "action": entity("action", str(rng.randrange(of.actions))),
        "organisation": entity("organisation", str(rng.randrange(of.organisations))),
        "ket": rng.choice(of.technologies.items),
        "group": of.parents[rng.choice(of.technologies.items)],
        "region": region,
        "second": second,
        "third": third,
        "country": nuts(rng.choice(BIG_COUNTRIES.split())),
        "roadmap": rng.choice(of.roadmaps.items),
        "theme": rng.choice(of.themes),
        "word": rng.choice(of.rare.items),
    }


def _popular(items: Sequence[T], rng: random.Random) -> T:
    return items[int(len(items) * rng.random() ** 3)]
