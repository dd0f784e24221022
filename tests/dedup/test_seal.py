"""The seal: hashes only, and every way to change the sealed records is seen."""

import orjson
import pytest

from holdfast.core.errors import InputError, UsageError
from holdfast.core.record import Record
from holdfast.dedup.eval_index import EvalIndex
from holdfast.dedup.seal import NAME, HeldOut, Seal, open_held_out, read_seal
from holdfast.workflows.reserve import ReserveOptions, reserve
from tests.rules.views import dataset, records, sentence


def test_a_seal_survives_its_file_and_holds_no_text(tmp_path):
    """Written and read it is equal, and no word of a sealed record stands in it."""
    seal = Seal.of(dataset(records(3)), {"origin": "real"}, {"text": "body"})
    again = read_seal(seal.write(tmp_path))
    text = (tmp_path / "holdfast.seal").read_text()
    assert (seal.digests, seal.mapping, seal.index.to_dict()) == (again.digests, again.mapping, again.index.to_dict())
    assert [] == [word for word in sentence(1).split() if word in text]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (records(3), ()),
        (records(2), ("record r2 is missing",)),
        (records(4), ("record r3 was added",)),
        ([*records(2), Record("r2", "", "other")], ("record r2 was changed",)),
        ([Record("new", "", sentence(0)), *records(2, first=1)], ()),
    ],
)
def test_each_change_is_named(changed, expected):
    """Missing, added and changed are told apart; another id for the same record is no change."""
    assert expected == Seal.of(dataset(records(3)), {}).broken(dataset(changed))


@pytest.mark.parametrize(
    "text", ["", "{}", '{"version": 9}', '{"version": 2, "digests": {}, "index": {}, "proof": {}}']
)
def test_what_is_no_seal_is_refused(tmp_path, text):
    """A damaged seal is one clear error, not a set without a seal."""
    (tmp_path / "holdfast.seal").write_text(text)
    with pytest.raises(InputError, match="seal"):
        read_seal(tmp_path / "holdfast.seal")


def test_a_seal_of_the_first_version_is_still_read(tmp_path):
    """Its digests tell what was edited; its index, which is no longer understood, is made from the records."""
    sealed = dataset(records(3))
    old = {"version": 1, "digests": dict(Seal.of(sealed, {}).digests), "index": {"version": 1}, "proof": {}, "map": {}}
    (tmp_path / "holdfast.seal").write_bytes(orjson.dumps(old))
    seal = read_seal(tmp_path / "holdfast.seal")
    assert ("record r2 is missing",) == seal.broken(dataset(records(2)))
    assert EvalIndex.of(sealed).to_dict() == HeldOut(sealed, seal).index.to_dict()
    assert seal == read_seal(seal.write(tmp_path))


def test_a_seal_without_its_eval_file_is_refused(tmp_path):
    """The sealed folder must hold what was sealed."""
    Seal.of(dataset(records(3)), {}).write(tmp_path)
    with pytest.raises(InputError, match="no eval file"):
        open_held_out([tmp_path], tmp_path / "spool")


def test_a_sealed_set_beside_another_is_refused(tmp_path):
    """Two held-out sets, one of them sealed: the second would have been passed over in silence."""
    folder = tmp_path / "sealed"
    folder.mkdir()
    (folder / NAME).write_text("{}")
    with pytest.raises(UsageError, match="stands for one set only"):
        open_held_out([folder, tmp_path / "other.jsonl"], tmp_path / "spool")


def test_a_sealed_set_whose_seal_is_gone_is_refused(tmp_path):
    """Without its seal the folder would be read by its training split, which is not what is held out."""
    sealed = tmp_path / "sealed"
    rows = [{"text": sentence(n)} for n in range(20)]
    (tmp_path / "real.jsonl").write_bytes(b"\n".join(orjson.dumps(row) for row in rows))
    reserve([tmp_path / "real.jsonl"], sealed, ReserveOptions(4))
    (sealed / NAME).unlink()
    for path in (sealed, sealed / "eval.jsonl"):
        with pytest.raises(InputError, match="was sealed"):
            open_held_out([path], tmp_path / "spool")
    (sealed / "manifest.json").write_text("[]")
    assert 4 == open_held_out([sealed / "eval.jsonl"], tmp_path / "spool").data.rows
