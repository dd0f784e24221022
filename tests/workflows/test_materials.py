"""Materials: seeds of the training side, files scanned against the seal, and nothing held out in any prompt."""

import json
from random import Random

import pytest

from holdfast.core.errors import InputError, UsageError
from holdfast.core.record import Record
from holdfast.core.settings import GeneratorSettings, Settings
from holdfast.dedup.seal import NAME as SEAL
from holdfast.workflows.generate import generate
from holdfast.workflows.materials import Materials, held_out_rows
from holdfast.workflows.reserve import ReserveOptions, reserve
from tests.rules.views import sentence
from tests.workflows.asking import echo, ledger, rows, settings

ROWS = 60


def write(path, texts):
    """Write texts as records."""
    path.write_text("".join(json.dumps({"id": f"r{n}", "text": text}) + "\n" for n, text in enumerate(texts)))


@pytest.fixture
def project(tmp_path):
    """A folder with sealed real data and files of documents and seeds, each with three held-out texts planted."""
    write(tmp_path / "real.jsonl", [sentence(n) for n in range(ROWS)])
    reserve([tmp_path / "real.jsonl"], tmp_path / "sealed", ReserveOptions(0.2))
    sealed = [row["text"] for row in rows(tmp_path / "sealed", "eval")]
    planted = [sealed[0], f"As they say: {sealed[1]} And so on.", sealed[2].upper()]
    for number, name in enumerate(("notes", "starts")):
        texts = [sentence(1000 * (number + 1) + n) for n in range(20)] + planted
        Random(number).shuffle(texts)
        write(tmp_path / f"{name}.jsonl", texts)
    (tmp_path / "ask.j2").write_text("About this: {{ item.text }}")
    return tmp_path


def materials(folder, **values):
    """The materials of settings in a folder."""
    found = {"real": [{"path": "real.jsonl"}], **values}
    return Materials(Settings.model_validate(found, context={"folder": folder}))


def test_seeds_are_of_the_training_side(project):
    """Without a file of their own, seeds are the real training records, all of them, and none that is sealed."""
    found = materials(project)
    seeds = found.of(GeneratorSettings(use="evol"), real_seeds=True).seeds
    train = [row["text"] for row in rows(project / "sealed", "train")]
    assert sorted(train) == sorted(seed.text for seed in seeds)
    assert (48, {"real"}, 0) == (len(seeds), {seed.provenance.origin for seed in seeds}, found.held_out)
    assert () == found.of(GeneratorSettings(use="prompt"), real_seeds=False).seeds


@pytest.mark.parametrize("name", ["documents", "seeds"])
def test_planted_held_out_texts_are_left_out(project, name):
    """A sealed text in a user's own file, whole, inside another text or in capitals, is counted and never given out."""
    path = "notes.jsonl" if name == "documents" else "starts.jsonl"
    found = materials(project)
    given = getattr(found.of(GeneratorSettings(use="prompt", **{name: path}), real_seeds=False), name)
    assert (20, 3) == (len(given), found.held_out)
    sealed = [row["text"].lower() for row in rows(project / "sealed", "eval")]
    assert [] == [text for text in sealed for each in given if text in each.text.lower()]
    # A file is read once: its left-out records are not counted again.
    found.of(GeneratorSettings(use="grounded", **{name: path}), real_seeds=False)
    assert 3 == found.held_out


def test_no_prompt_ever_holds_a_held_out_text(project):
    """A run over documents with sealed texts in them asks about the others only, and the manifest says how many."""
    planned = {"generators": [
        {"use": "prompt", "model": "m", "template": "ask.j2", "documents": "notes.jsonl", "name": "a"},
        {"use": "prompt", "model": "m", "template": "ask.j2", "seeds": "starts.jsonl", "name": "b"},
    ], "real": [{"path": "real.jsonl"}], "accepted_risks": []}  # fmt: skip
    with echo(project) as between:
        run = settings(project, between.base_url, count=40, **planned)
        (project / "ask.j2").write_text("About this: {{ item.text }}")
        manifest = generate(run, project / "out")
        bodies = [body.decode().lower() for (body,) in ledger(project / "out", "SELECT body FROM calls")]
        assert 40 == len(bodies) == len(between.log())
    sealed = [row["text"].lower() for row in rows(project / "sealed", "eval")]
    assert [] == [text for text in sealed for body in bodies if json.dumps(text)[1:-1] in body]
    assert 6 == manifest.more["held_out_materials"]


def test_a_changed_seal_is_refused(project):
    """Somebody who edits the held-out file is told before anything is asked: the index would no longer hold."""
    path = project / "sealed" / "eval.jsonl"
    path.write_text(path.read_text().replace(rows(project / "sealed", "eval")[0]["text"], "Quite another text."))
    with pytest.raises(InputError, match="was changed"):
        materials(project).real()


def test_unsealed_real_data_is_no_source_of_seeds(tmp_path):
    """Nothing sealed: real seeds are one clear message; files of one's own are read as they are."""
    write(tmp_path / "notes.jsonl", [sentence(n) for n in range(3)])
    found = materials(tmp_path)
    with pytest.raises(UsageError, match=r"(?s)no held-out set is sealed in .*sealed.*holdfast reserve first"):
        found.of(GeneratorSettings(use="evol"), real_seeds=True)
    assert 3 == len(found.of(GeneratorSettings(use="prompt", documents="notes.jsonl"), real_seeds=False).documents)
    assert None is found.index()
    assert set() == held_out_rows([Record("1", "", sentence(0))], None)
    with echo(tmp_path) as between:
        entry = {"use": "evol", "template": None, "documents": None}
        with pytest.raises(UsageError, match="holdfast reserve first"):
            generate(settings(tmp_path, between.base_url, generator=entry), tmp_path / "out")
        assert [] == between.log()
    assert not (tmp_path / "sealed" / SEAL).exists()


def test_personas_are_the_lines_of_a_file(tmp_path):
    """Each line that says something is one persona; a file that is not there or no text is one clear message."""
    (tmp_path / "people.txt").write_text("  a baker from Porto \n\n\na retired judge\n", encoding="utf-8")
    (tmp_path / "binary.txt").write_bytes(b"\xff\xfe\x00")
    found = materials(tmp_path)
    given = found.of(GeneratorSettings(use="prompt", personas="people.txt"), real_seeds=False)
    assert ("a baker from Porto", "a retired judge") == given.personas
    for name in ("nobody.txt", "binary.txt"):
        with pytest.raises(InputError, match=f"{name}: the personas cannot be read"):
            found.of(GeneratorSettings(use="prompt", personas=name), real_seeds=False)
