"""`python -m matching solve` and `check`: from files to files (docs/matching.md)."""

from __future__ import annotations

import signal

# Before anything slow is loaded: whoever ends this process gets the best plan so far.
ENDING = {signal.SIGTERM, signal.SIGINT}
signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)

import sys  # noqa: E402

from matching.commands import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], ENDING))
