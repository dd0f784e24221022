"""The pages of the verbs and of the settings are complete, and what they repeat from the code equals it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import jsonschema
import pytest
import yaml
from pydantic import BaseModel

from docs.generate_reference import DOCS, SCHEMA, options, page, settings_schema, with_options
from holdfast.cli.app import VERBS
from holdfast.core.reading.formats import FIELDS
from holdfast.core.reading.rows import REASONS
from holdfast.core.settings import Settings, load
from holdfast.stats import dose
from tests.contracts.source import ROOT

HEADINGS = ("## Example", "## Options", "## Files", "## Exit codes", "## Not yet")
KEY = re.compile(r"^\| `([\w.\[\]]+)` \| (.*?) \|", re.MULTILINE)


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_has_a_whole_page(verb: str) -> None:
    """A verb's page answers what it is for, and has all sections in one order; the index leads to it."""
    text = page(verb).read_text("utf-8")
    assert text.startswith(f"# holdfast {verb}\n")
    assert list(HEADINGS) == [line for line in text.splitlines() if line.startswith("## ")]
    assert f"$ holdfast {verb}" in text
    assert f"(verbs/{verb}.md)" in _page("README.md")


@pytest.mark.parametrize("verb", VERBS)
def test_options_are_those_of_the_command(verb: str) -> None:
    """The table of options equals the command line; if not, run python docs/generate_reference.py."""
    text = page(verb).read_text("utf-8")
    assert options(verb) in text
    assert with_options(verb, text) == text


def test_pages_and_verbs_are_the_same() -> None:
    """There is no page of a verb that does not exist."""
    assert sorted(VERBS) == sorted(path.stem for path in (DOCS / "verbs").glob("*.md"))


def test_published_schema_is_in_step() -> None:
    """docs/holdfast.schema.json equals the settings; if not, run python docs/generate_reference.py."""
    assert settings_schema() == SCHEMA.read_text("utf-8")


@pytest.mark.parametrize("path", sorted((ROOT / "examples").rglob("holdfast.yaml")), ids=lambda path: path.parent.name)
def test_published_schema_accepts_the_examples(path: Path) -> None:
    """What an editor checks with the schema is what the program reads; an unknown key is refused by both."""
    schema = json.loads(SCHEMA.read_text("utf-8"))
    values = json.loads(json.dumps(yaml.safe_load(path.read_text("utf-8")), default=str))
    jsonschema.validate(values, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**values, "sede": 7}, schema)


def keys(model: type[BaseModel], before: str = "") -> Iterator[tuple[str, str]]:
    """Yield (key, default) for every key below a model of the settings, in its order; `[]` and NAME as in the page."""
    for name, field in model.model_fields.items():
        inner = [part for part in _parts(field.annotation) if isinstance(part, type) and issubclass(part, BaseModel)]
        kind = str(field.annotation)
        many = "[]" if kind.startswith("tuple[") else ".NAME" if kind.startswith("dict[") else ""
        if inner:
            for part in inner:
                yield from keys(part, f"{before}{name}{many}.")
        else:
            yield f"{before}{name}", "required" if field.is_required() else _shown(field.default)


def _parts(annotation: Any) -> Iterator[Any]:
    yield annotation
    for part in get_args(annotation):
        yield from _parts(part)


def _shown(value: Any) -> str:
    plain = list(value) if isinstance(value, tuple) else str(value) if isinstance(value, Path) else value
    return f"`{json.dumps(plain)}`" if not isinstance(plain, str) else f"`{plain}`"


def test_every_setting_is_explained() -> None:
    """The tables of docs/settings.md have every key once, in the order of the settings, with its default."""
    shown = KEY.findall(_page("settings.md"))
    assert list(keys(Settings)) == shown


def test_settings_shown_are_settings(tmp_path: Path) -> None:
    """Every YAML block of docs/settings.md is read without an error."""
    blocks = re.findall(r"^```yaml\n(.*?)^```$", _page("settings.md"), re.MULTILINE | re.DOTALL)
    assert blocks
    for block in blocks:
        (tmp_path / "holdfast.yaml").write_text(block, "utf-8")
        load(tmp_path / "holdfast.yaml")


def test_dose_table_is_the_law() -> None:
    """Band, n_eff and kept variance in docs/dose.md are what stats/dose.py gives."""
    rows = re.findall(r"^\| (\d+) % \| (\w+) \| ([\d.]+) \| ([\d.]+) \|$", _page("dose.md"), re.MULTILINE)
    assert 7 == len(rows)
    for percent, *shown in rows:
        real = round(1 - int(percent) / 100, 2)
        law = [dose.band(int(percent) / 100), f"{dose.effective_share(real):.2f}"]
        assert [*law, f"{dose.sharpened_variance(real, 0.8):.2f}"] == shown


def test_formats_page_is_complete() -> None:
    """docs/formats.md names every field of --map and every reason to set a row aside."""
    text = _page("formats.md")
    assert [] == [name for name in (*FIELDS, *REASONS) if f"`{name}`" not in text]


def _page(name: str) -> str:
    return (DOCS / name).read_text("utf-8")
