"""prices: the user's price wins, the table is next, and unknown is not zero."""

import socket

import pytest

from holdfast.core.errors import UsageError
from holdfast.core.settings import Model, Price, Settings
from holdfast.models.chat import Usage
from holdfast.models.prices import TOKENS_HIGH, TOKENS_LOW, Rate, estimate_tokens, is_loopback, rate, rates

OPENAI = "https://api.openai.com/v1"


def settings(budget=None, **model):
    """Settings with one generator whose model is `main`."""
    model = {"base_url": OPENAI, "model": "gpt-4o-mini", **model}
    values = {"models": {"main": model, "idle": {"base_url": "https://nowhere.example/v1", "model": "unheard-of"}}}
    return Settings.model_validate(
        {**values, "generators": [{"use": "prompt", "model": "main"}], "budget": budget or {}}
    )


@pytest.fixture
def no_network(monkeypatch):
    """Any attempt to open a socket fails the test."""

    def refuse(*given, **named):
        raise AssertionError("a price was looked up over the network")

    monkeypatch.setattr(socket, "socket", refuse)


def test_the_price_in_the_settings_wins():
    """A listed model and a local one cost what the user says they cost."""
    own = Price(input=1.5, output=2)
    for url in (OPENAI, "http://localhost:8000/v1"):
        assert Rate(1.5, 2, "settings") == rate(Model(base_url=url, model="gpt-4o-mini", price=own))


def test_a_listed_model_is_found_by_its_provider_and_offline(no_network):
    """The provider is told by the address; the name of the entry in the table is said."""
    found = rate(Model(base_url=OPENAI, model="gpt-4o-mini"))
    assert Rate(0.15, 0.6, "openai/gpt-4o-mini") == found


def test_tiers_are_read_at_their_base():
    """A model with a dearer tier for long prompts has the price of a short one."""
    found = rate(Model(base_url="https://generativelanguage.googleapis.com/v1beta/openai", model="gemini-2.5-pro"))
    assert (1.25, 10.0) == (found.input, found.output)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        (OPENAI, "no-such-model"),
        ("https://llm.example.org/v1", "gpt-4o-mini"),
        ("https://localhost.example.org/v1", "llama"),
        ("https://api.perplexity.ai", "sonar"),  # each request costs as well
        (OPENAI, "text-embedding-3-small"),  # listed without a price per token written
    ],
)
def test_what_the_table_does_not_hold_is_unknown(url, name):
    """Unknown names, hosts and kinds of price give None, not a rate of zero."""
    assert rate(Model(base_url=url, model=name)) is None


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "llm.localhost", "127.0.0.1", "127.8.1.1", "[::1]"])
def test_a_model_on_this_machine_costs_nothing(host):
    """Every form of the loopback address counts, with a port and a path behind it."""
    assert Rate(0, 0, "loopback") == rate(Model(base_url=f"http://{host}:8080/v1", model="anything"))


def test_an_address_of_the_neighbourhood_is_not_this_machine():
    """Private addresses are other machines, whose price is not known."""
    assert [False, False, False] == [is_loopback(f"http://{host}/v1") for host in ("10.0.0.1", "0.0.0.0", "gpu-box")]


def test_costs_are_per_million_tokens():
    """Reasoning is part of the output and not charged twice; a ceiling takes each byte for a token."""
    found = Rate(2, 10, "settings")
    assert (2e-6 * 500 + 1e-5 * 100) == pytest.approx(found.cost(Usage(500, 100, 60)))
    assert (2e-6 * 4000 + 1e-5 * 512) == pytest.approx(found.ceiling(4000, 512))


def test_a_budget_needs_known_prices():
    """With a budget an unknown price is refused, with the key to set; without one it is None."""
    with pytest.raises(UsageError, match=r"(?s)model main \(gpt-9 at .*not zero.*models\.main\.price"):
        rates(settings({"cost": 5}, model="gpt-9"))
    assert {"main": None} == rates(settings(model="gpt-9"))


def test_models_that_no_generator_uses_need_no_price():
    """`idle` is of unknown price and stops no budget."""
    assert ["main"] == list(rates(settings({"cost": 5})))


def test_a_budget_in_another_currency_does_not_take_dollars():
    """The table is in US dollars; a price of one's own is in the budget's currency whatever it is."""
    with pytest.raises(UsageError, match="in EUR"):
        rates(settings({"cost": 5, "currency": "EUR"}))
    own = rates(settings({"cost": 5, "currency": "EUR"}, price={"input": 1, "output": 2}))
    assert Rate(1, 2, "settings") == own["main"]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [  # counted once with o200k_base
        ("The committee adjourned without a decision, and nobody was surprised.", 14),
        ("def mean(values: list[float]) -> float:\n    return sum(values) / len(values)\n", 20),
        ("机器学习模型需要大量的训练数据。", 9),
        ("Ces documents sont générés à partir de sources par un outil spécialisé.", 14),
    ],
)
def test_estimates_lie_near_real_counts(text, tokens):
    """Single short texts lie within a factor of two, so that no kind of text is forgotten."""
    assert tokens / 2 <= estimate_tokens(text) <= tokens * 2


def test_an_estimate_counts_every_character():
    """Nothing for nothing, at least one for anything, and a longer text is never fewer."""
    assert (0, 1, 1) == (estimate_tokens(""), estimate_tokens("a"), estimate_tokens("\ud800"))
    assert TOKENS_LOW < 1 < TOKENS_HIGH
    assert sorted(estimate_tokens("wörter 漢字 {}\n"[:end]) for end in range(13)) == [
        estimate_tokens("wörter 漢字 {}\n"[:end]) for end in range(13)
    ]
