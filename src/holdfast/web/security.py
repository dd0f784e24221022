"""Who may talk to a page on this machine: what is not allowed by name is refused, whatever the method or the route.

Only loopback is listened on. A request passes when its Host is ours, its method and path are in the table, its origin
is ours, and it carries the cookie that only the address with the token gives. That keeps other web sites out (DNS
rebinding, forged posts) and other users of the machine. It does not keep out programs of the same user, and browsers
send cookies to every port of a host: do not open pages of people you do not trust on 127.0.0.1 meanwhile.

The lessons are those of local web interfaces that failed: a list of forbidden methods forgets one (CVE-2026-27482),
no token "because it is local" (CVE-2023-48022), paths made from requests (CVE-2023-1177). Here nothing that a request
says becomes a path.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from hmac import compare_digest
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

LOOPBACK = "127.0.0.1"
# A form with a note of 20,000 letters, each three bytes once it is escaped, and room.
BODY_LIMIT = 256 * 1024
FORM = "application/x-www-form-urlencoded"
ENTER = ("GET", "/")

# No inline script or style, nothing from elsewhere, no frame; an empty icon is the only data address.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
# Referrer-Policy is not no-referrer: browsers would then send `Origin: null` with our own forms (Fetch, "append a
# request Origin header").
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), display-capture=()",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """One request that was let in: what handlers see of it. `form` and `query` hold the last value of each name."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)
    cookies: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back; the headers of `HEADERS` are added to it. `cookies` are set for this host alone."""

    body: str = ""
    status: int = 200
    kind: str = "text/html; charset=utf-8"
    location: str = ""
    cookies: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a request was not let in: a status, and a sentence for a person who came with the wrong address."""

    status: int
    why: str


@dataclass(frozen=True, slots=True)
class Gate:
    """The rules for one server: its port, its secrets, and the routes that exist.

    A ticket opens the entrance once: a browser that we start has its address on its command line, which every user of
    the machine can read.
    """

    port: int
    routes: frozenset[tuple[str, str]]
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    session: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    tickets: set[str] = field(default_factory=set)

    @property
    def address(self) -> str:
        """What the user opens: the only place where the token stands."""
        return f"http://{LOOPBACK}:{self.port}/?token={self.token}"

    def ticket(self) -> str:
        """Return an address that opens the page once."""
        new = secrets.token_urlsafe(32)
        self.tickets.add(new)
        return f"http://{LOOPBACK}:{self.port}/?ticket={new}"

    @property
    def cookie(self) -> str:
        """The name of the cookie; it has the port, because browsers keep one set of cookies for all ports."""
        return f"holdfast-{self.port}"

    def refuses(self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str]) -> Refused | None:
        """Return why a request is refused, or None. `headers` have names in lower case.

        The order is from what tells a stranger least: a wrong host or origin learns nothing of routes or tokens.
        """
        hosts = {f"{LOOPBACK}:{self.port}", f"localhost:{self.port}"}
        host = headers.get("host", "")
        if host not in hosts:
            return Refused(403, "This server answers to its own address only.")
        if not self._from_here(method, host, headers):
            return Refused(403, "This request comes from another page.")
        if not self._knows(method, path, query, headers):
            return Refused(403, "Open the address that `holdfast` printed: it carries the key to this page.")
        if (method, path) not in self.routes:
            return Refused(404, "There is no such page.")
        if method == "POST" and headers.get("content-type", "").partition(";")[0].strip() != FORM:
            return Refused(415, "A form was expected.")
        return None

    def _from_here(self, method: str, host: str, headers: Mapping[str, str]) -> bool:
        """A request that says where it comes from must come from here, and one that may change things must say so."""
        origin = headers.get("origin")
        if origin is not None or method not in ("GET", "HEAD"):
            return origin == f"http://{host}"
        # A link in another page may lead to the entrance with its token, and to nothing else.
        return True

    def _knows(self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str]) -> bool:
        if (method, path) == ENTER and compare_digest(query.get("token", "").encode(), self.token.encode()):
            return True
        if (method, path) == ENTER and query.get("ticket", "") in self.tickets:
            self.tickets.discard(query["ticket"])
            return True
        return compare_digest(cookies_of(headers).get(self.cookie, "").encode(), self.session.encode())


def cookies_of(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the cookies of a request; none where they cannot be read."""
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load(headers.get("cookie", ""))
    except CookieError:
        return {}
    return {name: morsel.value for name, morsel in jar.items()}


def pairs_of(text: str) -> dict[str, str]:
    """Return the last value of each name in a query or in the body of a form; nothing where there are too many."""
    try:
        return {name: values[-1] for name, values in parse_qs(text, keep_blank_values=True, max_num_fields=50).items()}
    except ValueError:
        return {}
