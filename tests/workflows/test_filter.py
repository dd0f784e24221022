"""filter: what goes, goes with a reason; what stays, says that somebody looked."""

import json
from collections import Counter
from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import feather

from holdfast.core.errors import UsageError
from holdfast.core.reader import read
from holdfast.core.settings import Dedup, Filters, Near, Novelty, Semantic
from holdfast.workflows.audit import audit
from holdfast.workflows.filter import FilterOptions, filter_files
from tests.rules.reworded import reworded
from tests.rules.views import sentence


def written(path, rows):
    """Write rows as JSONL."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def lines(path):
    """Read JSONL."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def sample(folder):
    """Ten different records, an exact copy in capitals, a near copy, and a real twin of a synthetic one."""
    rows = [{"id": f"r{n}", "text": sentence(n), "origin": "synthetic"} for n in range(10)]
    rows.append({"id": "exact", "text": sentence(0).upper(), "origin": "synthetic"})
    rows.append({"id": "near", "text": f"{sentence(1)} and one more", "origin": "synthetic"})
    rows.append({"id": "real-twin", "text": sentence(2), "origin": "human"})
    return written(folder / "data.jsonl", rows)


def test_each_rejected_record_names_its_keeper_and_what_they_share(tmp_path):
    """The reason is machine-readable; keeper, similarity and the shared words stand beside it."""
    filter_files([sample(tmp_path)], tmp_path / "out")
    rejected = {row["id"]: row for row in lines(tmp_path / "out/rejected.jsonl")}
    near = rejected["near"]["holdfast_detail"]
    assert ("exact-duplicate", "r0") == (
        rejected["exact"]["holdfast_reason"],
        rejected["exact"]["holdfast_detail"]["keeper"],
    )
    assert ("r1", round(10 / 13, 4), sentence(1)) == (near["keeper"], near["similarity"], near["shares"])


def test_the_real_one_of_two_stays(tmp_path):
    """Of a synthetic record and its real twin the real one is kept."""
    filter_files([sample(tmp_path)], tmp_path / "out")
    kept = {row["id"] for row in lines(tmp_path / "out/kept.jsonl")}
    assert (True, False) == ("real-twin" in kept, "r2" in kept)


def test_semantic_takes_what_words_do_not_show(tmp_path):
    """A rewording goes with keeper, cosine and encoder; what is near in words keeps that as its reason."""
    rows = [json.loads(line) for line in sample(tmp_path).read_text().splitlines()]
    rows.append({"id": "reworded", "text": reworded(sentence(3)), "origin": "synthetic"})
    source = written(tmp_path / "more.jsonl", rows)
    wanted = Semantic(encoder="tests.rules.reworded:Reworded", threshold=0.9)
    filter_files([source], tmp_path / "out", FilterOptions(Filters(dedup=Dedup(near=Near(), semantic=wanted))))
    rejected = {row["id"]: row for row in lines(tmp_path / "out/rejected.jsonl")}
    assert {"exact-duplicate": 2, "near-duplicate": 1, "semantic-duplicate": 1} == Counter(
        row["holdfast_reason"] for row in rejected.values()
    )
    detail = rejected["reworded"]["holdfast_detail"]
    assert ("r3", 1.0, "reworded@1") == (detail["keeper"], detail["similarity"], detail["encoder"])
    assert {"semantic-duplicate": True} == {
        name: ok
        for name, ok in lines(tmp_path / "out/kept.jsonl")[0]["holdfast"]["checks"].items()
        if "semantic" in name
    }


def test_a_keeper_that_was_rejected_stands_for_nobody(tmp_path):
    """Of three rewordings whose first is an exact copy of a kept one, exactly one is left."""
    texts = [sentence(0), sentence(0), reworded(sentence(0))]
    source = written(tmp_path / "d.jsonl", [{"id": f"r{n}", "text": text} for n, text in enumerate(texts)])
    wanted = Semantic(encoder="tests.rules.reworded:Reworded")
    filter_files([source], tmp_path / "out", FilterOptions(Filters(dedup=Dedup(semantic=wanted))))
    assert ["r0"] == [row["id"] for row in lines(tmp_path / "out/kept.jsonl")]


def test_lexical_vectors_remove_nothing(tmp_path):
    """To remove by meaning with an encoder that knows only words is refused."""
    wanted = FilterOptions(Filters(dedup=Dedup(semantic=Semantic(encoder="lexical"))))
    with pytest.raises(UsageError, match="meaning"):
        filter_files([sample(tmp_path)], tmp_path / "out", wanted)


def test_nothing_is_lost(tmp_path):
    """In = kept + rejected, and each record is in one file."""
    source = sample(tmp_path)
    manifest = filter_files([source], tmp_path / "out")
    out = [row["id"] for name in ("kept", "rejected") for row in lines(tmp_path / f"out/{name}.jsonl")]
    assert (sorted(row["id"] for row in lines(source)), 13, 10, 3) == (
        sorted(out),
        manifest.counts.given,
        manifest.counts.kept,
        manifest.counts.rejected,
    )


def test_a_second_pass_rejects_nothing_and_the_audit_sees_the_filter(tmp_path):
    """What was kept has no duplicates left, and carries the verdicts that say so."""
    filter_files([sample(tmp_path)], tmp_path / "out")
    again = filter_files([tmp_path / "out/kept.jsonl"], tmp_path / "again")
    report = audit(tmp_path / "out/kept.jsonl")
    assert (0, 0.0) == (again.counts.rejected, report["no-diversity-filter"].value)


def test_switched_off_filters_do_nothing(tmp_path):
    """Without any filter every record is kept, and no verdict is invented."""
    options = FilterOptions(Filters(dedup=Dedup(exact=False, near=None), privacy="off"))
    manifest = filter_files([sample(tmp_path)], tmp_path / "out", options)
    checks = [row["holdfast"]["checks"] for row in lines(tmp_path / "out/kept.jsonl")]
    assert (13, [{}] * 13) == (manifest.counts.kept, checks)


def test_held_out_text_is_kept_out(tmp_path):
    """A record that contains a held-out item is rejected for it, whatever else it is."""
    eval_file = written(tmp_path / "eval.jsonl", [{"question": sentence(4)}])
    filter_files([sample(tmp_path)], tmp_path / "out", FilterOptions(held_out=(eval_file,)))
    reasons = {row["id"]: row["holdfast_reason"] for row in lines(tmp_path / "out/rejected.jsonl")}
    assert "eval-contamination" == reasons["r4"]


def test_when_the_keeper_leaves_another_one_stays(tmp_path):
    """A duplicate is not lost because the record that stood for it was rejected for personal data."""
    body = " ".join(sentence(n) for n in range(3))
    rows = [
        {"id": "a", "text": f"{body} mail jane.roe@northwind.co.uk"},
        {"id": "b", "text": f"{body} mail nobody at all"},
    ]
    source = written(tmp_path / "d.jsonl", rows)
    filter_files([source], tmp_path / "out", FilterOptions(Filters(privacy="reject")))
    assert ["b"] == [row["id"] for row in lines(tmp_path / "out/kept.jsonl")]


@pytest.mark.parametrize("where", ["text", "nested"])
def test_redaction_reaches_every_string_of_a_row(tmp_path, where):
    """Personal data leaves the training text and the other columns, and the rest of the row stays."""
    mail = "jane.roe@northwind.co.uk"
    row = {"id": "a", "text": f"write to {mail}", "meta": {"by": [mail, 7]}}
    filter_files([written(tmp_path / "d.jsonl", [row])], tmp_path / "out", FilterOptions(Filters(privacy="redact")))
    kept = lines(tmp_path / "out/kept.jsonl")[0]
    values = {"text": kept["text"], "nested": kept["meta"]["by"][0]}
    assert (False, 7) == (mail in json.dumps(kept), kept["meta"]["by"][1])
    assert "<email>" in values[where]


def test_no_file_of_an_earlier_run_stands_beside_the_new_manifest(tmp_path):
    """A second run that writes another format leaves no kept file of the first."""
    (tmp_path / "a.csv").write_text("id,text\na,one two three\nb,four five six\n")
    filter_files([tmp_path / "a.csv"], tmp_path / "out")
    filter_files([sample(tmp_path)], tmp_path / "out")
    assert ["kept.jsonl", "manifest.json", "rejected.jsonl"] == sorted(
        path.name for path in (tmp_path / "out").iterdir()
    )


def test_the_same_input_gives_the_same_bytes(tmp_path):
    """No clock, no chance."""
    source = sample(tmp_path)
    for name in ("a", "b"):
        filter_files([source], tmp_path / name)
    names = ("kept.jsonl", "rejected.jsonl", "manifest.json")
    assert [(tmp_path / "a" / name).read_bytes() for name in names] == [
        (tmp_path / "b" / name).read_bytes() for name in names
    ]


def test_a_second_filter_does_not_eat_its_own_input(tmp_path):
    """Filtering what an earlier run kept into the same folder is refused, and the file stands."""
    filter_files([sample(tmp_path)], tmp_path / "out")
    before = (tmp_path / "out/kept.jsonl").read_bytes()
    with pytest.raises(UsageError, match="would be overwritten"):
        filter_files([tmp_path / "out/kept.jsonl"], tmp_path / "out")
    assert before == (tmp_path / "out/kept.jsonl").read_bytes()


@pytest.mark.parametrize("name", ["empty.jsonl", "empty.parquet"])
def test_an_empty_input_is_not_clean_and_not_a_bug(name, tmp_path):
    """Nothing in, nothing out, and the manifest says that it is not well."""
    if name.endswith("parquet"):
        pq.write_table(pa.table({"text": pa.array([], pa.string())}), tmp_path / name)
    else:
        (tmp_path / name).touch()
    manifest = filter_files([tmp_path / name], tmp_path / "out", FilterOptions(Filters(privacy="redact")))
    assert (0, 0, False) == (manifest.counts.given, manifest.counts.kept, manifest.ok)


def test_unreadable_lines_have_a_reason_in_the_manifest(tmp_path):
    """What failed is told by reason too, so that counts and reasons agree."""
    source = sample(tmp_path)
    source.write_text(source.read_text() + "{broken\n")
    manifest = filter_files([source], tmp_path / "out")
    assert (1, 1) == (manifest.counts.failed, manifest.reasons["broken-json"])


def test_records_without_text_are_not_duplicates_of_each_other(tmp_path):
    """Where no column holds text nothing is filtered: the mistake is told, with the option that mends it."""
    source = written(tmp_path / "numbers.jsonl", [{"a": n, "b": n * n} for n in range(9)])
    with pytest.raises(UsageError, match="--map text=COLUMN"):
        filter_files([source], tmp_path / "out")


@pytest.mark.parametrize("form", ["jsonl", "parquet", "arrow"])
def test_redaction_reaches_every_format(form, tmp_path):
    """Whatever the file is, no address is left in what is kept, other columns keep their types, and it is counted."""
    told = [{"role": "user", "content": "write to bob.smith@corp-mail.com"}]
    rows = [
        {"text": "mail bob.smith@corp-mail.com now", "day": date(2020, 1, 2), "log": told},
        {"text": "nothing to hide here", "day": date(2020, 1, 3), "log": []},
    ]
    source = tmp_path / f"in.{form}"
    if form == "jsonl":
        written(source, [{**row, "day": str(row["day"])} for row in rows])
    elif form == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), source)
    else:
        feather.write_feather(pa.Table.from_pylist(rows), source, compression="uncompressed")
    manifest = filter_files([source], tmp_path / "out", FilterOptions(Filters(privacy="redact")))
    kept = read([tmp_path / "out" / manifest.files["kept"]], spool=tmp_path / "spool")
    assert ["mail <email> now", "nothing to hide here"] == kept.column("response").to_pylist()
    assert b"corp-mail" not in (tmp_path / "out" / manifest.files["kept"]).read_bytes()
    assert (1, True) == (manifest.more["redacted"], all("2020" in one for one in kept.column("fields").to_pylist()))


def test_what_adds_nothing_new_goes_and_every_score_is_kept(tmp_path):
    """Below the asked novelty a record is rejected with its parts; each record's score lies in novelty.jsonl."""
    known = written(tmp_path / "known.jsonl", [{"text": f"{sentence(3)} {sentence(4)}"}])
    rows = [{"id": "old", "text": f"{sentence(3)} {sentence(4)}"}, {"id": "new", "text": sentence(5)}]
    wanted = Filters(dedup=Dedup(exact=False, near=None), novelty=Novelty(least=0.5, against=(known,)))
    filter_files([written(tmp_path / "d.jsonl", rows)], tmp_path / "out", FilterOptions(wanted))
    rejected, scores = lines(tmp_path / "out/rejected.jsonl"), lines(tmp_path / "out/novelty.jsonl")
    assert [("old", "nothing-new")] == [(row["id"], row["holdfast_reason"]) for row in rejected]
    assert [("old", 0.0), ("new", 1.0)] == [(row["id"], row["score"]) for row in scores]
    assert {"words": 0.0, "cell": 0.0, "boundary": 0.0} == rejected[0]["holdfast_detail"]["novelty"]


def test_the_funnel_counts_every_record_of_each_generator(tmp_path):
    """By generator: in = kept + all reasons, and the sums are those of the manifest."""
    rows = [{"text": sentence(n % 6), "generator": "one" if n < 8 else "two"} for n in range(12)]
    manifest = filter_files([written(tmp_path / "d.jsonl", rows)], tmp_path / "out")
    counted = manifest.more["funnel"]["generator"]
    assert {
        "one": {"in": 8, "kept": 6, "exact-duplicate": 2},
        "two": {"in": 4, "kept": 0, "exact-duplicate": 4},
    } == counted


def test_each_step_has_its_bill(tmp_path):
    """Of 60 exact copies the bill says: removed 60, nothing lost that chance would have kept."""
    rows = [{"text": " ".join(sentence(k) for k in (n, n + 1, n + 2))} for n in [*range(60)] * 2]
    manifest = filter_files([written(tmp_path / "d.jsonl", rows)], tmp_path / "out")
    told = {entry["filter"]: entry for entry in manifest.more["bill"]}
    verdict = told["exact-duplicate"]["measurements"]["tail-coverage"]["detail"]["verdict"]
    assert (60, "records before the filter", True) == (
        told["exact-duplicate"]["removed"],
        told["exact-duplicate"]["reference"],
        verdict != "costs",
    )
