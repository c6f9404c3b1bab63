"""Sets of hosts, ports, subnets and decoys as the bits of one signed integer, as wide as they need."""

from __future__ import annotations

import numpy as np

MAX_BITS = 63
"""The sign is left alone, so that masks mix with plain integers."""


def mask_type(num_bits: int) -> np.dtype[np.signedinteger]:
    """The narrowest integer that holds a mask of so many bits: what fits into a processor's caches is quick."""
    return np.dtype(np.int16 if num_bits < 16 else np.int32 if num_bits < 32 else np.int64)
