"""ood: a set of another register, date or source is sealed beside the held-out set, and proved to differ."""

import json
import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from holdfast.core.errors import InputError, UsageError
from holdfast.dedup.seal import open_held_out, read_seal
from holdfast.stats.proportion import smallest_drop
from holdfast.workflows.audit import audit
from holdfast.workflows.reserve import ReserveOptions, reserve
from tests.rules.views import sentence
from tests.workflows.test_reserve import real, written

FORUM = "lol anyone here knows how 2 fix this thing it broke again smh"


def forum(folder, count=24, **columns):
    """Records of another register: other words, a source of their own, later dates."""
    own = {"source": "forum", "date": "2024-05-01", **columns}
    rows = [{"question": f"post {n} {FORUM} v{n}z {n * n}", "answer": f"try {n}", **own} for n in range(count)]
    return written(folder / "forum.jsonl", rows)


def test_another_register_is_sealed_beside_the_set(tmp_path):
    """A file of 24 posts becomes ood.jsonl, is in the seal and guarded like the set, and is no part of its size."""
    reserve([real(tmp_path)], tmp_path / "out", ReserveOptions(0.2, ood=str(forum(tmp_path))))
    held_out = open_held_out([tmp_path / "out"], tmp_path / "s1")
    assert (36, 12, ()) == (held_out.data.rows, held_out.scored, held_out.broken)
    alone = open_held_out([tmp_path / "out/eval.jsonl"], tmp_path / "s3")
    assert (36, 12, ()) == (alone.data.rows, alone.scored, alone.broken)
    report = audit(tmp_path / "forum.jsonl", eval=tmp_path / "out")
    assert (24, smallest_drop(12)) == (report["eval-contamination"].value, report["held-out-small"].value)
    path = tmp_path / "out/ood.jsonl"
    path.write_text(path.read_text().replace("post 3 ", "post 4 ", 1))
    assert ["was changed"] == [line[-11:] for line in open_held_out([tmp_path / "out"], tmp_path / "s2").broken]


def test_the_proof_says_how_the_other_register_differs(tmp_path):
    """Words further apart than chance, sources and dates of each side, in the seal and in the manifest."""
    words = [f"word{n}" for n in range(40)]
    rows = [{"question": " ".join(random.Random(n).sample(words, 12)), "answer": str(n)} for n in range(60)]
    source = written(tmp_path / "r.jsonl", rows)
    manifest = reserve([source], tmp_path / "out", ReserveOptions(0.2, ood=str(forum(tmp_path))))
    told = read_seal(tmp_path / "out/holdfast.seal").proof["ood"]
    assert (manifest.more["ood"], "forum.jsonl", True) == (told, told["of"], told["differs"])
    assert told["words"]["across"]["low"] > told["words"]["within"]["high"]
    sides = told["out_of_distribution"], told["in_distribution"]
    assert [{"forum": 1.0}, {}] == [side["sources"] for side in sides]
    assert {"dated": 24, "from": "2024-05-01", "to": "2024-05-01"} == told["out_of_distribution"]["dates"]


def test_what_does_not_differ_is_said_not_to(tmp_path):
    """Half of one source against the other half: the interval of the excess holds zero."""
    words = [f"word{n}" for n in range(40)]
    rows = [{"text": " ".join(random.Random(n).sample(words, 12)), "half": str(n % 2)} for n in range(200)]
    source = written(tmp_path / "r.jsonl", rows)
    manifest = reserve([source], tmp_path / "out", ReserveOptions(0.2, ood="half=1"))
    excess = manifest.more["ood"]["words"]["excess"]
    assert (100, False, True) == (manifest.more["ood"]["records"], manifest.more["ood"]["differs"], excess["low"] <= 0)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [("date>=2020-06", {"2020-06-01", "2021"}), ("date<2020-06", {"2019-01-01", "2020-05"}), ("date=2020", {"2020"})],
)
def test_a_date_rule_takes_what_is_surely_on_its_side(tmp_path, rule, expected):
    """A year that straddles the date, and no date at all, are not out of distribution."""
    dates = ["2019-01-01", "2020-05", "2020", "2020-06-01", "2021", "soon", ""]
    rows = [{"text": sentence(n), "date": dates[n % len(dates)]} for n in range(70)]
    reserve([written(tmp_path / "r.jsonl", rows)], tmp_path / "out", ReserveOptions(5, ood=rule))
    lines = (tmp_path / "out/ood.jsonl").read_text().splitlines()
    assert (10 * len(expected), expected) == (len(lines), {json.loads(line)["date"] for line in lines})


def test_near_duplicates_of_the_other_register_are_not_trained_on(tmp_path):
    """A twin on the side of training would give the other register away: it is rejected with its reason."""
    rows = [json.loads(line) for line in real(tmp_path, 40).read_text().splitlines()]
    for number, row in enumerate(rows):
        row["source"] = "forum" if number in (0, 4) else "book"
    manifest = reserve([written(tmp_path / "r.jsonl", rows)], tmp_path / "out", ReserveOptions(4, ood="source=forum"))
    rejected = [json.loads(line) for line in (tmp_path / "out/rejected.jsonl").read_text().splitlines()]
    assert [rows[1]["question"], rows[5]["question"]] == [row["question"] for row in rejected]
    assert ({"near-ood": 2}, 2, 32) == (manifest.reasons, manifest.more["ood"]["records"], manifest.more["train"])


def test_each_file_keeps_its_own_format(tmp_path):
    """A Parquet file of real data and JSON Lines from elsewhere: types on one side, rows as written on the other."""
    schema = pa.schema([("text", pa.string()), ("n", pa.int16())])
    rows = [{"text": sentence(n), "n": n} for n in range(40)]
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), tmp_path / "real.parquet")
    far = forum(tmp_path, 8, extra=[1, None])
    reserve([tmp_path / "real.parquet"], tmp_path / "out", ReserveOptions(10, ood=str(far)))
    assert pa.int16() == pq.read_table(tmp_path / "out/train.parquet").schema.field("n").type
    assert [[1, None]] * 8 == [
        json.loads(line)["extra"] for line in (tmp_path / "out/ood.jsonl").read_text().splitlines()
    ]
    assert () == open_held_out([tmp_path / "out"], tmp_path / "s").broken


@pytest.mark.parametrize(
    ("ood", "message"),
    [
        ("author=nobody", "No record obeys"),
        ("autor=a1", "no column 'autor'"),
        ("author>=lately", "'lately' is no date"),
        ("gone.jsonl", "no such file"),
    ],
)
def test_a_rule_that_takes_nothing_is_told(tmp_path, ood, message):
    """A misspelt column, value, date or file ends before anything is sealed."""
    with pytest.raises((UsageError, InputError), match=message):
        reserve([real(tmp_path)], tmp_path / "out", ReserveOptions(0.2, ood=ood))
    assert not (tmp_path / "out/holdfast.seal").exists()


def test_the_real_file_is_not_elsewhere(tmp_path):
    """The same file as real data and as the other register is refused."""
    source = real(tmp_path)
    with pytest.raises(UsageError, match="is among the real data"):
        reserve([source], tmp_path / "out", ReserveOptions(0.2, ood=str(source)))
