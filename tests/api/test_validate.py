"""What is sent to ``/validate`` is judged beside the public graph, told in every format, and not kept."""

import csv
import io
import json
import os
import re
import shutil
import signal
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import openpyxl
import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from rdflib import Graph
from rdflib.namespace import RDF, SH
from rdflib.term import Literal

from medkg.config import Settings
from medkg.domain.namespaces import GRAPH
from medkg.services.build import Summary
from medkg_api.app import create_app

HOSTILE: Final = sorted((Path(__file__).parents[1] / "hostile" / "files").iterdir())
TURTLE: Final = "text/turtle"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ADMIN: Final = "the-admin-token-of-the-tests"
INTERNALS: Final = re.compile(r"Traceback|site-packages|/work|/tmp/|rdflib|oxigraph|\.py\b")
HEAD: Final = """\
@prefix medkg: <https://w3id.org/medkg/ontology#> .
@prefix dct: <http://purl.org/dc/terms/> .
@prefix nuts: <http://data.europa.eu/nuts/code/> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix id: <https://w3id.org/medkg/id/> .
"""
GOOD: Final = (
    HEAD
    + """\
<https://w3id.org/medkg/id/action/gamma> a medkg:InnovationAction ;
    skos:prefLabel "A gamma centre for imaging"@en ;
    dct:description "What is to be done in the gamma action, over the years."@en ;
    medkg:concernsOrganisation <https://w3id.org/medkg/id/organisation/medsilesia> ;
    medkg:inRoadmap <https://w3id.org/medkg/id/roadmap/chain-reactions-health> ;
    medkg:usesKET <https://w3id.org/medkg/vocab/ket-2018/artificial-intelligence> ;
    medkg:region nuts:PL22 ;
    medkg:plannedFrom "2021-10"^^xsd:gYearMonth .
"""
)
MISTAKES: Final = GOOD.replace("nuts:PL22", "nuts:PL2X").replace("medkg:plannedFrom", "medkg:planedFrom")
UNKNOWN: Final = GOOD.replace("nuts:PL22", "nuts:XX99")
TITLES: Final = "id,title,description,region,start,organisation\n"
ROW: Final = '{},A gamma centre for imaging,"What is to be done, over the years.",{},{},MedSilesia\n'
TABLE: Final = TITLES + ROW.format("x1", "PL22", "2021-10") + ROW.format("x2", "XX99", "2021-13")


def send(
    client: TestClient, document: str | bytes, kind: str = TURTLE, query: str = "", **fields: str
) -> Any:
    """Send a document; *fields* are header fields."""
    given = {name.replace("_", "-"): value for name, value in fields.items()}
    return client.post(f"/validate{query}", content=document, headers={"content-type": kind, **given})


def found(answer: Any) -> list[tuple[str, str, int | str]]:
    """Return code, severity, and line:column or cell of each finding."""
    return [
        (
            item["code"],
            item["severity"],
            item["location"]["cell"] or f"{item['location']['line']}:{item['location']['column']}",
        )
        for item in answer.json()["findings"]
    ]


def codes(answer: Any) -> set[str]:
    """Return the codes of the findings."""
    return {item["code"] for item in answer.json()["findings"]}


def book(*rows: str) -> bytes:
    """Return the rows of a table as a workbook."""
    workbook = Workbook()
    sheet = workbook.active
    assert sheet is not None
    for row in csv.reader(rows or TABLE.splitlines()):
        sheet.append(row)
    file = io.BytesIO()
    workbook.save(file)
    return file.getvalue()


def listing(folder: Path) -> dict[str, int]:
    """Return the files below a folder, and their sizes."""
    return {
        str(path.relative_to(folder)): path.stat().st_size for path in folder.rglob("*") if path.is_file()
    }


@contextmanager
def service(folder: Path, **given: Any) -> Iterator[TestClient]:
    """Start a service on a data folder, as it is started in earnest: with an endpoint of its own."""
    values = {"public_url": "https://medkg.test", "rate_limit": 0, "workers": 1, "log_level": "error"}
    app = create_app(Settings(data_dir=folder, **{**values, **given}))
    with TestClient(app, base_url="https://medkg.test", raise_server_exceptions=False) as client:
        client.follow_redirects = False
        yield client


@pytest.fixture(scope="session")
def public(summary: Summary, data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the data folder with the built graph."""
    assert summary.version == 1
    folder = tmp_path_factory.mktemp("validate") / "var"
    shutil.copytree(data_dir, folder, ignore=shutil.ignore_patterns("*.nq", "service.lock"))
    return folder


@pytest.fixture(scope="session")
def checks(public: Path) -> Iterator[TestClient]:
    """A client of a service that checks beside the built graph."""
    with service(public) as client:
        yield client


def test_a_good_document_is_accepted(checks: TestClient) -> None:
    """A record that has all it needs, and speaks of published ones, is accepted without a word."""
    answer = send(checks, GOOD)
    told = answer.json()
    assert answer.status_code == 200
    assert (told["decision"], told["findings"]) == ("accepted", [])
    assert told["data_version"] == 1
    assert told["media_type"] == TURTLE


def test_a_bad_document_is_rejected_with_codes_and_places(checks: TestClient) -> None:
    """Each mistake has its code and the line and column of the statement that makes it."""
    answer = send(checks, MISTAKES)
    assert answer.status_code == 200
    assert answer.json()["decision"] == "rejected"
    assert ("R-02", "violation", "13:18") in found(answer)
    assert ("G-04", "violation", "14:22") in found(answer)
    assert ("A-32", "violation", "7:1") in found(answer)


def test_what_was_meant_is_suggested(checks: TestClient) -> None:
    """A code of a region and a name of a property that are nearly right get what they are near to."""
    suggested = {item["code"]: item["suggestion"] for item in send(checks, MISTAKES).json()["findings"]}
    assert suggested["G-04"] == "medkg:plannedFrom"
    assert "nuts:PL2" in suggested["R-02"]
    assert {item["suggestion"] for item in send(checks, UNKNOWN).json()["findings"]} == {""}


@pytest.mark.parametrize(
    ("profile", "decision", "severity"),
    [
        ("draft", "accepted", None),
        ("submission", "rejected", "violation"),
        ("publication", "accepted", "warning"),
    ],
)
def test_profiles_differ(checks: TestClient, profile: str, decision: str, severity: str | None) -> None:
    """What is missing is nothing in a draft, a violation in a submission, a warning in the public graph."""
    answer = send(checks, re.sub(".*concernsOrganisation.*\n", "", GOOD), query=f"?profile={profile}")
    told = answer.json()
    assert (told["decision"], told["profile"]) == (decision, profile)
    assert {item["code"]: item["severity"] for item in told["findings"]}.get("A-12") == severity


LANGUAGES: Final = {"en": "not a region", "fr": "région", "it": "regione", "pl": "region"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_report_is_told_in_the_language_of_the_sender(checks: TestClient, language: str) -> None:
    """Accept-Language chooses among four languages, and the parameter wins over it."""
    first = send(checks, UNKNOWN, accept_language=f"{language}-CH, de;q=0.9")
    second = send(checks, UNKNOWN, query=f"?lang={language}", accept_language="en, fr;q=0.9, pl;q=0.8")
    for answer in (first, second):
        told = answer.json()
        assert told["language"] == language
        (message,) = [item["message"] for item in told["findings"] if item["code"] == "R-02"]
        assert LANGUAGES[language] in message
        assert {item["lang"] for item in told["findings"]} == {language}
    assert first.json()["reason"] == second.json()["reason"]


FACES: Final = {
    "json": "application/json",
    "html": "text/html; charset=utf-8",
    "text": "text/plain; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "sarif": "application/sarif+json",
    "ttl": "text/turtle; charset=utf-8",
    "nt": "application/n-triples",
    "jsonld": "application/ld+json",
    "rdfxml": "application/rdf+xml",
}


@pytest.mark.parametrize("name", FACES)
def test_every_format_comes_by_name_and_by_accept(checks: TestClient, name: str) -> None:
    """A format has one Content-Type however it is asked for, and tells of the mistake."""
    main = FACES[name].partition(";")[0]
    for answer in (send(checks, UNKNOWN, query=f"?format={name}"), send(checks, UNKNOWN, accept=main)):
        assert answer.status_code == 200
        assert answer.headers["content-type"].partition(";")[0] == main
        assert answer.headers["cache-control"] == "no-store"
        assert {"Accept", "Accept-Language"} <= set(answer.headers["vary"].split(", "))
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "R-02" in answer.text or "RegionReference-known" in answer.text


@pytest.mark.parametrize(("name", "syntax"), [("ttl", "turtle"), ("nt", "nt"), ("rdfxml", "xml")])
@pytest.mark.parametrize("document", [GOOD, UNKNOWN, "no triples"], ids=["good", "bad", "unreadable"])
def test_a_report_in_rdf_says_whether_it_conforms(
    checks: TestClient, name: str, syntax: str, document: str
) -> None:
    """The formats of RDF hold one validation report, whose sh:conforms is true without any result."""
    answer = send(checks, document, query=f"?format={name}")
    graph = Graph().parse(data=answer.text, format=syntax)
    (report,) = graph.subjects(RDF.type, SH.ValidationReport)
    assert graph.value(report, SH.conforms) == Literal(document == GOOD)
    assert bool(list(graph.objects(report, SH.result))) == (document != GOOD)


def test_a_table_is_told_by_its_cells(checks: TestClient) -> None:
    """A CSV file and a workbook with the same rows get the same findings at the same cells."""
    answers = [send(checks, TABLE, "text/csv"), send(checks, book(), XLSX)]
    for answer in answers:
        places = {(code, place) for code, _, place in found(answer)}
        assert ("H-45", "D3") in places
        assert any(place == "E3" for _, place in places)
        assert not {place for _, severity, place in found(answer) if severity == "violation"} & {"D2", "E2"}
    assert found(answers[0]) == found(answers[1])


@pytest.mark.parametrize(("document", "kind"), [(TABLE.encode(), "text/csv"), (book(), XLSX)])
def test_a_table_comes_back_with_marks(checks: TestClient, document: bytes, kind: str) -> None:
    """The workbook that comes back has the sender's cells, and a comment and a colour on a wrong one."""
    answer = send(checks, document, kind, "?format=xlsx&file=my%20plan.v2.csv")
    assert answer.headers["content-type"] == XLSX
    assert answer.headers["content-disposition"] == 'attachment; filename="my-plan.v2-report.xlsx"'
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).worksheets[0]
    assert sheet["D3"].value == "XX99"
    assert "H-45" in sheet["D3"].comment.text
    assert sheet["D3"].fill.fgColor.rgb != sheet["D2"].fill.fgColor.rgb
    assert sheet["D2"].comment is None


def test_a_document_that_is_no_table_has_no_workbook(checks: TestClient) -> None:
    """Who asks for a workbook of a Turtle document gets 406 and a reason."""
    answer = send(checks, GOOD, accept=XLSX)
    assert answer.status_code == 406
    assert "table" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("document", "kind", "place"),
    [
        (GOOD.replace("medkg:region", "medkgg:region"), TURTLE, (13, 5)),
        ('{"@context": {}, ', "application/ld+json", (1, 18)),
        ("", TURTLE, (0, 0)),
        ("", "text/csv", (0, 0)),
        (b"", "", (0, 0)),
        (b"\x00\x01\x02", "application/octet-stream", None),
        (b"PK\x03\x04", XLSX, (0, 0)),
    ],
)
def test_what_cannot_be_read_gets_the_same_report(
    checks: TestClient, document: str | bytes, kind: str, place: tuple[int, int] | None
) -> None:
    """A document that can't be read, or has nothing in it, is answered 400 with a report and the place."""
    answer = send(checks, document, kind)
    told = answer.json()
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/json"
    assert told.keys() == send(checks, GOOD).json().keys()
    assert told["decision"] == "unreadable"
    assert told["counts"]["violation"] >= 1
    location = told["findings"][0]["location"]
    assert place is None or (location["line"] or 0, location["column"] or 0) == place
    assert told["findings"][0]["how_to_fix"]


@pytest.mark.parametrize("query", ["profile=strict", "lang=de", "profile=DRAFT"])
@pytest.mark.parametrize("in_form", [False, True])
def test_a_parameter_that_means_nothing_is_refused(checks: TestClient, query: str, in_form: bool) -> None:
    """An unknown profile or language is refused, in the address as in a form, whatever the document is."""
    name, _, value = query.partition("=")
    file = {"file": ("a.ttl", GOOD.encode(), TURTLE)}
    answer = (
        checks.post("/validate", files=file, data={name: value})
        if in_form
        else send(checks, GOOD, query=f"?{query}")
    )
    assert answer.status_code == 400
    assert answer.json()["name"] == name
    assert "one of" in answer.json()["detail"]


def test_other_refusals(checks: TestClient) -> None:
    """Length, type, coding and format of a request have their own statuses."""
    assert send(checks, b" " * 10_000_001).status_code == 413
    assert checks.post("/validate", files={"file": ("a.ttl", b" " * 10_100_000)}).status_code == 413
    assert send(checks, b"x", "image/png").status_code == 415
    assert send(checks, b"x", content_encoding="gzip").status_code == 415
    assert send(checks, GOOD, accept="image/png").status_code == 406
    assert send(checks, GOOD, query="?format=docx").status_code == 406


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_other_methods_are_refused(checks: TestClient, method: str) -> None:
    """A method that is not taken is answered 405, with all that are taken (RFC 9110, section 15.5.6)."""
    answer = checks.request(method, "/validate", content=b"x")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD, POST"


def test_a_form_brings_the_file_and_what_is_asked(checks: TestClient) -> None:
    """The fields of a form win over the header fields; the name of the file is in the report."""
    file = {"file": ("../plan.ttl", UNKNOWN.encode(), "application/octet-stream")}
    fields = {"profile": "draft", "lang": "it", "format": "json"}
    answer = checks.post("/validate", files=file, data=fields, headers={"accept": "text/html"})
    told = answer.json()
    assert (told["profile"], told["language"], told["file"]) == ("draft", "it", "../plan.ttl")
    assert [item["location"]["file"] for item in told["findings"]] == ["../plan.ttl"] * len(told["findings"])


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "multipart/form-data; boundary=x"),
        (b"--x--\r\n", "multipart/form-data; boundary=x"),
        (b"--x--\r\n", "multipart/form-data"),
        (b"no form", "multipart/form-data; boundary=x"),
        (
            b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\na\r\n--x--',
            "multipart/form-data; boundary=x",
        ),
        (
            b'--x\r\nContent-Disposition: form-data; name="other"; filename="a"\r\n\r\na\r\n--x--',
            "multipart/form-data; boundary=x",
        ),
        (b"--x\r\n\r\n\r\n--x--", "multipart/form-data; charset=klingon; boundary=x"),
    ],
)
def test_a_form_without_a_file_is_refused(checks: TestClient, body: bytes, kind: str) -> None:
    """A form that is broken or has no file is answered 400, with what is to be sent."""
    answer = send(checks, body, kind)
    assert answer.status_code == 400
    assert "file" in answer.json()["detail"]


def test_the_page_works_without_scripts(checks: TestClient, read_page: Any) -> None:
    """The page has a form with a file and three choices, in the language of the reader."""
    for language in LANGUAGES:
        answer = checks.get("/validate", headers={"accept": "text/html", "accept-language": language})
        page = read_page(answer)
        assert page.language == language
        assert ("form", "/validate") in page.loads
        assert page.tags.count("select") == 3
        assert {"input", "button"} <= set(page.tags)
        assert f'<option value="{language}" lang="{language}" selected>' in answer.text
    assert checks.get("/validate.css").headers["content-type"] == "text/css; charset=utf-8"


WICKED: Final = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{ 7*7 }}"


def test_a_page_escapes_everything(checks: TestClient, read_page: Any) -> None:
    """What a document or the name of its file says is shown, and never becomes a tag."""
    label = json.dumps(WICKED)
    document = UNKNOWN.replace('"A gamma centre for imaging"@en', f'{label}@en , {label}@en-x-a , "<b>"')
    fields = {"format": "html", "lang": "en"}
    answer = checks.post("/validate", files={"file": (f"{WICKED}.ttl", document.encode())}, data=fields)
    page = read_page(answer)
    assert answer.status_code == 200
    assert not {"script", "img", "b"} & set(page.tags)
    assert "49" not in page.texts["h1"]
    assert "&lt;script&gt;" in answer.text
    unreadable = send(checks, f"<{WICKED}>", query="?format=html")
    assert unreadable.status_code == 400
    assert not {"script", "img"} & set(read_page(unreadable).tags)


def _ready(client: TestClient) -> Any:
    """Return the end of the process that is ready for the next document."""
    checking = client.app.state.context.checking  # type: ignore[attr-defined]
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        client.get("/validate")
        task = checking._reading and checking._reading._next
        if task is not None and task.done():
            return task.result()
        time.sleep(0.02)
    raise AssertionError("no process was started")


def _is_taken(client: TestClient, peer: Any) -> bool:
    """Tell whether a process has got its document."""
    task = client.app.state.context.checking._reading._next  # type: ignore[attr-defined]
    return task is None or not task.done() or task.result() is not peer


def test_a_reader_that_died_while_it_waited_is_replaced(checks: TestClient) -> None:
    """A process that is killed before it has a document costs the next sender nothing."""
    send(checks, GOOD)
    peer = _ready(checks)
    os.kill(peer.pid, signal.SIGKILL)
    while not peer.lost:
        time.sleep(0.01)
    assert send(checks, GOOD).json()["decision"] == "accepted"


def test_a_document_that_ends_its_reader_is_told(checks: TestClient) -> None:
    """A process that dies of its document gives 413 and a sentence, and the service lives."""
    send(checks, GOOD)
    peer = _ready(checks)
    os.kill(peer.pid, signal.SIGSTOP)
    with ThreadPoolExecutor(1) as sender:
        sent = sender.submit(send, checks, GOOD)
        while not _is_taken(checks, peer):
            time.sleep(0.01)
        os.kill(peer.pid, signal.SIGKILL)
        answer = sent.result()
    assert answer.status_code == 413
    assert "ended the process that read it" in answer.json()["detail"]
    assert "in parts" in answer.json()["detail"]
    assert send(checks, GOOD).json()["decision"] == "accepted"


def test_the_nursery_may_die(checks: TestClient) -> None:
    """When the process with the graph is killed, the next document gets a new one."""
    send(checks, GOOD)
    os.kill(checks.app.state.context.checking._keeper.pid, signal.SIGKILL)  # type: ignore[attr-defined]
    assert send(checks, GOOD).json()["decision"] == "accepted"


def test_a_check_beyond_its_memory_is_told(checks: TestClient) -> None:
    """A check that may take hardly any memory ends with a sentence, and no error of the service."""
    checking = checks.app.state.context.checking  # type: ignore[attr-defined]
    before, checking._memory = checking._memory, 1_000_000
    rows = "".join(f'id:a{number} skos:note "{number}"@en .\n' for number in range(5_000))
    try:
        answer = send(checks, HEAD + rows)
    finally:
        checking._memory = before
    assert answer.status_code == 413
    assert "several files" in answer.json()["detail"]


def test_nothing_is_stored(checks: TestClient, public: Path) -> None:
    """Checks leave the files of the data folder as they were, and the public graph, too."""
    send(checks, GOOD)
    count = "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"
    answers = {"accept": "text/csv"}
    before = listing(public), checks.get("/sparql", params={"query": count}, headers=answers).text
    for document in (GOOD, MISTAKES, "broken"):
        send(checks, document)
    send(checks, book(), XLSX, "?format=xlsx")
    after = listing(public), checks.get("/sparql", params={"query": count}, headers=answers).text
    assert before == after
    gone = "ASK { <https://w3id.org/medkg/id/action/gamma> ?p ?o }"
    assert (
        checks.get("/sparql", params={"query": gone}, headers={"accept": "application/json"}).json()[
            "boolean"
        ]
        is False
    )
    assert send(checks, GOOD).json()["findings"] == []


def test_checks_at_once_do_not_see_each_other(checks: TestClient) -> None:
    """Two documents with one title are checked at the same time, and neither is a double of the other."""
    other = GOOD.replace("action/gamma", "action/delta")
    with ThreadPoolExecutor(4) as senders:
        answers = list(senders.map(lambda text: send(checks, text), [GOOD, other, GOOD, other, UNKNOWN]))
    assert [answer.json()["decision"] for answer in answers] == ["accepted"] * 4 + ["rejected"]
    assert all("A-13" not in codes(answer) for answer in answers)


def _published(client: TestClient, kind: str, predicate: str) -> tuple[str, str]:
    pattern = f"?s a medkg:{kind} ; {predicate} ?o FILTER(LANG(?o) IN ('', 'en'))"
    query = f"SELECT ?s ?o {{ {pattern} }} ORDER BY ?s LIMIT 1"
    row = client.get("/sparql", params={"query": query}, headers={"accept": "application/json"}).json()
    first = row["results"]["bindings"][0]
    return first["s"]["value"], first["o"]["value"]


def test_a_title_of_a_published_action_is_told_at_the_title(checks: TestClient) -> None:
    """A double of a published action is found, and told where the submitted title stands."""
    other, title = _published(checks, "InnovationAction", "skos:prefLabel")
    answer = send(checks, GOOD.replace("A gamma centre for imaging", title))
    assert found(answer) == [("A-13", "warning", "8:20")] * 2
    assert other in {item["focus"] for item in answer.json()["findings"]}


def test_an_identifier_of_a_published_project_is_told_at_the_identifier(checks: TestClient) -> None:
    """A project with the number of a published one is found, and told where the number stands."""
    other, number = _published(checks, "Project", "dct:identifier")
    record = '<https://w3id.org/medkg/id/project/gamma> a medkg:Project ; skos:prefLabel "G"@en ;\n'
    project = f'{HEAD}{record}  dct:identifier "{number}" .'
    answer = send(checks, project)
    doubles = [item for item in found(answer) if item[0] == "J-07"]
    assert doubles == [("J-07", "violation", "8:18")] * len(doubles)
    assert doubles
    assert any(other in item["message"] for item in answer.json()["findings"])


def test_what_is_wrong_in_the_public_graph_is_not_told(checks: TestClient) -> None:
    """The published records that a submission speaks of have warnings of their own, which nobody is told."""
    other, _ = _published(checks, "InnovationAction", "skos:prefLabel")
    answer = send(
        checks, GOOD.replace("medkg:region nuts:PL22", f"medkg:region nuts:PL22 ; dct:replaces <{other}>")
    )
    assert {item["focus"] for item in answer.json()["findings"]} <= {"https://w3id.org/medkg/id/action/gamma"}


PHASE: Final = (
    HEAD
    + """\
<https://w3id.org/medkg/id/phase/g1> a medkg:ActionPhase ;
  medkg:phaseOf <https://w3id.org/medkg/id/action/medsilesia-competence-centre> ;
  skos:prefLabel "Step"@en-GB , "Step"@xx-GB ; medkg:position "00"^^xsd:integer , "007"^^xsd:integer .
"""
)


def test_a_literal_is_judged_as_it_was_sent(checks: TestClient) -> None:
    """What a report shows is what was written, not what the engine makes of it."""
    told = send(checks, PHASE).json()["findings"]
    assert ("A-18", "00", 9) in {(item["code"], item["value"], item["location"]["line"]) for item in told}
    assert "0" not in {item["value"] for item in told}


@pytest.mark.parametrize(
    "document",
    [
        '[] a medkg:InnovationAction ; skos:prefLabel "A record without a name"@en .',
        "_:a skos:broader _:b . _:b skos:broader _:a .",
        '_:a a medkg:Event ; skos:prefLabel "x"@en .',
    ],
)
def test_a_record_without_an_address_is_refused(checks: TestClient, document: str) -> None:
    """A blank node that no record leads to is told to need an address, at the place where it stands."""
    answer = send(checks, HEAD + document)
    assert answer.status_code == 200
    assert ("N-01", "violation", "7:1") in found(answer)


def test_a_node_inside_a_record_needs_no_address(checks: TestClient) -> None:
    """A blank node that a record leads to is validated, and not told to need an address."""
    answer = send(checks, GOOD.replace("nuts:PL22", "[ a medkg:Region ]"))
    assert answer.status_code == 200
    assert "N-01" not in codes(answer)
    assert ("R-01", "violation", "13:18") in found(answer)


def test_every_hostile_document_is_answered(checks: TestClient) -> None:
    """Each document of the folder gets a report or a refusal, in words that tell nothing of the machine."""

    def answer(path: Path) -> Any:
        return send(checks, path.read_bytes(), "application/octet-stream", f"?file={path.name}")

    with ThreadPoolExecutor(4) as senders:
        for path, told in zip(HOSTILE, senders.map(answer, HOSTILE), strict=True):
            assert told.status_code in {200, 400, 413, 415}, f"{path.name}: {told.status_code}"
            assert not INTERNALS.search(told.text), f"{path.name}: {told.text}"
            assert told.json()["findings"], path.name
    assert send(checks, GOOD).json()["decision"] == "accepted"


def test_who_sends_too_much_has_to_wait(public: Path) -> None:
    """The rate limit counts checks, before anything is done for them."""
    with service(public, rate_limit=2) as client:
        first, second = send(client, b"x", "image/png"), send(client, b"x", "image/png")
        assert (first.status_code, second.status_code) == (415, 429)
        assert int(second.headers["retry-after"]) >= 1


def test_a_write_is_seen_by_the_next_check(public: Path, tmp_path: Path) -> None:
    """A region that was unknown is known to the next check once somebody wrote it; a running one goes on."""
    folder = tmp_path / "var"
    shutil.copytree(public, folder, ignore=shutil.ignore_patterns("service.lock"))
    region = "<http://data.europa.eu/nuts/code/XX99> a <https://w3id.org/medkg/ontology#Region> ."
    with service(folder, admin_token=ADMIN) as client:
        assert "R-02" in codes(send(client, UNKNOWN))
        with ThreadPoolExecutor(4) as senders:
            running = [senders.submit(send, client, UNKNOWN) for _ in range(3)]
            answer = client.put(
                "/graphs",
                params={"graph": str(GRAPH["source/test"]), "unchecked": "true"},
                content=region,
                headers={"content-type": TURTLE, "authorization": f"Bearer {ADMIN}"},
            )
            assert answer.status_code in {200, 201, 204}, answer.text
            running += [senders.submit(send, client, UNKNOWN) for _ in range(3)]
            assert {item.result().status_code for item in running} == {200}
        told = send(client, UNKNOWN)
        assert told.json()["data_version"] == 2
        assert "R-02" not in codes(told)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    body=st.one_of(
        st.binary(max_size=200),
        st.text(max_size=200).map(lambda text: (HEAD + text).encode("utf-8", "replace")),
    ),
    kind=st.one_of(
        st.sampled_from([TURTLE, "text/csv", XLSX, "application/ld+json", "application/rdf+xml", ""]),
        st.from_regex(r"\A[a-z]{1,9}/[a-z+.-]{1,12}(; ?[a-z]{1,9}=[a-z0-9\"-]{1,9})?\Z"),
    ),
    query=st.fixed_dictionaries(
        {}, optional={name: st.text(max_size=9) for name in ("profile", "lang", "format", "file")}
    ),
    accept=st.one_of(st.just("*/*"), st.from_regex(r"\A[a-z*]{1,9}/[a-z*+]{1,9}(;q=[0-9.]{1,4})?\Z")),
)
def test_whatever_is_sent_is_answered(
    checks: TestClient, body: bytes, kind: str, query: Mapping[str, str], accept: str
) -> None:
    """No request, of whatever parts, is an error of the service."""
    answer = checks.post(
        "/validate", content=body, params=dict(query), headers={"content-type": kind, "accept": accept}
    )
    assert answer.status_code in {200, 400, 406, 413, 415}
    assert not INTERNALS.search(answer.text)
