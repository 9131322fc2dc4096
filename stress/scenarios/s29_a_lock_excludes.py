"""What a program does under a lock, nobody interrupts: nothing compiled leaks out of `with lock`."""

from __future__ import annotations

import threading
from random import Random

from ..harness.scenario import Actor, Counts, Scenario, acceptable, forbidden

TURNS = 1_500


class Account:
    def __init__(self, rng: Random) -> None:
        self.lock = threading.Lock()
        self.here = 1000
        self.there = 1000
        self.moves = 0


def move(account: Account, me: int) -> Counts:
    lock = account.lock
    right = wrong = 0
    for number in range(TURNS):
        with lock:
            here = account.here
            account.here = here - 1
            there = account.there
            account.there = there + 1
            account.moves += 1
            if account.here + account.there == 2000:
                right += 1
            else:
                wrong += 1
        if number % 100 == me:
            lock.acquire()
            account.here, account.there = account.there, account.here
            lock.release()
    return {"the sum": right, "another sum": wrong}


def count(account: Account) -> Counts:
    return {"every move" if account.moves == 3 * TURNS else "moves were lost": 1}


SCENARIO = Scenario(
    world=Account,
    actors=(Actor(move, count=3),),
    check=count,
    outcomes=(
        acceptable("the sum", "one thread at a time"),
        acceptable("every move", "all were counted"),
        forbidden("another sum", "two threads were inside at once"),
        forbidden("moves were lost", "two threads were inside at once"),
    ),
)
