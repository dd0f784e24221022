"""mix: what is asked for by mistake is told and harms nothing, and what is silent is not taken for something else."""

import pytest

from holdfast.core.errors import InputError, UsageError
from holdfast.workflows.mix import mix
from holdfast.workflows.mix_options import MixOptions
from holdfast.workflows.reserve import reserve
from tests.rules.views import sentence
from tests.workflows.test_mix import inputs, written


def test_nothing_that_a_mixture_is_compared_with_is_overwritten(tmp_path):
    """A sealed set, an anchor or the round before in the folder of the mixture is refused, and all of it stays."""
    paths = [[path] for path in inputs(tmp_path)]
    sealed, anchors = tmp_path / "sealed", tmp_path / "anchors"
    reserve(paths[0], sealed)
    mix(*paths, tmp_path / "round")
    anchors.mkdir()
    written(anchors / "train.jsonl", [{"text": sentence(1)}])
    for folder, options in (
        (sealed, MixOptions(held_out=(sealed,))),
        (anchors, MixOptions(anchor=(anchors / "train.jsonl",))),
        (tmp_path / "round", MixOptions(previous=tmp_path / "round")),
    ):
        before = {path: path.read_bytes() for path in folder.iterdir()}
        with pytest.raises(UsageError, match="would be overwritten"):
            mix(*paths, folder, options)
        assert before == {path: path.read_bytes() for path in folder.iterdir()}


def test_a_typing_error_costs_no_earlier_result(tmp_path):
    """A column, a weight or a round that is not there is told before the mixture that was there is taken away."""
    paths = [[path] for path in inputs(tmp_path)]
    mix(*paths, tmp_path / "out")
    before = {path: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    wrong = (
        MixOptions(strata=("topc",)),
        MixOptions(weights={"a=b": 2}),
        MixOptions(per_generator=0.1),
        MixOptions(previous=tmp_path),
    )
    for options in wrong:
        with pytest.raises((UsageError, InputError)):
            mix(*paths, tmp_path / "out", options)
    assert before == {path: path.read_bytes() for path in (tmp_path / "out").iterdir()}


def test_a_readme_of_a_project_is_not_overwritten_and_a_card_of_ours_is(tmp_path):
    """A folder with a README.md that is no card is refused; a card that people wrote into is made again."""
    paths = [[path] for path in inputs(tmp_path)]
    readme = tmp_path / "out/README.md"
    readme.parent.mkdir()
    readme.write_text("# My project")
    with pytest.raises(UsageError, match="would be overwritten"):
        mix(*paths, tmp_path / "out")
    assert "# My project" == readme.read_text()
    readme.unlink()
    mix(*paths, tmp_path / "out")
    readme.write_text(readme.read_text() + "Written by hand.")
    mix(*paths, tmp_path / "out")
    assert "Written by hand." not in readme.read_text()


def test_records_that_name_no_generator_count_as_one(tmp_path):
    """Under a cap per generator they may not fill the synthetic part alone, and the remedy says how to name them."""
    real, _ = inputs(tmp_path)
    silent = written(tmp_path / "silent.jsonl", [{"text": sentence(100 + n)} for n in range(10)])
    with pytest.raises(UsageError, match=r"(?s)1 generator at 0\.5 each.*--map generator=COLUMN"):
        mix([real], [silent], tmp_path / "out", MixOptions(per_generator=0.5))


def test_the_card_does_not_take_the_silence_of_generators_for_people(tmp_path):
    """Synthetic records without a generator are counted as such, alone and beside those that name one."""
    real, _ = inputs(tmp_path)
    rows = [{"text": sentence(100 + n), **({"generator": "g"} if n < 4 else {})} for n in range(10)]
    for name, made, said in (
        ("all", rows[4:], "| made by | 6 synthetic records without the name of a generator |"),
        ("some", rows, "| made by | 1 generator: g; 6 synthetic records without the name of a generator |"),
    ):
        mix([real], [written(tmp_path / f"{name}.jsonl", made)], tmp_path / name)
        assert said in (tmp_path / name / "README.md").read_text()


def test_a_weight_is_that_of_its_own_stratum_where_values_have_commas(tmp_path):
    """The weight of "math" is not that of "math, algebra"; a stratum of two columns is parted at its columns."""
    topics = ("math", "math, algebra", "art")
    rows = [{"text": sentence(n), "topic": topics[n % 3], "level": "a,b"} for n in range(60)]
    real = written(tmp_path / "real.jsonl", rows)
    made = written(tmp_path / "made.jsonl", [{"text": sentence(900), "topic": "art", "level": "a,b", "generator": "g"}])
    options = MixOptions(strata=("topic", "level"), weights={"topic=math": 2}, max_synthetic=0)
    strata = mix([real], [made], tmp_path / "out", options).more["strata"]
    assert {f"topic={topic},level=a,b": 20 if topic == "math" else 10 for topic in topics} == {
        name: part["records"] for name, part in strata.items()
    }


def test_a_weight_without_strata_says_which_column_to_name(tmp_path):
    """The remedy is an option that can be typed."""
    with pytest.raises(UsageError, match="--strata topic"):
        mix(*[[path] for path in inputs(tmp_path)], tmp_path / "out", MixOptions(weights={"topic=art": 2}))


def test_where_no_cap_is_below_one_no_record_is_left_out_by_a_cap(tmp_path):
    """With a size and no cap the reason of every record that is left out is the size."""
    manifest = mix(*[[path] for path in inputs(tmp_path)], tmp_path / "out", MixOptions(max_synthetic=1, size=5))
    assert {"size": 45} == dict(manifest.reasons)


def test_a_held_out_set_of_no_record_is_refused(tmp_path):
    """An empty file keeps nothing out, and no card may say that it did."""
    held = written(tmp_path / "eval.jsonl", [])
    with pytest.raises(InputError, match="holds no record"):
        mix(*[[path] for path in inputs(tmp_path)], tmp_path / "out", MixOptions(held_out=(held,)))


def test_empty_files_on_both_sides_are_not_one_file(tmp_path):
    """A file of no bytes is like any other one; only records make two files the same."""
    real, made = inputs(tmp_path)
    empty = [written(tmp_path / name, []) for name in ("a.jsonl", "b.jsonl")]
    assert mix([real, empty[0]], [made, empty[1]], tmp_path / "out").ok
