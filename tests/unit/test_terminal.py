"""What goes out to the terminal: cleaned, all of it by one way, and a full disk behind it is called by its name."""

import ast
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rich.table import Table
from rich.text import Text

import cageflow
from cageflow.terminal import CleanConsole, OutputError, clean, make_console, say
from tests.helpers.imports import module_files

OTHER_WAYS = ("print", "typer.echo", "typer.secho", "click.echo", "Console", "rich.print", "sys.stdout.write")
NASTY = "a\x1b[31mred\x1b]0;title\x07\r\x9b2J\u202egnp\x00\x7f"
COMMAND = [sys.executable, "-m", "cageflow"]


def test_clean__shows_what_a_terminal_would_obey() -> None:
    assert clean(NASTY) == r"a\x1b[31mred\x1b]0;title\x07\x0d\x9b2J\u202egnp\x00\x7f".replace(r"\x0d", r"\r")
    plain = "café > ± │ 日本\tand\nmore"
    assert clean(plain) == plain


def test_words_and_pictures__come_out_clean(capsys: pytest.CaptureFixture[str]) -> None:
    say(NASTY)
    say(NASTY, err=True)
    console = make_console(force_terminal=True, width=200)
    console.print(Text(NASTY, style="bold"), markup=False)
    table = Table(NASTY)
    table.add_row(NASTY)
    console.print(table)
    captured = capsys.readouterr()
    for text in (captured.out, captured.err):
        assert "\x1b[31m" not in text and "\x1b]0" not in text and "\x07" not in text and "\u202e" not in text
        assert r"\x1b[31mred" in text
    assert "\x1b[1m" in captured.out  # Rich's own styles do their work


def test_nothing__goes_out_another_way() -> None:
    others = []
    for name, path in module_files(Path(cageflow.__file__).parent).items():
        for node in ast.walk(ast.parse(Path(path).read_text())):
            if isinstance(node, ast.Call) and name != "cageflow.terminal":
                words = ast.unparse(node.func)
                if words in OTHER_WAYS:
                    others.append(f"{name}: {words}")
    assert others == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_full_standard_output__is_named_as_such(tmp_path: Path) -> None:
    with open("/dev/full", "wb") as full:
        outcomes = [
            subprocess.run([*COMMAND, *arguments], stdout=full, stderr=subprocess.PIPE, cwd=tmp_path)
            for arguments in (
                ["--version"],
                ["train", "--no-workflow", "--total-episodes", "4", "--episodes-per-update", "2"],
            )
        ]
    for outcome in outcomes:
        words = outcome.stderr.decode().splitlines()
        assert words[-1] == "cageflow: standard output cannot be written: No space left on device"
        assert outcome.returncode == 1 and not any("Traceback" in line or "ignored" in line for line in words)


def test_reader_that_left__is_no_failure_of_a_file() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    outcome = subprocess.run([*COMMAND, "--version"], stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert b"Traceback" not in outcome.stderr and b"cannot be written" not in outcome.stderr


def test_file_of_a_console__tells_its_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def write(self, text: str) -> int:
            raise OSError(28, "No space left on device")

        def flush(self) -> None: ...

        def isatty(self) -> bool:
            return False

        encoding = "utf-8"

    monkeypatch.setattr(sys, "stdout", Full())
    console = make_console()
    assert isinstance(console, CleanConsole)
    with pytest.raises(OutputError, match="standard output cannot be written: No space left"):
        console.print("words")


@pytest.mark.parametrize("delay_s", [0.3, 0.6, 1.0])
def test_ctrl_c_while_loading__ends_in_a_sentence(delay_s: float, tmp_path: Path) -> None:
    """By a file that the loading touches, and not by time alone: Python's own start is not ours."""
    touch = "import pathlib, sys; pathlib.Path('began').touch(); sys.argv[0] = 'cageflow'; "
    start = [
        sys.executable,
        "-c",
        touch + "from cageflow.cli import main; main(['search', '--total-episodes', '9000000'])",
    ]
    process = subprocess.Popen(
        start, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, cwd=tmp_path, restore_signals=True
    )
    while not (tmp_path / "began").exists():
        time.sleep(0.01)
    time.sleep(delay_s)
    process.send_signal(signal.SIGINT)
    _, words = process.communicate(timeout=100)
    assert process.returncode == 130, words
    assert b"Traceback" not in words
    assert words.splitlines()[-1].startswith(b"cageflow: "), words
