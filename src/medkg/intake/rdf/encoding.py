"""Bytes become text: only UTF-8 is read, and whatever else arrives is named."""

import codecs
import re
from collections.abc import Iterator
from itertools import islice

from medkg.domain.model import Place
from medkg.intake.rdf.flaws import Flaws, Refusal
from medkg.intake.rdf.limits import Limits
from medkg.intake.rdf.lines import Lines

__all__ = ["decode", "encoding_name"]

_MARKS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
_SAMPLE = 4096
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")
_ASCII = bytes(range(128))
_SIGNS = "\u2013\u2019\u201c\u201d\u201e\u2026\u20ac"
_LETTERS = {
    "Windows-1252": ("cp1252", "àâäáãåæçéèêëíìîïñóòôöõøœúùûüÿßÀÂÄÁÃÅÆÇÉÈÊËÍÌÎÏÑÓÒÔÖÕØŒÚÙÛÜ" + _SIGNS),
    "Windows-1250": ("cp1250", "ąćęłńóśźżĄĆĘŁŃÓŚŹŻáčďéěíňřšťúůýžÁČĎÉĚÍŇŘŠŤÚŮÝŽäöüßőűăâîşţ" + _SIGNS),
    "ISO-8859-2": ("iso8859-2", "ąćęłńóśźżĄĆĘŁŃÓŚŹŻáčďéěíňřšťúůýžÁČĎÉĚÍŇŘŠŤÚŮÝŽäöüßőűăâîşţ"),
}
"""Single-byte encodings of Europe with the characters that a text in them is likely to have."""

_DOUBLE = re.compile("[ÂÃÄÅĂĹ][^\x00-\x7f]|â[^\x00-\x7f]{2}")
"""How two or three bytes of UTF-8 look when they are read one by one."""
_TRIED = 20_000
_WORD = re.compile(r"[^\s\"'<>]*")
_MENDED = re.compile("[\xa0-\u017f\u2010-\u2026\u20ac\u2122]")
_BEFORE = re.compile(r"[^\s\"'<>]{0,60}\Z")


def decode(data: bytes, limits: Limits, flaws: Flaws) -> str:
    """Return the text of a document without its byte order mark; add warnings to *flaws*.

    :raises Refusal: it is empty, too large, not UTF-8, or has control characters.
    """
    if len(data) > limits.bytes:
        raise Refusal("F-08", Place(), bytes=len(data), limit=limits.bytes)
    if not data.strip(b" \t\r\n\xef\xbb\xbf"):
        raise Refusal("F-01", Place())
    wide = encoding_name(data)
    if wide:
        raise Refusal("F-04", Place(line=1, column=1), encoding=wide)
    if data.startswith(codecs.BOM_UTF8):
        flaws.add("F-03", Place(line=1, column=1))
        data = data[len(codecs.BOM_UTF8) :]
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _not_utf8(data, error) from None
    _refuse_controls(text)
    _warn_of_damage(text, flaws)
    return text


def encoding_name(data: bytes) -> str:
    """Return "UTF-16" or "UTF-32" for a document in one of them, with a mark or without; else nothing."""
    for mark, name in _MARKS:
        if data.startswith(mark):
            return name
    sample = data[:_SAMPLE]
    sample = sample[: len(sample) // 4 * 4]
    zeros = [sample[start::4].count(0) for start in range(4)]
    quarter = len(sample) // 4
    if quarter and sorted(zeros)[1] >= quarter * 0.9:
        return "UTF-32"
    if quarter and max(zeros[0] + zeros[2], zeros[1] + zeros[3]) >= quarter * 2 * 0.4:
        return "UTF-16"
    return ""


def _not_utf8(data: bytes, error: UnicodeDecodeError) -> Refusal:
    """Return the refusal with the place of the first bad byte, and the encoding that it is likely to be."""
    before = data[: error.start].decode("utf-8")
    place = Lines(before).place(len(before))
    if error.end == len(data) and error.reason == "unexpected end of data":
        return Refusal("F-40", place)
    odd = data.translate(None, _ASCII)[:_SAMPLE]
    scores = {
        name: sum(letter in letters for letter in odd.decode(codec, "replace"))
        for name, (codec, letters) in _LETTERS.items()
    }
    likely = max(scores, key=lambda name: scores[name])
    return Refusal("F-05", place, byte=f"0x{data[error.start]:02X}", encoding=likely)


def _refuse_controls(text: str) -> None:
    found = _CONTROLS.search(text)
    if found is not None:
        place = Lines(text).place(found.start(), found.end())
        raise Refusal("F-06", place, character=f"U+{ord(found[0]):04X}")


def _warn_of_damage(text: str, flaws: Flaws) -> None:
    """Warn of text that was decoded wrongly before it came here."""
    if text.isascii():
        return
    lines = Lines(text)
    end = 0
    for start, word, mended in _doubles(text):
        if start < end:
            continue
        end = start + len(word)
        flaws.add("F-07", lines.place(start, end), found=word, proposal=mended)
        if flaws.full("F-07"):
            break
    for found in re.finditer("\ufffd+", text):
        flaws.add("F-09", lines.place(found.start(), found.end()))
        if flaws.full("F-09"):
            break


def _doubles(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield the words that are UTF-8 read as something else: where, what, and what was meant."""
    for found in islice(_DOUBLE.finditer(text), _TRIED):
        if _mend(found[0]) == found[0]:
            continue
        before = _BEFORE.search(text, max(0, found.start() - 60), found.start())
        start = before.start() if before else found.start()
        after = _WORD.match(text, found.end(), found.end() + 60)
        word = text[start : after.end() if after else found.end()]
        yield start, word, _DOUBLE.sub(lambda match: _mend(match[0]), word)


def _mend(run: str) -> str:
    """Return what the bytes of two or three characters are in UTF-8, where that is a European character."""
    for codec in ("cp1252", "cp1250", "latin-1"):
        try:
            mended = run.encode(codec).decode("utf-8")
        except UnicodeError:
            continue
        if len(mended) == 1 and _MENDED.match(mended):
            return mended
    return run
