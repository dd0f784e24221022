"""Parts by name: a built-in, an installed entry point, or a user's own "module:function"."""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from holdfast.core.errors import UsageError, nearest


def load(target: str) -> Callable[..., Any]:
    """Return the callable named by "package.module:function"; modules beside the working folder are found too."""
    module_name, _, attribute = target.partition(":")
    if not attribute:
        raise UsageError(f"{target!r} is not of the form module:function.", "Write for example my_checks:ends_well.")
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.append(here)
    try:
        found = getattr(import_module(module_name), attribute)
    except (ImportError, AttributeError) as error:
        remedy = "Check the spelling and the working folder."
        raise UsageError(f"{target!r} cannot be loaded: {error}.", remedy) from error
    if not callable(found):
        raise UsageError(f"{target!r} is a {type(found).__name__}, not a function.", "Name a function or class.")
    return found  # type: ignore[no-any-return]  # whatever a user's module holds is only known to be callable


def find(group: str, name: str, builtin: Mapping[str, str]) -> Callable[..., Any]:
    """Return the part `name` of a group: own "module:function", built-in, or entry point holdfast.<group>."""
    if ":" in name:
        return load(name)
    if name in builtin:
        return load(builtin[name])
    installed = {point.name: point for point in entry_points(group=f"holdfast.{group}")}
    if name in installed:
        return installed[name].load()  # type: ignore[no-any-return]  # entry points are untyped by nature
    raise UsageError(f"There is no {group.removesuffix('s')} {name!r}.", nearest(name, [*builtin, *installed]))
