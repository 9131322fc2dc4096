"""Accounts of several classes: inheritance, properties, exceptions; ``size`` is the number of transfers."""

SIZES = {"quick": 60_000, "full": 300_000}


class Overdrawn(Exception):
    pass


class Account:
    def __init__(self, owner: str, balance: int) -> None:
        self.owner = owner
        self._balance = balance
        self.log: list[int] = []

    @property
    def balance(self) -> int:
        return self._balance

    def limit(self) -> int:
        return 0

    def withdraw(self, amount: int) -> None:
        if self._balance - amount < self.limit():
            raise Overdrawn(self.owner)
        self._balance -= amount
        self.log.append(-amount)

    def deposit(self, amount: int) -> None:
        self._balance += amount
        self.log.append(amount)


class CreditAccount(Account):
    def limit(self) -> int:
        return -500


class SavingsAccount(Account):
    def deposit(self, amount: int) -> None:
        super().deposit(amount + amount // 100)


def transfer(source: Account, target: Account, amount: int) -> bool:
    try:
        source.withdraw(amount)
    except Overdrawn:
        return False
    target.deposit(amount)
    return True


def run(size: int) -> int:
    """A number made of all balances and of the transfers that were refused."""
    kinds = (Account, CreditAccount, SavingsAccount)
    accounts = [kinds[n % 3](f"owner {n}", 1000 + n) for n in range(50)]
    refused = 0
    for number in range(size):
        source, target = accounts[number * 7 % 50], accounts[number * 11 % 50]
        if not transfer(source, target, number * 13 % 400):
            refused += 1
    checksum = refused
    for account in accounts:
        checksum = (checksum * 31 + account.balance + sum(account.log)) % 1_000_000_007
    return checksum


if __name__ == "__main__":
    import sys
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from script import main

    raise SystemExit(main(run, SIZES))
