"""${NAME} in settings: filled from the environment in the two places that declare it, and nowhere else."""

import os
import re
from typing import Any

from holdfast.core.errors import UsageError


def filled(values: dict[str, Any]) -> dict[str, Any]:
    """Fill ${NAME} in the two places that declare it: base_url and headers of a model."""
    models = values.get("models")
    for model in models.values() if isinstance(models, dict) else ():
        if isinstance(model, dict):
            if isinstance(model.get("base_url"), str):
                model["base_url"] = _fill(model["base_url"])
            if isinstance(model.get("headers"), dict):
                model["headers"] = {key: _fill(str(value)) for key, value in model["headers"].items()}
    return values


def _fill(text: str) -> str:
    def value(match: re.Match[str]) -> str:
        if match[1] not in os.environ:
            raise UsageError(f"${{{match[1]}}} is not set in the environment.", f"export {match[1]}=...")
        return os.environ[match[1]]

    return re.sub(r"\$\{(\w+)\}", value, text)
