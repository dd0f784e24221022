"""The server itself, over real sockets: what it refuses, with which headers it answers, where it listens."""

import http.client
import json
import socket

import pytest

from holdfast.core.errors import MachineError
from holdfast.core.labels import read_labels
from holdfast.web.review import ROUTES
from holdfast.web.security import BODY_LIMIT, FORM, HEADERS
from holdfast.web.server import listen
from tests.web.reviewing import served, write

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE", "PROPFIND")
GOOD_FORM = "at=1&seen=0&answer=1"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A running server over two records, for a rater given on the command line."""
    folder = tmp_path_factory.mktemp("served")
    write(folder / "data.jsonl", [{"id": f"{n}", "prompt": f"Q{n}", "response": f"A{n}"} for n in range(2)])
    with served(folder, "data.jsonl", "--rater", "ann") as running:
        running.folder = folder
        yield running


def ask(server, method, path, body="", **headers):
    """Send one request over a connection of its own; return (status, headers, body)."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    try:
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in headers.items():
            if value is not None:
                connection.putheader(name.replace("_", "-"), value)
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body.encode())
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read().decode()
    finally:
        connection.close()


@pytest.fixture(scope="module")
def right(server):
    """The headers of our own page: host, origin, the cookie that the address gave, a form."""
    host = f"127.0.0.1:{server.port}"
    status, headers, _ = ask(server, "GET", server.address.removeprefix(server.origin), Host=host)
    cookie = headers["set-cookie"]
    assert 200 == status
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    return {"Host": host, "Origin": server.origin, "Cookie": cookie.partition(";")[0], "Content_Type": FORM}


WRONG = {
    "host": {"Host": "evil.example"},
    "rebound host": {"Host": "evil.example:80", "Origin": "http://evil.example:80"},
    "no host": {"Host": ""},
    "origin": {"Origin": "http://evil.example"},
    "null origin": {"Origin": "null"},
    "no cookie": {"Cookie": None},
    "cookie": {"Cookie": "holdfast-1=x"},
}


def test_stray_requests_say_nothing_in_the_terminal(server):
    """What is no HTTP, or asks for a web socket, is refused and leaves no line between ours."""
    socks = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13"
    for request in (b"\x00\xff\r\n\r\n", f"GET /review HTTP/1.1\r\nHost: x\r\n{socks}\r\n\r\n".encode()):
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as line:
            line.sendall(request)
            assert line.recv(20).startswith((b"HTTP/1.1 400", b"HTTP/1.1 403"))
    assert "WARNING" not in (server.folder / "stderr.txt").read_text()


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_requests_are_never_accepted(server, right, wrong):
    """Every method on every route with a wrong host, origin or cookie: none accepted, nothing written, nothing told."""
    accepted = []
    for method in METHODS:
        for path in sorted({path for _, path in ROUTES}):
            status, _, body = ask(server, method, path, GOOD_FORM, **{**right, **WRONG[wrong]})
            if status < 400 or "Q0" in body or "Q1" in body:
                accepted.append((method, path, status))
    assert [] == accepted
    assert not (server.folder / "labels.jsonl").exists()


def test_wrong_methods_are_never_accepted(server, right):
    """With everything right, a method that a route does not have is refused, whatever it is."""
    paths = {path for _, path in ROUTES}
    tried = [(method, path) for method in METHODS for path in sorted(paths) if (method, path) not in ROUTES]
    answered = {each: ask(server, *each, GOOD_FORM, **right)[0] for each in tried}
    assert {} == {each: status for each, status in answered.items() if status < 400}
    assert not (server.folder / "labels.jsonl").exists()


@pytest.mark.parametrize(
    "path",
    [
        "/../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/..%2fpage.html",
        "/page.html",
        "/review.css%00",
        "//etc/passwd",
        "http://evil.example/review",
    ],
)
def test_no_path_leads_out(server, right, path):
    """Only the names of the table exist; a path is compared and never opened."""
    assert ask(server, "GET", path, **{**right, "Origin": None})[0] in (400, 403, 404)


def test_a_web_socket_is_refused(server, right):
    """An upgrade is no page."""
    more = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec_WebSocket_Version": "13", "Sec_WebSocket_Key": "eA=="}
    status, headers, _ = ask(server, "GET", "/socket", **right, **more)
    assert (404, None) == (status, headers.get("upgrade"))


def test_a_large_form_is_refused(server, right):
    """A body above the limit is not taken in, also when it comes in pieces without a length."""
    assert 413 == ask(server, "POST", "/answer", "note=" + "x" * BODY_LIMIT, **right)[0]
    with socket.create_connection(("127.0.0.1", server.port), 20) as raw:
        lines = [f"{name.replace('_', '-')}: {value}" for name, value in right.items()]
        head = ["POST /answer HTTP/1.1", *lines, "Transfer-Encoding: chunked", "", ""]
        raw.sendall("\r\n".join(head).encode())
        piece = b"8000\r\n" + b"x" * 0x8000 + b"\r\n"
        for _ in range(BODY_LIMIT // 0x8000 + 2):
            raw.sendall(piece)
        assert b" 413 " in raw.recv(4096).splitlines()[0]


def test_every_answer_has_the_headers(server, right):
    """Pages, files and refusals alike: policy, no store, no sniffing, no frame; and nothing says what serves it."""
    for path, more in (
        ("/review", {}),
        ("/review.js", {}),
        ("/review.css", {}),
        ("/nothing", {}),
        ("/review", {"Cookie": None}),
    ):
        _, headers, _ = ask(server, "GET", path, **{**right, **more})
        assert {name.lower(): value for name, value in HEADERS.items()}.items() <= headers.items()
        assert "server" not in headers


def test_an_answer_is_on_the_disk_when_the_reply_comes(server, right):
    """A right post is answered with the next question, and the label is in the file by then; once, if sent twice."""
    first = ask(server, "POST", "/answer", GOOD_FORM + "&note=n", **right)
    again = ask(server, "POST", "/answer", GOOD_FORM + "&note=n", **right)
    assert (303, "/review?at=2") == (first[0], first[1]["location"])
    assert (303, "/review?late=1") == (again[0], again[1]["location"])
    assert [("ann", True, "n")] == [(x.rater, x.value, x.note) for x in read_labels(server.folder / "labels.jsonl")]


def test_only_loopback_is_listened_on():
    """The socket is bound to 127.0.0.1, and a port that is taken is one clear error."""
    with listen() as listening:
        host, port = listening.getsockname()
        assert "127.0.0.1" == host
        with pytest.raises(MachineError, match=f"Port {port} cannot be listened on"):
            listen(port)


def test_json_says_where(tmp_path):
    """With --json the first line of stdout is one object with the address and what is asked."""
    write(tmp_path / "data.jsonl", [{"prompt": "Q", "response": "A"}])
    with served(tmp_path, "data.jsonl", "--json") as running:
        told = json.loads(running.address)
    assert ("labels.jsonl", 1, 1) == (told["labels"], told["items"], told["found"])
