"""What kind of document some bytes are: by what is said of them, by their file name, by what they are."""

import io
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from medkg.domain.model import Place
from medkg.domain.submission import Flaw
from medkg.intake.rdf.flaws import Refusal

__all__ = ["Recognised", "recognise"]

_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "text/turtle": "Turtle",
        "application/n-triples": "N-Triples",
        "application/ld+json": "JSON-LD",
        "application/rdf+xml": "RDF/XML",
        "text/csv": "CSV",
        _XLSX: "XLSX",
    }
)
_OTHER_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "application/x-turtle": "text/turtle",
        "application/turtle": "text/turtle",
        "application/json": "application/ld+json",
        "application/xml": "application/rdf+xml",
        "text/xml": "application/rdf+xml",
        "text/n3": "text/turtle",
        "text/tab-separated-values": "text/csv",
        "application/csv": "text/csv",
    }
)
_SUFFIXES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "ttl": "text/turtle",
        "turtle": "text/turtle",
        "nt": "application/n-triples",
        "jsonld": "application/ld+json",
        "json": "application/ld+json",
        "rdf": "application/rdf+xml",
        "xml": "application/rdf+xml",
        "owl": "application/rdf+xml",
        "csv": "text/csv",
        "tsv": "text/csv",
        "xlsx": _XLSX,
        "nq": "application/n-quads",
        "trig": "application/trig",
    }
)
_QUADS: Final[Mapping[str, str]] = MappingProxyType(
    {"application/n-quads": "N-Quads", "application/trig": "TriG", "text/x-nquads": "N-Quads"}
)
_SAYS_NOTHING: Final = frozenset(
    {"", "application/octet-stream", "text/plain", "binary/octet-stream", "application/x-www-form-urlencoded"}
)
_START: Final = 4096
_HTML: Final = re.compile(
    r"\s*+(?:<!--.*?-->\s*+)?<(?:!doctype\s++html|html|head|body)\b", re.IGNORECASE | re.DOTALL
)
_XML: Final = re.compile(r"\s*+<(?:\?xml\s|!DOCTYPE\b|!--|[A-Za-z_][\w.-]*+(?::[\w.-]++)?\s++xmlns)")
_JSON: Final = re.compile(r'\s*+(?:\{\s*+["}]|\[\s*+(?:[\[{]\s*+["}\]]|\]\s*+\Z))')
_TURTLE: Final = re.compile(
    r"\s*+(?:#[^\n]*\n\s*+)*+(?:@prefix\b|@base\b|prefix\s[^\n]*<|base\s*+<)", re.IGNORECASE
)
_TRIPLE: Final = re.compile(r"\s*+(?:#[^\n]*\n\s*+)*+(?:<[^<>\s]*+>|_:\S++)\s*+<[^<>\s]*+>\s*+[<_\"]")
_TABLE: Final = re.compile(r"[^\n;,\t<>{}]*+(?:[;,\t][^\n<>{}]*+)++\r?(?:\n|\Z)")


@dataclass(frozen=True, slots=True)
class Recognised:
    """The media type that a document is read as, or None with the flaws that say why it is not read."""

    media_type: str | None
    flaws: tuple[Flaw, ...] = ()


def recognise(data: bytes, declared: str | None, file_name: str | None) -> Recognised:
    """Tell what a document is: by its declared media type, else the suffix of its name, else its content.

    A document that is plainly something else than what is said of it is refused; so are formats with named
    graphs, as a submission may not choose its graph.  A suffix that contradicts the declared type is a
    warning.
    """
    stated = (declared or "").partition(";")[0].strip().lower()
    stated = _OTHER_NAMES.get(stated, stated)
    suffix = (file_name or "").rpartition(".")[2].lower() if "." in (file_name or "") else ""
    by_suffix = _SUFFIXES.get(suffix)
    try:
        content = _content(data)
        media_type = _chosen(stated, by_suffix, content, suffix)
        _refuse_lies(media_type, content)
    except Refusal as refusal:
        return Recognised(None, (refusal.flaw,))
    if stated not in _SAYS_NOTHING and by_suffix is not None and by_suffix != media_type:
        flaw = Flaw("F-10", Place(), {"suffix": f".{suffix}", "declared": _NAMES[media_type]})
        return Recognised(media_type, (flaw,))
    return Recognised(media_type)


def _chosen(stated: str, by_suffix: str | None, content: str | None, suffix: str) -> str:
    """Return the media type that counts.

    :raises Refusal: it is none that is taken, or nothing tells what it is.
    """
    chosen = stated if stated not in _SAYS_NOTHING else by_suffix or content
    if chosen is not None and chosen in _QUADS:
        raise Refusal("F-12", Place(), found=_QUADS[chosen])
    if chosen is None or chosen not in _NAMES:
        raise Refusal("F-11", Place(), found=chosen or (f".{suffix}" if suffix else "?"))
    return chosen


def _refuse_lies(media_type: str, content: str | None) -> None:
    """Refuse a document whose content is of another kind; text may be of several.

    :raises Refusal: it is.
    """
    if content is None or content == media_type:
        return
    plain = {"text/turtle", "application/n-triples", "text/csv"}
    if content in plain and media_type in plain and (content == "text/csv" or media_type != "text/csv"):
        return
    raise Refusal("F-14", Place(line=1, column=1), declared=_NAMES[media_type], found=_NAMES[content])


def _content(data: bytes) -> str | None:
    """Return the media type that the first bytes can't but be of; None where they may be of several.

    :raises Refusal: they are of something that is never taken.
    """
    start = data[:_START]
    if start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _archive(data)
    for mark, found in (
        (b"%PDF", "PDF"),
        (b"\xd0\xcf\x11\xe0", "XLS"),
        (b"\x1f\x8b", "gzip"),
        (b"{\\rtf", "RTF"),
    ):
        if start.startswith(mark):
            raise Refusal("F-15", Place(line=1, column=1), found=found)
    wide = "utf-16" if start.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    text = start.decode(wide, "ignore")
    if _HTML.match(text):
        raise Refusal("F-13", Place(line=1, column=1))
    kinds = (
        (_XML, "application/rdf+xml"),
        (_JSON, "application/ld+json"),
        (_TURTLE, "text/turtle"),
        (_TRIPLE, "application/n-triples"),
        (_TABLE, "text/csv"),
    )
    return next((media_type for pattern, media_type in kinds if pattern.match(text)), None)


def _archive(data: bytes) -> str:
    """Return the type of a workbook.

    :raises Refusal: the archive is none.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            workbook = "xl/workbook.xml" in archive.namelist()
    except (zipfile.BadZipFile, ValueError, OSError, EOFError, NotImplementedError):
        # A cut workbook is the table reader's to explain; by its first file it can still be told.
        workbook = b"[Content_Types].xml" in data[:_START] or b"xl/" in data[:_START]
    if not workbook:
        raise Refusal("F-15", Place(), found="ZIP")
    return _XLSX
