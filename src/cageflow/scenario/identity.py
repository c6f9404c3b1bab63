"""Which network something was made for: a fingerprint of its content, and the record that files carry."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from cageflow.errors import UserError

SHORT = 8
"""Digits of a fingerprint that people are shown."""
_DIGITS = 64


@dataclass(frozen=True, slots=True)
class NetworkIdentity:
    """What tells one network from another, as policies, runs, recordings and results carry it under `network`.

    Attributes:
        name: of the network; two networks may share it.
        fingerprint: 64 hexadecimal digits, of `fingerprint_of`; two networks with the same are the same.
        hosts: names, in the order of blue's table.
        unit_types: names, in the order of their ids.
        timeless: the fingerprint of the same network where each action takes one step and blue has one crew.
    """

    name: str
    fingerprint: str
    hosts: tuple[str, ...]
    unit_types: tuple[str, ...]
    timeless: str

    def __str__(self) -> str:
        return f"{self.name!r} ({self.fingerprint[:SHORT]})"

    def to_json(self) -> dict[str, Any]:
        """The record as plain data for `json.dump`."""
        return {
            "name": self.name,
            "fingerprint": self.fingerprint,
            "hosts": list(self.hosts),
            "unit_types": list(self.unit_types),
            "timeless": self.timeless,
        }

    @classmethod
    def from_json(cls, data: object) -> NetworkIdentity:
        """Read what `to_json` wrote; entries that a later version may add are passed over.

        Raises:
            UserError: an entry is missing or of the wrong type; the message starts with the entry.
        """
        if not isinstance(data, Mapping):
            raise UserError(f"'network' is {data!r}, expected a name, a fingerprint, hosts and unit types")
        for entry in ("name", "fingerprint"):
            if not isinstance(data.get(entry), str):
                raise UserError(f"'network.{entry}' is {data.get(entry)!r}, expected text")
        fingerprint, timeless = data["fingerprint"], data.get("timeless", data["fingerprint"])
        for entry, digits in (("fingerprint", fingerprint), ("timeless", timeless)):
            if not isinstance(digits, str) or len(digits) != _DIGITS or set(digits) - set("0123456789abcdef"):
                raise UserError(f"'network.{entry}' is {digits!r}, expected {_DIGITS} hexadecimal digits")
        for entry in ("hosts", "unit_types"):
            names = data.get(entry)
            if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
                raise UserError(f"'network.{entry}' is {names!r}, expected a list of names")
        return cls(data["name"], fingerprint, tuple(data["hosts"]), tuple(data["unit_types"]), timeless)

    def is_same_but_for_time(self, other: NetworkIdentity) -> bool:
        """Whether the two differ in nothing but the steps that actions take and the number of crews."""
        return other.fingerprint == self.fingerprint or other.timeless == self.timeless

    def difference(self, other: NetworkIdentity) -> str:
        """How another network differs, as far as the records say, in the words that follow "with"."""
        if len(self.hosts) != len(other.hosts):
            return f"{len(other.hosts)} hosts instead of {len(self.hosts)}"
        if self.hosts != other.hosts:
            mine, its = next((a, b) for a, b in zip(self.hosts, other.hosts, strict=True) if a != b)
            return f"other hosts, {its!r} in place of {mine!r}"
        if self.unit_types != other.unit_types:
            return "other unit types"
        return "the same hosts and other content"


def fingerprint_of(content: BaseModel) -> str:
    """The SHA-256 of a checked content in a normal form, as 64 hexadecimal digits.

    Names, numbers and the order of hosts, subnets, exploits, decoys and of every list count. What does not: comments
    and layout, the order of the keys of one record, a key that says what it would be without, 10 for 10.0.
    """
    text = json.dumps(_normal(content), separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def action_set_of(names: Sequence[str]) -> str:
    """The SHA-256 of action names in their order, as 64 hexadecimal digits: what each action number means."""
    return hashlib.sha256(json.dumps(list(names), ensure_ascii=True).encode("ascii")).hexdigest()


def _normal(value: object) -> object:
    """Plain data that is equal where the content is."""
    if isinstance(value, BaseModel):
        fields = type(value).model_fields
        given = {name: getattr(value, name) for name in sorted(fields)}
        return {
            name: _normal(item)
            for name, item in given.items()
            if fields[name].is_required() or item != fields[name].get_default(call_default_factory=True)
        }
    if isinstance(value, Mapping):
        return [[_normal(key), _normal(item)] for key, item in value.items()]
    if isinstance(value, list | tuple):
        return [_normal(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
