"""The elements of an XML document with their offsets, read beside the parser; nothing is ever expanded."""

import re
from dataclasses import dataclass
from typing import Final, NoReturn
from xml.parsers import expat

from medkg.domain.model import Place
from medkg.domain.namespaces import RDF
from medkg.intake.rdf.flaws import Refusal
from medkg.intake.rdf.limits import Limits
from medkg.intake.rdf.lines import ByteLines
from medkg.intake.rdf.values import check_base

__all__ = ["Element", "Outline", "outline"]

_TAG: Final = re.compile(rb"<[^\s/>]++(?:[^\"'>]++|\"[^\"]*+\"|'[^']*+')*+>")
_NAME: Final = re.compile(rb"<([^\s/>]*)")
_ATTRIBUTE: Final = re.compile(rb"([^\s=/<>\"']++)\s*+=\s*+(?:\"[^\"]*+\"|'[^']*+')")
_XML_BASE: Final = "http://www.w3.org/XML/1998/namespace base"
_MOST_ATTRIBUTES: Final = 500
"""The parser compares each attribute of an element with each other one."""

_NO_ELEMENT, _UNCLOSED, _PARTIAL, _MISMATCH, _UNDEFINED, _OPEN_CDATA, _UNBOUND = 3, 5, 6, 7, 11, 20, 27
"""Errors of expat, by the numbers in its header file."""

_WRITTEN: Final = re.compile(rb"</?+[^\s<>/]*+>?|&[^\s;<]{0,40};?|.{0,30}")


@dataclass(slots=True, eq=False)
class Element:
    """An element: its name as an IRI and as it is written, its offsets in bytes, its attributes' IRIs.

    *tag_end* is where its start tag ends, *end* where its end tag does.
    """

    name: str
    shown: str
    parent: "Element | None"
    start: int
    tag_end: int
    end: int
    attributes: list[str]


class Outline:
    """The elements of one document, by the offsets at which their tags end."""

    def __init__(self, data: bytes, lines: ByteLines, root: Element, by_end: dict[int, Element]) -> None:
        self._data = data
        self._lines = lines
        self._by_end = by_end
        self.root = root
        # The statements of one element come one after the other.
        self._written: tuple[Element | None, dict[str, tuple[int, int]]] = None, {}
        self.foreign = str(RDF).encode() not in data

    def at(self, position: int) -> Element:
        """Return the element of the tag that ends at *position*; the root where none does."""
        return self._by_end.get(position, self.root)

    def tag(self, element: Element) -> Place:
        """Return the place of its start tag."""
        return self._lines.place(element.start, element.tag_end)

    def whole(self, element: Element) -> Place:
        """Return the place from its start tag to its end tag."""
        return self._lines.place(element.start, element.end)

    def value(self, element: Element, value: str) -> Place:
        """Return the place of its attribute with that value as it is written, or of its start tag."""
        if value:
            for found in _ATTRIBUTE.finditer(self._data, element.start, element.tag_end):
                if found[0].endswith((f'"{value}"'.encode(), f"'{value}'".encode())):
                    return self._lines.place(found.start(), found.end())
        return self.tag(element)

    def attribute(self, element: Element, name: str) -> Place | None:
        """Return the place of its attribute of that name, with its value; None when it has none."""
        if self._written[0] is not element:
            spans = [
                found.span()
                for found in _ATTRIBUTE.finditer(self._data, element.start, element.tag_end)
                if found[1] != b"xmlns" and not found[1].startswith(b"xmlns:")
            ]
            self._written = element, dict(zip(element.attributes, spans, strict=False))
        span = self._written[1].get(name)
        return None if span is None else self._lines.place(*span)


def outline(data: bytes, lines: ByteLines, limits: Limits) -> Outline:
    """Return the elements of an XML document in UTF-8.

    :raises Refusal: it is not well formed, has a DOCTYPE, declares another encoding, nests too deeply, has an
        element with too many attributes, or makes IRIs relative to a file.
    """
    scan = _Scan(data, lines, limits)
    return scan.outline()


class _Scan:
    def __init__(self, data: bytes, lines: ByteLines, limits: Limits) -> None:
        self._data = data
        self._lines = lines
        self._limits = limits
        self._open: list[Element] = []
        self._root: Element | None = None
        self._by_end: dict[int, Element] = {}
        self._parser = expat.ParserCreate("UTF-8", " ")
        self._parser.ordered_attributes = True
        self._parser.XmlDeclHandler = self._declaration
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.StartNamespaceDeclHandler = self._namespace
        self._namespaces = 0

    def outline(self) -> Outline:
        try:
            self._parser.Parse(self._data, True)
        except expat.ExpatError as error:
            raise self._malformed(error.code) from None
        if self._root is None:
            raise Refusal("F-40", self._lines.place(len(self._data)))
        return Outline(self._data, self._lines, self._root, self._by_end)

    def _declaration(self, version: str, encoding: str | None, standalone: int) -> None:
        del version, standalone
        if encoding and encoding.lower() not in {"utf-8", "us-ascii", "ascii", "utf8"}:
            raise Refusal("F-53", self._here(), encoding=encoding)

    def _doctype(self, *_: object) -> NoReturn:
        at = self._data.rfind(b"<!DOCTYPE", 0, self._parser.CurrentByteIndex + len(b"<!DOCTYPE"))
        raise Refusal("F-50", self._lines.place(max(at, 0)))

    def _start(self, name: str, attributes: list[str]) -> None:
        start = self._parser.CurrentByteIndex
        if len(self._open) >= self._limits.nesting:
            raise Refusal("F-21", self._here(), limit=self._limits.nesting)
        self._namespaces = 0
        if len(attributes) // 2 > _MOST_ATTRIBUTES:
            raise Refusal("F-57", self._here(), limit=_MOST_ATTRIBUTES)
        tag = _TAG.match(self._data, start)
        shown = _NAME.match(self._data, start)
        end = tag.end() if tag else start
        element = Element(
            name.replace(" ", "", 1),
            shown[1].decode() if shown else name,
            self._open[-1] if self._open else None,
            start,
            end,
            end,
            [written.replace(" ", "", 1) for written in attributes[::2]],
        )
        for written, value in zip(attributes[::2], attributes[1::2], strict=True):
            if written == _XML_BASE:
                check_base(value, lambda: self._lines.place(start, end))
        self._root = self._root or element
        self._by_end[end] = element
        self._open.append(element)

    def _namespace(self, *_: object) -> None:
        self._namespaces += 1
        if self._namespaces > _MOST_ATTRIBUTES:
            raise Refusal("F-57", self._here(), limit=_MOST_ATTRIBUTES)

    def _end(self, name: str) -> None:
        del name
        element = self._open.pop()
        if not self._data.endswith(b"/>", element.start, element.tag_end):
            element.end = self._data.find(b">", self._parser.CurrentByteIndex) + 1
            self._by_end[element.end] = element

    def _here(self) -> Place:
        return self._lines.place(self._parser.CurrentByteIndex)

    def _malformed(self, code: int) -> Refusal:
        at = max(self._parser.ErrorByteIndex, 0)
        if code == _MISMATCH and self._data.endswith(b"</", 0, at):
            at -= 2
        place = self._lines.place(at)
        written = _WRITTEN.match(self._data, at)
        found = written[0].decode("utf-8", "ignore") if written else ""
        if code in {_NO_ELEMENT, _UNCLOSED, _PARTIAL, _OPEN_CDATA}:
            return Refusal("F-40", place)
        if code == _MISMATCH and self._open:
            return Refusal("F-58", place, found=found, expected=f"</{self._open[-1].shown}>")
        if code == _UNDEFINED:
            return Refusal("F-56", place, entity=found)
        if code == _UNBOUND:
            return Refusal("F-55", place, found=found)
        return Refusal("F-51", place, found=found)
