"""The decorators of compiled kernels: compiled when first called, kept on disk for the next process.

numba keeps compiled code beside the source or, where that cannot be written (a system-wide installation), in the cache
folder of the user; where neither can be, a kernel is compiled anew in each process.
"""

from collections.abc import Callable
from functools import cached_property
from importlib import import_module
from typing import Any


def kernel(function: Callable[..., Any]) -> Any:
    """Return the compiled form of a function on numbers and arrays; it holds no lock that would stop other threads."""
    # 60 MB and a tenth of a second, which a command on small data never needs.
    numba = import_module("numba")
    try:
        return numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:  # numba found no folder that it may write to
        return numba.njit(nogil=True)(function)


class Late:
    """A kernel whose module costs nothing to import: `py_func` is the plain function, a call the compiled one.

    For modules that every command imports; a kernel that another one calls is a plain `kernel`.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.py_func = function

    @cached_property
    def _compiled(self) -> Any:
        return kernel(self.py_func)

    def __call__(self, *arguments: Any) -> Any:
        """Call the compiled function."""
        return self._compiled(*arguments)
