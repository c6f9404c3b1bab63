"""Arithmetic in an order of its own, so that figures do not depend on the processor or on a library of it.

Two things make the last bits of a sum differ from machine to machine: the order in which a library adds, which BLAS
and LAPACK choose by processor and by number of threads, and whether a product is rounded before it is added. Here every
order is written down and every fused multiply-add is named. Vectors only ever hold eight results side by side, or eight
partial sums that are added up in a stated order, so that a wider processor does the same in fewer steps.

`elementary`: exponential, logarithm, hyperbolic tangent. `vectors`: what a matrix product is made of. `linear`: roots,
inverses and products of some hundred rows of float64. `minimum`: the minimum of a smooth function in a box.
"""
