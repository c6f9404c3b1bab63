"""Hooks of MkDocs: pages of what stands beside the documents, anchors as GitHub makes them, nothing from elsewhere."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files
from pymdownx.slugs import slugify

ROOT = Path(__file__).parents[1]
PAGES = {"CHANGELOG.md": "changelog.md", "CONTRIBUTING.md": "contributing.md", "SECURITY.md": "security.md"}
NOTEBOOKS = "notebooks"
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
    for path in sorted((ROOT / "docs" / NOTEBOOKS).glob("*.ipynb")):
        content = notebook_page(json.loads(path.read_text(encoding="utf-8")), path.name)
        files.append(File.generated(config, f"{NOTEBOOKS}/{path.stem}.md", content=content))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Have the links of a document lead to the pages, under their names."""
    markdown = with_pages(markdown, "../" * (page.file.src_uri.count("/") + 1))
    markdown = re.sub(rf"\]\({NOTEBOOKS}/(\w+)\.ipynb\)", rf"]({NOTEBOOKS}/\1.md)", markdown)
    return with_titles(markdown, dict(titles_of(config.nav)))


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


def titles_of(nav: Any) -> Iterator[tuple[str, str]]:
    """The pages of a navigation by the names of their files, with the titles that it gives them."""
    for one in nav:
        for title, what in one.items():
            if isinstance(what, list):
                yield from titles_of(what)
            else:
                yield what.rsplit("/", 1)[-1], title


def with_titles(text: str, titles: dict[str, str]) -> str:
    """A text whose links that are called as their file is are called as its page is, outside code."""

    def named(link: re.Match[str]) -> str:
        return f"[{titles.get(link[1].lower(), link[1])}]({link[2]}"

    parts = re.split(r"(^```.*?^```|`[^`\n]*`)", text, flags=re.MULTILINE | re.DOTALL)
    return "".join(
        part if i % 2 else re.sub(r"\[([\w-]+\.md)\]\(((?:\.\./)?\1)", named, part, flags=re.IGNORECASE)
        for i, part in enumerate(parts)
    )


def notebook_page(notebook: dict[str, Any], name: str) -> str:
    """A notebook with what it has shown, as a page.

    Args:
        notebook: as its file has it.
        name: of the file, which stands beside the page.
    """
    parts: list[str] = []
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(source)
            continue
        parts.append(f"```python\n{source}\n```")
        for output in cell["outputs"]:
            data = output.get("data", {})
            if "image/png" in data:
                image = "".join(data["image/png"]).replace("\n", "")
                parts.append(f"![What this cell draws](data:image/png;base64,{image})")
            else:
                shown = "".join(output.get("text") or data.get("text/plain", ())).rstrip()
                parts.append(f"``` {{ .text .shown }}\n{shown}\n```")
    heading, *rest = "\n\n".join(parts).split("\n", 1)
    return "\n".join([heading, f"\n[The notebook itself]({name}), to run and to change.", *rest])
