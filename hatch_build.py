"""Puts compiled kernels into the wheel where `make compiled-wheel` asks for it; a plain build does not load this."""

import json
import os
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PLATFORMS = {"x86_64-unknown-linux-gnu": "manylinux_2_17_x86_64", "x86_64-apple-darwin": "macosx_11_0_x86_64"}
"""What a wheel is called for a platform in LLVM's words; kernels use nothing of the C library but the oldest."""


class CompiledKernels(BuildHookInterface[Any]):
    """Adds what `tools/compile_kernels.py` wrote to the folder `CAGEFLOW_KERNELS`; names the wheel by its platform."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """See hatchling."""
        folder = Path(os.environ["CAGEFLOW_KERNELS"])
        made_with = json.loads((folder / "kernels.json").read_text(encoding="utf-8"))["made_with"]
        python = made_with["python"].replace("cpython-", "cp")
        build_data["pure_python"] = False
        build_data["tag"] = f"{python}-{python}-{PLATFORMS[made_with['platform']]}"
        build_data["force_include"] |= {str(path): f"cageflow/data/{path.name}" for path in sorted(folder.iterdir())}
