"""Two threads store into two lists in opposite order: locks that are kept from store to store must not deadlock.

A thread keeps one list's lock at a time, and gives it back before it takes another or waits for anything.
"""

from __future__ import annotations

from random import Random

from ..harness.scenario import Actor, Counts, Scenario, acceptable, forbidden

TURNS = 10_000


class Lists:
    def __init__(self, rng: Random) -> None:
        self.a = [0] * 8
        self.b = [0] * 8


def a_then_b(lists: Lists, me: int) -> Counts:
    a, b = lists.a, lists.b
    for number in range(TURNS):
        a[number & 7] = number
        b[number & 7] = a[number & 7]
        b[me] = number
    return {"done": 1}


def b_then_a(lists: Lists, me: int) -> Counts:
    a, b = lists.a, lists.b
    for number in range(TURNS):
        b[number & 7] = number
        a[number & 7] = b[number & 7]
        a[me] = number
    return {"done": 1}


def sort_both(lists: Lists, _: int) -> Counts:
    for _ in range(200):
        lists.a.sort()
        lists.b.reverse()
        lists.a[:] = lists.b
    return {"done": 1}


def look(lists: Lists) -> Counts:
    inside = all(0 <= value < TURNS for value in (*lists.a, *lists.b))
    return {"values that were stored" if inside and len(lists.a) == len(lists.b) == 8 else "something else": 1}


SCENARIO = Scenario(
    world=Lists,
    actors=(Actor(a_then_b), Actor(b_then_a), Actor(sort_both)),
    check=look,
    outcomes=(
        acceptable("done", "nobody waits for ever (a deadlock is a hang)"),
        acceptable("values that were stored", "eight of them in each"),
        acceptable("raised IndexError: list index out of range", "a list that is being sorted looks empty to readers"),
        forbidden("something else", "a store without a lock"),
    ),
)
