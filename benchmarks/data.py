"""Writes the graph that the serving benchmark asks: made up, of any size, the same for the same size.

The words are those of medkg's ontology; popularity is skewed as in real data, where few regions,
technologies, roadmaps and organisations have most of the statements.  What medkg materialises by itself (the
transitive forms of skos:broader and its inverse) goes to a file of its own, so that an engine can be loaded
with it and without.
"""

import argparse
import itertools
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SCALES: Final = {"small": 2_500, "1m": 25_000, "10m": 250_000}
"""Innovation actions by scale; 25,000 of them make about 0.93 million triples."""
SEED: Final = 2018
ID: Final = "https://w3id.org/medkg/id/"
VOCAB: Final = "https://w3id.org/medkg/vocab/"
ONTOLOGY: Final = "https://w3id.org/medkg/ontology#"
NUTS: Final = "http://data.europa.eu/nuts/code/"
SKOS: Final = "http://www.w3.org/2004/02/skos/core#"
XSD: Final = "http://www.w3.org/2001/XMLSchema#"
TYPE: Final = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"
LABEL: Final = f"<{SKOS}prefLabel>"
BROADER: Final = f"<{SKOS}broader>"

COUNTRIES: Final = (
    "AT BE BG CH CY CZ DE DK EE EL ES FI FR HR HU IE IS IT LI LT LU LV ME MK MT NL NO PL PT RO RS SE SI SK TR"
)
LANGUAGES: Final = ("fr", "it", "pl", "de")
STATUSES: Final = (
    "completed",
    "completed",
    "completed",
    "running",
    "running",
    "planned",
    "planned",
    "cancelled",
)
KINDS: Final = ("Company", "Company", "Company", "ResearchOrganisation", "PublicOrganisation")
WORDS: Final = (
    "medical device health imaging sensor implant robot surgery data platform intelligence photonics nano "
    "tissue wearable monitoring patient hospital trial validation observatory competence centre roadmap "
    "value chain printing microfluidics biosensor telemedicine rehabilitation cardiology oncology neurology "
    "ageing regional smart specialisation digital regulation certification prototype pilot demonstration "
    "training network"
)


class Skewed:
    """Things in the order of their popularity: the n-th is drawn in proportion to 1 / n ** *exponent*."""

    def __init__(self, items: Iterable[str], rng: random.Random, exponent: float) -> None:
        self.items = list(items)
        rng.shuffle(self.items)
        weights = (1 / (rank + 1) ** exponent for rank in range(len(self.items)))
        self._cumulated = list(itertools.accumulate(weights))

    def draw(self, rng: random.Random, number: int) -> list[str]:
        """Return *number* things, some perhaps twice."""
        return rng.choices(self.items, cum_weights=self._cumulated, k=number)

    def one(self, rng: random.Random) -> str:
        """Return one thing."""
        return self.draw(rng, 1)[0]

    def some(self, rng: random.Random, number: int) -> list[str]:
        """Return up to *number* different things."""
        return list(dict.fromkeys(self.draw(rng, number)))


@dataclass(frozen=True)
class World:
    """The entities of a graph with *actions* actions, as N-Triples terms; what queries are made from."""

    actions: int
    organisations: int
    projects: int
    clusters: Skewed
    parents: dict[str, str]
    """Each region and technology that has a broader one, with it."""
    levels: dict[str, int]
    """The NUTS level of each region."""
    places: Skewed
    """Regions of level 2."""
    districts: Skewed
    """Regions of level 3."""
    technologies: Skewed
    """Technologies without narrower ones."""
    partnerships: Skewed
    roadmaps: Skewed
    schemes: Skewed
    themes: list[str]
    common: Skewed
    rare: Skewed

    def text(self, rng: random.Random, length: int) -> str:
        """Return *length* words, sometimes with a rare one among them."""
        words = self.common.draw(rng, length)
        if _chance(rng, 0.3):
            words[rng.randrange(length)] = self.rare.one(rng)
        return " ".join(words)


def world(actions: int) -> World:
    """Return the entities of a graph with *actions* actions; the same for the same number."""
    rng = random.Random(SEED)  # noqa: S311 - repeatable on purpose
    levels: dict[str, int] = {}
    parents: dict[str, str] = {}
    for code, parent in _regions(rng):
        levels[nuts(code)] = len(code) - 2
        if parent:
            parents[nuts(code)] = nuts(parent)
    parents.update({term(name): term(parent) for name, parent in _technologies() if parent})
    leaves = [term(name) for name, _ in _technologies() if name.count("-") == len("ab")]
    return World(
        actions=actions,
        organisations=2 * actions,
        projects=actions // 5,
        clusters=Skewed(
            (entity("organisation", f"cluster-{n}") for n in range(max(300, actions // 100))), rng, 0.9
        ),
        parents=parents,
        levels=levels,
        places=Skewed((region for region, level in levels.items() if level == len("ab")), rng, 0.8),
        districts=Skewed((region for region, level in levels.items() if level == len("abc")), rng, 0.9),
        technologies=Skewed(leaves, rng, 1.0),
        partnerships=Skewed((entity("partnership", str(n)) for n in range(42)), rng, 1.0),
        roadmaps=Skewed((entity("roadmap", str(n)) for n in range(60)), rng, 1.0),
        schemes=Skewed((entity("scheme", str(n)) for n in range(30)), rng, 1.0),
        themes=[term(f"theme-{n}") for n in range(12)],
        common=Skewed(WORDS.split(), rng, 0.8),
        rare=Skewed((f"zx{n:05d}" for n in range(4_000)), rng, 1.0),
    )


def entity(kind: str, name: str) -> str:
    """Return the term of an entity."""
    return f"<{ID}{kind}/{name}>"


def term(name: str) -> str:
    """Return the term of a concept: ``ket-0-1-2`` or ``theme-3``."""
    kind, _, rest = name.partition("-")
    return f"<{VOCAB}{kind}-bench/{rest}>"


def nuts(code: str) -> str:
    """Return the term of a region."""
    return f"<{NUTS}{code}>"


def medkg(name: str) -> str:
    """Return a term of the ontology."""
    return f"<{ONTOLOGY}{name}>"


def write(scale: World, data: Path, closure: Path) -> tuple[int, int]:
    """Write the graph and its closure as N-Triples; return the number of triples of each."""
    return _write(triples(scale), data), _write(closures(scale), closure)


def triples(of: World) -> Iterator[str]:
    """Yield the lines of the graph, each of them once."""
    rng = random.Random(SEED + 1)  # noqa: S311 - repeatable on purpose
    yield from _places(of, rng)
    yield from _concepts(of, rng)
    yield from _collaborations(of, rng)
    yield from _clusters(of, rng)
    for number in range(of.organisations):
        yield from _organisation(of, rng, number)
    for number in range(of.projects):
        yield from _project(of, rng, number)
    for number in range(of.actions):
        yield from _action(of, rng, number)


def closures(of: World) -> Iterator[str]:
    """Yield the lines that medkg adds to the graph: narrower, and the ancestors in both directions."""
    for child, parent in of.parents.items():
        yield f"{parent} <{SKOS}narrower> {child} .\n"
        ancestor: str | None = parent
        while ancestor:
            yield f"{child} <{SKOS}broaderTransitive> {ancestor} .\n"
            yield f"{ancestor} <{SKOS}narrowerTransitive> {child} .\n"
            ancestor = of.parents.get(ancestor)


def _regions(rng: random.Random) -> Iterator[tuple[str, str]]:
    """Yield the code of each region and that of the one it lies in, from the countries down."""
    for country in COUNTRIES.split():
        yield country, ""
        for first in range(1, rng.randint(2, 8)):
            yield f"{country}{first}", country
            for second in range(1, rng.randint(2, 6)):
                yield f"{country}{first}{second}", f"{country}{first}"
                for third in range(1, rng.randint(2, 8)):
                    yield f"{country}{first}{second}{third}", f"{country}{first}{second}"


def _technologies() -> Iterator[tuple[str, str]]:
    """Yield the name of each technology and that of its broader one."""
    for first in range(6):
        yield f"ket-{first}", ""
        for second in range(8):
            yield f"ket-{first}-{second}", f"ket-{first}"
            for third in range(5):
                yield f"ket-{first}-{second}-{third}", f"ket-{first}-{second}"


def _places(of: World, rng: random.Random) -> Iterator[str]:
    for region, level in of.levels.items():
        code = region[len(NUTS) + 1 : -1]
        yield f"{region} {TYPE} {medkg('Region')} .\n"
        yield f'{region} <{SKOS}notation> "{code}" .\n'
        yield f'{region} {LABEL} "{code} {of.text(rng, 2)}"@en .\n'
        yield f'{region} {medkg("nutsLevel")} "{level}"^^<{XSD}integer> .\n'
        if region in of.parents:
            yield f"{region} {BROADER} {of.parents[region]} .\n"


def _concepts(of: World, rng: random.Random) -> Iterator[str]:
    for name, parent in _technologies():
        yield f"{term(name)} {TYPE} {medkg('KET')} .\n"
        yield f'{term(name)} {LABEL} "{name} {of.text(rng, 2)}"@en .\n'
        if parent:
            yield f"{term(name)} {BROADER} {term(parent)} .\n"
    for theme in of.themes:
        yield f"{theme} {TYPE} {medkg('Theme')} .\n"
        yield f'{theme} {LABEL} "{of.text(rng, 2)}"@en .\n'
    for kind, things in (("FundingScheme", of.schemes.items), ("Roadmap", of.roadmaps.items)):
        for thing in things:
            yield f"{thing} {TYPE} {medkg(kind)} .\n"
            yield f'{thing} {LABEL} "{kind} {of.text(rng, 3)}"@en .\n'


def _collaborations(of: World, rng: random.Random) -> Iterator[str]:
    platforms = [entity("platform", str(number)) for number in range(4)]
    for platform in platforms:
        yield f"{platform} {TYPE} {medkg('ThematicPlatform')} .\n"
        yield f'{platform} {LABEL} "Platform {of.text(rng, 2)}"@en .\n'
    for number, partnership in enumerate(of.partnerships.items):
        yield f"{partnership} {TYPE} {medkg('Partnership')} .\n"
        yield f'{partnership} {LABEL} "Partnership {of.text(rng, 3)}"@en .\n'
        yield f"{partnership} {medkg('underPlatform')} {rng.choice(platforms)} .\n"
        yield f"{partnership} {medkg('thematicFocus')} {rng.choice(of.themes)} .\n"
        for place, region in enumerate(of.places.some(rng, rng.randint(4, 30))):
            role = "lead" if place == 0 else "partner"
            yield from _membership(f"partnership-{number}-{place}", region, partnership, role)


def _clusters(of: World, rng: random.Random) -> Iterator[str]:
    for number, cluster in enumerate(of.clusters.items):
        yield f"{cluster} {TYPE} {medkg('Cluster')} .\n"
        yield f"{cluster} {TYPE} {medkg('Organisation')} .\n"
        yield f'{cluster} {LABEL} "Cluster {of.text(rng, 3)}"@en .\n'
        yield f"{cluster} {medkg('inRegion')} {of.places.one(rng)} .\n"
        if _chance(rng, 0.7):
            yield from _membership(f"cluster-{number}", cluster, of.partnerships.one(rng), "partner")


def _membership(name: str, member: str, collaboration: str, role: str) -> Iterator[str]:
    membership = entity("membership", name)
    yield f"{membership} {TYPE} {medkg('Membership')} .\n"
    yield f"{membership} {medkg('member')} {member} .\n"
    yield f"{membership} {medkg('memberOf')} {collaboration} .\n"
    yield f"{membership} {medkg('role')} <{VOCAB}role/{role}> .\n"


def _organisation(of: World, rng: random.Random, number: int) -> Iterator[str]:
    subject = entity("organisation", str(number))
    yield f"{subject} {TYPE} {medkg('Organisation')} .\n"
    yield f"{subject} {TYPE} {medkg(rng.choice(KINDS))} .\n"
    yield f'{subject} {LABEL} "Organisation {number} {of.text(rng, 2)}"@en .\n'
    yield f"{subject} {medkg('inRegion')} {of.districts.one(rng)} .\n"
    yield f'{subject} {medkg("foundingDate")} "{rng.randint(1900, 2023)}"^^<{XSD}gYear> .\n'
    if _chance(rng, 0.6):
        yield f"{subject} <http://xmlns.com/foaf/0.1/homepage> <https://org{number}.example.org/> .\n"
    if _chance(rng, 0.4):
        yield from _membership(f"organisation-{number}", subject, of.clusters.one(rng), "member")


def _project(of: World, rng: random.Random, number: int) -> Iterator[str]:
    subject, cost = entity("project", str(number)), rng.lognormvariate(13, 1.2)
    yield f"{subject} {TYPE} {medkg('Project')} .\n"
    yield f'{subject} {LABEL} "Project {number} {of.text(rng, 4)}"@en .\n'
    yield f'{subject} {medkg("totalCost")} "{cost:.2f}"^^<{XSD}decimal> .\n'
    yield f'{subject} {medkg("euContribution")} "{cost * 0.7:.2f}"^^<{XSD}decimal> .\n'
    yield f"{subject} {medkg('fundedUnder')} {of.schemes.one(rng)} .\n"
    yield f"{subject} {medkg('thematicFocus')} {rng.choice(of.themes)} .\n"
    for technology in of.technologies.some(rng, rng.randint(1, 3)):
        yield f"{subject} {medkg('usesKET')} {technology} .\n"


def _action(of: World, rng: random.Random, number: int) -> Iterator[str]:
    subject, year = entity("action", str(number)), rng.randint(2014, 2026)
    yield f"{subject} {TYPE} {medkg('InnovationAction')} .\n"
    yield f'{subject} {LABEL} "Action {number} {of.text(rng, 5)}"@en .\n'
    if _chance(rng, 0.3):
        yield f'{subject} {LABEL} "Action {number} {of.text(rng, 5)}"@{rng.choice(LANGUAGES)} .\n'
    text = of.text(rng, rng.randint(20, 60))
    yield f'{subject} <http://purl.org/dc/terms/description> "{text}"@en .\n'
    yield f'{subject} {medkg("startDate")} "{year}-{rng.randint(1, 12):02d}-01"^^<{XSD}date> .\n'
    if _chance(rng, 0.9):
        end = f"{year + rng.randint(1, 5)}-{rng.randint(1, 12):02d}-28"
        yield f'{subject} {medkg("endDate")} "{end}"^^<{XSD}date> .\n'
    yield f"{subject} {medkg('actionStatus')} <{VOCAB}action-status/{rng.choice(STATUSES)}> .\n"
    yield f"{subject} {medkg('startTRL')} <{VOCAB}trl/{rng.randint(2, 9)}> .\n"
    yield f"{subject} {medkg('thematicFocus')} {rng.choice(of.themes)} .\n"
    if _chance(rng, 0.5):
        yield f"{subject} {medkg('fundedUnder')} {of.schemes.one(rng)} .\n"
    if _chance(rng, 0.6):
        yield f"{subject} {medkg('inRoadmap')} {of.roadmaps.one(rng)} .\n"
    for region in of.places.some(rng, min(8, int(1 + rng.paretovariate(1.5)))):
        yield f"{subject} {medkg('region')} {region} .\n"
    for technology in of.technologies.some(rng, rng.randint(1, 4)):
        yield f"{subject} {medkg('usesKET')} {technology} .\n"
    partners = min(20, 2 * int(rng.paretovariate(1.1)) + 1)
    for chosen in dict.fromkeys(int(of.organisations * rng.random() ** 3) for _ in range(partners)):
        yield f"{subject} {medkg('concernsOrganisation')} {entity('organisation', str(chosen))} .\n"


def _chance(rng: random.Random, share: float) -> bool:
    return rng.random() < share


def _write(lines: Iterator[str], path: Path) -> int:
    count = 0
    with path.open("w", encoding="ascii", newline="\n") as file:
        while block := list(itertools.islice(lines, 10_000)):
            file.writelines(block)
            count += len(block)
    return count


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the files ``data.nt`` and ``closure.nt``."""
    parser = argparse.ArgumentParser(description="Write the graph of the serving benchmark as N-Triples.")
    parser.add_argument(
        "actions", type=int, help="number of innovation actions; 25000 make 0.93 million triples"
    )
    parser.add_argument("folder", type=Path, help="where data.nt and closure.nt go")
    options = parser.parse_args(arguments)
    options.folder.mkdir(parents=True, exist_ok=True)
    data, closure = options.folder / "data.nt", options.folder / "closure.nt"
    count, added = write(world(options.actions), data, closure)
    print(f"{count:,} triples in {data}, {added:,} in {closure}")


if __name__ == "__main__":
    main()
