"""What loads the package must not pay for the solver."""

from __future__ import annotations

import subprocess
import sys


def test_importing_matching_loads_neither_ortools_nor_numba_nor_numpy() -> None:
    code = (
        "import matching, matching.io, matching.check, sys;"
        "print([m for m in ('ortools', 'numba', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")
