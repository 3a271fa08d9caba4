"""The documentation says what is true of the files beside it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs").glob("*.rst"))


def test_all_pages_are_listed() -> None:
    """A page that the index does not name is never found."""
    listed = set(re.findall(r"^   ([\w-]+)$", (ROOT / "docs/index.rst").read_text(), re.MULTILINE))
    assert {page.stem for page in PAGES} == listed | {"index"}


def test_map() -> None:
    """The map of the house has every room."""
    text = (ROOT / "docs/architecture.rst").read_text()
    rooms = {path.parent.name for path in (ROOT / "rapida_tw").glob("*/__init__.py")}
    assert not {room for room in rooms if f"``{room}``" not in text}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_files_exist(page: Path) -> None:
    """Files of the repository that a page names are there."""
    names = re.findall(r"``((?:conf|systemd|tests|docs)/[\w./@-]+)``", page.read_text())
    assert not [name for name in names if not (ROOT / name).exists()]
