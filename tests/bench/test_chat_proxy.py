"""The fault-injecting proxy does what it claims, seen by plain clients."""

import http.client
import json
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime

import pytest

from bench.chat_proxy import ABSURD, BOMB_BYTES, Fault, proxy


class Stay(urllib.request.HTTPRedirectHandler):
    """Redirects are answers, not instructions."""

    def redirect_request(self, *_):
        return None


OPENER = urllib.request.build_opener(Stay)


def ask(url, text="hi", timeout=10, key=None):
    """Return (status, headers, body) of one chat completion."""
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": text}], "seed": 1, "max_tokens": 40})
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    request = urllib.request.Request(f"{url}/chat/completions", body.encode(), headers)
    try:
        with OPENER.open(request, timeout=timeout) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


def struck(fault, folder):
    """Return the answer of a proxy that always strikes with `fault`, in front of the echo."""
    with proxy(None, f"{fault}=1", folder=folder) as between:
        return ask(between.base_url)


@pytest.mark.parametrize("kind", ["429", "500", "503", "401", "402", "403"])
def test_statuses(kind, tmp_path):
    """A number is answered as that status, with an error body and no Retry-After."""
    status, headers, body = struck(kind, tmp_path)
    assert int(kind) == status
    assert headers["Retry-After"] is None
    assert "code" in json.loads(body)["error"]


def test_retry_after_in_three_forms(tmp_path):
    """429 says when to come back: in seconds, as a date that is not yet over, or absurdly late."""
    said = [struck(f"429_{form}", tmp_path)[:2] for form in ("seconds", "date", "absurd")]
    assert [429] * 3 == [status for status, _ in said]
    seconds, date, absurd = (headers["Retry-After"] for _, headers in said)
    assert ("1", str(ABSURD)) == (seconds, absurd)
    assert parsedate_to_datetime(date).timestamp() > time.time() - 60


def test_a_context_length_error_says_so(tmp_path):
    """The permanent 400 of a prompt that is too long carries the code that providers give it."""
    status, _, body = struck("context_length", tmp_path)
    assert (400, "context_length_exceeded") == (status, json.loads(body)["error"]["code"])


@pytest.mark.parametrize(
    ("kind", "finish", "content"),
    [
        ("content_filter", "content_filter", None), ("null", "stop", None), ("empty", "stop", ""),
        ("refusal", "stop", None), ("prose", "stop", "Certainly, here is what you asked for."),
    ],
)  # fmt: skip
def test_changed_messages(kind, finish, content, tmp_path):
    """Status 200 with a message that is none."""
    status, _, body = struck(kind, tmp_path)
    choice = json.loads(body)["choices"][0]
    assert (200, finish, content) == (status, choice["finish_reason"], choice["message"]["content"])


def test_other_changed_answers(tmp_path):
    """The list of choices is empty, usage is missing, the model is another one, or the limit cut the text in half."""
    assert [] == json.loads(struck("no_choices", tmp_path)[2])["choices"]
    assert "usage" not in json.loads(struck("no_usage", tmp_path)[2])
    assert "another-model" == json.loads(struck("renamed", tmp_path)[2])["model"]
    cut = json.loads(struck("length", tmp_path)[2])["choices"][0]
    whole = json.loads(struck("renamed", tmp_path)[2])["choices"][0]["message"]["content"]
    assert ("length", whole[: len(whole) // 2]) == (cut["finish_reason"], cut["message"]["content"])


def test_a_cut_body_is_whole_for_http_and_broken_as_json(tmp_path):
    """Status 200 and the declared length, and the JSON ends in the middle."""
    status, headers, body = struck("cut", tmp_path)
    assert (200, str(len(body))) == (status, headers["Content-Length"])
    with pytest.raises(json.JSONDecodeError):
        json.loads(body)


def test_a_torn_body_ends_before_its_declared_length(tmp_path):
    """The connection goes in the middle of the body."""
    with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
        struck("torn", tmp_path)


def test_a_reset_gives_no_answer(tmp_path):
    """The connection is reset before a status line, and the log has no status for it."""
    with proxy(None, "reset=1", folder=tmp_path) as between:
        with pytest.raises((ConnectionResetError, http.client.RemoteDisconnected, urllib.error.URLError)):
            ask(between.base_url)
        assert [("reset", None)] == [(line["fault"], line["status"]) for line in between.log()]


def test_slow_loris_never_stops_sending_and_never_ends(tmp_path):
    """Bytes come more often than a read timeout of two seconds, and yet there is no end after it."""
    with proxy(None, "slow_loris=1", folder=tmp_path) as between:
        connection = http.client.HTTPConnection(between.base_url.split("/")[2], timeout=2)
        connection.request("POST", "/v1/chat/completions", b"{}")
        answer = connection.getresponse()
        assert [b"{", b'"', b"i"] == [answer.read(1) for _ in range(3)]
        connection.close()


def test_a_redirect_leads_to_another_host(tmp_path):
    """307 with a Location that is not the proxy's own host."""
    status, headers, _ = struck("redirect", tmp_path)
    assert (307, "localhost:9") == (status, headers["Location"].split("/")[2])


def test_a_gzip_bomb_is_small_on_the_wire(tmp_path):
    """The body declares gzip, takes less than a megabyte, and would become a hundred."""
    _, headers, body = struck("gzip_bomb", tmp_path)
    assert "gzip" == headers["Content-Encoding"]
    assert len(body) * 200 < BOMB_BYTES


def test_modes():
    """`first` strikes only first attempts, `ever` all attempts at some bodies, `each` some attempts at any body."""
    bodies, attempts = [str(n) for n in range(400)], range(1, 6)

    def strikes(text):
        fault = Fault.parse(text)
        return [[fault.strikes(7, body, attempt, 1) for attempt in attempts] for body in bodies]

    first, ever, each = strikes("500=0.3:first"), strikes("500=0.3:ever"), strikes("500=0.3")
    assert not any(any(row[1:]) for row in first)
    assert {0, 5} == {sum(row) for row in ever}
    assert any(0 < sum(row) < 5 for row in each)
    for rows, draws in ((first, 400), (ever, 2000), (each, 2000)):
        assert 0.2 < sum(map(sum, rows)) / draws < 0.4
    assert strikes("500=0.3") == each
    assert not Fault.parse("401=1:ever:10").strikes(7, "x", 1, 10)
    assert Fault.parse("401=1:ever:10").strikes(7, "x", 1, 11)


@pytest.mark.parametrize("text", ["nonsense=1", "500=1:sometimes", "200=1", "500"])
def test_an_unknown_fault_is_refused(text):
    """A mistyped fault does not become a run without faults."""
    with pytest.raises(ValueError, match=r"fault|float"):
        Fault.parse(text)


def test_a_run_replays(tmp_path):
    """Two proxies with one seed strike the same bodies with the same faults; another seed strikes others."""
    logs = []
    for folder, seed in (("a", 1), ("b", 1), ("c", 2)):
        (tmp_path / folder).mkdir()
        with proxy(None, "500=0.3", "empty=0.2:ever", folder=tmp_path / folder, seed=seed) as between:
            with ThreadPoolExecutor(8) as pool:
                list(pool.map(lambda n, url=between.base_url: ask(url, str(n % 20)), range(60)))
            logs.append(sorted((line["digest"], line["attempt"], line["fault"] or "") for line in between.log()))
    assert logs[0] == logs[1]
    assert logs[0] != logs[2]


def test_the_log_has_every_request(tmp_path):
    """A line per request in order of arrival, with attempts, tokens, and no key in it; keys can be told apart."""
    with proxy(None, "500=1:first", folder=tmp_path) as between:
        for key in ("canary-1", "canary-1", "canary-2"):
            ask(between.base_url, key=key)
        lines = between.log()
    assert [(1, 1, 500), (2, 2, 200), (3, 3, 200)] == [(x["number"], x["attempt"], x["status"]) for x in lines]
    assert [0, 64, 64] == [line["output"] for line in lines]
    keys = [line["authorization"] for line in lines]
    assert keys[0] == keys[1] != keys[2]
    assert "canary" not in (tmp_path / "log.jsonl").read_text()
    assert sorted(line["at"] for line in lines) == [line["at"] for line in lines]


def test_a_real_answer_is_given_again(local_models, tmp_path):
    """What the real server said first to a body it says ever after, in the next proxy on the folder too."""
    with proxy(local_models["heron"], folder=tmp_path) as between:
        first = [ask(between.base_url, text)[2] for text in ("one", "two", "one")]
    with proxy("http://127.0.0.1:9/v1", folder=tmp_path) as between:  # nobody there: only the record can answer
        again = [ask(between.base_url, text)[2] for text in ("one", "two")]
    assert [first[0], first[1], first[0]] == first
    assert first[:2] == again
    assert first[0] != first[1]
    assert {"stop", "length"} >= {json.loads(body)["choices"][0]["finish_reason"] for body in first}


def test_latency_is_added(tmp_path):
    """An answer does not come before its latency is over."""
    with proxy(None, folder=tmp_path, latency=150) as between:
        start = time.monotonic()
        assert 200 == ask(between.base_url)[0]
        assert time.monotonic() - start >= 0.15
