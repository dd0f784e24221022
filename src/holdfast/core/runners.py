"""Which runner is meant: by the settings, or in one word on the command line.

local                            the processes of this machine
local,workers=2,memory=2GiB      at most two, and as many as fit into the memory
ray:auto  ray:HOST:PORT          a Ray cluster that this machine is part of
ray://HOST:PORT                  a Ray cluster elsewhere, through its client server
my_module:Class                  your own
"""

import re
from typing import Any, Literal

from pydantic import ValidationError

from holdfast.core.engine import TASK_MEMORY, LocalRunner, Runner
from holdfast.core.errors import UsageError
from holdfast.core.plugins import load
from holdfast.core.where import OnRay, OnThisMachine

RAY = "holdfast.integrations.ray:RayRunner"
BYTES = {"MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}

Wanted = Literal["local"] | OnThisMachine | OnRay


def runner_of(wanted: Wanted | str) -> Runner:
    """Return the runner that is asked for. Raises `UsageError` for one that cannot be meant, before any work."""
    chosen = _parsed(wanted) if isinstance(wanted, str) else wanted
    if isinstance(chosen, OnThisMachine):
        return _local(chosen)
    made: Runner
    if isinstance(chosen, OnRay):
        made = load(RAY)(chosen.ray, chosen.token_env, without_token=chosen.without_token)
    else:
        made = load(chosen)()
    return made


def chosen(given: str | None, wanted: Wanted) -> Runner:
    """Return the runner of the command line where one is given, else that of the settings."""
    return runner_of(wanted if given is None else given)


def _parsed(text: str) -> OnThisMachine | OnRay | str:
    """Read NAME[,KEY=VALUE]...; what is neither local nor ray is the name of a class."""
    name, *pairs = text.split(",")
    values: dict[str, Any] = {key: value for key, _, value in (pair.partition("=") for pair in pairs)}
    kind: type[OnThisMachine | OnRay] = OnThisMachine
    if re.match(r"ray(:|$)", name):
        kind, values = OnRay, {**values, "ray": name if "//" in name else name[4:] or "auto"}
    elif name != "local":
        return text
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        fault = error.errors()[0]
        what = f"--runner {text!r}: {'.'.join(map(str, fault['loc']))}: {fault['msg']}."
        keys = ", ".join(key for key in kind.model_fields if key != "ray")
        raise UsageError(
            what, f"After the name there may be, with commas: {keys}. For example local,workers=2."
        ) from None


def _local(asked: OnThisMachine) -> LocalRunner:
    workers = asked.workers or LocalRunner().workers
    if asked.memory is None:
        return LocalRunner(workers)
    number, unit = float(asked.memory[:-3]), asked.memory[-3:]
    fit = int(number * BYTES[unit]) // TASK_MEMORY
    if not fit:
        raise UsageError(
            f"runner.memory is {asked.memory}, and one worker needs {TASK_MEMORY >> 20} MiB.", "Give it more."
        )
    return LocalRunner(min(workers, fit))
