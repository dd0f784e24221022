"""Secrets: every provider's shape is found, and nothing that documentation or prose writes is."""

import base64
import json
import random
import string

import pytest

from holdfast.core.record import Record
from holdfast.privacy.leaks import redact
from holdfast.privacy.secrets import RECOGNISERS, check, secrets

BASE62 = string.ascii_letters + string.digits
BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
HEX = "0123456789abcdef"


def drawn(rng: random.Random, alphabet: str, length: int) -> str:
    """A random token body; planted here, so that no real-looking key lies in the repository."""
    return "".join(rng.choice(alphabet) for _ in range(length))


def planted(seed: int) -> dict[str, str]:
    """One text per kind, freshly drawn."""
    rng = random.Random(seed)
    part = lambda value: base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")  # noqa: E731
    body = "\n".join(drawn(rng, BASE62 + "+/", 64) for _ in range(12))
    number = str(rng.randrange(10**10, 10**11))
    return {
        "aws-access-key": "key AKIA" + drawn(rng, BASE32, 16) + " in config",
        "aws-secret-key": "aws_secret_access_key = " + drawn(rng, BASE62 + "+/", 40),
        "github-token": "git clone https://ghp_" + drawn(rng, BASE62, 36) + "@github.com/a/b",
        "gitlab-token": "token: glpat-" + drawn(rng, BASE62, 20),
        "anthropic-key": "sk-ant-api03-" + drawn(rng, BASE62 + "_-", 92) + "aA",
        "openai-key": 'OPENAI_API_KEY="sk-proj-' + drawn(rng, BASE62, 48) + '"',
        "openrouter-key": "sk-or-v1-" + drawn(rng, HEX, 64),
        "slack-token": f"xoxb-{number}-{number}-" + drawn(rng, BASE62, 24),
        "slack-webhook": "https://hooks.slack.com/services/T01ABCDE9/B02FGHIJ7/" + drawn(rng, BASE62, 24),
        "google-key": "AIza" + drawn(rng, BASE62 + "_-", 34) + "Q",
        "stripe-key": "sk_live_" + drawn(rng, BASE62, 24),
        "huggingface-token": "hf_" + drawn(rng, string.ascii_letters, 34),
        "npm-token": "npm_" + drawn(rng, BASE62, 36),
        "pypi-token": "pypi-AgEIcHlwaS5vcmc" + drawn(rng, BASE62, 140),
        "sendgrid-key": "SG." + drawn(rng, BASE62, 22) + "." + drawn(rng, BASE62, 43),
        "telegram-token": number[:10] + ":AA" + drawn(rng, BASE62, 33),
        "digitalocean-token": "dop_v1_" + drawn(rng, HEX, 64),
        "azure-storage-key": "AccountName=x;AccountKey=" + drawn(rng, BASE62 + "+/", 86) + "==;",
        "jwt": part({"alg": "HS256"}) + "." + part({"sub": number, "name": "Eva"}) + "." + drawn(rng, BASE62, 43),
        "private-key": f"-----BEGIN RSA PRIVATE KEY-----\n{body}\n-----END RSA PRIVATE KEY-----",
        "url-password": "postgres://app:" + "qW7-" + drawn(rng, BASE62, 14) + "@db.internal:5432/x",
        "password": 'db_password = "zK9$' + drawn(rng, BASE62, 14) + '"',
    }


HARMLESS = [
    "AKIAIOSFODNN7EXAMPLE and wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    'aws_secret_access_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"',
    'api_key = "your-api-key-goes-here-123"; token="xxxxxxxxxxxxxxxxxxxxxxxx"; secret: "<insert-Your-Secret-1>"',
    "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx ghp_abcdefghijklmnopqrstuvwxyz1234567890",
    "sk-1234567890abcdef1234567890abcdef1234567890abcdef and sk-... and sk-proj-YOUR_KEY",
    "sk-learn-style-names-that-are-long-enough-to-look-like-a-key-but-are-words",
    'password = os.environ["DATABASE_PASSWORD_2"]; pwd = "${DB_PASSWORD_PROD_1}"; password: "{{ Vault.pw1 }}"',
    'password = "correct horse battery staple 1"; password="Password123!"; pwd="P@ssw0rd12345"',
    'token = "AuthenticationToken1"; password: "MyS3cur3P@ss!2024"; secret="S0me$ecretV4lue"',
    'pwd = "SuperStr0ng#Pwd99"',
    "-----BEGIN RSA PRIVATE KEY-----\n...\n-----END RSA PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----",
    (
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ"
        ".SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c"
    ),
    "postgres://user:password@localhost/db https://admin:changeme12345@host mysql://root:$MYSQL_ROOT_1@db",
    "sk_test_" + "4eC39HqLyjWDarjtT1zdp7dc is a test-mode key",
    'The secret: "Forty-two" she said. My password: \'unforgettable\'. token = "<|endoftext|>"',
    'secret_key: "3f2504e0-4f89-11d3-9a0c-0305e82c3301", "token": "https://a.b/c?d=E1f2G3h4"',
    "hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX",
    "hf_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa hf_model_name_with_underscores_everywhere",
]


def test_every_kind_has_a_planted_case() -> None:
    """No recogniser is without a test."""
    assert set(planted(0)) == {recogniser.kind for recogniser in RECOGNISERS}


@pytest.mark.parametrize("kind", sorted(planted(0)))
def test_each_kind_is_found(kind: str) -> None:
    """At least 97 of 100 random tokens of each provider's shape are found as that kind."""
    found = [[leak.kind for leak in secrets(planted(seed)[kind])] for seed in range(100)]
    assert sum(kinds == [kind] for kinds in found) >= 97, [kinds for kinds in found if kinds != [kind]]


@pytest.mark.parametrize("text", HARMLESS)
def test_placeholders_and_prose_are_no_secrets(text: str) -> None:
    """A hit is an error that stops a release, so documentation must pass."""
    assert [] == [(leak.kind, text[leak.start : leak.end]) for leak in secrets(text)]


@pytest.mark.parametrize("kind", sorted(planted(0)))
def test_a_verdict_never_shows_the_secret(kind: str) -> None:
    """Evidence holds two characters of it, and redacting removes it."""
    text = planted(5)[kind]
    leak = secrets(text)[0]
    verdict = check(Record("a", text, ""))
    assert verdict.ok is False
    assert text[leak.start + 2 : leak.end] not in str(verdict)
    assert text[leak.start : leak.end] not in redact(text, [leak])
    assert f"<{kind}>" in redact(text, [leak])
