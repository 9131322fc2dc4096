"""Medians, how sure one can be of them, and geometric means. No assumption about how the noise is distributed."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist, median


@dataclass(frozen=True)
class Interval:
    """A median with the bounds of its confidence interval, and how many values it is of."""

    median: float
    low: float
    high: float
    count: int


def median_interval(values: Sequence[float], confidence: float = 0.95) -> Interval:
    """The median of ``values`` and the order statistics that enclose the true one with ``confidence``.

    The sign test turned round: the number of values below the true median is binomial with p = 1/2, and its tails are
    added up exactly. With too few values for the confidence asked the bounds are minus and plus infinity.
    """
    if not values:
        raise ValueError("no values: a median needs at least one")
    ordered = sorted(values)
    count = len(ordered)
    tail = (1.0 - confidence) / 2.0
    # The largest rank k with P(at most k - 1 values below the true median) <= tail.
    rank = 0
    below = math.ldexp(1.0, -count) if count < 1000 else 0.0
    if count < 1000:
        cumulative = below
        while cumulative <= tail:
            rank += 1
            below = below * (count - rank + 1) / rank
            cumulative += below
    else:
        rank = math.floor(count / 2 + NormalDist().inv_cdf(tail) * math.sqrt(count) / 2)
    if rank == 0:
        return Interval(median(ordered), -math.inf, math.inf, count)
    return Interval(median(ordered), ordered[rank - 1], ordered[count - rank], count)


def geometric_mean(values: Sequence[float]) -> float | None:
    """The geometric mean of positive ``values``; None if there are none."""
    if not values:
        return None
    return math.exp(math.fsum(map(math.log, values)) / len(values))
