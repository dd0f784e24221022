"""bespokelabs-curator: curator.LLM over a data set, its own online request processor."""

import os
import sys
import sysconfig
from typing import Any

# It looks the tokeniser's file up on the network, but for the copy inside litellm, which it depends on.
os.environ.update(
    TIKTOKEN_CACHE_DIR=f"{sysconfig.get_path('purelib')}/litellm/litellm_core_utils/tokenizers",
    CURATOR_CACHE_DIR=f"{sys.argv[2]}/cache",
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


class Asker(curator.LLM):  # type: ignore[misc]  # it is not known here
    """One prompt per row, one answer per row."""

    def prompt(self, row: dict[str, Any]) -> str:
        """Return the prompt of a row."""
        return str(row["prompt"])

    def parse(self, row: dict[str, Any], response: str) -> dict[str, Any]:
        """Return the row of an answer."""
        return {"id": row["id"], "answer": response}


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
                # A row that is given up is to be missing, not the end of the run.
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
