"""estimate: on files, by the command; the promised JSON, strata, ranks, and plain refusals."""

import json

import pytest

from holdfast.cli.app import main
from tests.rules.authored import prose

KEYS = {"value", "low", "high", "n", "floor", "self_validation", "identifiable"}


def write(path, rows):
    """Rows as JSON Lines."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return str(path)


def texts(people, models, first, **more):
    """Texts of people, then of models."""
    rows = range(people + models)
    return [{"id": f"x{first + n}", "text": prose(first + n, model=n >= people), **more} for n in rows]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Two references and a set of 100 records of which 40 are synthetic, all of them of March."""
    folder = tmp_path_factory.mktemp("estimate")
    asked = [*texts(60, 0, 5_000, date="2023-02-11"), *texts(0, 40, 6_000, date="2023-03-02")]
    return {
        "real": write(folder / "real.jsonl", texts(100, 0, 1_000)),
        "synthetic": write(folder / "synthetic.jsonl", texts(0, 100, 2_000, generator="m")),
        "data": write(folder / "data.jsonl", asked),
        "labelled": write(folder / "labelled.jsonl", [*asked, *texts(0, 100, 7_000, generator="m")]),
    }


def test_the_promised_json(files, capsys):
    """value, low, high, n, floor, self_validation and identifiable; by month; the ranked ones are synthetic."""
    more = ["--by", "date", "--rank", "10", "--json"]
    code = main(["estimate", files["data"], "--real", files["real"], "--synthetic", files["synthetic"], *more])
    told = json.loads(capsys.readouterr().out)
    assert (0, True, 100, 11) == (code, told["identifiable"], told["n"], len(told["self_validation"]))
    assert KEYS <= set(told)
    assert abs(told["value"] - 0.4) < 0.1
    assert told["low"] <= 0.4 <= told["high"]
    assert told["floor"]["value"] < 0.1
    months = {name: share["value"] for name, share in told["strata"].items()}
    assert ["date=2023-02", "date=2023-03"] == list(months)
    assert months["date=2023-02"] < 0.15
    assert months["date=2023-03"] > 0.85
    assert all(int(row["id"][1:]) >= 6_000 for row in told["ranked"])


def test_records_labelled_synthetic_are_the_reference(files, capsys):
    """Without --synthetic they are, and the others are asked: the same share of the same hundred."""
    code = main(["estimate", files["labelled"], "--real", files["real"], "--json"])
    told = json.loads(capsys.readouterr().out)
    assert (0, 100) == (code, told["n"])
    assert abs(told["value"] - 0.4) < 0.1


def test_it_is_said_for_people(files, capsys):
    """Share, floor, self-validation, and that one generator is one."""
    main(["estimate", files["data"], "--real", files["real"], "--synthetic", files["synthetic"]])
    lines = capsys.readouterr().out.splitlines()
    starts = ["synthetic share: ", "floor: ", "self-validation: ", "  true ", "  estimated ", "one generator "]
    assert [True] * 6 == [line.startswith(start) for line, start in zip(lines, starts, strict=True)]
    assert max(map(len, lines)) < 100


def test_other_text_ends_with_one(files, tmp_path, capsys):
    """A set of another kind is not told, and the reason is."""
    other = write(
        tmp_path / "other.jsonl", [{"text": " ".join(f"z{n * k % 97}" for k in range(50))} for n in range(50)]
    )
    code = main(["estimate", other, "--real", files["real"], "--synthetic", files["synthetic"], "--json"])
    told = json.loads(capsys.readouterr().out)
    assert (1, False, None, 0.0, 1.0) == (code, told["identifiable"], told["value"], told["low"], told["high"])
    assert "differ from every mixture" in told["why"]


def test_small_references_end_with_one(files, tmp_path, capsys):
    """Ten documents are no reference; nothing is validated then."""
    few = write(tmp_path / "few.jsonl", texts(10, 0, 8_000))
    code = main(["estimate", files["data"], "--real", few, "--synthetic", files["synthetic"], "--json"])
    told = json.loads(capsys.readouterr().out)
    assert (1, None, []) == (code, told["floor"], told["self_validation"])
    assert "30 are needed" in told["why"]


def test_no_synthetic_reference_is_said(files, capsys):
    """Nothing labelled and nothing given is a usage error that says what to do."""
    assert 2 == main(["estimate", files["data"], "--real", files["real"]])
    assert "holdfast generate" in capsys.readouterr().err


def test_runs_are_equal(files, capsys):
    """Equal inputs and seed, equal bytes."""
    said = []
    for _ in range(2):
        main(["estimate", files["data"], "--real", files["real"], "--synthetic", files["synthetic"], "--json"])
        said.append(capsys.readouterr().out)
    assert said[0] == said[1]
