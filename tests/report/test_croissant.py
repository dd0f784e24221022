"""croissant.json has the form of Croissant 1.1; `python -m bench.croissant` has mlcroissant itself read it."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from holdfast.report.croissant import Column, columns, croissant
from holdfast.report.facts import Facts
from tests.report.payloads import payloads

ROW = {"prompt": "a", "turns": ["x", "y"], "rank": 3, "held": True, "holdfast": {"origin": "real", "parents": []}}
MANIFEST = {
    "verb": "build",
    "code_version": "0.1.0",
    "inputs": [{"path": "data/real.jsonl", "digest": "ab12", "records": 5, "format": "jsonl"}],
    "parts": [
        {"role": "generator", "name": "evol", "version": "2", "family": "qwen", "records": 7},
        {"role": "check", "name": "math", "version": "0.1.0", "family": "", "records": 7},
    ],
}


@pytest.fixture
def facts(tmp_path: Path) -> Facts:
    """Facts of one file with one row."""
    (tmp_path / "train.jsonl").write_text(json.dumps(ROW) + "\n")
    return Facts(
        "a set / of two",
        licences=("MIT", "our own terms"),
        files=(tmp_path / "train.jsonl",),
        made_of={"records": 12, "synthetic": 7, "tokens": 100, "synthetic_tokens": 50},
        checks={"math": "7 of 9 accepted"},
        held_out="5 real records were sealed.",
        command="holdfast build -c x.yaml",
    )


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    """All objects of a JSON value."""
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if isinstance(value, dict):
        yield value
    for child in children:
        yield from nodes(child)


def test_the_required_properties_are_there(facts: Facts) -> None:
    """What the specification requires and Holdfast can know; name and licence in the form that it asks for."""
    found = croissant(facts, MANIFEST)
    assert ("sc:Dataset", "http://mlcommons.org/croissant/1.1") == (found["@type"], found["conformsTo"])
    assert ("a-set-of-two", ["https://spdx.org/licenses/MIT.html", "our own terms"]) == (
        found["name"],
        found["license"],
    )
    assert "12 training records. Synthetic: 58.3% of the records, 50.0% of the tokens." == found["description"]


def test_files_have_their_sha256(facts: Facts) -> None:
    """Digest, size and media type are those of the file."""
    data = facts.files[0].read_bytes()
    (file,) = croissant(facts, MANIFEST)["distribution"]
    wanted = (hashlib.sha256(data).hexdigest(), f"{len(data)} B", "application/jsonlines", "train.jsonl")
    assert wanted == tuple(file[name] for name in ("sha256", "contentSize", "encodingFormat", "contentUrl"))


def test_ids_are_unique_and_references_lead_somewhere(facts: Facts) -> None:
    """An object with other properties defines its @id, once; one without them refers to an @id that is defined."""
    found = list(nodes({k: v for k, v in croissant(facts, MANIFEST).items() if k != "@context"}))
    defined = [node["@id"] for node in found if "@id" in node and len(node) > 1]
    named = {node["@id"] for node in found if set(node) == {"@id"}}
    assert (sorted(set(defined)), set()) == (sorted(defined), named - set(defined))


def test_every_term_is_one_of_the_context(facts: Facts) -> None:
    """A key is a term that the context maps, or of schema.org by the default vocabulary, or has a known prefix."""
    found = croissant(facts, MANIFEST)
    context = found.pop("@context")
    plain = {"version", "license", "keywords", "distribution", "contentUrl", "contentSize", "encodingFormat", "sha256"}
    keys = {key for node in nodes(found) for key in node if not key.startswith("@")}
    assert set() == {key for key in keys if key not in {*context, *plain, "size"} and key.split(":")[0] not in context}


def test_provenance_says_what_it_was_made_of_and_by_whom(facts: Facts) -> None:
    """Input, run, held-out set, check and generator are there in terms of PROV-O, without the folders of the maker."""
    found = croissant(facts, MANIFEST)
    (source,) = found["prov:wasDerivedFrom"]
    assert ("prov:Entity", "real.jsonl", "urn:blake2b:ab12") == (source["@type"], source["prov:label"], source["@id"])
    said = {one["prov:label"]: one["description"] for one in found["prov:wasGeneratedBy"]}
    assert {
        "holdfast build 0.1.0": "holdfast build -c x.yaml",
        "held-out set": "5 real records were sealed.",
        "check math": "7 of 9 accepted",
    } == said
    agents = {one["@id"]: one["description"] for one in found["prov:wasAttributedTo"]}
    assert {
        "urn:holdfast:generator:evol@2": "generator of the family qwen, 7 records",
        "urn:holdfast:check:math@0.1.0": "check, 7 records",
    } == agents
    assert set(agents) == {one["@id"] for one in found["prov:wasGeneratedBy"][0]["prov:wasAssociatedWith"]}


def test_each_record_has_its_provenance(facts: Facts) -> None:
    """The nested column is a field whose parts say who wrote a record and from which others, in terms of PROV-O."""
    fields = {one["name"]: one for one in croissant(facts, MANIFEST)["recordSet"][0]["field"]}
    parts = {one["@id"]: one for one in fields["holdfast"]["subField"]}
    maker, parents = parts["records/holdfast/generator"], parts["records/holdfast/parents"]
    assert ("prov:wasAttributedTo", "prov:wasDerivedFrom") == (
        maker["equivalentProperty"],
        parents["equivalentProperty"],
    )
    assert {
        "fileObject": {"@id": "train.jsonl"},
        "extract": {"column": "holdfast"},
        "transform": {"jsonPath": "generator"},
    } == maker["source"]
    assert (True, "-1") == (parents["isArray"], parents["arrayShape"])


def test_columns_have_their_types(facts: Facts, tmp_path: Path) -> None:
    """JSONL by its values, Parquet by its schema, CSV by its first line; an archive has no columns."""
    wanted = (Column("prompt"), Column("turns", many=True), Column("rank", "sc:Integer"), Column("held", "sc:Boolean"))
    assert wanted == columns(facts.files[0])[:4]
    table = pa.table({key: [ROW[key]] for key in ("prompt", "turns", "rank", "held")})
    pq.write_table(table, tmp_path / "train.parquet")
    pq.write_table(pa.table({"m": [[{"role": "user", "content": "a"}]]}), tmp_path / "m.parquet")
    assert (Column("m", many=True, parts=("role", "content")),) == columns(tmp_path / "m.parquet")
    (tmp_path / "train.csv").write_text('prompt,"answer"\na,b\n')
    (tmp_path / "train.jsonl.gz").write_bytes(b"\x1f\x8b")
    assert wanted == columns(tmp_path / "train.parquet")
    assert (Column("prompt"), Column("answer")) == columns(tmp_path / "train.csv")
    assert () == columns(tmp_path / "train.jsonl.gz")


def test_turns_are_described_by_their_keys(facts: Facts) -> None:
    """A column of messages is a field with role and content as parts, each an array taken from every turn."""
    facts.files[0].write_text(json.dumps({"messages": [{"role": "user", "content": "a"}]}) + "\n")
    (field,) = croissant(facts, MANIFEST)["recordSet"][0]["field"]
    assert {"records/messages/role": "[*].role", "records/messages/content": "[*].content"} == {
        part["@id"]: part["source"]["transform"]["jsonPath"] for part in field["subField"]
    }
    assert [True, True] == [part["isArray"] for part in field["subField"]]


def test_a_cut_last_line_and_rows_of_other_columns_are_no_hindrance(tmp_path: Path) -> None:
    """The first rows decide, each column that one of them has is there, and a torn line is passed over."""
    path = tmp_path / "train.jsonl"
    path.write_text('{"a": 1}\n{"a": 1.5, "b": "x"}\n{"c": ')
    assert (Column("a", "sc:Float"), Column("b")) == columns(path)


def test_nothing_that_is_named_can_break_an_id(facts: Facts) -> None:
    """Hostile names of columns and parts give JSON with unique ids without spaces or markup."""
    for payload in payloads():
        facts.files[0].write_text(json.dumps({payload: 1, "prompt": "a"}) + "\n")
        parts = [{**MANIFEST["parts"][0], "name": payload, "version": payload}]
        found = croissant(replace(facts, name=payload), {**MANIFEST, "parts": parts})
        ids = [str(node["@id"]) for node in nodes(found) if "@type" in node and "@id" in node]
        assert json.dumps(found, ensure_ascii=False).encode("utf-8")
        assert (len(ids), []) == (len(set(ids)), [one for one in ids if any(sign in one for sign in ' <>"\n')])
