"""A cache that forgets what was used least recently: a dict and a ring of links; ``size`` is the number of look-ups."""

SIZES = {"quick": 60_000, "full": 300_000}


class Link:
    __slots__ = ("after", "before", "key", "value")

    def __init__(self, key: int, value: int) -> None:
        self.key = key
        self.value = value
        self.before: Link = self
        self.after: Link = self


class Cache:
    def __init__(self, room: int) -> None:
        self.room = room
        self.links: dict[int, Link] = {}
        self.ring = Link(-1, -1)
        self.hits = 0

    def unlink(self, link: Link) -> None:
        link.before.after = link.after
        link.after.before = link.before

    def put_first(self, link: Link) -> None:
        first = self.ring.after
        link.before, link.after = self.ring, first
        self.ring.after = first.before = link

    def get(self, key: int) -> int:
        link = self.links.get(key)
        if link is not None:
            self.hits += 1
            self.unlink(link)
        else:
            if len(self.links) >= self.room:
                oldest = self.ring.before
                self.unlink(oldest)
                del self.links[oldest.key]
            link = self.links[key] = Link(key, key * key % 1009)
        self.put_first(link)
        return link.value


def run(size: int) -> int:
    """The sum of all values found, and the hits."""
    cache = Cache(200)
    state, total = 1, 0
    for _ in range(size):
        state = (state * 1103515245 + 12345) % 2147483648
        total += cache.get((state >> 8) % 90 * ((state >> 16) % 5))
    return total * 1000 + cache.hits % 1000


if __name__ == "__main__":
    import sys
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from script import main

    raise SystemExit(main(run, SIZES))
