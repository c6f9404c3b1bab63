"""What can be said of a page without a browser."""

from __future__ import annotations

import base64
import hashlib
from html.parser import HTMLParser
from typing import NamedTuple

VOID = {"meta", "link", "br", "hr", "img", "input", "area", "base", "col", "embed", "source", "track", "wbr"}
ADDRESSES = {"src", "href", "xlink:href", "data", "action", "poster", "srcset"}


class Page(NamedTuple):
    """A page as it was read.

    Attributes:
        faults: what is wrong with it.
        ids: all of them, in order.
        text: its words, each run between two tags by itself.
        images: accessible names of its pictures, but of those that are hidden from who cannot see them.
    """

    faults: list[str]
    ids: list[str]
    text: list[str]
    images: list[str]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = Page([], [], [], [])
        self._open: list[str] = []
        self._references: list[tuple[str, str]] = []
        self._policy = ""
        self._is_data = False

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._read(tag, dict(attrs))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._read(tag, dict(attrs))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.page.faults.append(f"</{tag}> closes what is not open, line {self.getpos()[0]}")

    def handle_data(self, data: str) -> None:
        if data.strip() and "script" not in self._open[-1:]:
            self.page.text.append(data.strip())
        if self._open and self._open[-1] == "style" and ("@import" in data or "url(" in data):
            self.page.faults.append("the style loads something")
        if self._open and self._open[-1] == "script" and not self._is_data:
            digest = base64.b64encode(hashlib.sha256(data.encode()).digest()).decode()
            if f"script-src 'sha256-{digest}'" not in self._policy:
                self.page.faults.append("a script that the page's policy does not name")

    def close(self) -> None:
        super().close()
        self.page.faults.extend(f"<{tag}> is not closed" for tag in self._open)
        self.page.faults.extend(f"id {one} stands twice" for one in {*self.page.ids} if self.page.ids.count(one) > 1)
        known = {*self.page.ids}
        self.page.faults.extend(
            f"{name} names {one}, which is not there" for name, one in self._references if one not in known
        )

    def _read(self, tag: str, attributes: dict[str, str | None]) -> None:
        if attributes.get("id"):
            self.page.ids.append(attributes["id"] or "")
        for name, value in attributes.items():
            if name in ADDRESSES and not (value or "").startswith(("#", "data:")):
                self.page.faults.append(f"{tag} {name} leads out of the page: {value}")
            if name == "href" and (value or "").startswith("#") or name == "aria-labelledby":
                self._references += [(name, one) for one in (value or "").lstrip("#").split()]
            if name.startswith("on"):
                self.page.faults.append(f"{tag} has a handler {name}, which no policy names")
        if attributes.get("http-equiv") == "Content-Security-Policy":
            self._policy = attributes.get("content") or ""
        if tag == "script":
            self._is_data = attributes.get("type") == "application/json"
        if tag in ("iframe", "object"):
            self.page.faults.append(f"a {tag}")
        if tag in ("svg", "img"):
            if attributes.get("aria-hidden") == "true":
                return
            label = attributes.get("aria-label") if tag == "svg" else attributes.get("alt")
            self.page.images.append(label or "")
            if not label or (tag == "svg" and attributes.get("role") != "img"):
                self.page.faults.append(f"{tag} without words, line {self.getpos()[0]}")


def read_page(text: str) -> Page:
    """Read a page and note what is wrong with it: tags, ids, references, addresses, scripts, pictures without words."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    if not text.startswith("<!DOCTYPE html>"):
        reader.page.faults.append("no doctype")
    return reader.page
