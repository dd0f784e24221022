"""doctor: it sees what is there, what is missing, and what will not work, and prints no key."""

import socket

from holdfast.core.settings import Settings
from holdfast.workflows.doctor import as_plain, doctor


def settings(url: str, key: str | None = None) -> Settings:
    """Settings with one endpoint."""
    return Settings.model_validate({"models": {"m": {"base_url": url, "model": "x", "key_env": key}}})


def state(signs, part: str) -> str:
    """The state of one part."""
    return next(sign.state for sign in signs if sign.part == part)


def test_the_installation_is_sound():
    """All twelve core packages are there, and nothing is bad without settings."""
    assert True is as_plain(doctor())["ok"]


def test_an_endpoint_that_answers_and_one_that_does_not_are_told_apart():
    """A listening port is ok; after it closed the same endpoint is bad, and the remedy is named."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/v1"
        heard = state(doctor(settings(url)), "endpoint of m")
    signs = doctor(settings(url))
    remedy = next(sign.remedy for sign in signs if sign.part == "endpoint of m")
    assert ("ok", "bad", True) == (heard, state(signs, "endpoint of m"), "base_url" in remedy)


def test_a_key_that_is_not_set_is_bad(monkeypatch):
    """The variable is named, with how to set it."""
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    signs = doctor(settings("http://127.0.0.1:9/v1", "NO_SUCH_KEY"))
    assert ("bad", False) == (state(signs, "key of m"), as_plain(signs)["ok"])
