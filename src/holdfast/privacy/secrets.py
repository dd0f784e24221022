"""Keys, tokens and passwords in text.

A hit is an error that stops a release, so that only unmistakable shapes count: a provider's prefix with the right
length and alphabet and enough disorder, a private key with a body, a token that decodes, a password assigned as a
quoted literal. Placeholders of documentation (AKIAIOSFODNN7EXAMPLE, your-api-key, xxxx, sk-1234...) are not hits,
nor are test-mode keys, encrypted private keys and prose about passwords. Nothing is ever tried against a provider.
"""

import re
from base64 import urlsafe_b64decode
from binascii import Error as Base64Error
from collections import Counter
from collections.abc import Callable
from json import loads
from math import log2

from holdfast.core.record import Record
from holdfast.core.verdict import Verdict
from holdfast.privacy.leaks import Compiled, Leak, Recogniser, compiled, find, verdict

RULE = "secrets"

# Bits per character, counted over the value itself. Random base62 of 20 characters has about 4.0, hexadecimal of 32
# about 3.6, words and repeated fillers less than 3.
_MIN_BITS = 3.0
_MIN_PASSWORD_BITS = 3.3
_MIN_PASSWORD = 12

# Words of sample passwords, looked for after undoing the usual exchanges (0 for o, 3 for e, @ for a ...).
_SAMPLE_WORDS = re.compile(
    r"example|your|xxx|placeholder|change|redacted|dummy|sample|insert|replace|fake|foo|bar|test|secret|secur|pass"
    r"|strong|welcome|hello|letme|random|super|master|login|token|apikey|access|todo|here|abcd|qwer|asdf|lorem|hunter"
    r"|default|local|user|admin|demo|null|none|vault|environ"
)
_LEET = str.maketrans("0134578@$!", "oieastbasi")
# Variables, templates, addresses, consecutive digits, and whole words: not a password drawn by a machine.
_NOT_LITERAL = re.compile(
    r"[<>{}*]|\.\.\.|://|\$\(|^[$%][A-Za-z_]|%[sd(]|012345|12345|23456|\d{8}|^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-"
    r"|[a-z]{7}|[A-Z]{8}|^[a-z]+(?:[._/: -][a-z]+)*[0-9]*$"
)
# Of a random token any short English word can be a part by chance; only what no generator draws is refused.
_FILLER = re.compile(r"(?i)example|your[_-]?|xxxx|\*\*\*|placeholder|redacted|dummy|abcdefg|0123456|1234567|qwertyu")
_SAMPLE_JWT = frozenset({"1234567890"})  # the subject of the sample token shown on jwt.io


def bits_per_character(value: str) -> float:
    """Return the Shannon entropy of the characters of `value`, in bits per character."""
    counts = Counter(value)
    return -sum(n / len(value) * log2(n / len(value)) for n in counts.values())


def _random_enough(value: str) -> int:
    tail = value.rpartition("_")[2] if value.startswith(("gh", "hf_", "npm_", "sk_live_", "rk_live_")) else value
    made_up = _FILLER.search(value) or bits_per_character(tail) < _MIN_BITS
    return 0 if made_up else len(value)


def _mixed(value: str) -> int:
    """Random, and drawn from letters and digits: the shape alone also fits slugs and class names."""
    tail = value[3:]
    kinds = any(c.isdigit() for c in tail) + any(c.islower() for c in tail) + any(c.isupper() for c in tail)
    return _random_enough(value) if kinds == 3 else 0


def _jwt(value: str) -> int:
    head, body, _ = value.split(".")
    header, claims = _decoded(head), _decoded(body)
    if not isinstance(header, dict) or str(header.get("alg", "none")).lower() == "none":
        return 0
    sample = not isinstance(claims, dict) or claims.get("sub") in _SAMPLE_JWT
    return 0 if sample or _FILLER.search(value) else len(value)


def _decoded(part: str) -> object:
    try:
        return loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (Base64Error, ValueError, RecursionError):
        return None


def _private_key(value: str) -> int:
    body = value.split("\n", 1)[1] if "\n" in value else ""
    return 0 if _FILLER.search(body) or bits_per_character(body or "-") < 4 else len(value)


def _password(value: str) -> int:
    kinds = any(c.isdigit() for c in value) + any(c.islower() for c in value) + any(c.isupper() for c in value)
    kinds += any(not c.isalnum() for c in value)
    wordlike = _NOT_LITERAL.search(value) or _SAMPLE_WORDS.search(value.lower().translate(_LEET))
    strong = kinds >= 3 and bits_per_character(value) >= _MIN_PASSWORD_BITS
    return len(value) if strong and not wordlike else 0


_APART = r"(?<![\w+-])"
_ENDS = r"(?![\w/+-])"


def _token(
    kind: str, core: str, signs: tuple[bytes, ...], accept: Callable[[str], int] = _random_enough, hint: str = ""
) -> Recogniser:
    return Recogniser(kind, core, accept, _APART, r"(?!\w)", hint, signs)


_ASSIGNED = r"[\"']?\s{0,3}(?:=>|:=|=|:)\s{0,3}"

RECOGNISERS: tuple[Recogniser, ...] = (
    _token("aws-access-key", r"(?:AKIA|ASIA)[A-Z2-7]{16}", (b"akia", b"asia")),
    Recogniser(
        "aws-secret-key",
        rf"(?i:aws_?secret_?access_?key){_ASSIGNED}[\"']?([A-Za-z0-9/+]{{40}})",
        _mixed,
        after=r"(?![A-Za-z0-9/+=])",
        signs=(b"secretaccesskey",),
    ),
    _token(
        "github-token",
        r"gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}",
        (b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_", b"github_pat_"),
    ),
    _token("gitlab-token", r"glpat-[A-Za-z0-9_-]{20}", (b"glpat-",)),
    _token("anthropic-key", r"sk-ant-[a-z0-9]{3,8}-[A-Za-z0-9_-]{80,120}", (b"sk-ant-",), _mixed),
    _token(
        "openai-key",
        r"sk-(?:proj|svcacct|admin)-[A-Za-z0-9_-]{40,200}|sk-[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}|sk-[A-Za-z0-9]{48}",
        (b"sk-",),
        _mixed,
    ),
    _token("openrouter-key", r"sk-or-v1-[0-9a-f]{64}", (b"sk-or-v0-",)),
    _token("slack-token", r"xox[abeprs]-(?:[0-9]{8,14}-){1,3}[A-Za-z0-9]{20,64}", (b"xox",)),
    Recogniser(
        "slack-webhook",
        r"hooks\.slack\.com/services/T[A-Z0-9]{8,12}/B[A-Z0-9]{8,12}/[A-Za-z0-9]{24}",
        _random_enough,
        after=_ENDS,
        signs=(b"hooks.slack.com",),
    ),
    _token("google-key", r"AIza[A-Za-z0-9_-]{35}", (b"aiza",), _mixed),
    _token("stripe-key", r"[sr]k_live_[A-Za-z0-9]{24,120}", (b"k_live_",), _mixed),
    _token("huggingface-token", r"hf_[A-Za-z]{34}", (b"hf_",)),
    _token("npm-token", r"npm_[A-Za-z0-9]{36}", (b"npm_",), _mixed),
    _token("pypi-token", r"pypi-AgE[A-Za-z0-9_-]{80,250}", (b"pypi-age",), _mixed),
    _token("sendgrid-key", r"SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}", (b"sg.",), _mixed),
    _token("telegram-token", r"[0-9]{8,10}:AA[A-Za-z0-9_-]{33}", (b"0:aa",), _mixed),
    _token("digitalocean-token", r"do[opr]_v1_[0-9a-f]{64}", (b"_v0_",)),
    Recogniser("azure-storage-key", r"AccountKey=([A-Za-z0-9/+]{86}==)", _mixed, signs=(b"accountkey=",)),
    _token(
        "jwt",
        r"eyJ[A-Za-z0-9_-]{10,2000}\.eyJ[A-Za-z0-9_-]{10,8000}\.[A-Za-z0-9_-]{20,2000}",
        (b"eyj",),
        _jwt,
        r"eyJ[A-Za-z0-9_-]{10}",
    ),
    Recogniser(
        "private-key",
        r"-----BEGIN (?:RSA |EC |DSA |OPENSSH )?PRIVATE KEY-----(?:\\n|[\s\"+])+[A-Za-z0-9+/=\s\\]{100,16000}",
        _private_key,
        hint="PRIVATE KEY-----",
        signs=(b"private key-----",),
    ),
    Recogniser(
        "url-password",
        r"\b(?:postgres(?:ql)?|mysql|mariadb|mongodb(?:\+srv)?|redis|amqps?|https?|ftp|smtp)://"
        r"[^\s:/@\"'<>]{1,64}:([^\s:/@\"'<>]{12,128})@[A-Za-z0-9]",
        _password,
        hint=r"://[^/\s:@]{1,64}:[^\s/@]{12,128}@",
        signs=(b"://",),
    ),
    Recogniser(
        "password",
        r"(?i:passw(?:or)?d|passwd|pwd|secret|token|api_?key|access_?key|private_?key|auth_?key)"
        rf"{_ASSIGNED}(?:\"([^\"\s]{{{_MIN_PASSWORD},128}})\"|'([^'\s]{{{_MIN_PASSWORD},128}})')",
        _password,
        signs=(b"passw", b"pwd", b"secret", b"token", b"apikey", b"accesskey", b"privatekey", b"authkey"),
    ),
)

_COMPILED: Compiled = compiled(RECOGNISERS)


def secrets(text: str) -> list[Leak]:
    """Return every key, token and password of `text` that is beyond mistake, by position, without overlaps."""
    return find(RULE, _COMPILED, text)


def check(record: Record) -> Verdict:
    """Refuse a record whose prompt or response holds a key, token or password."""
    text = record.text
    return verdict(RULE, text, secrets(text))
