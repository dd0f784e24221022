"""The decorator of compiled kernels: compiled when first called, kept on disk for the next process.

numba keeps compiled code beside the source or, where that cannot be written (a system-wide installation), in the cache
folder of the user; where neither can be, a kernel is compiled anew in each process. Importing this imports numba.
"""

from collections.abc import Callable
from typing import Any

import numba


def kernel(function: Callable[..., Any]) -> Any:
    """Return the compiled form of a function on numbers and arrays; it holds no lock that would stop other threads."""
    try:
        return numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:  # numba found no folder that it may write to
        return numba.njit(nogil=True)(function)
