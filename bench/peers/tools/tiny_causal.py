"""Make a tiny chat model that transformers can serve: python -m bench.peers.tools.tiny_causal FOLDER.

Two layers of a Llama on bytes merged into 1024 tokens, trained for some seconds on the first lines of the answers of
examples/quickstart/real.jsonl: long enough to end its answers by itself, which random weights never do. Everything is
seeded.
"""

import argparse
import json
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

ROOT = Path(__file__).resolve().parents[3]
SEED, STEPS, BATCH, LENGTH = 0, 200, 8, 64
PAD, USER, ASSISTANT, END = "<|pad|>", "<|user|>", "<|assistant|>", "<|end|>"
TEMPLATE = (
    "{% for message in messages %}{% if message.role == 'assistant' %}"
    + ASSISTANT
    + "{% else %}"
    + USER
    + "{% endif %}"
    "{{ message.content }}" + END + "{% endfor %}{% if add_generation_prompt %}" + ASSISTANT + "{% endif %}"
)


def pairs() -> list[tuple[str, str]]:
    """Return the questions with the first lines of their answers."""
    rows = map(json.loads, (ROOT / "examples" / "quickstart" / "real.jsonl").read_text("utf-8").splitlines())
    return [(row["question"], row["answer"].splitlines()[0]) for row in rows]


def tokeniser(texts: list[str]) -> PreTrainedTokenizerFast:
    """Return a byte-level tokeniser of 1024 tokens with the chat template."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    special, letters = [PAD, USER, ASSISTANT, END], pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=1024, special_tokens=special, initial_alphabet=letters, show_progress=False
    )
    made.train_from_iterator(texts, trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token=PAD, eos_token=END, additional_special_tokens=[USER, ASSISTANT]
    )
    fast.chat_template = TEMPLATE
    return fast


def trained(rows: torch.Tensor, size: int, end: int, pad: int) -> LlamaForCausalLM:
    """Return the model after STEPS batches of rows of tokens."""
    torch.manual_seed(SEED)
    # So small a model loses more by handing work between threads than it gains.
    torch.set_num_threads(1)
    config = LlamaConfig(
        vocab_size=size, hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=4, max_position_embeddings=1024, tie_word_embeddings=True, bos_token_id=None,
        eos_token_id=end, pad_token_id=pad,
    )  # fmt: skip
    model = LlamaForCausalLM(config)
    steps = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(STEPS):
        batch = rows[torch.randint(len(rows), (BATCH,))]
        model(input_ids=batch, labels=batch.masked_fill(batch == pad, -100)).loss.backward()
        steps.step()
        steps.zero_grad()
    return model


def main() -> None:
    """Train and save."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    given = parser.parse_args()
    found = pairs()
    fast = tokeniser([text for pair in found for text in pair])
    # The answer stays whole, with its end: what is too long loses the beginning of its question.
    texts = [f"{question[-40:]}{END}{ASSISTANT}{answer[:80]}{END}" for question, answer in found]
    rows = [[fast.convert_tokens_to_ids(USER), *fast.encode(text)][:LENGTH] for text in texts]
    pad, end = fast.pad_token_id, fast.eos_token_id
    filled = torch.tensor([row + [pad] * (LENGTH - len(row)) for row in rows])
    model = trained(filled, len(fast), end, pad)
    # What is drawn is decided by each request.
    model.generation_config.do_sample = True
    model.save_pretrained(given.folder)
    fast.save_pretrained(given.folder)
    print(sum(weight.numel() for weight in model.parameters()))


if __name__ == "__main__":
    main()
