"""mix: no cap is exceeded by one unit, whatever comes in, and the order of the inputs makes no difference."""

import gzip
import json
import shlex
import tempfile
from collections import Counter
from fractions import Fraction
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.cli.app import main
from holdfast.core.errors import InputError, UsageError
from holdfast.metrics.selection import grams
from holdfast.workflows.audit import audit
from holdfast.workflows.mix import mix
from holdfast.workflows.mix_options import MixOptions
from holdfast.workflows.reserve import ReserveOptions, reserve
from holdfast.workflows.verify_manifest import verify_manifest
from tests.rules.views import sentence


def written(path, rows):
    """Write rows as JSONL."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def inputs(folder, real=10, synthetic=40, generators=4):
    """Real and synthetic records with texts of their own."""
    made = [{"text": sentence(100 + n), "generator": f"g{n % generators}"} for n in range(synthetic)]
    return (
        written(folder / "real.jsonl", [{"text": sentence(n)} for n in range(real)]),
        written(folder / "synthetic.jsonl", made),
    )


def train(folder):
    """The rows of the training set."""
    return [json.loads(line) for line in (folder / "train.jsonl").read_text().splitlines()]


def test_half_is_half(tmp_path):
    """10 real records carry exactly 10 synthetic ones under a cap of one half."""
    mix(*[[path] for path in inputs(tmp_path)], tmp_path / "out")
    assert Counter(real=10, synthetic=10) == Counter(row["holdfast"]["origin"] for row in train(tmp_path / "out"))


def test_the_manifest_says_what_the_mixture_is_worth(tmp_path):
    """Under a cap of one half n_eff is .75 with fresh real data and half of that with the same; by tokens too."""
    for by in ("records", "tokens"):
        manifest = mix(*[[path] for path in inputs(tmp_path)], tmp_path / by, MixOptions(by=by))
        made, numbers = manifest.more["made_of"], manifest.more["dose"]
        whole, synthetic = (
            (made["records"], made["synthetic"]) if by == "records" else (made["tokens"], made["synthetic_tokens"])
        )
        fresh = numbers["n_eff_fresh"]
        assert fresh["value"] == fresh["low"] == pytest.approx(1 - (synthetic / whole) ** 2)
        assert (whole, True) == (fresh["n"], fresh["value"] > numbers["n_eff_fixed"]["value"])


def test_the_audit_agrees(tmp_path):
    """The audit measures on the product what the mixture promised."""
    mix(*[[path] for path in inputs(tmp_path)], tmp_path / "out", MixOptions(max_synthetic=0.4, per_generator=0.5))
    report = audit(tmp_path / "out/train.jsonl")
    assert (True, True) == (report["synthetic-ratio"].value <= 0.4, report["generator-concentration"].value <= 0.5)


def test_the_order_of_the_inputs_makes_no_difference(tmp_path):
    """Shuffled inputs give the same bytes; another seed gives others."""
    real, synthetic = inputs(tmp_path)
    turned = written(tmp_path / "turned.jsonl", [json.loads(line) for line in synthetic.read_text().splitlines()][::-1])
    for name, source, seed in (("a", synthetic, 7), ("b", turned, 7), ("c", synthetic, 8)):
        mix([real], [source], tmp_path / name, MixOptions(seed=seed))
    texts = [[row["text"] for row in train(tmp_path / name)] for name in "abc"]
    assert (True, False) == (texts[0] == texts[1], texts[0] == texts[2])


def test_held_out_records_stay_out(tmp_path):
    """A held-out item among the synthetic records is rejected for it, and it is that record which goes."""
    held = written(tmp_path / "eval.jsonl", [{"text": sentence(100)}])
    options = MixOptions(max_synthetic=1, held_out=(held,))
    manifest = mix(*[[path] for path in inputs(tmp_path)], tmp_path / "out", options)
    assert 1 == manifest.reasons["held-out"]
    assert sentence(100) not in [row["text"] for row in train(tmp_path / "out")]


def test_unknown_origin_is_not_mixed_in(tmp_path):
    """A record that says it does not know is rejected for it, also from the file of real records."""
    real = written(tmp_path / "r.jsonl", [{"text": sentence(1), "origin": "unknown"}, {"text": sentence(2)}])
    _, synthetic = inputs(tmp_path)
    manifest = mix([real], [synthetic], tmp_path / "out")
    assert 1 == manifest.reasons["unknown-origin"]
    assert Counter(real=1, synthetic=1) == Counter(row["holdfast"]["origin"] for row in train(tmp_path / "out"))


def test_a_synthetic_record_among_real_ones_is_synthetic(tmp_path):
    """A record of the real file that says it is synthetic counts as synthetic."""
    real = written(tmp_path / "r.jsonl", [{"text": sentence(1), "origin": "synthetic"}, {"text": sentence(2)}])
    _, synthetic = inputs(tmp_path)
    mix([real], [synthetic], tmp_path / "out")
    assert Counter(real=1, synthetic=1) == Counter(row["holdfast"]["origin"] for row in train(tmp_path / "out"))


def test_a_size_is_filled_under_the_cap(tmp_path):
    """12 records at 25 %: 3 synthetic and 9 real."""
    mix(*[[path] for path in inputs(tmp_path)], tmp_path / "out", MixOptions(max_synthetic=0.25, size=12))
    assert Counter(real=9, synthetic=3) == Counter(row["holdfast"]["origin"] for row in train(tmp_path / "out"))


@pytest.mark.parametrize("by", ["records", "tokens"])
def test_conservation(tmp_path, by):
    """Every record is in the training set or rejected with a reason."""
    manifest = mix(*[[path] for path in inputs(tmp_path)], tmp_path / "out", MixOptions(by=by))
    rejected = (tmp_path / "out/rejected.jsonl").read_text().splitlines()
    assert (50, len(train(tmp_path / "out")), len(rejected)) == (
        manifest.counts.given,
        manifest.counts.kept,
        manifest.counts.rejected,
    )


def strata(folder, counts):
    """Real and synthetic files with so many records per topic: {topic: (real, synthetic)}."""
    sides = ([], [])
    for number, (topic, each) in enumerate(counts.items()):
        for side, count in enumerate(each):
            texts = [sentence(1000 * (2 * number + side) + n) for n in range(count)]
            sides[side].extend({"text": text, "topic": topic, **({"generator": "g"} if side else {})} for text in texts)
    return [[written(folder / f"{side}.jsonl", rows)] for side, rows in enumerate(sides)]


def test_strata_have_their_weights(tmp_path):
    """Topics weighted 2 to 1 are 2 to 1 in the product, under the cap, and the manifest says what each is made of."""
    options = MixOptions(strata=("topic",), weights={"topic=a": 2}, size=30)
    manifest = mix(*strata(tmp_path, {"a": (20, 20), "b": (20, 20)}), tmp_path / "out", options)
    assert {"a": 20, "b": 10} == Counter(row["topic"] for row in train(tmp_path / "out"))
    assert (20, 30) == (manifest.more["strata"]["topic=a"]["records"], manifest.more["made_of"]["records"])


def test_an_axis_of_the_cell_is_a_stratum(tmp_path):
    """What was generated for a cell is parted by the cell's axes without a column of its own; real records are not."""
    cells = [{"origin": "synthetic", "cell": {"tone": tone}} for tone in ("plain", "friendly", "plain")]
    made = [{"text": sentence(100 + n), "holdfast": cell} for n, cell in enumerate(cells)]
    files = [
        written(tmp_path / "real.jsonl", [{"text": sentence(n)} for n in range(5)]),
        written(tmp_path / "made.jsonl", made),
    ]
    manifest = mix(files[:1], files[1:], tmp_path / "out", MixOptions(strata=("tone",)))
    counted = {name: part["records"] for name, part in manifest.more["strata"].items()}
    assert {"tone=friendly": 1, "tone=none": 5, "tone=plain": 2} == counted
    with pytest.raises(UsageError, match=r"(?s)no column 'tune'.*mean 'tone'"):
        mix(files[:1], files[1:], tmp_path / "wrong", MixOptions(strata=("tune",)))


def test_the_cap_of_a_stratum_holds_in_each(tmp_path):
    """One topic is poor in real records: under a cap per stratum it carries no more synthetic ones than it bears."""
    options = MixOptions(max_synthetic=0.5, strata=("topic",), per_stratum=0.5)
    mix(*strata(tmp_path, {"a": (30, 5), "b": (3, 30)}), tmp_path / "out", options)
    made = Counter((row["topic"], row["holdfast"]["origin"]) for row in train(tmp_path / "out"))
    assert {("a", "real"): 30, ("a", "synthetic"): 5, ("b", "real"): 3, ("b", "synthetic"): 3} == made


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (MixOptions(strata=("topik",)), "(?s)no column 'topik'.*mean 'topic'"),
        (MixOptions(strata=("topic",), weights={"topic=c": 2}), "no stratum 'topic=c'"),
        (MixOptions(strata=("topic",), weights={"topic=a": -1}), "weight -1"),
    ],
)
def test_a_misspelt_stratum_is_told(tmp_path, options, message):
    """A column, stratum or weight that cannot be is one message with what is there."""
    with pytest.raises(UsageError, match=message):
        mix(*strata(tmp_path, {"a": (2, 2)}), tmp_path / "out", options)


def test_parquet_rows_stay_with_their_provenance(tmp_path):
    """Two Parquet files of one schema, drawn and shuffled: every row has its own text, type and provenance."""
    schema = pa.schema([("id", pa.string()), ("text", pa.string()), ("generator", pa.string()), ("n", pa.int16())])
    for side, generator in (("real", None), ("made", "g")):
        rows = [
            {"id": f"{side}{n}", "text": f"{side} {sentence(n)}", "generator": generator, "n": n} for n in range(40)
        ]
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), tmp_path / f"{side}.parquet")
    mix([tmp_path / "real.parquet"], [tmp_path / "made.parquet"], tmp_path / "out", MixOptions(max_synthetic=0.4))
    table = pq.read_table(tmp_path / "out/train.parquet")
    rows = table.to_pylist()
    assert (66, pa.int16()) == (len(rows), table.schema.field("n").type)
    assert all(row["id"] == f"{row['text'].split()[0]}{row['n']}" for row in rows)
    assert all((row["holdfast"]["origin"] == "synthetic") == row["id"].startswith("made") for row in rows)


def test_the_shortfall_is_told_in_records_and_by_stratum(tmp_path):
    """What is left out for the cap, and how many real records would let all in: 20 for the whole, by topic 0 and 27."""
    options = MixOptions(max_synthetic=0.5, strata=("topic",))
    manifest = mix(*strata(tmp_path, {"a": (10, 5), "b": (3, 30)}), tmp_path / "out", options)
    told = manifest.more["shortfall"]
    assert (22, 22, 22) == (told["left_out"], told["add_real"], told["or_drop_synthetic"])
    assert [0, 27] == [told["strata"][f"topic={name}"]["add_real"] for name in "ab"]
    assert ["cap"] == [entry["filter"] for entry in manifest.more["bill"]]


def _recall(path, wanted):
    """The share of the wanted word pairs that a training set holds."""
    texts = [json.loads(line)["text"] for line in path.read_text().splitlines()]
    return np.isin(wanted, grams(pa.chunked_array([pa.array(texts)])).hashes).mean()


def test_leaving_out_by_coverage_keeps_more_of_the_anchor_than_chance(tmp_path, shared_data):
    """A planted set at 90 % synthetic, cut to the cap: coverage beats every one of 8 random cuts, interval and all."""
    with gzip.open(shared_data / "audit/planted_sets.jsonl.gz", "rt") as file:
        rows = [json.loads(line) for line in file]
    mine = [row for row in rows if row["case"] == "over_ratio"]
    real = [{"text": row["text"]} for row in mine if row["truth_origin"] == "human"][:94]
    made = [{"text": row["text"], "generator": row["generator"]} for row in mine if row["truth_origin"] != "human"]
    known = {row["text"] for row in real}
    others = [{"text": row["text"]} for row in rows if row["truth_origin"] == "human" and row["text"] not in known]
    files = [written(tmp_path / f"{n}.jsonl", side) for n, side in enumerate((real, made, others))]
    wanted = np.unique(grams(pa.chunked_array([pa.array([row["text"] for row in others])])).hashes)
    found = []
    for seed in range(8):
        mix(files[:1], files[1:2], tmp_path / "out", MixOptions(seed=seed))
        found.append(_recall(tmp_path / "out/train.jsonl", wanted))
    options = MixOptions(choose="coverage", anchor=files[2:])
    manifest = mix(files[:1], files[1:2], tmp_path / "out", options)
    gained = _recall(tmp_path / "out/train.jsonl", wanted) - np.mean(found)
    assert (94, 94) == (manifest.more["made_of"]["synthetic"], manifest.more["made_of"]["records"] - 94)
    assert gained - 2.36 * np.std(found, ddof=1) * np.sqrt(1 + 1 / 8) > 0  # t quantile of 7 degrees of freedom


def test_real_records_can_come_last(tmp_path):
    """In the curriculum order every synthetic record stands before every real one; the records are the same."""
    for order in ("shuffled", "synthetic-first"):
        mix(*[[path] for path in inputs(tmp_path)], tmp_path / order, MixOptions(order=order))
    rows = {order: train(tmp_path / order) for order in ("shuffled", "synthetic-first")}
    origins = [row["holdfast"]["origin"] for row in rows["synthetic-first"]]
    assert ["synthetic"] * 10 + ["real"] * 10 == origins
    assert sorted(row["text"] for row in rows["shuffled"]) == sorted(row["text"] for row in rows["synthetic-first"])


def test_one_file_is_not_both_real_and_synthetic(tmp_path):
    """The same bytes on both sides would count every record twice: the mistake is told."""
    real, _ = inputs(tmp_path)
    with pytest.raises(UsageError, match="on the real and on the synthetic side"):
        mix([real], [real], tmp_path / "out")


def test_caps_that_leave_nothing_are_told(tmp_path):
    """Three generators at 0.33 each cannot make a whole: the message says which cap would do."""
    files = inputs(tmp_path, generators=3)
    with pytest.raises(UsageError, match=r"(?s)3 generators at 0\.33.*0\.34"):
        mix(*[[path] for path in files], tmp_path / "out", MixOptions(per_generator=0.33))


def test_an_edited_held_out_set_stops_the_mixture(tmp_path):
    """What is kept out must be what is scored with: a sealed set that was edited since ends the verb."""
    real, synthetic = inputs(tmp_path, real=40)
    reserve([real], tmp_path / "sealed", ReserveOptions(8))
    sealed = tmp_path / "sealed/eval.jsonl"
    sealed.write_text(sealed.read_text().replace("w", "v", 1))
    with pytest.raises(InputError, match="not the one that was sealed"):
        mix([real], [synthetic], tmp_path / "out", MixOptions(held_out=(tmp_path / "sealed",)))


def test_a_mixture_ships_with_card_and_croissant(tmp_path):
    """Both say the ratio, the generators, what was kept out and how to mix it again; the manifest covers both."""
    held = written(tmp_path / "eval.jsonl", [{"text": sentence(100)}])
    options = MixOptions(max_synthetic=0.4, held_out=(held,), order="synthetic-first")
    manifest = mix(*[[path] for path in inputs(tmp_path)], tmp_path / "out", options)
    card, croissant = (tmp_path / "out" / manifest.files[name] for name in ("card", "croissant"))
    said = ("16: 10 real, 6 synthetic", "| made by | 4 generators", "1 records matched it", "--order synthetic-first")
    assert [] == [words for words in said if words not in card.read_text()]
    described = json.loads(croissant.read_text())
    assert "16 training records. Synthetic: 37.5% of the records" in described["description"]
    assert 4 == sum(agent["@id"].startswith("urn:holdfast:generator:g") for agent in described["prov:wasAttributedTo"])
    assert verify_manifest(tmp_path / "out").ok
    croissant.write_text("{}")
    assert ["croissant.json"] == [one.file for one in verify_manifest(tmp_path / "out").broken]


def test_the_command_of_the_card_mixes_the_same_again(tmp_path):
    """Run as it stands in the card it gives the same training file."""
    paths = inputs(tmp_path)
    mix(*[[path] for path in paths], tmp_path / "out", MixOptions(max_synthetic=0.4, per_generator=0.5, seed=11))
    before = (tmp_path / "out/train.jsonl").read_bytes()
    card = (tmp_path / "out/README.md").read_text()
    command = next(line for line in card.splitlines() if line.startswith("    holdfast mix"))
    assert (0, before) == (main(shlex.split(command)[1:]), (tmp_path / "out/train.jsonl").read_bytes())


RECORD = st.tuples(st.integers(0, 12), st.integers(0, 2), st.integers(0, 1), st.integers(1, 9))


@st.composite
def options(draw):
    """Any mixture: caps, units, strata with weights, size, order and repeats."""
    weights = draw(st.sampled_from([{}, {"topic=t0": 2}, {"topic=t0": 0.5, "topic=t1": 3}]))
    share = st.integers(0, 20).map(lambda part: part / 20)
    return MixOptions(
        max_synthetic=draw(share),
        by=draw(st.sampled_from(["records", "tokens"])),
        strata=("topic",),
        weights=weights,
        per_stratum=draw(share),
        caps={"g0": draw(share)},
        size=draw(st.none() | st.integers(1, 30)),
        choose=draw(st.sampled_from(["random", "coverage"])),
        order=draw(st.sampled_from(["shuffled", "synthetic-first"])),
        real_epochs=draw(st.integers(1, 3)),
        seed=draw(st.integers(0, 3)),
    )


def random_files(folder, rows, generator):
    """Write rows, two of each topic at least, into two files."""
    texts = [
        {"text": f"{sentence(text)} " * words, "topic": f"t{topic}", **generator(made)}
        for text, made, topic, words in rows
    ]
    folder.mkdir()
    return [written(folder / f"{part}.jsonl", texts[part::2]) for part in range(2)]


@given(st.lists(RECORD, min_size=2, max_size=25), st.lists(RECORD, min_size=2, max_size=25), options(), st.randoms())
@settings(max_examples=40, deadline=None)
def test_same_seed_same_bytes_whatever_the_order_of_the_inputs(real, made, chosen, random):
    """Over random mixtures with repeated texts: rows and files in any order give the same training set, byte by byte.

    What is written keeps the caps, overall and in each topic, by the audit's own count, and every row is accounted for.
    """
    real, made = ([*rows, (0, 0, 0, 3), (1, 0, 1, 3)] for rows in (real, made))
    found = []
    with tempfile.TemporaryDirectory() as room:
        for name in ("a", "b"):
            folder = Path(room) / name
            folder.mkdir()
            others = [(100 + text, *rest) for text, *rest in made]
            sides = [
                random_files(folder / "real", real, lambda _: {}),
                random_files(folder / "made", others, lambda number: {"generator": f"g{number}"}),
            ]
            manifest = mix(*(paths if name == "a" else paths[::-1] for paths in sides), folder / "out", chosen)
            found.append((folder / "out/train.jsonl").read_bytes())
            random.shuffle(real), random.shuffle(made)
    assert found[0] == found[1]
    names = ("synthetic", "records") if chosen.by == "records" else ("synthetic_tokens", "tokens")
    told = [(manifest.more["made_of"], chosen.max_synthetic)]
    told += [(part, chosen.per_stratum) for part in manifest.more["strata"].values()]
    assert all(Fraction(part[names[0]]) <= Fraction(str(cap)) * part[names[1]] for part, cap in told)
    assert len(found[0].splitlines()) == manifest.counts.kept + manifest.more["epochs"]["repeats"]
