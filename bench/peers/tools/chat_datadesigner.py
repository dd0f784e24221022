"""data-designer: the prompts as a seed data set, one column of text by a model behind a provider of its own."""

import logging
import os
import sys

os.environ.update(NEMO_TELEMETRY_ENABLED="false", DATA_DESIGNER_HOME=f"{sys.argv[2]}/home")

import data_designer.config as dd
import pandas as pd
from data_designer.interface import DataDesigner

from bench.peers.tools.chat import MODEL, Asked, answered, asked
from bench.peers.tools.meter import Meter


def ask(given: Asked) -> list[tuple[int, str | None]]:
    """Return the answer to every prompt that is in the data set it makes."""
    inference = dd.ChatCompletionInferenceParams(max_parallel_requests=given.flying)
    model = dd.ModelConfig(alias="asked", model=MODEL, provider="local", inference_parameters=inference)
    builder = dd.DataDesignerConfigBuilder(model_configs=[model])
    builder.with_seed_dataset(dd.DataFrameSeedSource(df=pd.DataFrame(given.prompts, columns=["number", "asked"])))
    builder.add_column(dd.LLMTextColumnConfig(name="answer", prompt="{{ asked }}", model_alias="asked"))
    provider = dd.ModelProvider(name="local", endpoint=given.url, api_key="none")
    designer = DataDesigner(artifact_path=given.folder / "artifacts", model_providers=[provider])
    # Ten requests of which most fail would end the run; the faults here are not that many, but so no peer is cut short.
    designer.set_run_config(dd.RunConfig(disable_early_shutdown=True, otel_metrics_port=None))
    found = designer.create(builder, num_records=len(given.prompts)).load_dataset()
    return list(zip(found["number"].tolist(), found["answer"].tolist(), strict=True))


def main() -> None:
    """Ask all prompts."""
    given = asked()
    logging.disable(logging.WARNING)
    meter = Meter()
    with meter.running():
        rows = ask(given)
    answered(given.folder, rows)
    meter.tell()


if __name__ == "__main__":
    main()
