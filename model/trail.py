"""Renders a counterexample as it is read best: one step a line, a column for each thread."""

from collections.abc import Iterable, Iterator

from model.breaks import BREAKS, CLAIMS
from model.spin import Result

_MARK = " | "
_CYCLE = "<<<<<START OF CYCLE>>>>>"
_END = "assertion violated"
INDENT = 4


def steps(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """("reader 0", "reads G: 1") for each line of the model; ("", ...) where a cycle begins.

    Ends where the claim fails.
    """
    for line in lines:
        if _END in line:
            return
        if _CYCLE in line:
            yield "", "from here it goes on like this for ever:"
        elif _MARK in line:
            actor, _, what = line.partition(_MARK)
            yield actor.strip(), what.strip()


def render(result: Result, lines: list[str]) -> list[str]:
    """The page: what is given up, the interleaving, the claim that fails."""
    tag = result.configuration.breaks
    meaning = next((entry.meaning for entry in BREAKS if entry.tag == tag), result.configuration.about)
    page = [f"{result.configuration.name}: {meaning}", ""]
    told = list(steps(lines))
    actors = sorted({actor for actor, _ in told if actor})
    order = {actor: position for position, actor in enumerate(actors)}
    width = max((len(actor) for actor in actors), default=0)
    for number, (actor, what) in enumerate(told, 1):
        page.append(f"{number:4}  {actor:{width}}  {' ' * INDENT * order.get(actor, 0)}{what}")
    claim = result.caught_by or ""
    page += ["", f"      {claim} fails: {CLAIMS.get(claim, 'see above')}"]
    return page
