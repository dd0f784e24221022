"""A judge is kept from what its own kind wrote, and from nobody else."""

import pytest

from holdfast.models.kinship import Kin, relation


@pytest.mark.parametrize(
    ("judge", "generator", "expected"),
    [
        (Kin("Qwen/Qwen3-8B"), Kin("qwen3-8b-awq"), "is the same model"),
        (Kin("Qwen/Qwen3-8B"), Kin("Qwen2.5-0.5B"), "is of the same family, qwen"),
        (Kin("Qwen/Qwen3-8B"), Kin("my-tune", "qwen"), "is of the same family, qwen"),
        (Kin("DeepSeek-R1-Distill-Llama-8B"), Kin("deepseek-v3"), "learned from the family deepseek"),
        (Kin("deepseek-v3"), Kin("DeepSeek-R1-Distill-Llama-8B"), "taught it: the family deepseek"),
        (Kin("gpt-4o"), Kin("vicuna-13b"), "taught it: the family gpt"),
        (Kin("gpt-4o"), Kin("Qwen3-8B"), None),
        (Kin("heron"), Kin("plover"), None),
        (Kin("heron", "waders"), Kin("plover", "waders"), "is of the same family, waders"),
        (Kin("gpt-4o"), Kin("reasoning-gym/chain_sum@1", "reasoning-gym"), None),
    ],
)
def test_relations(judge: Kin, generator: Kin, expected: str | None) -> None:
    """Same model, same family by name or declaration, taught by or teacher of; unknown families are nobody's kin."""
    assert expected == relation(judge, generator)
