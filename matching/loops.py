"""How loops are compiled (Numba): kept on disk if they can be, and without the interpreter lock."""

from __future__ import annotations

import numba
from numba import njit

# These loops chase lists and seldom sum arrays: more optimization makes them slower by half.
numba.config.OPT = type(numba.config.OPT)(1)  # type: ignore[attr-defined]


def _probe() -> None:
    """Compiled by nobody; asked for a place to keep it in."""


def _can_be_kept() -> bool:
    """Whether there is a folder to write to: this package's, the user's or NUMBA_CACHE_DIR."""
    try:
        njit(cache=True)(_probe)
    except RuntimeError:
        return False
    return True


KEPT = _can_be_kept()

loop = njit(nogil=True, cache=KEPT)
# For what only other loops call; making it callable from Python takes longer than compiling it.
UNWRAPPED = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
inner_loop = njit(nogil=True, cache=KEPT, **UNWRAPPED)  # type: ignore[call-overload]
# For what is called at one place or two, or is a line or two: compiled there only.
inlined = njit(nogil=True, cache=KEPT, inline="always")
