"""What all tests share: where the shared data lies, and that a missing part is skipped in clear words."""

import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import settings

from tests.models import servers

# No test judges wall time: a slow machine is not a wrong answer.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

SHARED = Path(__file__).resolve().parents[2] / "shared"


def missing(what: str) -> None:
    """Skip because `what` is not there; where skips are forbidden (HOLDFAST_NO_SKIP=1) fail instead."""
    if os.environ.get("HOLDFAST_NO_SKIP") == "1":
        pytest.fail(f"{what} is missing, and skips are forbidden here")
    pytest.skip(f"{what} is not there")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data beside the checkout."""
    if not (SHARED / "data").is_dir():
        missing("../shared/data")
    return SHARED / "data"


@pytest.fixture(scope="session")
def local_models(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """{family: base URL} of two real servers that share no weights, texts or vocabulary."""
    if not all(map(find_spec, ("xllamacpp", "gguf", "tokenizers"))):
        missing("the extra [local] or tokenizers")
    with servers.script("serve").serving(servers.models_folder(pytestconfig, tmp_path_factory)) as addresses:
        yield addresses
