"""What happens at an alarm beside the exit code: a command is run, or a webhook on this machine is called.

Both get the result as JSON, the command on its standard input. A hook that fails is reported and changes nothing.
"""

import shlex
import subprocess
from http.client import HTTPConnection, HTTPException
from ipaddress import ip_address
from urllib.parse import urlsplit

from holdfast.core.errors import UsageError

# Seconds a hook may take.
COMMAND_LIMIT = 60.0
WEBHOOK_LIMIT = 10.0


def check_command(command: str) -> list[str]:
    """Return the words of a command, split as a shell would. Raises UsageError where there are none."""
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise UsageError(f"--on-alarm {command!r} is no command: {error}.", "Write it as for a shell.") from error
    if not words:
        raise UsageError("--on-alarm names no command.", "For example --on-alarm 'touch stop'.")
    return words


def run_command(command: str, body: bytes) -> str:
    """Run a command, split as a shell would but without one, and return what went wrong, '' for nothing."""
    words = check_command(command)
    try:
        done = subprocess.run(words, input=body, capture_output=True, timeout=COMMAND_LIMIT, check=False)  # noqa: S603  # the user's own command
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"the command of --on-alarm failed: {error}"
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        return f"the command of --on-alarm ended with {done.returncode}: {said[-1] if said else 'it said nothing'}"
    return ""


def check_webhook(url: str) -> None:
    """Raise UsageError unless the address is http on this machine: what a run says stays here."""
    if not _on_this_machine(url):
        remedy = "Name one like http://127.0.0.1:8080/alarm; a program there can pass it on."
        raise UsageError(f"--webhook {url} is not an http address on this machine.", remedy)


def call_webhook(url: str, body: bytes) -> str:
    """POST the body as JSON and return what went wrong, '' for nothing. No proxy is used and no redirect followed."""
    check_webhook(url)
    parts = urlsplit(url)
    link = HTTPConnection(parts.hostname or "", parts.port or 80, timeout=WEBHOOK_LIMIT)
    try:
        path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
        link.request("POST", path, body, {"Content-Type": "application/json"})
        status = link.getresponse().status
    except (OSError, HTTPException) as error:
        return f"the webhook did not answer: {error}"
    finally:
        link.close()
    return "" if status < 300 else f"the webhook answered {status}"


def _on_this_machine(url: str) -> bool:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  # raises for what is no port
    except ValueError:
        return False
    return parts.scheme == "http" and _is_loopback(parts.hostname or "")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
