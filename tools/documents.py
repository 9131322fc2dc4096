"""The documents checked as code is: links lead to files that are there, examples print what they say."""

import re
from collections.abc import Iterator
from pathlib import Path

from tools import places
from tools.environment import run_in
from tools.say import say

_LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_ELSEWHERE = re.compile(r"^(?:[a-z][a-z0-9+.-]*:|#)")  # another site, or a heading of the same page


def pages(repository: Path) -> list[Path]:
    """Every Markdown page of the checkout."""
    rooms = [path for path in repository.iterdir() if path.is_dir() and path.name[0] not in "._"]
    found = [*repository.glob("*.md"), *(page for room in rooms for page in room.rglob("*.md"))]
    return sorted(page for page in found if "node_modules" not in page.parts)


def broken_links(page: Path) -> Iterator[str]:
    """The targets of relative links in `page` that are not there."""
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    for target in _LINK.findall(text):
        if not _ELSEWHERE.match(target) and not (page.parent / target.partition("#")[0]).exists():
            yield target


def check(python: Path) -> int:
    """Check every page, running its `>>>` examples with `python`; 0 when all hold."""
    failures = 0
    found = pages(places.REPOSITORY)
    for page in found:
        name = page.relative_to(places.REPOSITORY)
        for target in broken_links(page):
            say(f"{name}: the link to {target} leads nowhere")
            failures += 1
        if ">>> " in page.read_text(encoding="utf-8") and run_in(python, "-m", "doctest", str(page)):
            failures += 1
    say(f"{len(found)} pages checked, {failures} failure(s)")
    return 1 if failures else 0
