"""The sieve of Eratosthenes with a list of flags.

``size`` is the number below which primes are looked for, ROUNDS times; the flags of a quick round fit a processor's
cache.
"""

SIZES = {"quick": 150_000, "full": 450_000}
ROUNDS = 8


def find_primes(limit: int) -> list[int]:
    """All primes below ``limit``, in order."""
    is_prime = [True] * limit
    is_prime[0] = is_prime[1] = False
    number = 2
    while number * number < limit:
        if is_prime[number]:
            multiple = number * number
            while multiple < limit:
                is_prime[multiple] = False
                multiple += number
        number += 1
    primes = []
    for number in range(limit):
        if is_prime[number]:
            primes.append(number)
    return primes


def run(size: int) -> int:
    """A running hash of every prime of every round."""
    checksum = 0
    for _ in range(ROUNDS):
        for prime in find_primes(size):
            checksum = (checksum * 31 + prime) % 1_000_000_007
    return checksum


if __name__ == "__main__":
    import sys
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from script import main

    raise SystemExit(main(run, SIZES))
