"""Another server on loopback: a SPARQL endpoint that also misbehaves on order."""

import json
import threading
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pyoxigraph as ox

RESULTS = "application/sparql-results+json"
THERE = """
PREFIX ex: <http://example.org/>
ex:1 ex:q "uno"@it , "eins"@de ; ex:n 1 .
ex:2 ex:q "due"@it ; ex:n 2 ; ex:knows ex:1 , ex:2 .
ex:4 ex:q "quote \\" backslash \\\\ newline \\n }) SERVICE <x> {" ; ex:n 4.50 , "04"^^ex:odd .
ex:5 ex:node [] .
"""


@dataclass(frozen=True)
class Asked:
    """A request that the other server got."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: str

    @property
    def query(self) -> str:
        """The query that was posted."""
        return urllib.parse.parse_qs(self.body)["query"][0]


@dataclass
class Answer:
    """What the other server sends for a path; *wait* holds it back until it is set."""

    body: bytes = b""
    media_type: str = RESULTS
    status: int = 200
    headers: Mapping[str, str] | None = None
    wait: threading.Event | None = None
    length: int | None = None


class Elsewhere:
    """The other server: ``/sparql`` answers queries, other paths what they were given."""

    def __init__(self) -> None:
        self.store = ox.Store()
        self.asked: list[Asked] = []
        self.answers: dict[str, Answer] = {}
        self.reset()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                """Say nothing."""

            def _take(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
                asked = Asked(self.command, self.path, dict(self.headers.items()), body)
                outer.asked.append(asked)
                self._give(outer.answers.get(self.path) or outer.evaluate(asked))

            do_GET = do_POST = _take  # noqa: N815 - the names of the library

            def _give(self, answer: Answer) -> None:
                if answer.wait is not None:
                    answer.wait.wait(60)
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.media_type)
                self.send_header(
                    "Content-Length", str(len(answer.body) if answer.length is None else answer.length)
                )
                for name, value in (answer.headers or {}).items():
                    self.send_header(name, value)
                self.end_headers()
                try:
                    self.wfile.write(answer.body)
                except ConnectionError:
                    return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.sparql = f"{self.url}/sparql"

    def reset(self) -> None:
        """Forget what was asked, and answer as from the start."""
        for answer in self.answers.values():
            if answer.wait is not None:
                answer.wait.set()
        self.store.clear()
        self.store.load(THERE, format=ox.RdfFormat.TURTLE)
        self.asked.clear()
        self.answers.clear()

    def evaluate(self, asked: Asked) -> Answer:
        """Answer a query."""
        if asked.path != "/sparql":
            return Answer(b"there is no such page", "text/plain", 404)
        try:
            found = self.store.query(asked.query)
        except SyntaxError as error:
            return Answer(str(error).encode(), "text/plain", 400)
        assert isinstance(found, ox.QuerySolutions)
        return Answer(found.serialize(format=ox.QueryResultsFormat.JSON) or b"")

    def close(self) -> None:
        """Stop."""
        self.reset()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def table(names: list[str], *rows: Mapping[str, Any]) -> bytes:
    """Return SPARQL JSON."""
    return json.dumps({"head": {"vars": names}, "results": {"bindings": rows}}).encode()
