"""A stopped experiment goes on and says the same as one that was not; its answers follow their formulas."""

import json
import sys
from dataclasses import replace
from math import exp
from pathlib import Path

import numpy as np
import pytest

from holdfast.cli.app import main
from holdfast.core.errors import InputError, StoppedError, UsageError
from holdfast.lab import answers, backend, chain
from holdfast.lab.design import ARMS, LabOptions
from holdfast.lab.documents import Text, shipped
from holdfast.lab.experiment import run_lab
from holdfast.lab.measures import Measures
from holdfast.models.ngram_sample import Decoding

SMALL = LabOptions(
    arms=tuple(arm for arm in ARMS if arm != "two-stage"), doses=(0.3, 0.7), generations=3, seeds=2, most=400
)


def files(folder: Path) -> dict[str, bytes]:
    """Every cell by its path."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.json"))}


def test_a_stopped_run_goes_on(tmp_path: Path) -> None:
    """Stopped after every few cells again and again, the folder ends with the bytes of one that was never stopped."""
    whole = run_lab(out=tmp_path / "whole", options=SMALL)

    class StoppedError(Exception):
        """Stands for a process that ends."""

    stops, at = 0, 5
    while True:

        def show(_: str, done: int, total: int, at: int = at) -> None:
            if done >= at and done < total:
                raise StoppedError

        try:
            again = run_lab(out=tmp_path / "parts", options=replace(SMALL, progress=show))
            break
        except StoppedError:
            stops, at = stops + 1, at + 7
    assert stops > 3
    assert whole == again
    assert files(tmp_path / "whole") == files(tmp_path / "parts")


def test_a_finished_run_trains_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same command again reads the cells; no model is fitted."""
    small = replace(SMALL, arms=("replace",), seeds=1)
    first = run_lab(out=tmp_path, options=small)

    def fit(*_: object) -> None:
        raise AssertionError("a model was fitted")

    monkeypatch.setattr(backend.ngram, "fit", fit)
    assert first == run_lab(out=tmp_path, options=small)


def test_a_cell_without_its_samples_is_run_again(tmp_path: Path) -> None:
    """A process that ends between a cell and its samples costs that cell and no other."""
    small = replace(SMALL, arms=("replace",), seeds=1)
    whole = run_lab(out=tmp_path / "a", options=small)
    run_lab(out=tmp_path / "b", options=replace(small, generations=3))
    place = tmp_path / "b" / "cells" / "replace-1-0"
    (place / "3.json").unlink()
    (place / "2.json").unlink()
    assert whole == run_lab(out=tmp_path / "b", options=small)


def test_a_folder_is_of_one_experiment(tmp_path: Path) -> None:
    """Another design in the same folder is refused, by name; another accepted loss is no other design."""
    small = replace(SMALL, arms=("fresh-real",), seeds=1, generations=1)
    first = run_lab(out=tmp_path, options=small)
    assert first["arms"] == run_lab(out=tmp_path, options=replace(small, loss=0.5))["arms"]
    with pytest.raises(UsageError, match="doses differ"):
        run_lab(out=tmp_path, options=replace(small, doses=(0.2,)))


def test_the_verifier_narrows(tmp_path: Path) -> None:
    """Keeping what a model of the real text likes best leaves fewer different words than keeping all."""
    result = run_lab(out=tmp_path, options=replace(SMALL, arms=("fresh-real", "verified"), doses=(0.7,)))
    types = {row["arm"]: row["series"]["effective-words"][-1]["value"] for row in result["arms"]}
    assert types["verified"] < 0.9 * types["fresh-real"]


def test_sharper_decoding_narrows(tmp_path: Path) -> None:
    """A low temperature, a nucleus and the best of two each leave fewer effective words at once."""
    text = Text(shipped(), most=400)
    model = backend.find("ngram", text).fit([text.split(0).train], 0)

    def effective(decoding: Decoding) -> int:
        return len(np.unique(backend.drawn(model, 300, decoding, 1)))

    plain = effective(Decoding())
    assert all(effective(sharp) < plain for sharp in (Decoding(0.6), Decoding(1.0, 0.8), Decoding(1.0, 1.0, 4)))


def cells(perplexities: list[float], tail: float = 0.5) -> list[Measures]:
    """A chain of these perplexities on real text."""
    nats = [float(np.log(value)) for value in perplexities]
    return [
        Measures(g, one, 1.0, 100, 0.5, 50.0, tail / (g + 1), 0.5, 0.1, (one,), (1.0,), (one,), (), ((1, 5),))
        for g, one in enumerate(nats)
    ]


def test_loss_and_net_value() -> None:
    """50 to 60 is a loss of 20 %; a control at 66 makes the mix worth 10 %; the mean is that of logarithms."""
    mix, control = {0: cells([50, 60]), 1: cells([50, 60])}, {0: cells([50, 66]), 1: cells([50, 66])}
    assert 0.2 == pytest.approx(answers.loss(mix, 1).value)
    assert 0.1 == pytest.approx(answers.net_value(mix, control, 1).value)
    spread = {0: cells([50, 50]), 1: cells([50, 72])}
    seen = answers.loss(spread, 1)
    assert 0.2 == pytest.approx(seen.value)
    assert seen.low is not None
    assert seen.low < 0 < seen.value
    assert answers.loss({0: mix[0]}, 1).low is None


@pytest.mark.parametrize(
    ("perplexities", "verdict"),
    [
        ([50, 60, 65, 66, 66], "bounded"),
        ([50, 50.1, 50, 50.2, 50.1], "bounded"),
        ([50, 60, 70, 82, 95], "divergent"),
        ([50, 60, 70, 90, 180], "divergent"),
        ([50, 60, 66, 70, 74], "slowing"),
    ],
)
def test_settling(perplexities: list[float], verdict: str) -> None:
    """Halves that add less and less are bounded, those that add as much or more are not, what is between is open."""
    group = {seed: cells([value * (1 + 0.001 * seed) for value in perplexities]) for seed in range(3)}
    found, floor = answers.settling(group)
    assert verdict == found
    assert (floor.value is not None) is (verdict == "bounded")


def test_seeds_that_disagree_leave_it_open() -> None:
    """One seed that settles beside one that does not is no verdict."""
    group = {0: cells([50, 60, 65, 66, 66]), 1: cells([50, 60, 70, 90, 180])}
    assert "unsettled" == answers.settling(group)[0]


def test_safe_dose_is_the_last_whole_interval_below(tmp_path: Path) -> None:
    """The safe dose's interval ends below the accepted loss, the next one's does not; the crossing is a dose."""
    doses = (0.1, 0.3, 0.5, 0.9)
    options = replace(SMALL, arms=("fresh-real",), doses=doses, seeds=3, generations=2, loss=0.2)
    result = run_lab(out=tmp_path, options=options)
    high = {row["dose"]: row["loss"]["high"] for row in result["arms"]}
    safe = result["safe"]
    within = [dose for dose in doses if all(high[each] <= 0.2 for each in doses if each <= dose)]
    assert max(within, default=None) == safe["dose"]
    between = safe["crossing"]
    assert between["low"] <= between["value"] <= between["high"]
    assert 0.1 < between["value"] < 0.9


def test_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line of the shell gives results.json, a page without a script or a request, and the answer in words."""
    text = tmp_path / "real.txt"
    text.write_text("\n\n".join(shipped()[:40]), "utf-8")
    line = ["lab", str(text), "--doses", "0.5", "--generations", "2", "--seeds", "2", "--out", str(tmp_path / "out")]
    assert 0 == main(line)
    said = capsys.readouterr().out
    assert "fresh-real 50%" in said
    assert "net value" in said
    page = (tmp_path / "out" / "lab.html").read_text("utf-8")
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org", "")
    assert 8 == page.count("<figure>")
    assert 0 == main([*line, "--json"])
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads((tmp_path / "out" / "results.json").read_text("utf-8"))
    assert 1 == printed["version"]
    row = next(row for row in printed["arms"] if row["arm"] == "fresh-real")
    assert row["loss"]["low"] < row["loss"]["value"] < row["loss"]["high"]
    assert 2 == row["loss"]["n"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--doses", "a half"], "are not numbers"),
        (["--arms", "acumulate"], "Did you mean 'accumulate'"),
        (["--backend", "transfomer"], "Did you mean 'transformer'"),
        (["--arms", "two-stage"], "only counts"),
        (["--temperature", "0"], "temperature"),
        (["--backend", "causal:/nowhere", "--seeds", "1"], "is not a folder"),
        (["--backend", "command:/nowhere/train --fast", "--seeds", "1"], "cannot be started"),
    ],
)
def test_wrong_command_lines_are_explained(
    more: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What cannot be meant ends with 2, one message and no traceback."""
    assert 2 == main(["lab", "--out", str(tmp_path / "out"), *more])
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error


@pytest.mark.parametrize(("dose", "said"), [("0.0001", "0 synthetic"), ("0.9999", "and 0 real")])
def test_a_dose_of_no_documents_is_refused(
    dose: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A dose is a number of documents: one that rounds to none, or to all, is another experiment."""
    assert 2 == main(["lab", "--doses", dose, "--documents", "300", "--out", str(tmp_path / "out")])
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out" / "design.json").exists()


def test_too_little_text_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A text of a few words says how many the lab needs."""
    (tmp_path / "little.txt").write_text("A few words only.", "utf-8")
    assert 2 == main(["lab", str(tmp_path / "little.txt"), "--out", str(tmp_path / "out")])
    assert "10,000 tokens" in capsys.readouterr().err


PROGRAM = """
import argparse, collections, json, math, random
from pathlib import Path
p = argparse.ArgumentParser()
p.add_argument("verb"); p.add_argument("--train", action="append")
for name in ("--model", "--out", "--text", "--temperature", "--top-p"): p.add_argument(name)
for name in ("--seed", "--count", "--words"): p.add_argument(name, type=int)
a = p.parse_args()
def lines(path): return [json.loads(line)["text"] for line in Path(path).read_text().splitlines()]
kept = Path(a.model) / "counts.json"
if a.verb == "fit":
    counts = collections.Counter(word for path in a.train for text in lines(path) for word in text.split())
    kept.write_text(json.dumps(counts))
counts = json.loads(kept.read_text())
words, weights, total = list(counts), list(counts.values()), sum(counts.values())
if a.verb == "sample":
    r = random.Random(a.seed)
    made = [json.dumps({"text": " ".join(r.choices(words, weights, k=a.words))}) for _ in range(a.count)]
    Path(a.out).write_text("\\n".join(made))
if a.verb == "nll":
    nats = [sum(-math.log((counts.get(w, 0) + 1) / (total + len(words) + 1)) for w in t.split()) for t in lines(a.text)]
    Path(a.out).write_text("\\n".join(json.dumps({"nats": one}) for one in nats))
"""


def test_a_program_of_ones_own(tmp_path: Path) -> None:
    """A unigram program is trained, drawn from and asked for nats, and its perplexity is what its counts say."""
    program = tmp_path / "unigram.py"
    program.write_text(PROGRAM, "utf-8")
    text = Text(shipped(), most=200)
    mine = backend.find(f"command:{sys.executable} {program}", text)
    split = text.split(0)
    model = mine.fit([split.train], 1)
    samples = model.sample(20, Decoding(), 3)
    assert (20, text.length) == samples.shape
    counts = np.bincount(split.train.ravel(), minlength=text.vocabulary)
    seen = np.count_nonzero(counts)
    wanted = -np.log((counts[split.held_out] + 1) / (counts.sum() + seen + 1)).mean(1)
    assert wanted == pytest.approx(model.nll(split.held_out))


def test_a_program_that_fails_stops_the_run(tmp_path: Path) -> None:
    """Exit code 3 with what the program said; output of another shape is refused."""
    program = tmp_path / "bad.py"
    program.write_text("import sys\nif sys.argv[1] == 'fit': sys.exit(0)\nsys.exit('no memory left')", "utf-8")
    model = backend.find(f"command:{sys.executable} {program}", text := Text(shipped(), most=200)).fit(
        [text.split(0).train], 0
    )
    with pytest.raises(StoppedError, match="no memory left"):
        model.sample(5, Decoding(), 0)
    program.write_text("import sys\nopen(sys.argv[sys.argv.index('--out') + 1], 'w').write('[1]')", "utf-8")
    with pytest.raises(InputError, match="does not hold lines"):
        model.sample(5, Decoding(), 0)


@pytest.mark.parametrize("nats", ['"a"', "null", "-5", "1e300", "true"])
def test_nats_that_are_none_are_refused(nats: str, tmp_path: Path) -> None:
    """Text, nothing, less than nothing and more than a perplexity can be are the program's fault, and named."""
    program = tmp_path / "bad.py"
    line = f'{{"nats": {nats}}}'
    program.write_text(
        "import sys\nif sys.argv[1] == 'nll':\n    a = sys.argv\n"
        "    texts = open(a[a.index('--text') + 1]).readlines()\n"
        f"    open(a[a.index('--out') + 1], 'w').write({line!r} + '\\n' + '{{\"nats\": 9}}\\n' * (len(texts) - 1))\n",
        "utf-8",
    )
    text = Text(shipped(), most=200)
    split = text.split(0)
    model = backend.find(f"command:{sys.executable} {program}", text).fit([split.train], 0)
    with pytest.raises(InputError, match="Write the nats of each text"):
        model.nll(split.held_out)


def test_the_shipped_text_is_the_one_that_was_shipped() -> None:
    """It is read whole, its digest holds, and its windows are the ones the expected values rest on."""
    text = Text(shipped())
    assert (113_523, 4247, 2270) == (text.tokens, len(text.words), len(text.windows))
    assert text.windows[:3].tolist() == text.read(text.written(text.windows[:3])).tolist()


def test_a_word_that_the_text_has_not_is_one_of_all_others() -> None:
    """Unknown words share one number, which is never written as a word of the text."""
    text = Text(shipped(), most=200)
    assert [[len(text.words)] * text.length] == text.read(["Zyzzyva " * text.length]).tolist()


def test_half_of_the_alarm_is_the_ood_channel() -> None:
    """A chain whose real perplexity rises alarms; one that stands still does not."""
    still = [replace(one, documents=tuple([3.0] * 200), blocks=(0.6,) * 10) for one in cells([50] * 6)]
    rising = [replace(one, documents=tuple([3.0 + 0.1 * one.generation] * 200)) for one in still]
    assert not any(check.alarms for check in answers.watched(still).checks)
    assert any(check.alarms for check in answers.watched(rising).checks)


def test_own_perplexity_is_paired_with_real(tmp_path: Path) -> None:
    """Under replace real text gets harder while the model's own gets easier: the pair the article names."""
    small = replace(SMALL, arms=("replace",), generations=4, most=600)
    (row,) = run_lab(out=tmp_path, options=small)["arms"]
    real, own = (row["series"][name] for name in ("perplexity-real", "perplexity-own"))
    assert real[-1]["value"] > 2 * real[0]["value"]
    assert own[-1]["value"] < own[0]["value"] / 2
    assert exp(0) < own[-1]["value"]


def test_chains_share_their_first_generation(tmp_path: Path) -> None:
    """Generation 0 is one model per seed, so that arms are compared from one start."""
    text = Text(shipped(), most=300)
    found = chain.run(text, backend.find("ngram", text), replace(SMALL, most=300), tmp_path)
    for seed in range(2):
        assert 1 == len({cells[0].real for each, cells in found.items() if each.seed == seed})
