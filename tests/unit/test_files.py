"""Files that are written whole or not at all."""

import os
import re
from pathlib import Path

import pytest

from cageflow.errors import UserError
from cageflow.files import check_output_file, check_output_folder, write_whole


def test_write_whole_replaces_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "state"
    write_whole(path, b"old")
    write_whole(path, b"new")
    assert path.read_bytes() == b"new"
    assert [p.name for p in tmp_path.iterdir()] == ["state"]


def test_write_whole_keeps_the_old_content_when_writing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "state"
    write_whole(path, b"old")

    def full_disk(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"


def test_output_file__is_refused_before_it_is_written_with_nothing_left_behind(tmp_path: Path) -> None:
    (tmp_path / "there.html").write_text("old")
    (tmp_path / "folder.html").mkdir()
    os.mkfifo(tmp_path / "pipe.html")
    for name in ("new.html", "there.html", "NEW.HTML", "some/new/folders/page.html"):
        check_output_file(tmp_path / name, ".html")
    for name, words in (
        ("new.txt", "name a file that ends in .html"),
        ("new", "name a file that ends in .html"),
        ("folder.html", "which is a folder: name a file that ends in .html"),
        ("pipe.html", "which is no common file"),
        ("there.html/page.html", f"but {tmp_path / 'there.html'} is a file: name another place"),
        ("x" * 300 + ".html", "which cannot be written: File name too long"),
    ):
        with pytest.raises(UserError, match=re.escape(words)):
            check_output_file(tmp_path / name, ".html")
    with pytest.raises(UserError, match="^--save-team is .*which cannot be written"):
        check_output_file(Path("/proc/team.json"), ".json", option="--save-team")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder.html", "pipe.html", "there.html"]


def test_output_folder__is_refused_where_it_is_a_file_or_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    check_output_folder(tmp_path)
    check_output_folder(tmp_path / "some" / "new")
    for path, words in (
        (tmp_path / "file", "which is a file: name a folder"),
        (tmp_path / "file" / "folder", "is a file: name another place"),
        (Path("/proc/folder"), "which cannot be written"),
    ):
        with pytest.raises(UserError, match=words):
            check_output_folder(path)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
