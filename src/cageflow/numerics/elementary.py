"""Exponential, logarithm and hyperbolic tangent from additions, products and divisions alone.

The C library's differ from processor to processor in their last bit. Series are Taylor's, on an interval so short that
what is left out lies below the rounding; the reduction to it is Cody and Waite's.
"""

import math

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from cageflow.numerics.plain import JIT_DISABLED

_LOG2_E = 1.4426950408889634
_LN2_HIGH, _LN2_LOW = 0.6931471803691238, 1.9082149292705877e-10  # sum ln 2; the first has 21 zero bits at its end
_TO_WHOLE = 6755399441055744.0  # 1.5 * 2**52: adding it rounds to whole numbers
_LEAST, _MOST = -708.0, 709.0  # beyond them the result is no normal number
_HALF_BITS = 52
_MANTISSA = (1 << _HALF_BITS) - 1
_ONE_BITS = 1023 << _HALF_BITS
_WHOLE_BITS = 1075 << _HALF_BITS  # of 2**52
_WHOLE = 4503599627370496.0 + 1023.0
_SQRT_2 = 1.4142135623730951

_SMALL_LOG2_E = np.float32(_LOG2_E)
_SMALL_LN2_HIGH, _SMALL_LN2_LOW = np.float32(0.693145751953125), np.float32(1.4286068203094172e-06)
_SMALL_TO_WHOLE = np.float32(12582912.0)  # 1.5 * 2**23
_SMALL_LEAST = np.float32(-87.0)
_TANH_IS_ONE = np.float32(9.1)
_F0, _F1, _F2 = np.float32(0.0), np.float32(1.0), np.float32(2.0)
_C2, _C3, _C4, _C5, _C6, _C7, _C8 = (np.float32(1.0 / math.factorial(n)) for n in range(2, 9))


if JIT_DISABLED:

    def fma(a, b, c):
        """The same in plain Python, for a debugger: rounded twice."""
        return type(a)(np.float64(a) * np.float64(b) + np.float64(c))

    def power_of_two(n):
        """The same in plain Python."""
        return np.float32(math.ldexp(1.0, int(n))) if math.isfinite(n) else np.float32(n)

    def bits_of(x: float) -> int:
        """The same in plain Python."""
        return int(np.float64(x).view(np.int64))

    def number_of(bits) -> float:
        """The same in plain Python."""
        return float(np.uint64(int(bits) & 0xFFFF_FFFF_FFFF_FFFF).view(np.float64))

else:

    @intrinsic
    def fma(context, a, b, c):
        """A * b + c, rounded once; all three float32 or all float64."""

        def generate(context, builder, signature, args):
            return builder.fma(*args)

        return a(a, a, a), generate

    @intrinsic
    def power_of_two(context, n):
        """2 to the power of a whole float32 of -126 to 127, as float32."""

        def generate(context, builder, signature, args):
            word = ir.IntType(32)
            exponent = builder.add(builder.fptosi(args[0], word), word(127))
            return builder.bitcast(builder.shl(exponent, word(23)), ir.FloatType())

        return types.float32(types.float32), generate

    @intrinsic
    def bits_of(context, x):
        """The bits of a float64 as int64."""

        def generate(context, builder, signature, args):
            return builder.bitcast(args[0], cgutils.intp_t)

        return types.int64(types.float64), generate

    @intrinsic
    def number_of(context, bits):
        """The float64 of int64 bits."""

        def generate(context, builder, signature, args):
            return builder.bitcast(args[0], ir.DoubleType())

        return types.float64(types.int64), generate


@njit(nogil=True, error_model="numpy")
def exp(x: float) -> float:
    """E to the power of a float64, to the last bit or the one beside it; 0 below -708, infinite above 709.

    A loop of it vectorises, like those of the functions below.
    """
    y = _LEAST if x < _LEAST else x
    y = _MOST if y > _MOST else y
    shifted = fma(y, _LOG2_E, _TO_WHOLE)  # its lowest bits are the whole number
    n = shifted - _TO_WHOLE
    r = fma(-n, _LN2_LOW, fma(-n, _LN2_HIGH, y))
    p = 1.0 / 6227020800.0
    p = fma(p, r, 1.0 / 479001600.0)
    p = fma(p, r, 1.0 / 39916800.0)
    p = fma(p, r, 1.0 / 3628800.0)
    p = fma(p, r, 1.0 / 362880.0)
    p = fma(p, r, 1.0 / 40320.0)
    p = fma(p, r, 1.0 / 5040.0)
    p = fma(p, r, 1.0 / 720.0)
    p = fma(p, r, 1.0 / 120.0)
    p = fma(p, r, 1.0 / 24.0)
    p = fma(p, r, 1.0 / 6.0)
    p = fma(p, r, 0.5)
    p = fma(p, r, 1.0)
    p = fma(p, r, 1.0)
    p = p * number_of((bits_of(shifted) << _HALF_BITS) + _ONE_BITS)
    p = 0.0 if x < _LEAST else p
    return math.inf if x > _MOST else p


@njit(nogil=True, error_model="numpy")
def log(x: float) -> float:
    """Natural logarithm of a float64 that is 0 or a normal number, to the last bit or the one beside it."""
    bits = bits_of(x)
    exponent = number_of((bits >> _HALF_BITS) | _WHOLE_BITS) - _WHOLE  # a whole number as the lowest bits of 2**52
    m = number_of((bits & _MANTISSA) | _ONE_BITS)
    is_high = m > _SQRT_2
    m = 0.5 * m if is_high else m
    exponent = exponent + 1.0 if is_high else exponent
    s = (m - 1.0) / (m + 1.0)
    z = s * s
    p = 1.0 / 23.0
    p = fma(p, z, 1.0 / 21.0)
    p = fma(p, z, 1.0 / 19.0)
    p = fma(p, z, 1.0 / 17.0)
    p = fma(p, z, 1.0 / 15.0)
    p = fma(p, z, 1.0 / 13.0)
    p = fma(p, z, 1.0 / 11.0)
    p = fma(p, z, 1.0 / 9.0)
    p = fma(p, z, 1.0 / 7.0)
    p = fma(p, z, 1.0 / 5.0)
    p = fma(p, z, 1.0 / 3.0)
    p = fma(p * z, 2.0 * s, 2.0 * s)
    result = fma(exponent, _LN2_HIGH, fma(exponent, _LN2_LOW, p))
    result = result if x < math.inf else x
    result = -math.inf if x == 0.0 else result
    return result if x >= 0.0 else math.nan


@njit(nogil=True, error_model="numpy")
def small_exp(x: np.float32) -> np.float32:
    """E to the power of a float32 of at most 0, within two of its last place; 0 below -87. A loop of it vectorises."""
    y = _SMALL_LEAST if x < _SMALL_LEAST else x
    n = fma(y, _SMALL_LOG2_E, _SMALL_TO_WHOLE) - _SMALL_TO_WHOLE
    r = fma(-n, _SMALL_LN2_LOW, fma(-n, _SMALL_LN2_HIGH, y))
    p = fma(_C7, r, _C6)
    p = fma(p, r, _C5)
    p = fma(p, r, _C4)
    p = fma(p, r, _C3)
    p = fma(p, r, _C2)
    p = fma(p, r, _F1)
    p = fma(p, r, _F1) * power_of_two(n)
    return _F0 if x < _SMALL_LEAST else p


@njit(nogil=True, error_model="numpy")
def small_tanh(x: np.float32) -> np.float32:
    """Hyperbolic tangent of a float32, within four of its last place. A loop of it vectorises."""
    a = abs(x)
    a = _TANH_IS_ONE if a > _TANH_IS_ONE else a
    y = a + a
    n = fma(y, _SMALL_LOG2_E, _SMALL_TO_WHOLE) - _SMALL_TO_WHOLE
    r = fma(-n, _SMALL_LN2_LOW, fma(-n, _SMALL_LN2_HIGH, y))
    p = fma(_C8, r, _C7)
    p = fma(p, r, _C6)
    p = fma(p, r, _C5)
    p = fma(p, r, _C4)
    p = fma(p, r, _C3)
    p = fma(p, r, _C2)
    p = fma(p * r, r, r)  # e**r - 1, exact near 0
    scale = power_of_two(n)
    p = fma(scale, p, scale - _F1)  # e**y - 1
    t = p / (p + _F2)
    return -t if x < _F0 else t
