"""openai: AsyncOpenAI with its default transport, one task per prompt, a semaphore for those in flight."""

import asyncio

from openai import AsyncOpenAI, OpenAIError

from bench.peers.tools.chat import ATTEMPTS, MODEL, Asked, answered, asked
from bench.peers.tools.meter import Meter


async def ask(given: Asked) -> list[tuple[int, str | None]]:
    """Return the answer to every prompt, None where the client gave up."""
    gate = asyncio.Semaphore(given.flying)
    async with AsyncOpenAI(base_url=given.url, api_key="none", max_retries=ATTEMPTS - 1) as client:

        async def one(number: int, prompt: str) -> tuple[int, str | None]:
            async with gate:
                try:
                    done = await client.chat.completions.create(
                        model=MODEL, messages=[{"role": "user", "content": prompt}]
                    )
                except OpenAIError:
                    return number, None
                return number, done.choices[0].message.content

        return await asyncio.gather(*(one(number, prompt) for number, prompt in given.prompts))


def main() -> None:
    """Ask all prompts."""
    given = asked()
    meter = Meter()
    with meter.running():
        rows = asyncio.run(ask(given))
    answered(given.folder, rows)
    meter.tell()


if __name__ == "__main__":
    main()
