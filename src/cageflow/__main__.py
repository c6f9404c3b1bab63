"""`python -m cageflow`."""

from cageflow.cli import main

main()
