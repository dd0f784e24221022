"""A key shows its last four characters and nothing else, in whatever way it is printed, copied or written."""

import copy
import dataclasses
import json
import logging
import pprint
import traceback

import orjson
import pytest

from holdfast.core.errors import UsageError
from holdfast.models.key import Key

CANARY = "sk-canary-0123456789-WXYZ"


@pytest.fixture
def key(monkeypatch) -> Key:
    monkeypatch.setenv("SOME_KEY", f" {CANARY}\n")
    return Key.from_env("SOME_KEY")


@dataclasses.dataclass
class Holder:
    key: Key


def test_the_header_holds_it(key: Key) -> None:
    """The only way to the whole key is the header."""
    assert f"Bearer {CANARY}" == key.header()


def test_it_is_shown_by_its_end(key: Key) -> None:
    """repr, str and all kinds of formatting give the last four characters."""
    shown = [
        repr(key),
        str(key),
        f"{key}",
        f"{key!r:s}",
        f"{key:>30}",
        pprint.pformat({"key": key}),
        repr(Holder(key)),
    ]
    assert [] == [text for text in shown if "canary" in text or "Key(...WXYZ)" not in text]


def test_a_short_key_is_not_shown() -> None:
    """Of a key with fewer than 16 characters nothing is shown."""
    assert "Key(...)" == repr(Key("secret"))


@pytest.mark.parametrize("write", [orjson.dumps, json.dumps, copy.copy, copy.deepcopy])
def test_it_is_not_serialised(key: Key, write) -> None:
    """Every way to write or copy it raises, and the error does not hold it."""
    with pytest.raises(TypeError) as error:
        write(key)
    assert "canary" not in "".join(traceback.format_exception(error.value))


def test_it_survives_in_no_dataclass_dump(key: Key) -> None:
    """asdict of what holds it raises, and it has no attributes to read."""
    with pytest.raises(TypeError):
        dataclasses.asdict(Holder(key))
    with pytest.raises(TypeError):
        vars(key)


def test_a_log_line_does_not_hold_it(key: Key, caplog) -> None:
    """Logged with a traceback it stays hidden."""
    logging.getLogger("test").error("failed with %s", key, exc_info=ValueError(key))
    assert "canary" not in caplog.text
    assert "WXYZ" in caplog.text


def test_no_name_is_no_key() -> None:
    """Settings without a variable give no key."""
    assert Key.from_env(None) is None


@pytest.mark.parametrize("value", [None, "", "  ", "sk canary", "sk-\ncanary", "sk-canäry"])
def test_what_is_no_key_names_the_variable(monkeypatch, value: str | None) -> None:
    """A variable that is not set, blank, or holds what no header can carry, is named; its content is not."""
    monkeypatch.delenv("OTHER_KEY", raising=False)
    if value is not None:
        monkeypatch.setenv("OTHER_KEY", value)
    with pytest.raises(UsageError, match="OTHER_KEY") as error:
        Key.from_env("OTHER_KEY")
    assert "can" not in str(error.value).replace("no key has", "")


def test_it_is_scrubbed_from_what_comes_back(key: Key) -> None:
    """An error message that repeats the key is stripped of it."""
    assert b"wrong key [key]!" == key.scrub(f"wrong key {CANARY}!".encode())
