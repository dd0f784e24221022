"""Settings of runners: where work is done. An unknown key is an error, as in all settings (`core.settings`)."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

CONFIG = ConfigDict(extra="forbid", frozen=True)


class OnThisMachine(BaseModel):
    """Work in processes of this machine: at most `workers`, and as many as fit into `memory` (such as 2GiB)."""

    model_config = CONFIG

    workers: Annotated[int, Field(ge=1)] | None = None
    memory: Annotated[str, Field(pattern=r"^\d+(\.\d+)?(MiB|GiB|TiB)$")] | None = None


class OnRay(BaseModel):
    """Work on a Ray cluster that is there: `ray` is auto, HOST:PORT or ray://HOST:PORT.

    `token_env` is the name of the variable that holds its token; `without_token` takes a cluster that asks for none.
    """

    model_config = CONFIG

    ray: Annotated[str, Field(min_length=1)]
    token_env: Annotated[str, Field(min_length=1)] = "RAY_AUTH_TOKEN"  # noqa: S105  # a name
    without_token: bool = False
