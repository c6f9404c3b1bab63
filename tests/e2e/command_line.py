"""The command line called in this process, as the shell would call it."""

import contextlib
import io
import json
from typing import Any, NamedTuple
from unittest import mock

from cageflow.cli import main
from cageflow.runs import heartbeat


class Outcome(NamedTuple):
    """What a command has said and how it ended.

    Attributes:
        status: exit status.
        out: standard output.
        err: standard error.
    """

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, which is to be one JSON object in one line."""
        assert self.out.count("\n") == 1, self.out
        return json.loads(self.out)


def cageflow(*arguments: object) -> Outcome:
    """Run `cageflow ARGUMENTS...` to its end, without the signs of life that a slow machine would bring."""
    out, err = io.StringIO(), io.StringIO()
    quiet = mock.patch.object(heartbeat, "FIRST_S", 1e6)
    with quiet, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as end:
            status = end.code
        else:
            raise AssertionError("a command ends by an exit status")
    assert isinstance(status, int)
    return Outcome(status, out.getvalue(), err.getvalue())
