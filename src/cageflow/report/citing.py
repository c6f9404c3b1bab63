"""How to cite this package; `CITATION.cff` says the same."""

from __future__ import annotations

TITLE = "cageflow: which compromised machine to fix first"
AUTHORS = "The cageflow developers"
YEAR = 2026


def bibtex(version: str) -> str:
    """The entry of a version for BibTeX."""
    return "\n".join(
        (
            "@software{cageflow,",
            f"  title = {{{TITLE}}},",
            f"  author = {{{{{AUTHORS}}}}},",
            f"  version = {{{version}}},",
            f"  year = {{{YEAR}}},",
            "}",
        )
    )
