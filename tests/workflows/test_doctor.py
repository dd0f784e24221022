"""doctor: it sees what is there, what is missing, and what will not work, and prints no key."""

from bench.chat_proxy import proxy
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


def test_an_endpoint_that_serves_the_model_and_others_are_told_apart(local_models):
    """A real server that lists the model is ok; another model, or nobody at the address, is bad with a remedy."""
    served = {"base_url": local_models["heron"], "model": "heron"}
    asked = {
        "good": served,
        "wrong": {**served, "model": "herons"},
        "nobody": {"base_url": "http://127.0.0.1:9/v1", "model": "heron"},
    }
    signs = {sign.part: sign for sign in doctor(Settings.model_validate({"models": asked}))}
    said = [signs[f"endpoint of {name}"] for name in asked]
    assert ["ok", "bad", "bad"] == [sign.state for sign in said]
    assert "Did you mean 'heron'" in said[1].remedy
    assert "base_url" in said[2].remedy


def test_an_endpoint_that_does_not_list_its_models_is_not_bad(tmp_path):
    """Not every endpoint lists its models: one that answers without is ok, and the sign says so."""
    with proxy(None, folder=tmp_path) as between:
        sign = next(each for each in doctor(settings(between.base_url)) if each.part == "endpoint of m")
    assert ("ok", True) == (sign.state, "does not list" in sign.text)


def test_a_key_that_is_not_set_is_bad(monkeypatch):
    """The variable is named, with how to set it."""
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    signs = doctor(settings("http://127.0.0.1:9/v1", "NO_SUCH_KEY"))
    assert ("bad", False) == (state(signs, "key of m"), as_plain(signs)["ok"])
