"""Hooks of MkDocs: pages of what stands beside the documents, anchors as GitHub makes them, nothing from elsewhere."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files
from pymdownx.slugs import slugify

ROOT = Path(__file__).parents[1]
PAGES = {"CHANGELOG.md": "changelog.md", "CONTRIBUTING.md": "contributing.md", "SECURITY.md": "security.md"}
SHIM, OWN_SHIM = "https://unpkg.com/iframe-worker/shim", "site/iframe-worker.js"


def on_config(config: Any) -> Any:
    """Give headings the anchors that GitHub gives them."""
    config.mdx_configs["toc"]["slugify"] = slugify(case="lower")
    return config


def on_files(files: Files, config: Any) -> Files:
    """Add the pages."""
    for name, page in PAGES.items():
        text = (ROOT / name).read_text(encoding="utf-8").replace("](docs/", "](")
        files.append(File.generated(config, page, content=with_pages(text, "")))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Have the links of a document lead to the pages."""
    return with_pages(markdown, "../" * (page.file.src_uri.count("/") + 1))


def on_post_page(output: str, page: Any, config: Any) -> str:
    """Have the search of a site that is opened as files work without a network: its shim stands in the site."""
    return output.replace(SHIM, "../" * page.url.count("/") + OWN_SHIM)


def on_post_template(output_content: str, template_name: str, config: Any) -> str:
    """The same for the page of what is not found, whose addresses begin at the site's root."""
    return output_content.replace(SHIM, f"/{OWN_SHIM}")


def with_pages(text: str, way: str) -> str:
    """A text whose links to the files beside the documents lead to their pages.

    Args:
        text: Markdown.
        way: from its folder to that of the files.
    """
    inside = way.removeprefix("../")
    for name, page in PAGES.items():
        text = re.sub(rf"\]\({re.escape(way + name)}(?=[#)])", f"]({inside}{page}", text)
    return text
