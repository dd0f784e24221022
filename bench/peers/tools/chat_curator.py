"""bespokelabs-curator: curator.LLM over a data set, its own online request processor."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

_FOLDER = Path(sys.argv[2])
_TOKENS = Path(str((find_spec("litellm") or sys).origin)).parent / "litellm_core_utils" / "tokenizers"
# It looks the tokeniser's file up on the network, but for the copy inside litellm, which it depends on.
os.environ.update(
    TIKTOKEN_CACHE_DIR=str(_TOKENS),
    CURATOR_CACHE_DIR=str(_FOLDER / "cache"),
    CURATOR_DISABLE_RICH_DISPLAY="1",
    CURATOR_VIEWER="0",
    TELEMETRY_ENABLED="false",
    LITELLM_LOCAL_MODEL_COST_MAP="True",
    OPENAI_API_KEY="none",
)

from bespokelabs import curator
from datasets import Dataset

from bench.peers.tools.chat import ATTEMPTS, MODEL, UNLIMITED, answered, asked
from bench.peers.tools.meter import Meter


class Asker(curator.LLM):
    """One prompt per row, one answer per row."""

    def prompt(self, input: dict) -> str:
        """Return the prompt of a row."""
        return str(input["prompt"])

    def parse(self, input: dict, response: str) -> dict:
        """Return the row of an answer."""
        return {"id": input["id"], "answer": response}


def main() -> None:
    """Ask all prompts."""
    given = asked()
    rows = Dataset.from_list([{"id": number, "prompt": prompt} for number, prompt in given.prompts])
    meter = Meter()
    with meter.running():
        asker = Asker(
            model_name=MODEL,
            backend="openai",
            backend_params={
                "base_url": given.url,
                "max_concurrent_requests": given.flying,
                "max_requests_per_minute": UNLIMITED,
                "max_tokens_per_minute": UNLIMITED * 1000,
                "max_retries": ATTEMPTS - 1,
                "require_all_responses": False,
                "seconds_to_pause_on_rate_limit": 1,
            },
        )
        found = asker(rows).dataset
        answers = list(zip(found["id"], found["answer"], strict=True))
    answered(given.folder, answers)
    meter.tell()


if __name__ == "__main__":
    main()
