"""Runs the Python code of the tutorial and of the README, each section by itself."""

import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).parents[2]
PAGES = [ROOT / "docs" / "python-tutorial.md", ROOT / "neurons-python" / "README.md"]


def sections():
    """Of each page, every section with code: its blocks, each as the line of its fence and its text."""
    for page in PAGES:
        title, blocks = page.stem, {}
        lines = page.read_text(encoding="utf-8").split("\n") if page.exists() else []
        start = None
        for number, line in enumerate(lines, 1):
            if start is None and line.startswith("## "):
                title = line[3:]
            elif line == "```python":
                start = number
            elif line == "```" and start is not None:
                blocks.setdefault(title, []).append((start, "\n".join(lines[start : number - 1])))
                start = None
        for title, parts in blocks.items():
            yield pytest.param(page, parts, id=f"{page.stem}-{title}")


_FOUND = list(sections())
_MISSING = pytest.param(None, None, marks=pytest.mark.skip(reason="no pages: this is not a checkout of the repository"))


@pytest.mark.parametrize("page, blocks", _FOUND or [_MISSING])
def test_code(page, blocks, one_thread):
    for name in ("spikingjelly", "snntorch"):
        if any(re.search(rf"^(from|import) {name}\b", code, re.M) for _, code in blocks):
            pytest.importorskip(name, reason=f"{name} is not installed")
    names = {"__name__": "page"}
    for line, code in blocks:
        exec(compile("\n" * line + code, page, "exec"), names)


def test_the_tutorial_has_all_sections():
    if not PAGES[0].exists():
        pytest.skip("no pages: this is not a checkout of the repository")
    assert len([found for found in _FOUND if found.values[0] == PAGES[0]]) == 5
