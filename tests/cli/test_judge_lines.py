"""What the screen says of a judge: names from the data made safe, and what could not be compared."""

from pathlib import Path

from holdfast.cli.judge_lines import judge_lines
from tests.verifiers.judge_server import judge_server
from tests.workflows.test_judging import filtered, records, settings


def test_names_from_the_data_do_not_steer_the_terminal(tmp_path: Path) -> None:
    """A generator's name with an escape sequence and a line break stands on one line, with the escape named."""
    records(tmp_path, 40, generator="ac\x1b[31mme\nX")
    said = "".join(f'{{"id": "r{n}", "rater": "ann", "kind": "score", "value": true}}\n' for n in range(40))
    (tmp_path / "labels.jsonl").write_text(said)
    with judge_server() as server:
        recipe = settings(tmp_path, {"j": server.url}, judge={"labels": "labels.jsonl"})
        shown = judge_lines(filtered(tmp_path, recipe).more["judging"])
    assert [] == [line for line in shown if "\x1b" in line or "\n" in line]
    assert 1 == sum("ac<U+001B>[31mme X" in line for line in shown)


def test_what_keeps_a_judge_from_telling_is_said(tmp_path: Path) -> None:
    """Rows without a second answer and a family that is not known are said, and every record is kept."""
    records(tmp_path, 10)
    with judge_server() as server:
        manifest = filtered(tmp_path, settings(tmp_path, {"j": server.url}, judge={"mode": "pairs"}))
        known = {"models": {"j": {"base_url": server.url, "model": "j", "family": "other"}}}
        declared = filtered(tmp_path, settings(tmp_path, {"j": server.url}, **known), "out2")
    assert 10 == manifest.counts.kept
    both, neither = (judge_lines(each.more["judging"]) for each in (manifest, declared))
    for words in ("second answer", "family is not known"):
        assert (1, 0) == tuple(sum(words in line for line in lines) for lines in (both, neither))
