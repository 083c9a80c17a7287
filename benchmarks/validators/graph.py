"""The graphs that validators are given: made up, of any size, the same for the same size, with a few errors.

Each triple stands once.  One innovation action in *error_every* breaks one rule of ``shapes.ttl``, each time
another one.
"""

import itertools
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.data import LABEL, SEED, SKOS, TYPE, XSD, entity, medkg

__all__ = ["ERRORS", "SIZES", "SUBMISSIONS", "Size", "submission", "triples", "write"]

RDFS: Final = "http://www.w3.org/2000/01/rdf-schema#"
DCT: Final = "http://purl.org/dc/terms/"
COUNTRIES: Final = ("AT", "BE", "DE", "ES", "FR", "HU", "IT", "NL", "PL", "SI")
KINDS: Final = ("sme", "large", "research", "university", "public")
PARENTS: Final = {"DemonstrationAction": "InnovationAction", "PilotAction": "DemonstrationAction"}
CLASSES: Final = ("InnovationAction", "InnovationAction", *PARENTS)
TECHNOLOGIES: Final = 60
PLATFORM: Final = entity("platform", "0")
OUTSIDE: Final = entity("region", "outside")
"""A region of no partnership."""
ERRORS: Final = ("pattern", "twice", "dates", "region", "partnership", "status", "level", "closed")
"""The rules that are broken, in this order."""
SUBMISSIONS: Final = {36: 2, 307: 17}
"""Actions of a submission by its triples."""
SUBMITTED_ERRORS: Final = {1: "dates", 3: "level", 7: "region"}


@dataclass(frozen=True, slots=True)
class Size:
    """How many things of each kind a graph has; actions make four fifths of the triples."""

    actions: int
    organisations: int
    clusters: int
    regions: int
    partnerships: int
    error_every: int = 500


SIZES: Final[Mapping[str, Size]] = {
    "9k": Size(390, 283, 28, 30, 10),
    "87k": Size(3_900, 2_833, 285, 200, 100),
    "866k": Size(39_000, 28_333, 2_857, 2_000, 400),
}
"""The sizes that are measured, by their triples."""


def triples(size: Size) -> Iterator[str]:
    """Yield the lines of a graph."""
    rng = random.Random(SEED)  # noqa: S311 - repeatable on purpose
    members = _members(size)
    yield from _classes()
    yield from _regions(size)
    yield from _technologies()
    yield from _clusters(size, rng)
    yield from _organisations(size, rng)
    yield from _partnerships(members)
    for number in range(size.actions):
        error, place = divmod(number, size.error_every)
        wrong = ERRORS[error % len(ERRORS)] if place == size.error_every // 2 else ""
        yield from _action(f"ACT-2021-{number:06d}", size, members, rng, wrong)


def submission(actions: int, size: Size) -> Iterator[str]:
    """Yield the lines of new actions, some with an error, which refer to the things of a graph."""
    rng = random.Random(SEED + 1)  # noqa: S311 - repeatable on purpose
    members = _members(size)
    for number in range(actions):
        wrong = SUBMITTED_ERRORS.get(number, "")
        yield from _action(f"ACT-2026-{number:06d}", size, members, rng, wrong)


def write(lines: Iterator[str], path: Path) -> int:
    """Write lines to a file, whole or not at all, and return their number."""
    fresh, count = path.with_suffix(".tmp"), 0
    with fresh.open("w", encoding="ascii", newline="\n") as file:
        while block := list(itertools.islice(lines, 10_000)):
            file.writelines(block)
            count += len(block)
    fresh.replace(path)
    return count


def _members(size: Size) -> list[list[str]]:
    """Return the regions of each partnership; the first one leads."""
    rng = random.Random(SEED + 2)  # noqa: S311 - repeatable on purpose
    regions = [entity("region", str(number)) for number in range(size.regions)]
    return [rng.sample(regions, rng.randint(3, 9)) for _ in range(size.partnerships)]


def _classes() -> Iterator[str]:
    names = (
        "Region",
        "KET",
        "Cluster",
        "Organisation",
        "ThematicPlatform",
        "Partnership",
        "InnovationAction",
    )
    for name in (*names, *PARENTS):
        yield f"{medkg(name)} {TYPE} <http://www.w3.org/2002/07/owl#Class> .\n"
    for child, parent in PARENTS.items():
        yield f"{medkg(child)} <{RDFS}subClassOf> {medkg(parent)} .\n"


def _regions(size: Size) -> Iterator[str]:
    for number in range(size.regions):
        subject, country = entity("region", str(number)), COUNTRIES[number % len(COUNTRIES)]
        code = f"{country}{number % 1_000:03d}"
        yield from _region(subject, country, code)
        yield f'{subject} {LABEL} "R\\u00E9gion {code}"@fr .\n'
        if number > len(COUNTRIES):
            yield f"{subject} <{SKOS}broader> {entity('region', str(number % len(COUNTRIES)))} .\n"
    yield from _region(OUTSIDE, "FR", "FRZZZ")


def _region(subject: str, country: str, code: str) -> Iterator[str]:
    yield f"{subject} {TYPE} {medkg('Region')} .\n"
    yield f'{subject} {LABEL} "Region {code}"@en .\n'
    yield f'{subject} <{SKOS}notation> "{code}" .\n'
    yield f'{subject} {medkg("country")} "{country}" .\n'


def _technologies() -> Iterator[str]:
    groups = 6
    for number in range(TECHNOLOGIES):
        subject = entity("ket", str(number))
        yield f"{subject} {TYPE} {medkg('KET')} .\n"
        yield f'{subject} {LABEL} "Technology {number}"@en .\n'
        yield f'{subject} <{SKOS}notation> "K{number}" .\n'
        if number > groups:
            yield f"{subject} <{SKOS}broader> {entity('ket', str(number % groups))} .\n"


def _clusters(size: Size, rng: random.Random) -> Iterator[str]:
    for number in range(size.clusters):
        subject = entity("cluster", str(number))
        yield f"{subject} {TYPE} {medkg('Cluster')} .\n"
        yield f'{subject} {LABEL} "Cluster {number}" .\n'
        yield f"{subject} {medkg('inRegion')} {_any('region', size.regions, rng)} .\n"
        for technology in _some("ket", TECHNOLOGIES, rng):
            yield f"{subject} {medkg('usesKET')} {technology} .\n"
        yield f"{subject} <http://xmlns.com/foaf/0.1/homepage> <https://cluster{number}.example.org/> .\n"
        yield f'{subject} {medkg("memberCount")} "{rng.randint(5, 500)}"^^<{XSD}integer> .\n'


def _organisations(size: Size, rng: random.Random) -> Iterator[str]:
    for number in range(size.organisations):
        subject = entity("organisation", str(number))
        yield f"{subject} {TYPE} {medkg('Organisation')} .\n"
        yield f'{subject} {LABEL} "Organisation {number}" .\n'
        kind = rng.choice(KINDS) if number % len(KINDS) else "sme"
        yield f'{subject} {medkg("organisationKind")} "{kind}" .\n'
        yield f"{subject} {medkg('inRegion')} {_any('region', size.regions, rng)} .\n"
        if number % 2:
            yield f"{subject} {medkg('memberOf')} {_any('cluster', size.clusters, rng)} .\n"


def _partnerships(members: list[list[str]]) -> Iterator[str]:
    yield f"{PLATFORM} {TYPE} {medkg('ThematicPlatform')} .\n"
    yield f'{PLATFORM} {LABEL} "Platform" .\n'
    for number, regions in enumerate(members):
        subject = entity("partnership", str(number))
        yield f"{subject} {TYPE} {medkg('Partnership')} .\n"
        yield f'{subject} {LABEL} "Partnership {number}" .\n'
        yield f"{subject} {medkg('underPlatform')} {PLATFORM} .\n"
        for region in regions:
            yield f"{subject} {medkg('partnerRegion')} {region} .\n"
        yield f"{subject} {medkg('leadRegion')} {regions[0]} .\n"


def _action(
    identifier: str, size: Size, members: list[list[str]], rng: random.Random, wrong: str
) -> Iterator[str]:
    """Yield one action: eighteen triples, and one more or less where the error *wrong* says so."""
    subject = entity("action", identifier.lower())
    partnership = rng.randrange(size.partnerships)
    yield f"{subject} {TYPE} {medkg(rng.choice(CLASSES))} .\n"
    yield from _texts(subject, identifier, wrong)
    yield from _facts(subject, rng, wrong)
    for region in rng.sample(members[partnership], 2):
        yield f"{subject} {medkg('region')} {region} .\n"
    if wrong == "region":
        yield f"{subject} {medkg('region')} {OUTSIDE} .\n"
    if wrong != "partnership":
        yield f"{subject} {medkg('inPartnership')} {entity('partnership', str(partnership))} .\n"
    for technology in _some("ket", TECHNOLOGIES, rng):
        yield f"{subject} {medkg('usesKET')} {technology} .\n"
    enterprise = rng.randrange(0, size.organisations, len(KINDS))
    chosen = [entity("organisation", str(enterprise))]
    while len(chosen) < len("abc"):
        further = _any("organisation", size.organisations, rng)
        if further not in chosen:
            chosen.append(further)
    for organisation in chosen:
        yield f"{subject} {medkg('concernsOrganisation')} {organisation} .\n"


def _texts(subject: str, identifier: str, wrong: str) -> Iterator[str]:
    year, number = identifier.split("-")[1:]
    shown = {"pattern": f"ACT-{number}", "twice": f"ACT-{year}-{int(number) + 1:06d}"}
    yield f'{subject} <{DCT}identifier> "{shown.get(wrong, identifier)}" .\n'
    yield f'{subject} {LABEL} "Action {number} of {year}"@en .\n'
    yield f'{subject} {LABEL} "Action {number} de {year}"@fr .\n'
    text = f"What action {number} is to achieve with its partners, and how a device reaches the patients"
    yield f'{subject} <{DCT}description> "{text}"@en .\n'


def _facts(subject: str, rng: random.Random, wrong: str) -> Iterator[str]:
    start = "2026-10-01" if wrong == "dates" else f"{rng.randint(2018, 2022)}-10-01"
    yield f'{subject} {medkg("startDate")} "{start}"^^<{XSD}date> .\n'
    yield f'{subject} {medkg("endDate")} "2025-12-31"^^<{XSD}date> .\n'
    status = "Unheard" if wrong == "status" else rng.choice(("Planned", "Running", "Completed"))
    yield f"{subject} {medkg('actionStatus')} {medkg(status)} .\n"
    level = "12" if wrong == "level" else str(rng.randint(1, 9))
    yield f'{subject} {medkg("startTRL")} "{level}"^^<{XSD}integer> .\n'
    # People write cents, and no engine that keeps values instead of terms keeps them.
    yield f'{subject} {medkg("totalCost")} "{rng.randint(1, 900)}000.00"^^<{XSD}decimal> .\n'
    if wrong == "closed":
        yield f'{subject} {medkg("unheardOf")} "x" .\n'


def _any(kind: str, number: int, rng: random.Random) -> str:
    return entity(kind, str(rng.randrange(number)))


def _some(kind: str, number: int, rng: random.Random) -> list[str]:
    return [entity(kind, str(one)) for one in rng.sample(range(number), 2)]
