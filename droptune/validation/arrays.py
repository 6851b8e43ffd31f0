"""Whether numpy is there, which comes with the fast counter."""

from __future__ import annotations

import os
from importlib.util import find_spec

# To be said before numpy is loaded: its threads for products of matrices, of which there are none
# here, wait busily for a while at the start of each process.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def has_numpy() -> bool:
    """Whether numpy is installed; it is loaded only where many numbers are worth it."""
    return find_spec("numpy") is not None
