"""What is in a workbook file, before anything reads it: sizes, kinds of parts, and what must not be there."""

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import Final

from medkg.domain.model import Place
from medkg.intake.tables.codes import Code
from medkg.intake.tables.limits import TableLimits
from medkg.intake.tables.notes import Notes, Refused

__all__ = ["guard"]

_OLE: Final = bytes.fromhex("d0cf11e0a1b11ae1")
_ZIP: Final = b"PK"
_CHUNK: Final = 64 * 1024
_SMALL: Final = 2**20
"""Parts up to this size may have any ratio: a few hundred equal rows compress very well."""
_ENCRYPTED: Final = 0x1
_MACROS: Final = re.compile(r"vbaProject\.bin$|macrosheets/", re.IGNORECASE)
_IGNORED: Final = {
    "externalLinks": re.compile(r"^xl/externalLinks/[^/]+\.xml$", re.IGNORECASE),
    "embeddings": re.compile(r"^xl/(?:embeddings|activeX|ctrlProps)/", re.IGNORECASE),
    "comments": re.compile(r"^xl/(?:comments|threadedComments)", re.IGNORECASE),
    "media": re.compile(r"^xl/media/", re.IGNORECASE),
    "connections": re.compile(r"^xl/(?:connections\.xml$|queryTables/)", re.IGNORECASE),
}
_OPEN_DOCUMENT: Final = {
    "application/vnd.oasis.opendocument.spreadsheet": ".ods",
    "application/vnd.oasis.opendocument.text": ".odt",
}
_OTHERS: Final = {"xl/workbook.bin": ".xlsb", "word/document.xml": ".docx", "ppt/presentation.xml": ".pptx"}
_DOCTYPE: Final = b"<!DOCTYPE"
_ZIP_ERRORS: Final = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
)


def guard(data: bytes, file: str, limits: TableLimits, notes: Notes) -> None:
    """Look through the parts of a workbook, unpacking each of them in pieces; tell what will be ignored.

    :raises Refused: it is no XLSX file, protected, damaged, has macros or document types, or gets too large.
    """
    place = Place(file=file)
    if data.startswith(_OLE):
        raise Refused(Code.PROTECTED, place)
    if not data.startswith(_ZIP):
        raise Refused(Code.DAMAGED, place)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            _sizes(parts, len(data), limits, place)
            _format(archive, {part.filename for part in parts}, place)
            _contents(archive, parts, len(data), limits, place)
    except _ZIP_ERRORS:
        raise Refused(Code.DAMAGED, place) from None
    ignored = [kind for kind, name in _IGNORED.items() if any(name.search(part.filename) for part in parts)]
    if ignored:
        notes.add(Code.PARTS_IGNORED, place, parts=", ".join(ignored))


def _sizes(parts: list[zipfile.ZipInfo], packed: int, limits: TableLimits, place: Place) -> None:
    """Refuse what the directory of the file itself says is too much."""
    if any(part.flag_bits & _ENCRYPTED for part in parts):
        raise Refused(Code.PROTECTED, place)
    # ECMA-376, part 2, annex B.4 knows no other ways to pack; one of them can ask for gigabytes at once.
    if any(part.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED} for part in parts):
        raise Refused(Code.DAMAGED, place)
    if len(parts) > limits.parts:
        raise Refused(Code.UNPACKS_TOO_LARGE, place, limit=_megabytes(limits.unpacked))
    total = sum(part.file_size for part in parts)
    steep = any(
        part.file_size > _SMALL and part.file_size > limits.ratio * part.compress_size for part in parts
    )
    if steep or total > limits.unpacked or (total > _SMALL and total > limits.ratio * packed):
        raise Refused(Code.UNPACKS_TOO_LARGE, place, limit=_megabytes(limits.unpacked))


def _format(archive: zipfile.ZipFile, names: set[str], place: Place) -> None:
    """Refuse what is a zip file, but no workbook without macros."""
    if "mimetype" in names:
        with archive.open("mimetype") as stream:
            declared = stream.read(100).decode("ascii", "replace").strip()
        raise Refused(Code.OTHER_FORMAT, place, format=_OPEN_DOCUMENT.get(declared, ".zip"))
    if other := next((format_ for name, format_ in _OTHERS.items() if name in names), ""):
        raise Refused(Code.OTHER_FORMAT, place, format=other)
    if any(map(_MACROS.search, names)):
        raise Refused(Code.MACROS, place)
    if "[Content_Types].xml" not in names:
        raise Refused(Code.OTHER_FORMAT, place, format=".zip")
    with archive.open("[Content_Types].xml") as stream:
        if b"macroEnabled" in stream.read(_SMALL):
            raise Refused(Code.MACROS, place)


def _contents(
    archive: zipfile.ZipFile, parts: list[zipfile.ZipInfo], packed: int, limits: TableLimits, place: Place
) -> None:
    """Unpack everything once, count what really comes, and refuse document types (and so entities)."""
    total = 0
    allowed = min(limits.unpacked, max(_SMALL, limits.ratio * packed))
    for part in parts:
        tail = b""
        for chunk in _chunks(archive, part):
            total += len(chunk)
            if total > allowed:
                raise Refused(Code.UNPACKS_TOO_LARGE, place, limit=_megabytes(limits.unpacked))
            seen = tail + chunk.replace(b"\0", b"")
            if part.filename.lower().endswith((".xml", ".rels", ".vml")) and _DOCTYPE in seen:
                raise Refused(Code.DOCTYPE, place, part=part.filename)
            tail = seen[-len(_DOCTYPE) :]


def _chunks(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> Iterator[bytes]:
    with archive.open(part) as stream:
        while chunk := stream.read(_CHUNK):
            yield chunk


def _megabytes(size: int) -> str:
    return f"{size / 2**20:.3g}"
