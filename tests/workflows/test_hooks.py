"""Hooks at an alarm: a command, or a webhook on this machine; a failure is said and changes nothing."""

import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from holdfast.core.errors import UsageError
from holdfast.workflows.hooks import call_webhook, check_webhook, run_command


def test_a_command_gets_the_result_on_its_stdin(tmp_path: Path) -> None:
    """The command runs without a shell and reads the JSON."""
    code = f"import sys; open({str(tmp_path / 'got')!r}, 'w').write(sys.stdin.read())"
    assert "" == run_command(f'{sys.executable} -c "{code}"', b'{"state": "DRIFT"}')
    assert '{"state": "DRIFT"}' == (tmp_path / "got").read_text("utf-8")


def test_no_shell_reads_a_command(tmp_path: Path) -> None:
    """What a shell would act on is an argument like any other."""
    assert "" == run_command(f"echo hello > {tmp_path / 'made'}", b"")
    assert not (tmp_path / "made").exists()


def test_a_failing_command_is_said() -> None:
    """A missing program and a non-zero end are sentences; an empty command is refused."""
    assert "failed" in run_command("/no/such/program", b"")
    assert "ended with 3: bad" in run_command(
        f"{sys.executable} -c \"import sys; sys.exit(print('bad', file=sys.stderr) or 3)\"", b""
    )
    with pytest.raises(UsageError):
        run_command(" ", b"")


@pytest.mark.parametrize(
    "url",
    [
        "http://example.invalid/x",
        "https://127.0.0.1/x",
        "http://10.0.0.1/x",
        "file:///etc/passwd",
        "http://localhost.example.invalid",
    ],
)
def test_only_this_machine_is_called(url: str) -> None:
    """Another host, another protocol: refused before anything is sent."""
    with pytest.raises(UsageError, match="this machine"):
        check_webhook(url)


@pytest.fixture
def server() -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """A real server on loopback, and what was posted to it; /no is refused with 500."""
    got: list[tuple[str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the name http.server calls
            got.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(500 if self.path == "/no" else 204)
            self.end_headers()

        def log_message(self, *given: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as made:
        thread = Thread(target=made.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{made.server_port}", got
        made.shutdown()
        thread.join()


def test_a_webhook_gets_the_result(server: tuple[str, list[tuple[str, bytes]]]) -> None:
    """The body is posted as it is, to the path and query given."""
    url, got = server
    assert "" == call_webhook(f"{url}/alarm?run=7", b'{"state": "DRIFT"}')
    assert [("/alarm?run=7", b'{"state": "DRIFT"}')] == got


def test_a_webhook_that_fails_is_said(server: tuple[str, list[tuple[str, bytes]]]) -> None:
    """An error of the server and a port where nobody listens are sentences."""
    assert "the webhook answered 500" == call_webhook(f"{server[0]}/no", b"{}")
    assert "did not answer" in call_webhook("http://127.0.0.1:9/x", b"{}")
