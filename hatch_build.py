"""Puts compiled kernels into the wheel where `make compiled-wheel` asks for it; a plain build does not load this."""

import json
import os
import re
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

MACHINE = "x86_64"
SYSTEMS = {"linux-gnu": "manylinux_2_17_x86_64", "darwin": "macosx_11_0_x86_64"}
"""What a wheel is called for a system in LLVM's words; kernels use nothing of the C library but the oldest."""


def wheel_platform(triple: str) -> str:
    """What a wheel with kernels is called for a platform in LLVM's words: machine, vendor, system and its version.

    Raises:
        ValueError: kernels are not compiled for such a platform.
    """
    machine, _, system = triple.partition("-")
    found = SYSTEMS.get(re.sub(r"[\d.]*$", "", system.partition("-")[2]))
    if machine != MACHINE or found is None:
        raise ValueError(
            f"this is {triple}, and a compiled wheel is for x86-64 processors under Linux with the GNU C library or "
            "macOS alone: build the plain one by `make wheel`, which compiles when it first runs"
        )
    return found


class CompiledKernels(BuildHookInterface[Any]):
    """Adds what `tools/compile_kernels.py` wrote to the folder `CAGEFLOW_KERNELS`; names the wheel by its platform."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """See hatchling."""
        folder = Path(os.environ["CAGEFLOW_KERNELS"])
        made_with = json.loads((folder / "kernels.json").read_text(encoding="utf-8"))["made_with"]
        python = made_with["python"].replace("cpython-", "cp")
        build_data["pure_python"] = False
        build_data["tag"] = f"{python}-{python}-{wheel_platform(made_with['platform'])}"
        build_data["force_include"] |= {str(path): f"cageflow/data/{path.name}" for path in sorted(folder.iterdir())}
