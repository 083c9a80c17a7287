"""store/federation/fetch.py: what is fetched from where, and from where never."""

import gzip
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.federation.elsewhere import Answer, Elsewhere

from medkg.domain.errors import EndpointFailed, TooLarge
from medkg.store.federation.allow import AllowList
from medkg.store.federation.fetch import Fetcher, Resolve, Wish, is_public, look_up, pinned

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("::ffff:8.8.8.8", True),
        ("64:ff9b::808:808", True),
        ("2002:808:808::1", True),
        ("127.0.0.1", False),
        ("127.255.255.254", False),
        ("0.0.0.0", False),  # noqa: S104 - nobody listens on it
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.0.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("198.18.0.1", False),
        ("192.0.2.1", False),
        ("224.0.0.1", False),
        ("240.0.0.1", False),
        ("255.255.255.255", False),
        ("::", False),
        ("::1", False),
        ("::127.0.0.1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::a00:1", False),
        ("64:ff9b:1::1", False),
        ("2002:7f00:1::", False),
        ("2001::1", False),
        ("2001:db8::1", False),
        ("fc00::1", False),
        ("fe80::1", False),
        ("fe80::1%eth0", False),
        ("fec0::1", False),
        ("ff02::1", False),
        ("ff0e::1", False),
        ("example.org", False),
        ("", False),
    ],
)
async def test_which_addresses_are_public(address: str, public: bool) -> None:
    """Loopback, private, link-local, multicast and reserved addresses are not, also inside of IPv6."""
    assert is_public(address) is public


def resolving(*addresses: str) -> Resolve:
    async def resolve(host: str, port: int) -> Sequence[str]:
        del host, port
        return addresses

    return resolve


async def got(
    listed: str,
    url: str,
    *,
    resolve: Resolve | None = None,
    form: dict[str, str] | None = None,
    limit: int = 1_000,
) -> bytes:
    """Fetch an address from a list."""
    allowed = AllowList.read("MEDKG_LOAD_ALLOW", listed)
    address = allowed.address(url)
    assert address is not None
    fetcher = Fetcher(secure=False, resolve=resolve)
    async with fetcher.fetch(allowed, Wish(url, address, "*/*", form)) as fetched:
        return b"".join([piece async for piece in fetched.pieces(limit)])


async def test_a_listed_address_is_fetched(elsewhere: Elsewhere) -> None:
    """The body comes, and the request says no more than it has to."""
    elsewhere.answers["/x?y=1"] = Answer(b"here")

    assert await got(elsewhere.url, f"{elsewhere.url}/x?y=1#z") == b"here"
    (asked,) = elsewhere.asked
    assert (asked.method, asked.path) == ("GET", "/x?y=1")
    assert {name.lower() for name in asked.headers} == {
        "host",
        "accept",
        "accept-encoding",
        "connection",
        "user-agent",
    }


async def test_localhost_may_be_listed(elsewhere: Elsewhere) -> None:
    """Who lists localhost means this machine."""
    elsewhere.answers["/x"] = Answer(b"here")
    url = elsewhere.url.replace("127.0.0.1", "localhost")

    assert await got(url, f"{url}/x") == b"here"
    assert elsewhere.asked[0].headers["Host"] == url.removeprefix("http://")


@pytest.mark.parametrize(
    "addresses",
    [
        ("127.0.0.1",),
        ("10.0.0.1",),
        ("169.254.169.254",),
        ("::1",),
        ("::ffff:127.0.0.1",),
        ("8.8.8.8", "127.0.0.1"),
        ("127.0.0.1", "8.8.8.8"),
    ],
)
async def test_a_name_that_leads_inside_is_not_called(
    elsewhere: Elsewhere, addresses: tuple[str, ...]
) -> None:
    """When one of its addresses is not public, a listed name is not connected to at all."""
    port = elsewhere.url.rpartition(":")[2]

    with pytest.raises(EndpointFailed, match="its host has an address that is not public"):
        await got(f"http://a.test:{port}", f"http://a.test:{port}/x", resolve=resolving(*addresses))
    assert elsewhere.asked == []


async def test_localhost_that_leads_elsewhere_is_not_called() -> None:
    """The exception for localhost is one for this machine."""
    with pytest.raises(EndpointFailed, match="not public"):
        await got("http://localhost:9", "http://localhost:9/", resolve=resolving("10.0.0.1"))


async def test_a_name_without_addresses_is_not_known() -> None:
    """A name that can't be looked up is an error that names what was to be fetched."""

    async def resolve(host: str, port: int) -> Sequence[str]:
        raise socket.gaierror(-2, f"{host} {port}")

    for resolver in (resolve, resolving()):
        with pytest.raises(
            EndpointFailed, match=r"^<http://a.test/x> can't be called: its host is not known"
        ):
            await got("http://a.test", "http://a.test/x", resolve=resolver)


async def test_a_number_in_disguise_is_looked_up() -> None:
    """Only an address in its plain form is one that the operator has named."""
    with pytest.raises(EndpointFailed, match=r"not public|not known"):
        await got("http://0x7f000001:9", "http://0x7f000001:9/")


async def test_the_request_goes_to_the_address_and_asks_for_the_name() -> None:
    """Host and the name in the certificate are those of the URL; the connection is that of the address."""
    url = httpx2.URL("https://a.test:8443/x?y=1#z")
    async with httpx2.AsyncClient(trust_env=False, verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)) as client:
        for address, authority in (("8.8.8.8", "8.8.8.8"), ("2606:4700::1", "[2606:4700::1]")):
            request = pinned(client, url, address, Wish(str(url), url, "*/*"))

            assert str(request.url) == f"https://{authority}:8443/x?y=1"
            assert request.headers["host"] == "a.test:8443"
            assert request.extensions["sni_hostname"] == "a.test"


async def test_the_addresses_of_this_machine_are_found() -> None:
    """The system's own look-up is what hosts are looked up by."""
    assert set(await look_up("localhost", 80)) <= {"127.0.0.1", "::1"}


# --- Certificates ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for a.test with its key, in one file."""
    folder = tmp_path_factory.mktemp("certificate")
    path = folder / "both.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=a.test",
    ]
    command += [
        "-addext",
        "subjectAltName=DNS:a.test",
        "-keyout",
        str(folder / "key"),
        "-out",
        str(folder / "cert"),
    ]
    subprocess.run(command, check=True, capture_output=True)
    path.write_bytes((folder / "key").read_bytes() + (folder / "cert").read_bytes())
    return path


@pytest.fixture
def secure(certificate: Path) -> Iterator[int]:
    """The port of a server with that certificate, which says yes to everything."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    bound = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = bound.accept()
            except OSError:
                return
            with suppress(OSError), context.wrap_socket(connection, server_side=True) as safe:
                safe.recv(65_536)
                safe.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nyes")

    thread = threading.Thread(target=serve)
    thread.start()
    yield bound.getsockname()[1]
    bound.shutdown(socket.SHUT_RDWR)
    bound.close()
    thread.join()


@pytest.mark.parametrize(("name", "fits"), [("a.test", True), ("b.test", False)])
async def test_the_certificate_is_for_the_name(certificate: Path, secure: int, name: str, fits: bool) -> None:
    """At the address that was looked up, the certificate has to be for the name that was asked for."""
    trusted = ssl.create_default_context(cafile=str(certificate))
    url = httpx2.URL(f"https://{name}:{secure}/x")
    async with httpx2.AsyncClient(trust_env=False, verify=trusted) as client:
        request = pinned(client, url, "127.0.0.1", Wish(str(url), url, "*/*"))
        if fits:
            assert (await client.send(request)).text == "yes"
        else:
            with pytest.raises(httpx2.ConnectError, match="Hostname mismatch"):
                await client.send(request)


async def test_an_unknown_certificate_is_an_error(secure: int) -> None:
    """A server that nobody vouches for does not answer, for our purposes."""
    allowed = AllowList.read("MEDKG_LOAD_ALLOW", f"https://127.0.0.1:{secure}")
    url = allowed.address(f"https://127.0.0.1:{secure}/x")
    assert url is not None
    with pytest.raises(EndpointFailed, match="does not answer"):
        async with Fetcher().fetch(allowed, Wish(str(url), url, "*/*")):
            raise AssertionError


# --- Redirects -------------------------------------------------------------------------------------------


def leading(to: str, status: int = 302) -> Answer:
    return Answer(b"elsewhere", "text/plain", status, {"Location": to})


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_below_a_prefix_is_followed(elsewhere: Elsewhere, status: int) -> None:
    """A form is posted again to where a redirect leads, when that is listed."""
    elsewhere.answers |= {"/a": leading("/b/c", status), "/b/c": Answer(b"there")}

    found = await got(f"{elsewhere.url}/a {elsewhere.url}/b", f"{elsewhere.url}/a", form={"query": "x"})

    assert found == b"there"
    assert [(asked.method, asked.body) for asked in elsewhere.asked] == [("POST", "query=x")] * 2


@pytest.mark.parametrize(
    "to",
    [
        "{url}/c",
        "/c",
        "c",
        "/a/../c",
        "//127.0.0.1/a",
        "http://127.0.0.1:1/a",
        "http://localhost/a",
        "http://169.254.169.254/latest/meta-data/",
        "https://127.0.0.1/a",
        "ftp://127.0.0.1/a",
        "file:///etc/passwd",
        "http://[",
        "http://user@{host}/a",
        "",
    ],
)
async def test_a_redirect_elsewhere_is_an_error(elsewhere: Elsewhere, to: str) -> None:
    """Where a redirect leads has to be listed like any other address."""
    to = to.format(url=elsewhere.url, host=elsewhere.url.removeprefix("http://"))
    elsewhere.answers |= {"/a": leading(to), "/c": Answer(b"secret")}

    with pytest.raises(EndpointFailed, match="leads to an address that is not listed here"):
        await got(f"{elsewhere.url}/a", f"{elsewhere.url}/a")
    assert [asked.path for asked in elsewhere.asked] == ["/a"]


async def test_a_redirect_is_looked_up_anew(elsewhere: Elsewhere) -> None:
    """A listed name that a redirect leads to has to have public addresses, too."""
    elsewhere.answers["/a"] = leading("http://b.test/")

    with pytest.raises(EndpointFailed, match="not public"):
        await got(f"{elsewhere.url} http://b.test", f"{elsewhere.url}/a", resolve=resolving("127.0.0.1"))


async def test_redirects_end(elsewhere: Elsewhere) -> None:
    """Three redirects are followed and no more."""
    elsewhere.answers |= {f"/{number}": leading(f"/{number + 1}") for number in range(5)}
    elsewhere.answers["/5"] = Answer(b"at last")

    assert await got(elsewhere.url, f"{elsewhere.url}/2") == b"at last"
    with pytest.raises(EndpointFailed, match="leads from one address to the next"):
        await got(elsewhere.url, f"{elsewhere.url}/1")


async def test_see_other_is_followed_to_a_document_only(elsewhere: Elsewhere) -> None:
    """303 leads from a thing to a document about it; a query is not posted to what it names."""
    elsewhere.answers |= {"/a": leading("/b", 303), "/b": Answer(b"about it")}

    assert await got(elsewhere.url, f"{elsewhere.url}/a") == b"about it"
    with pytest.raises(EndpointFailed, match="answered with HTTP 303"):
        await got(elsewhere.url, f"{elsewhere.url}/a", form={"query": "x"})


# --- Answers ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (Answer(b"no", status=404), EndpointFailed, "answered with HTTP 404"),
        (Answer(b"no", status=500), EndpointFailed, "answered with HTTP 500"),
        (Answer(b"no", status=401), EndpointFailed, "answered with HTTP 401"),
        (Answer(gzip.compress(b"x"), headers={"Content-Encoding": "gzip"}), EndpointFailed, "compresses"),
        (Answer(b"x" * 1_001), TooLarge, "sends more than 1,000 bytes"),
        (Answer(b"x" * 10, length=20), EndpointFailed, "broke its answer off"),
    ],
    ids=str,
)
async def test_what_can_not_be_taken_is_an_error(
    elsewhere: Elsewhere, answer: Answer, error: Any, words: str
) -> None:
    """Another status, an encoding that nobody asked for, too much, and too little are errors that name it."""
    elsewhere.answers["/x"] = answer

    with pytest.raises(error, match=words) as caught:
        await got(elsewhere.url, f"{elsewhere.url}/x")
    assert f"<{elsewhere.url}/x>" in str(caught.value)


async def test_nothing_is_kept_from_one_to_the_next(elsewhere: Elsewhere) -> None:
    """A cookie is not sent back."""
    elsewhere.answers["/x"] = Answer(b"x", headers={"Set-Cookie": "a=b; Path=/"})
    fetcher = Fetcher(secure=False)
    allowed = AllowList([elsewhere.url])
    url = allowed.address(f"{elsewhere.url}/x")
    assert url is not None
    for _ in range(2):
        async with fetcher.fetch(allowed, Wish(str(url), url, "*/*")):
            pass

    assert [asked.headers.get("Cookie") for asked in elsewhere.asked] == [None, None]


async def test_a_closed_port_does_not_answer() -> None:
    """Nobody at home is an error, not an exception of the client."""
    with socket.create_server(("127.0.0.1", 0)) as bound:
        port = bound.getsockname()[1]
    with pytest.raises(EndpointFailed, match=f"<http://127.0.0.1:{port}/> does not answer"):
        await got(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{port}/")
