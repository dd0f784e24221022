"""distilabel: a pipeline of one TextGeneration over all prompts, its batches as large as what may be in flight."""

import logging
import os
import sys

os.environ.update(DISTILABEL_LOG_LEVEL="ERROR", DISTILABEL_CACHE_DIR=f"{sys.argv[2]}/cache")

from distilabel.models.llms import OpenAILLM
from distilabel.pipeline import Pipeline
from distilabel.steps import LoadDataFromDicts
from distilabel.steps.tasks import TextGeneration

from bench.peers.tools.chat import ATTEMPTS, MODEL, answered, asked
from bench.peers.tools.meter import Meter


def main() -> None:
    """Ask all prompts."""
    given = asked()
    logging.disable(logging.WARNING)
    rows = [{"id": number, "instruction": prompt} for number, prompt in given.prompts]
    meter = Meter()
    with meter.running():
        with Pipeline(name="throughput", cache_dir=f"{given.folder}/pipelines") as pipeline:
            load = LoadDataFromDicts(data=rows, batch_size=given.flying)
            llm = OpenAILLM(model=MODEL, base_url=given.url, api_key="none", max_retries=ATTEMPTS - 1)
            load >> TextGeneration(llm=llm, input_batch_size=given.flying)
        found = pipeline.run(use_cache=False)["default"]["train"]
        answers = list(zip(found["id"], found["generation"], strict=True))
    answered(given.folder, answers)
    meter.tell()


if __name__ == "__main__":
    main()
