"""Dijkstra's shortest paths through a weighted grid, with ``heapq`` and dicts; ``size`` is the grid's side."""

import heapq

SIZES = {"quick": 110, "full": 280}

type Place = tuple[int, int]
type Graph = dict[Place, list[tuple[Place, int]]]


def make_graph(side: int) -> Graph:
    graph: Graph = {}
    for x in range(side):
        for y in range(side):
            graph[x, y] = [
                ((x + dx, y + dy), (x * 7 + y * 13 + dx * 3 + dy * 5) % 9 + 1)
                for dx, dy in ((1, 0), (0, 1), (-1, 0), (0, -1))
                if 0 <= x + dx < side and 0 <= y + dy < side
            ]
    return graph


def distances(graph: Graph, start: Place) -> dict[Place, int]:
    best = {start: 0}
    waiting = [(0, start)]
    while waiting:
        so_far, place = heapq.heappop(waiting)
        if so_far > best[place]:
            continue
        for neighbour, weight in graph[place]:
            length = so_far + weight
            if neighbour not in best or length < best[neighbour]:
                best[neighbour] = length
                heapq.heappush(waiting, (length, neighbour))
    return best


def run(size: int) -> int:
    """The sum of all distances from a corner."""
    return sum(distances(make_graph(size), (0, 0)).values())


if __name__ == "__main__":
    import sys
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from script import main

    raise SystemExit(main(run, SIZES))
