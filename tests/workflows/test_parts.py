"""The list of parts: what is in the records, with versions, and nothing that is not."""

import json

import numpy as np

from holdfast import __version__
from holdfast.core.reader import read
from holdfast.core.settings import Settings
from holdfast.workflows.parts import judges_of, parts_of

ROWS = [
    {"text": "one", "holdfast": {"origin": "synthetic", "generator": "evol", "family": "qwen", "revision": "r2"}},
    {"text": "two", "holdfast": {"origin": "synthetic", "generator": "sums@1", "checks": {"math": True, "x": None}}},
    {"text": "three", "holdfast": {"origin": "synthetic", "generator": "sums@1", "checks": {"math": False}}},
    {"text": "four", "holdfast": {"origin": "real"}},
]


def seen(folder, kept):
    """The parts behind some of the rows."""
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    found = parts_of(read([path], spool=folder / "spool"), np.asarray(kept))
    return [(one["role"], one["name"], one["version"], one["family"], one["records"]) for one in found]


def test_parts_are_counted_in_the_records_that_are_kept(tmp_path):
    """Generators with version and family, checks with the records that passed; what only others have is not there."""
    whole = seen(tmp_path, [0, 1, 2, 3])
    assert [
        ("generator", "evol", "r2", "qwen", 1),
        ("generator", "sums", "1", "", 2),
        ("check", "math", __version__, "", 1),
        ("tool", "holdfast", __version__, "", None),
    ] == whole[:4]
    assert [("tool", "holdfast", __version__, "", None)] == seen(tmp_path, [3])


def test_the_library_behind_a_check_is_a_tool(tmp_path):
    """Records checked by math rest on math-verify, with the version that is installed."""
    assert ["holdfast", "math-verify"] == [name for role, name, *_ in seen(tmp_path, [1]) if role == "tool"]


def test_a_judge_is_named_by_the_settings():
    """The judging model is a part under its own name and that of the endpoint; without a judge there is none."""
    models = {"critic": {"base_url": "http://x", "model": "m-24b", "family": "mistral"}}
    judged = Settings.model_validate({"models": models, "filters": {"judge": {"model": "critic", "rubric": "r.md"}}})
    (part,) = judges_of(judged)
    assert ("judge", "critic", "m-24b", "mistral") == tuple(part[key] for key in ("role", "name", "version", "family"))
    assert [] == judges_of(Settings())
