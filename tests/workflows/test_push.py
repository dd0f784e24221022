"""push: what would go to a hub is looked at; nothing leaves without the word, the extra and a clean parcel."""

import json
import sys

import pytest

from holdfast.cli.app import main
from holdfast.core.errors import InputError, MissingExtraError, UsageError
from holdfast.integrations.hub import upload
from holdfast.workflows.mix import mix
from holdfast.workflows.mix_options import MixOptions
from holdfast.workflows.push import parcel
from tests.rules.views import sentence


@pytest.fixture
def product(tmp_path):
    """A small mixture whose real records name their licence."""
    real = [{"text": sentence(n), "licence": "MIT"} for n in range(10)]
    made = [{"text": sentence(100 + n), "generator": "g"} for n in range(10)]
    for name, rows in (("real", real), ("made", made)):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    mix([tmp_path / "real.jsonl"], [tmp_path / "made.jsonl"], tmp_path / "out", MixOptions(max_synthetic=0.4))
    return tmp_path / "out"


def test_a_parcel_has_the_data_and_what_describes_them(product):
    """Training file, card, Croissant and manifest with their sizes; rejected records stay here."""
    found = parcel(product)
    names = ["train.jsonl", "README.md", "croissant.json", "manifest.json"]
    assert (True, [(name, (product / name).stat().st_size) for name in names]) == (found.ok, list(found.files))
    assert (product / "rejected.jsonl").exists()


def test_held_out_text_in_it_is_a_problem(product, tmp_path):
    """A held-out set of which a record was mixed in is told; one that has none of it is not."""
    for name, number, ok in (("leaked", 3, False), ("clean", 900, True)):
        (tmp_path / f"{name}.jsonl").write_text(json.dumps({"text": sentence(number)}) + "\n")
        found = parcel(product, [tmp_path / f"{name}.jsonl"])
        assert (ok, not ok) == (found.ok, "train.jsonl holds held-out text in 1 records" in found.problems)


def test_a_changed_file_is_a_problem_and_an_edited_card_is_not(product):
    """One byte of the data is told; what people write into the card is theirs, as long as it names a licence."""
    card = product / "README.md"
    card.write_text(card.read_text() + "\nCite us.\n")
    assert () == parcel(product).problems
    card.write_text(card.read_text().replace("license: mit", "license: unknown"))
    (product / "train.jsonl").write_bytes((product / "train.jsonl").read_bytes() + b"\n")
    told = parcel(product).problems
    assert ("train.jsonl was changed", True, 2) == (told[0], "names no licence" in told[1], len(told))


def test_what_is_no_data_set_is_refused(tmp_path):
    """A folder without manifest and card is no product."""
    with pytest.raises(InputError, match="no finished data set"):
        parcel(tmp_path)


def test_nothing_is_sent_without_the_word(product, capsys, monkeypatch):
    """The dry run does not even load the library of the hub, and says how to send."""
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    assert 0 == main(["push", str(product), "--repo", "org/name"])
    assert "would go to org/name; --yes sends it" in capsys.readouterr().out


def test_without_the_extra_sending_is_refused(product, monkeypatch):
    """One line with the command that installs it."""
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(MissingExtraError, match=r"holdfast\[hub\]"):
        upload(parcel(product), "org/name")


def test_a_parcel_with_problems_is_never_sent(product, capsys):
    """Neither by the function nor by --yes."""
    (product / "croissant.json").unlink()
    with pytest.raises(UsageError, match="missing"):
        upload(parcel(product), "org/name")
    assert 1 == main(["push", str(product), "--repo", "org/name", "--yes"])
    assert "nothing was sent" in capsys.readouterr().out


def test_a_licence_of_some_records_is_not_that_of_all(tmp_path):
    """Where real records state no licence, card and Croissant count them, and push says what to do."""
    real = [{"text": sentence(n), **({"licence": "MIT"} if n < 3 else {})} for n in range(10)]
    made = [{"text": sentence(100 + n), "generator": "g"} for n in range(4)]
    for name, rows in (("real", real), ("made", made)):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    out = tmp_path / "out"
    mix([tmp_path / "real.jsonl"], [tmp_path / "made.jsonl"], out)
    card = out / "README.md"
    assert "| licence | MIT; 7 of 10 real records state none |" in card.read_text()
    assert "7 of 10 real records state none" in json.loads((out / "croissant.json").read_text())["description"]
    assert [True] == ["for some of the real records" in each for each in parcel(out).problems]
    card.write_text(card.read_text().replace("license:\n- mit\n- unknown\n", "license: mit\n"))
    assert parcel(out).ok
