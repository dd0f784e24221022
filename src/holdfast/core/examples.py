"""Where the examples lie: inside the installed package, or beside it in a checkout."""

from pathlib import Path

import holdfast
from holdfast.core.errors import MachineError, UsageError, nearest


def folder() -> Path:
    """Return the folder of the examples. Raises `MachineError` when the installation lacks them."""
    package = Path(holdfast.__file__).parent
    for place in (package / "examples", package.parents[1] / "examples"):
        if place.is_dir():
            return place
    raise MachineError("This installation has no examples.", "Install holdfast again from a wheel or a checkout.")


def example(name: str) -> Path:
    """Return the folder of one example."""
    place = folder()
    known = sorted(each.name for each in place.iterdir() if (each / "holdfast.yaml").exists())
    if name not in known:
        raise UsageError(f"There is no example {name!r}.", nearest(name, known))
    return place / name
