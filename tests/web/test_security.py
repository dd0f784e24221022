"""The gate: everything that is not allowed by name is refused, whatever the method, route, host or origin."""

import itertools

import pytest

from holdfast.web.security import FORM, POLICY, Gate, cookies_of, pairs_of

ROUTES = frozenset({("GET", "/"), ("GET", "/review"), ("POST", "/answer")})
GATE = Gate(8000, ROUTES)
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE", "CONNECT", "PROPFIND", "get", "")
PATHS = ("/", "/review", "/answer", "/review/", "//review", "/../etc/passwd", "/%2e%2e/etc/passwd", "/review.css\0", "")


def headers(**more):
    """The headers that our own page sends, with some of them changed; None leaves one out."""
    usual = {
        "host": "127.0.0.1:8000",
        "origin": "http://127.0.0.1:8000",
        "cookie": f"{GATE.cookie}={GATE.session}",
        "content-type": FORM,
    }
    return {name: value for name, value in {**usual, **more}.items() if value is not None}


@pytest.mark.parametrize(("method", "path"), list(itertools.product(METHODS, PATHS)))
def test_only_the_table_is_let_in(method, path):
    """Of all methods and paths only the three of the table pass, with the right host, origin and cookie."""
    refused = GATE.refuses(method, path, {}, headers())
    assert ((method, path) in ROUTES) == (refused is None)


@pytest.mark.parametrize(
    "host",
    [
        None, "", "evil.example", "evil.example:8000", "127.0.0.1", "127.0.0.1:8001", "127.0.0.1:8000.evil.example",
        "127.0.0.1.evil.example:8000", "localhost", "LOCALHOST:8000", "0.0.0.0:8000", "[::1]:8000", "127.0.0.1:8000 ",
        "user@127.0.0.1:8000", "2130706433:8000", "127.1:8000",
    ],
)  # fmt: skip
@pytest.mark.parametrize("route", sorted(ROUTES))
def test_a_wrong_host_is_refused(route, host):
    """A name that leads here is not ours (DNS rebinding), and the right cookie does not help."""
    assert 403 == GATE.refuses(*route, {"token": GATE.token}, headers(host=host, origin=f"http://{host}")).status


@pytest.mark.parametrize(
    "origin",
    [
        "null", "", "http://evil.example", "https://127.0.0.1:8000", "http://127.0.0.1:8001", "http://localhost:8000",
        "http://127.0.0.1:8000.evil.example", "file://", "chrome-extension://abc", "http://127.0.0.1:8000/",
    ],
)  # fmt: skip
@pytest.mark.parametrize("route", sorted(ROUTES))
def test_a_wrong_origin_is_refused(route, origin):
    """A request that another page makes is refused on every route, the entrance with its token among them."""
    assert 403 == GATE.refuses(*route, {"token": GATE.token}, headers(origin=origin)).status


def test_what_changes_things_must_say_where_it_comes_from():
    """A post without an origin is refused; a page may be opened without one."""
    assert 403 == GATE.refuses("POST", "/answer", {}, headers(origin=None)).status
    assert GATE.refuses("GET", "/review", {}, headers(origin=None)) is None


# Named, because secrets are new in each process of a run and tests are told apart by their names.
@pytest.mark.parametrize(
    "token",
    ["", "x", GATE.token[:-1], GATE.token + "x", GATE.session, "\xe9"],
    ids=["none", "short", "cut", "longer", "session", "letter"],
)
def test_a_wrong_token_is_refused(token):
    """Only the whole token opens the entrance, and it opens nothing else."""
    assert 403 == GATE.refuses("GET", "/", {"token": token}, headers(cookie=None)).status
    assert 403 == GATE.refuses("GET", "/review", {"token": GATE.token}, headers(cookie=None)).status
    assert GATE.refuses("GET", "/", {"token": GATE.token}, headers(cookie=None, origin=None)) is None


def test_a_ticket_opens_once():
    """What stands on a browser's command line lets nobody in after the browser; it opens nothing but the entrance."""
    gate = Gate(8000, ROUTES)
    query = {"ticket": gate.ticket().partition("ticket=")[2]}
    outside = headers(cookie=None, origin=None)
    assert gate.refuses("GET", "/review", query, outside) is not None
    assert [None, 403] == [
        refused and refused.status for refused in (gate.refuses("GET", "/", query, outside) for _ in "ab")
    ]
    assert gate.refuses("GET", "/", {"ticket": ""}, outside) is not None


@pytest.mark.parametrize(
    "cookie",
    [None, "", "holdfast-8000=", f"holdfast-8000={GATE.token}", f"other={GATE.session}", "a=\xe9;;=", "=;="],
    ids=["none", "empty", "no value", "token", "other name", "rubbish", "signs"],
)
def test_a_wrong_cookie_is_refused(cookie):
    """The token is no cookie, the cookie has its name, and rubbish is no cookie."""
    assert 403 == GATE.refuses("GET", "/review", {}, headers(cookie=cookie)).status


@pytest.mark.parametrize("kind", [None, "application/json", "text/plain", "multipart/form-data"])
def test_only_forms_are_read(kind):
    """What another page can send without asking, such as text/plain, is no form of ours."""
    assert 415 == GATE.refuses("POST", "/answer", {}, headers(**{"content-type": kind})).status


def test_two_servers_have_two_secrets():
    """Token and session are new for each server, long, and different."""
    gates = [Gate(1, ROUTES) for _ in range(3)]
    secrets = {gate.token for gate in gates} | {gate.session for gate in gates}
    assert (6, True) == (len(secrets), all(len(each) >= 43 for each in secrets))


def test_what_cannot_be_read_is_nothing():
    """Broken cookies and floods of fields are no error and no value."""
    assert {} == cookies_of({"cookie": "\x00=\x01; ="})
    assert {} == pairs_of("&".join(f"a{n}=1" for n in range(1000)))
    assert {"a": "2"} == pairs_of("a=1&a=2")


def test_the_policy_allows_our_own_files_alone():
    """No inline script, no style of elements, no other server, no frame."""
    assert POLICY.startswith("default-src 'none'; script-src 'self'; style-src 'self'; img-src data:;")
    assert "unsafe" not in POLICY
    assert "http" not in POLICY
