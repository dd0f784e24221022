"""The models that need torch learn what they are given, draw by seed, and remember the last stage best."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from holdfast.core.errors import InputError
from holdfast.lab.backend import Model, find
from holdfast.lab.documents import Text
from holdfast.models.ngram_sample import Decoding
from tests.conftest import missing

WORDS = [f"w{place}" for place in range(24)]


def chain(rng: np.random.Generator, step: int, count: int) -> str:
    """A text in which each word is followed by the one `step` places on, nine times out of ten."""
    at, said = 0, []
    for _ in range(count):
        said.append(WORDS[at])
        at = (at + step) % len(WORDS) if rng.random() < 0.9 else int(rng.integers(len(WORDS)))
    return " ".join(said)


@pytest.fixture(scope="module")
def text() -> Text:
    """Windows of ten words of a text that a small model can learn."""
    if not find_spec("torch") or not find_spec("transformers"):
        missing("the extra [lab]")
    rng = np.random.default_rng(0)
    return Text([chain(rng, 1, 2500)], length=10)


def followed(documents: np.ndarray, step: int) -> float:
    """The share of neighbours that are `step` places apart in the numbering of the words."""
    order = np.array([sorted(WORDS).index(word) for word in WORDS])
    place = np.append(np.argsort(order), -99)
    known = place[documents]
    return float(((known[:, 1:] - known[:, :-1]) % len(WORDS) == step).mean())


def learns(model: Model, text: Text) -> None:
    """The model predicts held-out text far better than chance and writes text like it, the same for one seed."""
    held_out = text.split(0).held_out
    nats = model.nll(held_out)
    assert (len(held_out),) == nats.shape
    assert nats.mean() < 0.6 * np.log(len(WORDS))
    drawn = model.sample(60, Decoding(), 5)
    assert (60, 10) == drawn.shape
    assert followed(drawn, 1) > 0.5
    assert (drawn == model.sample(60, Decoding(), 5)).all()
    assert followed(model.sample(60, Decoding(0.2, 0.5), 5), 1) > followed(drawn, 1)


def test_transformer(text: Text) -> None:
    """The small transformer learns from scratch, and trained in two stages it is the last one's."""
    backend = find("transformer", text)
    learns(backend.fit([text.split(0).train], 1), text)
    other = text.read([chain(np.random.default_rng(1), 5, 2000)])
    first, last = (backend.fit(stages, 1) for stages in ([text.windows, other], [other, text.windows]))
    assert last.nll(text.split(0).held_out).mean() < first.nll(text.split(0).held_out).mean()


def test_causal(text: Text, tmp_path: Path) -> None:
    """A causal model of a folder is trained on from there; nats are per word of the lab, and nothing is fetched."""
    from tokenizers import Tokenizer, models, pre_tokenizers  # noqa: PLC0415  # optional extra [lab]
    from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast  # noqa: PLC0415  # as above

    known = {word: place for place, word in enumerate(["<s>", "<unk>", *WORDS])}
    tokenizer = Tokenizer(models.WordLevel(known, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    wrapped = PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="<s>", unk_token="<unk>")
    wrapped.save_pretrained(tmp_path)
    config = GPT2Config(
        vocab_size=len(known), n_positions=64, n_embd=32, n_layer=2, n_head=2, bos_token_id=0, eos_token_id=0
    )
    GPT2LMHeadModel(config).save_pretrained(tmp_path)
    backend = find(f"causal:{tmp_path}", text)
    untrained = backend.fit([], 1).nll(text.split(0).held_out).mean()
    assert np.log(len(known)) == pytest.approx(untrained, rel=0.15)
    model = backend.fit([text.split(0).train] * 8, 1)
    assert model.nll(text.split(0).held_out).mean() < 0.8 * untrained
    assert (7, 10) == model.sample(7, Decoding(0.9, 0.95), 3).shape
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(InputError, match="no causal language model"):
        backend.fit([], 1)
