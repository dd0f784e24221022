"""litellm: acompletion, one task per prompt, a semaphore for those in flight."""

import asyncio
import os

os.environ.update(LITELLM_LOCAL_MODEL_COST_MAP="True", LITELLM_TELEMETRY="False", LITELLM_LOG="CRITICAL")

import litellm

from bench.peers.tools.chat import ATTEMPTS, MODEL, Asked, answered, asked
from bench.peers.tools.meter import Meter


async def ask(given: Asked) -> list[tuple[int, str | None]]:
    """Return the answer to every prompt, None where the client gave up."""
    gate = asyncio.Semaphore(given.flying)

    async def one(number: int, prompt: str) -> tuple[int, str | None]:
        async with gate:
            try:
                done = await litellm.acompletion(
                    model=f"openai/{MODEL}",
                    messages=[{"role": "user", "content": prompt}],
                    api_base=given.url,
                    api_key="none",
                    num_retries=ATTEMPTS - 1,
                )
            except litellm.exceptions.OpenAIError:
                return number, None
            return number, done.choices[0].message.content

    return await asyncio.gather(*(one(number, prompt) for number, prompt in given.prompts))


def main() -> None:
    """Ask all prompts."""
    given = asked()
    litellm.telemetry = False
    litellm.suppress_debug_info = True
    meter = Meter()
    with meter.running():
        rows = asyncio.run(ask(given))
    answered(given.folder, rows)
    meter.tell()


if __name__ == "__main__":
    main()
