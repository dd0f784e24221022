"""The agreement report: figures equal to those computed by hand, per question, per subset, and against a judge."""

import gzip
import json

import pytest

from holdfast.core.errors import InputError
from holdfast.core.labels import ADJUDICATION, Label, append
from holdfast.workflows.review_agreement import lines, review_agreement


def _labels(tmp_path, *labels):
    append(tmp_path / "labels.jsonl", labels)
    return tmp_path / "labels.jsonl"


def _scores(rater, values):
    return [Label(f"r{n}", rater, "score", value) for n, value in enumerate(values) if value is not None]


# Twenty records, two raters: 10 both good, 5 both bad, 3 and 2 apart. p_o = .75; ann good 13/20, bob good 12/20;
# p_e = .65 * .6 + .35 * .4 = .53; kappa = .22 / .47.
ANN = [True] * 10 + [False] * 5 + [True] * 3 + [False] * 2
BOB = [True] * 10 + [False] * 5 + [False] * 3 + [True] * 2


def test_two_raters_by_hand(tmp_path):
    """Raw .75 and kappa .22/.47 over twenty records, with intervals around them; AC1 with pi = .625."""
    path = _labels(tmp_path, *_scores("ann", ANN), *_scores("bob", BOB))
    report = review_agreement(path)
    found = report["agreement"]["good"]["overall"]
    assert (20, 0.75) == (found["items"], found["raw"]["value"])
    assert pytest.approx(0.22 / 0.47) == found["kappa"]["value"]
    assert pytest.approx((0.75 - 2 * 0.625 * 0.375) / (1 - 2 * 0.625 * 0.375)) == found["ac1"]["value"]
    assert found["kappa"]["low"] < 0.22 / 0.47 < found["kappa"]["high"]
    assert (5, 0) == (report["disputed"], report["adjudicated"])


def test_three_raters_have_alpha_and_no_kappa(tmp_path):
    """Cohen's kappa is of two; of three, one of whom skipped, there are alpha and AC1."""
    carol = [True] * 5 + [None] * 15
    path = _labels(tmp_path, *_scores("ann", ANN), *_scores("bob", BOB), *_scores("carol", carol))
    found = review_agreement(path)["agreement"]["good"]["overall"]
    assert found["kappa"] is None
    assert 20 == found["alpha"]["n"]


def test_questions_are_not_mixed(tmp_path):
    """Good or bad, a scale and pairs in one file are three reports; a step of a scale is no true or false."""
    scale = [Label("s", rater, "score", 1) for rater in ("ann", "bob")]
    pairs = [Label("p", rater, "choice", 2, other="q") for rater in ("ann", "bob")]
    report = review_agreement(_labels(tmp_path, *_scores("ann", ANN), *_scores("bob", BOB), *scale, *pairs))
    sizes = {name: sets["overall"]["items"] for name, sets in report["agreement"].items()}
    assert {"good": 20, "scale": 1, "choice": 1} == sizes


def test_adjudication_is_no_agreement(tmp_path):
    """An adjudicator, who knew what was said, changes no figure of the raters, and is the word a judge is held to."""
    path = _labels(tmp_path, *_scores("ann", ANN), *_scores("bob", BOB))
    before = review_agreement(path)
    _labels(tmp_path, *[Label(f"r{n}", "ann", "score", True, version=ADJUDICATION) for n in range(15, 20)])
    after = review_agreement(path)
    assert before["agreement"] == after["agreement"]
    assert 5 == after["adjudicated"]
    verdicts = tmp_path / "verdicts.jsonl"
    verdicts.write_text("".join(json.dumps({"id": f"r{n}", "check": "j", "ok": True}) + "\n" for n in range(20)))
    assert 20 == review_agreement(path, judge=verdicts)["judges"]["j"]["good"]["overall"]["items"]


def test_a_judge_is_held_against_people_by_subset(tmp_path):
    """Right on one generator and wrong on the other: .5 over all, 1 and 0 apart; undecided verdicts are counted."""
    rows = [{"id": f"r{n}", "text": f"text {n}", "generator": "m" if n % 2 else "n"} for n in range(20)]
    data = tmp_path / "data.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    truth = [n % 4 < 2 for n in range(20)]
    path = _labels(tmp_path, *_scores("ann", truth))
    verdicts = tmp_path / "verdicts.jsonl"
    says = [{"id": f"r{n}", "check": "j", "ok": truth[n] if n % 2 else not truth[n]} for n in range(20)]
    says[0]["ok"] = None
    verdicts.write_text("".join(json.dumps(each) + "\n" for each in says))
    found = review_agreement(path, [data], verdicts)["judges"]["j"]["good"]
    by = found["subsets"]["generator"]
    assert (1, 1.0, 0.0) == (found["undecided"], by["m"]["raw"]["value"], by["n"]["raw"]["value"])
    assert (10, 9) == (by["m"]["items"], by["n"]["items"])
    assert {"generator"} == set(found["subsets"])


def test_a_judge_of_pairs_is_held_against_choices(tmp_path):
    """A score above one half is for the first answer, below for the second, at it a tie; rows with two answers too."""
    labels = [Label(f"p{n}", "ann", "choice", value, other=f"p{n}#rejected") for n, value in enumerate((1, 2, 0, 1))]
    verdicts = tmp_path / "verdicts.jsonl"
    says = [(True, 1.0), (False, 0.0), (True, 0.5), (False, 0.0)]
    lines_ = [json.dumps({"id": f"p{n}", "check": "j", "ok": ok, "score": score}) for n, (ok, score) in enumerate(says)]
    verdicts.write_text("\n".join(lines_))
    found = review_agreement(_labels(tmp_path, *labels), judge=verdicts)["judges"]["j"]["choice"]["overall"]
    assert (4, 0.75) == (found["items"], found["raw"]["value"])


def test_a_tie_of_a_judge_is_an_answer(tmp_path):
    """A judge that found both equal in both orders agrees with people who did; one that changed its mind is not."""
    path = _labels(tmp_path, *(Label(f"r{n}", "ann", "choice", 0, other=f"r{n}#rejected") for n in range(2)))
    verdicts = tmp_path / "verdicts.jsonl"
    said = [{"id": f"r{n}", "ok": None, "score": 0.5, "reason": why} for n, why in enumerate(("tie", "inconsistent"))]
    verdicts.write_text("".join(json.dumps(each) + "\n" for each in said))
    found = review_agreement(path, judge=verdicts)["judges"]["judge"]["choice"]
    assert (1, 1, 1.0) == (found["undecided"], found["overall"]["items"], found["overall"]["raw"]["value"])


def test_people_of_the_published_pairs(shared_data, tmp_path):
    """Three annotators of the PandaLM pairs: all agree on 88.0 % of 999, any two on 92.0 %."""
    with gzip.open(shared_data / "multigen" / "pandalm_human_pairs.jsonl.gz", "rt") as file:
        rows = [json.loads(line) for line in file]
    votes = [row["human_votes"] for row in rows]
    labels = [
        Label(f"p{n}", f"annotator {at}", "choice", value, other=f"q{n}")
        for n, said in enumerate(votes)
        for at, value in enumerate(said)
    ]
    report = review_agreement(_labels(tmp_path, *labels))
    found = report["agreement"]["choice"]["overall"]
    assert pytest.approx(0.920, abs=0.0005) == found["raw"]["value"]
    assert round(0.12 * len(rows)) == pytest.approx(report["disputed"], abs=1)
    assert found["alpha"]["low"] < found["alpha"]["value"] < found["alpha"]["high"]


def test_one_rater_agrees_with_nobody(tmp_path):
    """With one rater every figure is missing, in the report and on the screen, and nothing fails."""
    report = review_agreement(_labels(tmp_path, *_scores("ann", ANN)))
    assert {None} == {report["agreement"]["good"]["overall"][name] for name in ("raw", "kappa", "alpha", "ac1")}
    shown = lines(report)
    assert any(line.endswith("-") for line in shown)
    assert ["  Nothing has two answers: let a second person label the same file."] == shown[-1:]


def test_names_from_files_do_not_steer_the_terminal(tmp_path):
    """Names of raters and of checks stand on one line, with what is invisible named."""
    path = _labels(tmp_path, *_scores("a\x1b[2Jnn\n\nx", ANN))
    verdicts = tmp_path / "verdicts.jsonl"
    verdicts.write_text(json.dumps({"id": "r0", "check": "j\x1b[31m\ny", "ok": True}) + "\n")
    shown = lines(review_agreement(path, judge=verdicts))
    assert [] == [line for line in shown if "\x1b" in line or "\n" in line]
    assert 2 == sum("<U+001B>" in line for line in shown)


def test_the_table_fits_a_terminal(tmp_path):
    """No line is wider than 80, however long a generator's name; control characters in it are named."""
    name = "a very long name of a generator\x1b[31m that nobody shortened"
    rows = [{"id": f"r{n}", "text": f"text {n}", "generator": name} for n in range(20)]
    data = tmp_path / "data.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    path = _labels(tmp_path, *_scores("ann", ANN), *_scores("bob", BOB))
    shown = lines(review_agreement(path, [data]))
    assert [] == [line for line in shown if len(line) > 80]
    assert any("<U+001B>" in line for line in shown)


def test_files_about_something_else_are_said(tmp_path):
    """Records and verdicts that share no id with the labels are one clear error, and not a report without them."""
    path, other = _labels(tmp_path, *_scores("ann", ANN)), tmp_path / "other.jsonl"
    other.write_text(json.dumps({"id": "x", "text": "word", "ok": True}) + "\n")
    with pytest.raises(InputError, match=r"Nothing that .* names is in .*other\.jsonl"):
        review_agreement(path, [other])
    with pytest.raises(InputError, match=r"other\.jsonl has no verdict about"):
        review_agreement(path, judge=other)


def test_no_labels_is_said(tmp_path):
    """An empty file is one clear error."""
    (tmp_path / "labels.jsonl").touch()
    with pytest.raises(InputError, match="holds no labels"):
        review_agreement(tmp_path / "labels.jsonl")
