"""The process of an agent, as the game sees it: asked in messages, given a time limit, ended with the game."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
import weakref

from cageflow.agents.foreign import wire
from cageflow.errors import UserError
from cageflow.terminal import say

DEFAULT_TIMEOUT_S = 60.0
MAX_LINES = 200
"""Of what an agent prints; it may print at every step."""
MAX_LINE = 2_000
READ_BYTES = 65_536
_START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv.pop(1)); from cageflow.agents.foreign.host import main; main()"
)
_EXIT_S = 5.0  # for a process that has closed its end, to be gone


class AgentProcess:
    """A process that runs code of others.

    It inherits no file but the two ends of its pipes, has no terminal, and is in a session of its own, so that Ctrl-C
    reaches the game alone. What it prints comes out on standard error, each line behind the agent's name.

    Args:
        name: of the agent, for messages.
        timeout_s: seconds for each answer.
    """

    def __init__(self, name: str, timeout_s: float) -> None:
        self.name = name
        self.timeout_s = timeout_s
        request, self._to_child = os.pipe()
        self._from_child, answer = os.pipe()
        printed, printing = os.pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", _START, json.dumps(sys.path), str(request), str(answer)],
            stdin=subprocess.DEVNULL,
            stdout=printing,
            stderr=printing,
            pass_fds=(request, answer),
            start_new_session=True,
        )
        for descriptor in (request, answer, printing):
            os.close(descriptor)
        os.set_blocking(self._to_child, False)
        self._writable, self._readable = select.poll(), select.poll()
        self._writable.register(self._to_child, select.POLLOUT)
        self._readable.register(self._from_child, select.POLLIN)
        self._printer = threading.Thread(target=_pass_on, args=(printed, name), daemon=True)
        self._printer.start()
        self.close = weakref.finalize(self, _end, self._process, (self._to_child, self._from_child), self._printer)

    def ask(self, kind: bytes, content: bytes, expected: bytes, what: str) -> bytes:
        """Send a message and wait for the answer.

        Args:
            kind: of the message.
            content: of the message.
            expected: kind of the answer.
            what: is done meanwhile, for messages: "get_action in step 3".

        Raises:
            UserError: the agent failed, gave no answer in time, or its process has ended.
        """
        deadline = time.monotonic() + self.timeout_s
        try:
            self._send(wire.HEADER.pack(kind, len(content)) + content, deadline)
            answer, content = self._receive(deadline)
        except TimeoutError:
            self.close()
            raise UserError(
                f"{self.name} gave no answer in {what} within {self.timeout_s:g} s; give it more by --agent-timeout."
            ) from None
        except (EOFError, BrokenPipeError, ConnectionError):
            raise UserError(f"{self.name} ended its own process in {what} ({self._ending()}).") from None
        if answer == wire.FAULT:
            raise UserError(f"{self.name} {content.decode('utf-8', 'replace')}")
        if answer != expected:
            self.close()
            raise UserError(f"{self.name} gave what is no answer in {what}.")
        return content

    def _send(self, message: bytes, deadline: float) -> None:
        view = memoryview(message)
        while view:
            try:
                view = view[os.write(self._to_child, view) :]
            except BlockingIOError:
                _wait(self._writable, deadline)

    def _receive(self, deadline: float) -> tuple[bytes, bytes]:
        """Kind and content of the answer; no kind for what is none. An agent never has two under way."""
        message, size = b"", wire.HEADER.size
        while len(message) < size:
            _wait(self._readable, deadline)
            part = os.read(self._from_child, READ_BYTES)
            if not part:
                raise EOFError
            message += part
            if len(message) >= wire.HEADER.size:
                kind, length = wire.HEADER.unpack_from(message)
                size = wire.HEADER.size + length
                if size > wire.MAX_ANSWER or len(message) > size:
                    return b"", b""
        return kind, message[wire.HEADER.size :]

    def _ending(self) -> str:
        """How a process ended that has closed its end; one that goes on without it is ended."""
        try:
            status = self._process.wait(_EXIT_S)
        except subprocess.TimeoutExpired:
            self.close()
            return "it closed its pipes"
        self.close()
        if status >= 0:
            return f"exit status {status}"
        return signal.Signals(-status).name if -status in set(signal.Signals) else f"signal {-status}"


def _wait(poll: select.poll, deadline: float) -> None:
    remaining = deadline - time.monotonic()
    if remaining <= 0.0 or not poll.poll(remaining * 1000.0):
        raise TimeoutError


def _end(process: subprocess.Popen[bytes], descriptors: tuple[int, ...], printer: threading.Thread) -> None:
    """End the process and all that it started, and let what it printed come out."""
    for descriptor in descriptors:
        os.close(descriptor)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    printer.join(1.0)


def _pass_on(printed: int, name: str) -> None:
    """Print what an agent prints, until it can print no more."""
    num_lines = 0
    with os.fdopen(printed, "rb") as file:
        while line := file.readline(MAX_LINE):
            num_lines += 1
            with contextlib.suppress(OSError, ValueError):  # nobody reads us any more
                if num_lines <= MAX_LINES:
                    say(f"{name}: {line.decode('utf-8', 'replace').rstrip()}", err=True)
                elif num_lines == MAX_LINES + 1:
                    say(f"{name}: it prints more than {MAX_LINES} lines; the others are left out", err=True)
