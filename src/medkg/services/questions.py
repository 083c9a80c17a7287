"""The saved questions: SPARQL files with a header that says what they ask, and how to answer one.

The header is TOML in comment lines that begin with ``#+``: number, title, question, parameters and columns,
each text in English, French, Italian and Polish.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, get_args

from rdflib.namespace import XSD
from rdflib.term import Literal as RdfLiteral
from rdflib.term import URIRef

from medkg.domain.errors import NotFound, ParameterError, SourceFileError
from medkg.domain.model import Term
from medkg.services.names import Names, worded
from medkg.store.engine import Engine

__all__ = [
    "LANGUAGES",
    "Cell",
    "Parameter",
    "Question",
    "Sheet",
    "ask",
    "bind",
    "fallback",
    "find",
    "load",
    "standalone",
]

_HINT: Final = re.compile(r"^ *# (?:To run this elsewhere|VALUES).*\n", re.MULTILINE)
_WHERE: Final = re.compile(r"\bWHERE\s*\{")
LANGUAGES: Final = ("en", "fr", "it", "pl")

Kind = Literal["region", "entity", "month", "date", "text", "language", "integer"]
Texts = Mapping[str, str]

_PATTERNS: Final[Mapping[str, tuple[str, str, URIRef | None]]] = {
    "month": (r"[0-9]{4}-(?:0[1-9]|1[0-2])", "a month such as 2023-03", XSD.gYearMonth),
    "date": (r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])", "a date such as 2023-03-31", XSD.date),
    "integer": (r"-?[0-9]{1,9}", "a whole number", XSD.integer),
    "language": (r"[a-z]{2,3}", "a language code such as en", None),
    "text": (r"[^\x00-\x1f]{1,500}", "a text of 1 to 500 characters", None),
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value that the asker may choose: the SPARQL variable, its type, its default as a person types it."""

    name: str
    kind: Kind
    default: str
    label: Texts
    class_: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """A saved question; *columns* are the projected variables that are shown, with their headings."""

    number: int
    slug: str
    title: Texts
    text: Texts
    parameters: tuple[Parameter, ...]
    columns: Mapping[str, Texts]
    query: str

    def worded(self, values: Mapping[str, str], language: str) -> str:
        """Return the question with *values* in place of its parameters."""
        words = {item.name: values.get(item.name, item.default) for item in self.parameters}
        return re.sub(r"\{(\w+)\}", lambda match: words.get(match[1], match[0]), _in(self.text, language))


@dataclass(frozen=True, slots=True)
class Cell:
    """One value of an answer: the term, and its label when it is an entity that has one."""

    term: Term
    label: str

    @property
    def iri(self) -> str | None:
        """The IRI, when the value is one."""
        return str(self.term) if isinstance(self.term, URIRef) else None


@dataclass(frozen=True, slots=True)
class Sheet:
    """The answer to a question: the values used (as terms and in words), and the rows, None where unbound."""

    question: Question
    language: str
    version: int
    bindings: Mapping[str, Term]
    values: Mapping[str, str]
    columns: tuple[str, ...]
    rows: Sequence[tuple[Cell | None, ...]]

    def heading(self, column: str) -> str:
        """Return the heading of a column in the language of the answer."""
        return _in(self.question.columns[column], self.language)


def load(folder: Path) -> tuple[Question, ...]:
    """Return the questions under *folder*, by number.

    :raises SourceFileError: a header is missing or incomplete.
    """
    return tuple(sorted((_read(path) for path in folder.glob("*.rq")), key=lambda item: item.number))


def find(questions: Sequence[Question], name: str) -> Question:
    """Return the question with that slug or number.

    :raises NotFound: there is none; near slugs are named.
    """
    for question in questions:
        if name in {question.slug, str(question.number), f"{question.number:02d}-{question.slug}"}:
            return question
    near = [item.slug for item in questions if set(name.split("-")) & set(item.slug.split("-"))][:5]
    remedy = f"Did you mean {', '.join(near)}?" if near else "The list of questions names them all."
    raise NotFound(f"There is no question {name!r}.", remedy=remedy)


def ask(
    engine: Engine, names: Names, question: Question, given: Mapping[str, str], language: str = "en"
) -> Sheet:
    """Answer *question* with the values *given* (name to text; missing or empty ones take the default).

    :raises ParameterError: a value can't be used, or a name is none of the question's parameters.
    """
    version = engine.version
    bindings = bind(names, question, given)
    found = engine.select(question.query, bindings)
    columns = tuple(question.columns)
    iris = {term for row in found.rows for term in row.values() if isinstance(term, URIRef)}
    labels = engine.labels(
        iris | {term for term in bindings.values() if isinstance(term, URIRef)}, fallback(language)
    )
    rows = [tuple(_cell(row.get(column), labels) for column in columns) for row in found.rows]
    values = {name: worded(term, labels) for name, term in bindings.items()}
    return Sheet(question, language, version, bindings, values, columns, rows)


def standalone(question: Question, bindings: Mapping[str, Term]) -> str:
    """Return the query with *bindings* as a VALUES block: it can be run as it is, here or elsewhere."""
    if not bindings:
        return question.query
    names = " ".join(f"?{name}" for name in bindings)
    # The terms are serialised by rdflib, which escapes what needs it; nothing of a user's text is pasted.
    terms = " ".join(term.n3() for term in bindings.values())
    values = f"\n  VALUES ({names}) {{ ({terms}) }}"
    return _WHERE.sub(lambda match: match[0] + values, _HINT.sub("", question.query), count=1)


def bind(names: Names, question: Question, given: Mapping[str, str]) -> dict[str, Term]:
    """Return the terms that the values *given*, and the defaults of the others, mean.

    :raises ParameterError: a value can't be used, or a name is none of the question's parameters.
    """
    _refuse_unknown(question, given)
    return {
        item.name: _bind(names, item, given.get(item.name) or item.default) for item in question.parameters
    }


def fallback(language: str) -> tuple[str, ...]:
    """Return the languages in which a label is looked for, the asked one first."""
    return tuple(dict.fromkeys((language, *LANGUAGES)))


def _cell(term: Term | None, labels: Mapping[URIRef, str]) -> Cell | None:
    return None if term is None else Cell(term, worded(term, labels))


def _refuse_unknown(question: Question, given: Mapping[str, str]) -> None:
    known = [item.name for item in question.parameters]
    for name in given:
        if name not in known:
            raise ParameterError(
                name,
                f"The question {question.slug!r} has no parameter {name!r}.",
                remedy=f"It takes: {', '.join(known) or 'none'}.",
            )


def _bind(names: Names, parameter: Parameter, text: str) -> Term:
    """Return the term that a value means; it is bound to the variable, never pasted into the query."""
    if parameter.kind == "region":
        return names.region(text, parameter=parameter.name)
    if parameter.kind == "entity":
        return names.entity(text, parameter.class_, parameter=parameter.name)
    pattern, expected, datatype = _PATTERNS[parameter.kind]
    if not re.fullmatch(pattern, text.strip()):
        raise ParameterError(
            parameter.name, f"{text[:100]!r} is no value for {parameter.name}.", remedy=f"Give {expected}."
        )
    return RdfLiteral(text.strip(), datatype=datatype, normalize=False)


def _in(texts: Texts, language: str) -> str:
    return texts.get(language) or texts["en"]


def _read(path: Path) -> Question:
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    header = "\n".join(line[3:] for line in lines if line.startswith("#+"))
    query = "\n".join(line for line in lines if not line.startswith("#+")).strip() + "\n"
    try:
        found = tomllib.loads(header)
        return Question(
            number=found["number"],
            slug=path.stem.partition("-")[2],
            title=_texts(found["title"]),
            text=_texts(found["question"]),
            parameters=tuple(_parameter(name, entry) for name, entry in found.get("parameters", {}).items()),
            columns={name: _texts(entry) for name, entry in found["columns"].items()},
            query=query,
        )
    except tomllib.TOMLDecodeError as error:
        raise SourceFileError(path, f"the header of the question is not TOML: {error}") from None
    except (TypeError, ValueError) as error:
        raise SourceFileError(path, f"the header of the question can't be used: {error}") from None
    except KeyError as error:
        raise SourceFileError(path, f"the header of the question lacks {error.args[0]!r}") from None


def _parameter(name: str, entry: Mapping[str, Any]) -> Parameter:
    if entry["type"] not in get_args(Kind):
        raise ValueError(f"{entry['type']!r} is no type of a parameter")
    return Parameter(name, entry["type"], entry["default"], _texts(entry["label"]), entry.get("class", ""))


def _texts(entry: Mapping[str, str]) -> Texts:
    return {language: entry[language] for language in LANGUAGES}
