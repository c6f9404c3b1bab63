"""What a matrix product is made of, in vectors of eight float32 that stay in registers.

The compiler's own vectorising keeps no sums in registers and may not reorder them, so these are written in its
intermediate language. All arrays are one-dimensional and contiguous; a matrix is a place in one and a distance between
rows. Widths are multiples of `LANES`, filled up with zeros.
"""

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from cageflow.numerics.plain import JIT_DISABLED

LANES = 8
_FLOAT = ir.FloatType()
_VECTOR = ir.VectorType(_FLOAT, LANES)
_DOUBLES = ir.VectorType(ir.DoubleType(), LANES)
_WORDS = ir.VectorType(ir.IntType(32), LANES)
_BYTES = ir.VectorType(ir.IntType(8), LANES)
_INT = cgutils.intp_t


def _pointer(context, builder, array_type, array):
    """The address of the first element of an array."""
    return context.make_array(array_type)(context, builder, array).data


def _at(builder, pointer, offset):
    return builder.gep(pointer, [offset])


def _load(builder, pointer, kind):
    value = builder.load(builder.bitcast(pointer, kind.as_pointer()))
    value.align = 1 if kind.element == ir.IntType(8) else 4
    return value


def _store(builder, value, pointer) -> None:
    builder.store(value, builder.bitcast(pointer, value.type.as_pointer())).align = 4


def _splat(builder, scalar, lanes: int = LANES):
    single = builder.insert_element(ir.Constant(ir.VectorType(scalar.type, lanes), ir.Undefined), scalar, _i32(0))
    return builder.shuffle_vector(single, single, ir.Constant(ir.VectorType(ir.IntType(32), lanes), [0] * lanes))


def _fma(builder, a, b, c):
    """A * b + c in each lane, rounded once."""
    kind = ir.FunctionType(_VECTOR, [_VECTOR] * 3)
    function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.fma.v{LANES}f32")
    return builder.call(function, [a, b, c])


def _i32(value: int):
    return ir.IntType(32)(value)


def _sum_lanes(builder, vector):
    """The sum of the lanes: each and the fourth after it, then the second, then the next."""
    for half in (4, 2, 1):
        places = ir.Constant(_WORDS, [(lane + half) % LANES for lane in range(LANES)])
        vector = builder.fadd(vector, builder.shuffle_vector(vector, vector, places))
    return builder.extract_element(vector, _i32(0))


def _loop(builder, start, stop, values, body):
    """Carry `values` through `body(i, values)` for start <= i < stop, in registers.

    `start` and `stop` are numbers of the compiled program. Returns the values after the last turn.
    """
    before = builder.block
    head = builder.append_basic_block("turn")
    inside = builder.append_basic_block("body")
    after = builder.append_basic_block("done")
    builder.branch(head)
    builder.position_at_end(head)
    i = builder.phi(_INT)
    i.add_incoming(start, before)
    carried = [builder.phi(value.type) for value in values]
    for phi, value in zip(carried, values, strict=True):
        phi.add_incoming(value, before)
    builder.cbranch(builder.icmp_signed("<", i, stop), inside, after)
    builder.position_at_end(inside)
    changed = body(i, carried)
    i.add_incoming(builder.add(i, _INT(1)), builder.block)
    for phi, value in zip(carried, changed, strict=True):
        phi.add_incoming(value, builder.block)
    builder.branch(head)
    builder.position_at_end(after)
    return carried


def _make_tile(num_rows: int, num_vectors: int):
    """A function that adds a product to a tile of `num_rows` x 8 * `num_vectors`."""

    @intrinsic
    def tile(
        context,
        a,
        a_at,
        a_row,
        a_k,
        b,
        b_at,
        b_k,
        start,
        start_at,
        start_row,
        c,
        c_at,
        c_row,
        num_k,
    ):
        """C = start + A B for one tile of C, see `multiply`."""

        def generate(context, builder, signature, args):
            a, b, start, c = (_pointer(context, builder, signature.args[i], args[i]) for i in (0, 4, 7, 10))
            a_row, a_k, b_k, start_row, c_row = (args[i] for i in (2, 3, 6, 9, 12))
            a, b = _at(builder, a, args[1]), _at(builder, b, args[5])
            start, c = _at(builder, start, args[8]), _at(builder, c, args[11])

            def places(first, between):
                return [
                    _at(builder, first, builder.add(builder.mul(between, _INT(row)), _INT(LANES * v)))
                    for row in range(num_rows)
                    for v in range(num_vectors)
                ]

            def body(k, sums):
                b_row = _at(builder, b, builder.mul(k, b_k))
                right = [_load(builder, _at(builder, b_row, _INT(LANES * v)), _VECTOR) for v in range(num_vectors)]
                column = _at(builder, a, builder.mul(k, a_k))
                changed = []
                for row in range(num_rows):
                    left = builder.load(_at(builder, column, builder.mul(a_row, _INT(row))))
                    left = _splat(builder, left)
                    changed += [_fma(builder, left, right[v], sums[row * num_vectors + v]) for v in range(num_vectors)]
                return changed

            first = [_load(builder, place, _VECTOR) for place in places(start, start_row)]
            sums = _loop(builder, _INT(0), args[13], first, body)
            for value, place in zip(sums, places(c, c_row), strict=True):
                _store(builder, value, place)
            return context.get_dummy_value()

        i = types.int64
        return types.void(a, i, i, i, b, i, i, start, i, i, c, i, i, i), generate

    return tile


def _make_gather(num_vectors: int):
    """A function that adds rows of 8 * `num_vectors` to one such row."""

    @intrinsic
    def gather(
        context,
        source,
        source_at,
        row,
        idx,
        begin,
        end,
        start,
        start_at,
        out,
        out_at,
    ):
        """The sum of what stands at `start_at` and of the rows `idx[begin:end]`, `row` apart."""

        def generate(context, builder, signature, args):
            source, idx, start, out = (_pointer(context, builder, signature.args[i], args[i]) for i in (0, 3, 6, 8))
            source, start, out = (_at(builder, pointer, args[i]) for pointer, i in ((source, 1), (start, 7), (out, 9)))

            def body(i, sums):
                number = builder.sext(builder.load(_at(builder, idx, i)), _INT)
                row = _at(builder, source, builder.mul(number, args[2]))
                return [
                    builder.fadd(value, _load(builder, _at(builder, row, _INT(LANES * v)), _VECTOR))
                    for v, value in enumerate(sums)
                ]

            first = [_load(builder, _at(builder, start, _INT(LANES * v)), _VECTOR) for v in range(num_vectors)]
            for v, value in enumerate(_loop(builder, args[4], args[5], first, body)):
                _store(builder, value, _at(builder, out, _INT(LANES * v)))
            return context.get_dummy_value()

        i = types.int64
        return types.void(source, i, i, idx, i, i, start, i, out, i), generate

    return gather


def _make_bits(lanes: int):
    """A function that packs `lanes` bytes."""

    @intrinsic
    def bits_at(context, row, at):
        """Which of the bytes from `at` on are not 0, as the lowest bits of a uint64, the first lowest."""

        def generate(context, builder, signature, args):
            place = _at(builder, _pointer(context, builder, signature.args[0], args[0]), args[1])
            kind = ir.VectorType(ir.IntType(8), lanes)
            found = builder.icmp_unsigned("!=", _load(builder, place, kind), ir.Constant(kind, [0] * lanes))
            word = builder.bitcast(found, ir.IntType(lanes))
            return word if lanes == 64 else builder.zext(word, ir.IntType(64))

        return types.uint64(row, types.int64), generate

    return bits_at


if JIT_DISABLED:

    def _plain_tile(num_rows: int, num_vectors: int):
        def tile(a, a_at: int, a_row: int, a_k: int, b, b_at: int, b_k: int, *rest) -> None:
            start, start_at, start_row, c, c_at, c_row, num_k = rest
            step = a.itemsize
            strided = np.lib.stride_tricks.as_strided
            left = strided(a[a_at:], (num_rows, num_k), (a_row * step, a_k * step))
            right = strided(b[b_at:], (num_k, LANES * num_vectors), (b_k * step, step))
            shape = (num_rows, LANES * num_vectors)
            first = strided(start[start_at:], shape, (start_row * step, step))
            strided(c[c_at:], shape, (c_row * step, step))[:] = first + left @ right

        return tile

    def _plain_gather(num_vectors: int):
        def gather(source, source_at: int, row: int, idx, begin: int, end: int, *rest) -> None:
            start, start_at, out, out_at = rest
            width = LANES * num_vectors
            total = start[start_at : start_at + width].copy()
            for number in idx[begin:end]:
                first = source_at + int(number) * row
                total += source[first : first + width]
            out[out_at : out_at + width] = total

        return gather

    def masked_sums(first, second, at: int, mask, mask_at: int, width: int):
        """The same in plain Python, in another order."""
        allowed = mask[mask_at : mask_at + width] != 0
        return first[at : at + width][allowed].sum(), second[at : at + width][allowed].sum()

    def add_masked(first, one, second, other, at: int, mask, mask_at: int, width: int) -> None:
        """The same in plain Python."""
        allowed = mask[mask_at : mask_at + width] != 0
        first[at : at + width][allowed] += one
        second[at : at + width][allowed] += other

    def highest(x, at: int, width: int):
        """The same in plain Python."""
        return x[at : at + width].max()

    def apart() -> None:
        """The same in plain Python."""

    def copy(source, source_at: int, out, out_at: int, count: int) -> None:
        """The same in plain Python."""
        out[out_at : out_at + count] = source[source_at : source_at + count]

    def clear(out, at: int, count: int) -> None:
        """The same in plain Python."""
        out[at : at + count] = 0

    def _plain_bits(lanes: int):
        def bits_at(row, at: int):
            return np.uint64(sum(1 << i for i in range(lanes) if row[at + i]))

        return bits_at

    def masked_total(x, at: int, mask, mask_at: int):
        """The same in plain Python, in another order."""
        return x[at : at + LANES][mask[mask_at : mask_at + LANES] != 0].sum()

    def dot(x, x_at: int, y, y_at: int, count: int) -> float:
        """The same in plain Python, in another order."""
        return float(x[x_at : x_at + count] @ y[y_at : y_at + count])

    def total_of(x, count: int) -> float:
        """The same in plain Python, in another order."""
        return float(x[:count].sum())

    def sum_of_squares(x) -> float:
        """The same in plain Python, in another order."""
        return float(np.square(x, dtype=np.float64).sum())

    _make_tile, _make_gather, _make_bits = _plain_tile, _plain_gather, _plain_bits

else:

    @intrinsic
    def masked_sums(context, first, second, at, mask, mask_at, width):
        """Sums of `width` float32 of two arrays from `at` on, where the int8 `mask` from `mask_at` on is -1 and not 0.

        Eight partial sums, one a lane, are added up at the end.
        """

        def generate(context, builder, signature, args):
            first, second, mask = (_pointer(context, builder, signature.args[i], args[i]) for i in (0, 1, 3))
            sources = [_at(builder, first, args[2]), _at(builder, second, args[2])]
            mask = _at(builder, mask, args[4])

            def body(i, sums):
                place = builder.mul(i, _INT(LANES))
                allowed = builder.sext(_load(builder, _at(builder, mask, place), _BYTES), _WORDS)
                changed = []
                for source, total in zip(sources, sums, strict=True):
                    words = _load(builder, _at(builder, source, place), _WORDS)
                    kept = builder.bitcast(builder.and_(words, allowed), _VECTOR)
                    changed.append(builder.fadd(total, kept))
                return changed

            zero = ir.Constant(_VECTOR, [0.0] * LANES)
            sums = _loop(builder, _INT(0), builder.sdiv(args[5], _INT(LANES)), [zero, zero], body)
            totals = [_sum_lanes(builder, total) for total in sums]
            return context.make_tuple(builder, signature.return_type, totals)

        i = types.int64
        return types.UniTuple(types.float32, 2)(first, second, i, mask, i, i), generate

    @intrinsic
    def add_masked(
        context,
        first,
        one,
        second,
        other,
        at,
        mask,
        mask_at,
        width,
    ):
        """Add one number to the first array and another to the second, where the mask of `masked_sums` allows."""

        def generate(context, builder, signature, args):
            first, second, mask = (_pointer(context, builder, signature.args[i], args[i]) for i in (0, 2, 5))
            targets = [_at(builder, first, args[4]), _at(builder, second, args[4])]
            numbers = [builder.bitcast(_splat(builder, args[i]), _WORDS) for i in (1, 3)]
            mask = _at(builder, mask, args[6])

            def body(i, nothing):
                place = builder.mul(i, _INT(LANES))
                allowed = builder.sext(_load(builder, _at(builder, mask, place), _BYTES), _WORDS)
                for target, number in zip(targets, numbers, strict=True):
                    here = _at(builder, target, place)
                    share = builder.bitcast(builder.and_(number, allowed), _VECTOR)
                    _store(builder, builder.fadd(_load(builder, here, _VECTOR), share), here)
                return nothing

            _loop(builder, _INT(0), builder.sdiv(args[7], _INT(LANES)), [], body)
            return context.get_dummy_value()

        i = types.int64
        return types.void(first, types.float32, second, types.float32, i, mask, i, i), generate

    @intrinsic
    def highest(context, x, at, width):
        """The highest of `width` float32 from `at` on; what is not a number is passed over."""

        def generate(context, builder, signature, args):
            source = _at(builder, _pointer(context, builder, signature.args[0], args[0]), args[1])

            def larger(one, other):
                return builder.select(builder.fcmp_ordered(">", one, other), one, other)

            def body(i, tops):
                return [larger(_load(builder, _at(builder, source, builder.mul(i, _INT(LANES))), _VECTOR), tops[0])]

            least = ir.Constant(_VECTOR, [float("-inf")] * LANES)
            (top,) = _loop(builder, _INT(0), builder.sdiv(args[2], _INT(LANES)), [least], body)
            for half in (4, 2, 1):
                places = ir.Constant(_WORDS, [(lane + half) % LANES for lane in range(LANES)])
                top = larger(top, builder.shuffle_vector(top, top, places))
            return builder.extract_element(top, _i32(0))

        return types.float32(x, types.int64, types.int64), generate

    @intrinsic
    def apart(context):
        """Keep the function that says so out of its callers: a copy for each would be compiled for each."""

        def generate(context, builder, signature, args):
            builder.function.attributes.add("noinline")
            return context.get_dummy_value()

        return types.void(), generate

    @intrinsic
    def copy(context, source, source_at, out, out_at, count):
        """Copy `count` float32 from one array to another."""

        def generate(context, builder, signature, args):
            source, out = (_pointer(context, builder, signature.args[i], args[i]) for i in (0, 2))
            source, out = _at(builder, source, args[1]), _at(builder, out, args[3])
            cgutils.raw_memcpy(builder, out, source, args[4], 4)
            return context.get_dummy_value()

        i = types.int64
        return types.void(source, i, out, i, i), generate

    @intrinsic
    def clear(context, out, at, count):
        """Set `count` numbers of an array to 0."""

        def generate(context, builder, signature, args):
            out = _at(builder, _pointer(context, builder, signature.args[0], args[0]), args[1])
            size = builder.mul(args[2], _INT(context.get_abi_sizeof(out.type.pointee)))
            cgutils.memset(builder, out, size, 0)
            return context.get_dummy_value()

        return types.void(out, types.int64, types.int64), generate

    @intrinsic
    def masked_total(context, x, at, mask, mask_at):
        """The sum of eight float32 from `at` on where eight bytes of a mask are not 0, in the order of `_sum_lanes`."""

        def generate(context, builder, signature, args):
            x, mask = (_pointer(context, builder, signature.args[i], args[i]) for i in (0, 2))
            words = _load(builder, _at(builder, x, args[1]), _WORDS)
            bytes_ = _load(builder, _at(builder, mask, args[3]), _BYTES)
            allowed = builder.icmp_unsigned("!=", bytes_, ir.Constant(_BYTES, [0] * LANES))
            kept = builder.select(allowed, words, ir.Constant(_WORDS, [0] * LANES))
            return _sum_lanes(builder, builder.bitcast(kept, _VECTOR))

        i = types.int64
        return types.float32(x, i, mask, i), generate

    @intrinsic
    def dot(context, x, x_at, y, y_at, count):
        """The scalar product of `count` float64 of two arrays, a multiple of `LANES`: eight sums, then their sum."""

        def generate(context, builder, signature, args):
            x, y = (_pointer(context, builder, signature.args[i], args[i]) for i in (0, 2))
            x, y = _at(builder, x, args[1]), _at(builder, y, args[3])

            def body(i, sums):
                place = builder.mul(i, _INT(LANES))
                left, right = (_load(builder, _at(builder, pointer, place), _DOUBLES) for pointer in (x, y))
                return [builder.fadd(sums[0], builder.fmul(left, right))]

            zero = ir.Constant(_DOUBLES, [0.0] * LANES)
            (sums,) = _loop(builder, _INT(0), builder.sdiv(args[4], _INT(LANES)), [zero], body)
            return _sum_lanes(builder, sums)

        i = types.int64
        return types.float64(x, i, y, i, i), generate

    @intrinsic
    def total_of(context, x, count):
        """The sum of the first `count` float64, a multiple of `LANES`: eight sums, then their sum."""

        def generate(context, builder, signature, args):
            pointer = _pointer(context, builder, signature.args[0], args[0])

            def body(i, sums):
                return [
                    builder.fadd(sums[0], _load(builder, _at(builder, pointer, builder.mul(i, _INT(LANES))), _DOUBLES))
                ]

            zero = ir.Constant(_DOUBLES, [0.0] * LANES)
            (sums,) = _loop(builder, _INT(0), builder.sdiv(args[1], _INT(LANES)), [zero], body)
            return _sum_lanes(builder, sums)

        return types.float64(x, types.int64), generate

    @intrinsic
    def sum_of_squares(context, x):
        """Of an array of float32 whose length is a multiple of `LANES`, in float64: eight sums, then their sum."""

        def generate(context, builder, signature, args):
            array = context.make_array(signature.args[0])(context, builder, args[0])

            def body(i, sums):
                singles = _load(builder, _at(builder, array.data, builder.mul(i, _INT(LANES))), _VECTOR)
                numbers = builder.fpext(singles, _DOUBLES)
                return [builder.fadd(sums[0], builder.fmul(numbers, numbers))]

            zero = ir.Constant(_DOUBLES, [0.0] * LANES)
            (sums,) = _loop(builder, _INT(0), builder.sdiv(array.nitems, _INT(LANES)), [zero], body)
            return _sum_lanes(builder, sums)

        return types.float64(x), generate


_tile_4x2, _tile_4x1, _tile_1x4, _tile_1x1 = _make_tile(4, 2), _make_tile(4, 1), _make_tile(1, 4), _make_tile(1, 1)
_gather_8, _gather_1 = _make_gather(8), _make_gather(1)
eight_bits, word_bits = _make_bits(8), _make_bits(64)


@njit(nogil=True)
def multiply(
    a: NDArray[np.float32],
    a_at: int,
    a_row: int,
    a_k: int,
    b: NDArray[np.float32],
    b_at: int,
    b_k: int,
    start: NDArray[np.float32],
    start_at: int,
    start_row: int,
    c: NDArray[np.float32],
    c_at: int,
    c_row: int,
    num_rows: int,
    width: int,
    num_k: int,
) -> None:
    """C = start + A B: to each element its products are added one by one, by ascending k, each with one rounding.

    Args:
        a: A[i, k] stands at `a_at + i * a_row + k * a_k`, for `num_rows` rows and `num_k` k.
        b: B[k, j] stands at `b_at + k * b_k + j`.
        start: start[i, j] stands at `start_at + i * start_row + j`; it may be C itself.
        c: C[i, j] stands at `c_at + i * c_row + j`.
        width: columns, a multiple of `LANES`.
    """
    apart()
    i = 0
    while i + 4 <= num_rows:
        j = 0
        while j + 16 <= width:
            _tile_4x2(
                a, a_at + i * a_row, a_row, a_k, b, b_at + j, b_k, start, start_at + i * start_row + j, start_row,
                c, c_at + i * c_row + j, c_row, num_k,
            )  # fmt: skip
            j += 16
        if j < width:
            _tile_4x1(
                a, a_at + i * a_row, a_row, a_k, b, b_at + j, b_k, start, start_at + i * start_row + j, start_row,
                c, c_at + i * c_row + j, c_row, num_k,
            )  # fmt: skip
        i += 4
    while i < num_rows:
        j = 0
        while j + 32 <= width:
            _tile_1x4(
                a, a_at + i * a_row, a_row, a_k, b, b_at + j, b_k, start, start_at + i * start_row + j, start_row,
                c, c_at + i * c_row + j, c_row, num_k,
            )  # fmt: skip
            j += 32
        while j < width:
            _tile_1x1(
                a, a_at + i * a_row, a_row, a_k, b, b_at + j, b_k, start, start_at + i * start_row + j, start_row,
                c, c_at + i * c_row + j, c_row, num_k,
            )  # fmt: skip
            j += 8
        i += 1


@njit(nogil=True)
def add_rows(
    source: NDArray[np.float32],
    source_at: int,
    row: int,
    idx: NDArray[np.int32],
    begin: int,
    end: int,
    start: NDArray[np.float32],
    start_at: int,
    out: NDArray[np.float32],
    out_at: int,
    width: int,
) -> None:
    """To a row of numbers add rows of a matrix, in the order in which they are named.

    Args:
        source: row i of the matrix stands at `source_at + i * row`.
        idx: int32, the rows `idx[begin:end]` are added.
        start: `width` float32 from `start_at` on, a multiple of `LANES`; it may be `out`.
        out: likewise, written.
    """
    apart()
    j = 0
    while j + 64 <= width:
        _gather_8(source, source_at + j, row, idx, begin, end, start, start_at + j, out, out_at + j)
        j += 64
    while j < width:
        _gather_1(source, source_at + j, row, idx, begin, end, start, start_at + j, out, out_at + j)
        j += 8
