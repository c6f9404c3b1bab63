"""The unit types of hosts: the five things that a workflow puts in order."""

UNIT_TYPES: tuple[str, ...] = ("defender", "enterprise", "op_server", "op_host", "user")
"""Names of the unit types; a type is written elsewhere as its index in this tuple."""
