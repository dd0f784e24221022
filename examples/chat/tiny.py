"""Two tiny language models, made from text at hand in seconds with numpy, written as GGUF for llama.cpp.

Each is a neural n-gram model in the clothes of a one-layer llama: rotary attention with fixed queries and keys brings
in the tokens before (a head for each distance, one for the topic and one for the latest JSON key, however far), and
embedding, values, feed-forward and output are trained. One seed gives one model on one machine. They write word salad,
good for trying the machinery of a run and for nothing else.
"""

import ast
import json
import re
import sysconfig
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import gguf
import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

Floats = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]

USER, ASSISTANT, SYSTEM, END = SPECIAL = ("<|user|>", "<|assistant|>", "<|system|>", "<|end|>")
TEMPLATE = (
    "{% for message in messages %}<|{{ message.role }}|>{{ message.content }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
TONES = {"plain": "", "friendly": "Sure! "}
CONTEXT = 4096  # tokens of one conversation; nothing in the model depends on it
LONGEST = 128  # tokens of one text in training
REACH = 6  # heads 1 to REACH look at the token that many places back
WORDS = ("plain", "friendly", "amounts", "time", "names")  # which head 0 looks at, however far, all alike
KEYS = ("prompt", "response")  # of which, and of the special tokens, the last head looks at the latest
MARK = 60.0  # first or second number of such a token's embedding, larger than all others together; of other tokens 0
HEAD = 32  # width of a head
SHARPNESS = 24.0  # how much higher the wanted distance scores than the next one: e**-12 of the weight goes astray
FAINT, LOWEST = 1e-12, -40.0  # below these numbers make no difference, and denormal ones are slow
EPSILON = 1e-5
LEARNING_RATE = 6e-3
BATCH = 8  # texts


@dataclass(frozen=True, slots=True)
class Family:
    """One model to be made: its name, the texts it learns, its sizes and its seed."""

    name: str
    texts: Callable[[], Iterator[tuple[str, str, str]]]
    vocabulary: int
    width: int
    seed: int
    epochs: int


def problems() -> Iterator[tuple[str, str, str]]:
    """Yield (topic, question, answer) from the grade-school problems of the quickstart."""
    path = Path(__file__).resolve().parents[1] / "quickstart" / "real.jsonl"
    for line in path.read_text("utf-8").splitlines():
        row = json.loads(line)
        steps, _, result = re.sub(r"<<.*?>>", "", row["answer"]).partition("\n#### ")
        sentences = re.split(r"(?<=[.?!])(?<!Mr\.)(?<!Mrs\.) ", " ".join(row["question"].split()))
        topic = _topic(row["question"], r"\$|cost|price|money|paid", r"hour|minute|day|week|month|year")
        for first, step in zip(sentences[:-1], steps.split("\n"), strict=False):
            yield topic, f"{first} {sentences[-1]}", f"{step.rstrip('.')}. The answer is {result}."


def docstrings() -> Iterator[tuple[str, str, str]]:
    """Yield (topic, question, answer) from the docstrings of Python's standard library."""
    for path in sorted(Path(sysconfig.get_path("stdlib")).glob("*.py")):
        try:
            tree = ast.parse(path.read_bytes())
        except SyntaxError:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                lines = re.split(r"(?<=\.)\s|\n\n", (ast.get_docstring(node) or "").strip())
                summary, more = " ".join(lines[0].split()), " ".join(" ".join(lines[1:2]).split())
                if 20 < len(summary) < 120 and summary.isascii():
                    topic = _topic(summary, r"number|int|float|size|length|count|byte", r"time|date|wait|thread|when")
                    answer = f"{summary.rstrip('.')}." + (f" {more.rstrip('.')}." if 10 < len(more) < 100 else "")
                    yield topic, f"What is {node.name} of {path.stem} for?", answer


def _topic(text: str, amounts: str, time: str) -> str:
    return "amounts" if re.search(amounts, text) else "time" if re.search(time, text) else "names"


FAMILIES = (
    Family("heron", problems, vocabulary=1024, width=96, seed=1, epochs=3),
    Family("plover", docstrings, vocabulary=768, width=80, seed=2, epochs=2),
)


def instruction(topic: str, tone: str) -> str:
    """Return the words that ask for one record; templates/record.j2 says the same."""
    return f"Write one {tone} question about {topic}, and its answer, as JSON."


def conversations(family: Family) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield (what the user says, pieces of the answer): each text as a JSON record, and a third as plain answers.

    Pieces become tokens apart, so that the quotes of JSON never melt with the text between them.
    """
    for number, (topic, question, answer) in enumerate(family.texts()):
        if number % 3 == 0:
            yield question, (answer,)
        tone = list(TONES)[number % len(TONES)]
        inner = [json.dumps(text, ensure_ascii=False)[1:-1] for text in (question, TONES[tone] + answer)]
        yield instruction(topic, tone), ('{"prompt": "', inner[0], '", "response": "', inner[1], '"}')


def vocabulary(texts: list[str], size: int) -> Tokenizer:
    """Return a byte-level BPE tokenizer of `size` tokens trained on the texts, the special tokens first."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


ANGLES = 10000.0 ** (-np.arange(HEAD // 2) * 2 / HEAD)  # by which rotary position turns each pair, per place
STRENGTH = SHARPNESS / float(np.sum(1 - np.cos(ANGLES)))  # of one pair in a score


@dataclass(frozen=True, slots=True)
class Sight:
    """A head that sees marks: the pair of the head's numbers it looks along, the strength of its query and its key."""

    pair: int
    query: float
    key: float


# The slower a pair turns, the less distance counts: the last one hardly turns, the tenth costs a fifth of a nat each.
SIGHTS = (Sight(pair=15, query=6.0, key=2.0), Sight(pair=10, query=24.0, key=2.0))


def bearings() -> tuple[Floats, Floats]:
    """Return the fixed queries (one row per head) and the fixed key.

    A query turned back by `distance` angles meets the key of the token that many places before it head on, and every
    other one askew. The heads that see marks look along axes of their own, on which only the marks put anything.
    """
    size = np.sqrt(STRENGTH * np.sqrt(HEAD))
    turns = -np.arange(REACH + 2)[:, None] * ANGLES
    queries = np.stack([np.cos(turns), np.sin(turns)], axis=-1).reshape(REACH + 2, HEAD) * size
    for head, sight in zip((0, -1), SIGHTS, strict=True):
        queries[:, 2 * sight.pair + 1] = 0
        queries[head] = 0
    for head, sight in zip((0, -1), SIGHTS, strict=True):
        queries[head, 2 * sight.pair + 1] = sight.query
    return queries.astype(np.float32), np.tile([size, 0], HEAD // 2).astype(np.float32)


def looks(length: int) -> Floats:
    """Return the attention of heads 1 to REACH over `length` tokens: [head, from, to], as llama.cpp computes it."""
    back = np.arange(length)[:, None] - np.arange(length)
    scores = [STRENGTH * np.cos((back[..., None] - reach) * ANGLES).sum(-1) for reach in range(1, REACH + 1)]
    return softmax(np.where(back >= 0, np.stack(scores), -np.inf).astype(np.float32))


def notices(marks: Floats, sight: Sight) -> Floats:
    """Return the attention of a head that sees marks: [text, from, to], from normed embeddings' marks [text, to]."""
    back = np.arange(marks.shape[1])[:, None] - np.arange(marks.shape[1])
    along = sight.query * sight.key / np.sqrt(HEAD) * np.cos(back * ANGLES[sight.pair])
    across = sight.query * np.sqrt(STRENGTH / np.sqrt(HEAD)) * np.sin(back * ANGLES[sight.pair])
    scores = np.where(back >= 0, along * marks[:, None] - across, -np.inf)
    return softmax(scores.astype(np.float32))


def softmax(scores: Floats) -> Floats:
    """Return shares in proportion to the exponentials of the scores; what is faint counts as nothing."""
    shares: Floats = np.exp(np.maximum(scores - scores.max(-1, keepdims=True), LOWEST), dtype=np.float32)
    shares[shares < FAINT] = 0
    shares /= shares.sum(-1, keepdims=True)
    return shares


def normed(x: Floats) -> tuple[Floats, Floats]:
    """Return x at root mean square one, and the scale that made it so."""
    scale = 1 / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + np.float32(EPSILON))
    return np.asarray(x * scale, np.float32), scale


def normed_back(gradient: Floats, y: Floats, scale: Floats) -> Floats:
    """Return the gradient before `normed`, from that after it."""
    return np.asarray(scale * (gradient - y * np.mean(gradient * y, axis=-1, keepdims=True)), np.float32)


def weights(vocabulary: int, width: int, random: np.random.Generator) -> dict[str, Floats]:
    """Return the trained tensors before training, under their names in the GGUF file where there is one."""
    hidden, heads = 2 * width, (REACH + 2) * HEAD
    shapes = {
        "token_embd": (vocabulary, width), "blk.0.attn_v": (HEAD, width), "blk.0.attn_output": (width, heads),
        "blk.0.ffn_gate": (hidden, width), "blk.0.ffn_up": (hidden, width), "blk.0.ffn_down": (width, hidden),
        "output": (vocabulary, width),
    }  # fmt: skip
    return {
        name: random.normal(0, 1 if name == "token_embd" else shape[1] ** -0.5, shape).astype(np.float32)
        for name, shape in shapes.items()
    }


def gradients(w: dict[str, Floats], ids: Ids, wanted: npt.NDArray[np.bool_], look: Floats) -> dict[str, Floats]:
    """Return the gradient of the mean cross-entropy of the tokens that follow the `wanted` places of `ids`."""
    places = np.nonzero(wanted)
    x = w["token_embd"][ids]
    n0, s0 = normed(x)
    values = n0 @ w["blk.0.attn_v"].T
    first, last = (notices(n0[..., place], sight)[:, None] for place, sight in enumerate(SIGHTS))
    look = np.concatenate([first, np.broadcast_to(look, (len(ids), *look.shape)), last], axis=1)
    seen = np.matmul(look, values[:, None]).swapaxes(1, 2).reshape(*ids.shape, -1)[places]
    x1 = x[places] + seen @ w["blk.0.attn_output"].T
    n1, s1 = normed(x1)
    gate, up = n1 @ w["blk.0.ffn_gate"].T, n1 @ w["blk.0.ffn_up"].T
    sigmoid = 1 / (1 + np.exp(-gate))
    inner = gate * sigmoid * up
    n2, s2 = normed(x1 + inner @ w["blk.0.ffn_down"].T)
    logits = softmax(n2 @ w["output"].T)
    logits[np.arange(len(logits)), ids[places[0], places[1] + 1]] -= 1
    logits /= len(logits)
    g: dict[str, Floats] = {"output": logits.T @ n2}
    dx2 = normed_back(logits @ w["output"], n2, s2)
    g["blk.0.ffn_down"] = dx2.T @ inner
    dinner = dx2 @ w["blk.0.ffn_down"]
    dgate, dup = dinner * up * sigmoid * (1 + gate * (1 - sigmoid)), dinner * gate * sigmoid
    g["blk.0.ffn_gate"], g["blk.0.ffn_up"] = dgate.T @ n1, dup.T @ n1
    dx1 = dx2 + normed_back(dgate @ w["blk.0.ffn_gate"] + dup @ w["blk.0.ffn_up"], n1, s1)
    g["blk.0.attn_output"] = dx1.T @ seen
    dseen = np.zeros((*ids.shape, seen.shape[1]), np.float32)
    dseen[places] = dx1 @ w["blk.0.attn_output"]
    dheads = dseen.reshape(*ids.shape, REACH + 2, HEAD).swapaxes(1, 2)
    dvalues = np.matmul(look.swapaxes(2, 3), dheads).sum(axis=1)
    g["blk.0.attn_v"] = dvalues.reshape(-1, HEAD).T @ n0.reshape(-1, n0.shape[-1])
    dx = normed_back(dvalues @ w["blk.0.attn_v"], n0, s0)
    dx[places] += dx1
    g["token_embd"] = np.zeros_like(w["token_embd"])
    np.add.at(g["token_embd"], ids, dx)
    g["token_embd"][:, : len(SIGHTS)] = 0  # the marks stay
    return g


def trained(
    texts: list[tuple[list[int], list[int]]], size: int, marked: list[list[int]], family: Family
) -> dict[str, Floats]:
    """Return tensors trained by Adam to continue each first half of `texts` with its second half."""
    random = np.random.default_rng(family.seed)
    w = weights(size, family.width, random)
    w["token_embd"][:, : len(SIGHTS)] = 0
    for place, tokens in enumerate(marked):
        w["token_embd"][tokens, place] = MARK
    first, second = ({name: np.zeros_like(each) for name, each in w.items()} for _ in range(2))
    whole = [(asked, answer) for asked, answer in texts if len(asked) + len(answer) <= LONGEST]
    order = sorted(range(len(whole)), key=lambda n: len(whole[n][0]) + len(whole[n][1]))
    batches = [order[n : n + BATCH] for n in range(0, len(order), BATCH)]
    look, steps = looks(LONGEST), family.epochs * len(batches)
    for step in range(steps):
        if step % len(batches) == 0:
            turn = random.permutation(len(batches))
        ids, wanted = _batch([whole[n] for n in batches[turn[step % len(batches)]]])
        length = ids.shape[1]
        rate = LEARNING_RATE * min(1, (step + 1) / 20) * (1 - step / steps)
        for name, gradient in gradients(w, ids, wanted, look[:, :length, :length]).items():
            first[name] += 0.1 * (gradient - first[name])
            second[name] += 0.02 * (gradient * gradient - second[name])
            unbiased = np.sqrt(second[name] / (1 - 0.98 ** (step + 1))) + np.float32(1e-8)
            w[name] -= np.float32(rate / (1 - 0.9 ** (step + 1))) * first[name] / unbiased
    return w


def _batch(texts: list[tuple[list[int], list[int]]]) -> tuple[Ids, npt.NDArray[np.bool_]]:
    length = max(len(asked) + len(answer) for asked, answer in texts)
    ids = np.zeros((len(texts), length), np.int64)
    wanted = np.zeros(ids.shape, bool)
    for row, (asked, answer) in enumerate(texts):
        ids[row, : len(asked) + len(answer)] = asked + answer
        wanted[row, len(asked) - 1 : len(asked) + len(answer) - 1] = True
    return ids, wanted


def make(family: Family, path: Path) -> Path:
    """Train the family's model and write it to `path`, whole or not at all. Returns `path`."""
    talks = [[f"{USER}{asked}{END}{ASSISTANT}", *answer, END] for asked, answer in conversations(family)]
    pieces = [piece for talk in talks for piece in talk]
    tokenizer = vocabulary(pieces, family.vocabulary)
    encoded = iter(tokenizer.encode_batch(pieces))
    ids = [[next(encoded).ids for _ in talk] for talk in talks]
    texts = [(asked, [each for piece in answer for each in piece]) for asked, *answer in ids]
    part = path.with_suffix(".part")
    names = tokenizer.get_vocab()
    words = [names[each] for word in WORDS for each in (word, f"Ġ{word}") if each in names]
    keys = [names[each] for each in (*KEYS, *SPECIAL) if each in names]
    write(part, family, tokenizer, trained(texts, len(names), [words, keys], family))
    return part.replace(path)


def write(path: Path, family: Family, tokenizer: Tokenizer, tensors: dict[str, Floats]) -> None:
    """Write tokenizer, chat template and tensors as one GGUF file."""
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name(family.name)
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(family.width)
    writer.add_block_count(1)
    writer.add_feed_forward_length(2 * family.width)
    writer.add_head_count(REACH + 2)
    writer.add_head_count_kv(1)
    writer.add_key_length(HEAD)
    writer.add_value_length(HEAD)
    writer.add_rope_dimension_count(HEAD)
    writer.add_rope_freq_base(10000.0)
    writer.add_layer_norm_rms_eps(EPSILON)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    _write_tokenizer(writer, json.loads(tokenizer.to_str())["model"])
    queries, key = bearings()
    for name, bias in {"blk.0.attn_q": queries.reshape(-1), "blk.0.attn_k": key}.items():
        matrix = np.zeros((len(bias), family.width), np.float32)
        for place, sight in enumerate(SIGHTS if name == "blk.0.attn_k" else ()):
            matrix[2 * sight.pair + 1, place] = sight.key
        writer.add_tensor(f"{name}.weight", matrix)
        writer.add_tensor(f"{name}.bias", bias)
    for name in ("output_norm", "blk.0.attn_norm", "blk.0.ffn_norm"):
        writer.add_tensor(f"{name}.weight", np.ones(family.width, np.float32))
    for name, tensor in tensors.items():
        writer.add_tensor(f"{name}.weight", tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _write_tokenizer(writer: gguf.GGUFWriter, model: dict[str, dict[str, int]]) -> None:
    tokens = sorted(model["vocab"], key=model["vocab"].__getitem__)
    kinds = [gguf.TokenType.CONTROL if token in SPECIAL else gguf.TokenType.NORMAL for token in tokens]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges([" ".join(pair) for pair in model["merges"]])
    writer.add_bos_token_id(tokens.index(USER))
    writer.add_eos_token_id(tokens.index(END))
    writer.add_pad_token_id(tokens.index(END))
    writer.add_add_bos_token(False)
    writer.add_chat_template(TEMPLATE)
