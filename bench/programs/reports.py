"""Records to text: formatted lines, groups in dicts, joins; ``size`` is the number of records."""

from dataclasses import dataclass

SIZES = {"quick": 15_000, "full": 80_000}
CITIES = ("Oslo", "Bergen", "Lima", "Accra", "Hanoi")


@dataclass
class Sale:
    city: str
    item: str
    count: int
    price: float

    def total(self) -> float:
        return self.count * self.price


def make_sales(count: int) -> list[Sale]:
    return [Sale(CITIES[n * 3 % 5], f"item {n % 17}", n % 9 + 1, (n % 31) * 0.75) for n in range(count)]


def by_city(sales: list[Sale]) -> dict[str, list[Sale]]:
    groups: dict[str, list[Sale]] = {}
    for sale in sales:
        groups.setdefault(sale.city, []).append(sale)
    return groups


def report(city: str, sales: list[Sale]) -> str:
    lines = [f"== {city} =="]
    for sale in sales:
        if sale.count > 2:
            lines.append(f"{sale.item:<10}|{sale.count:>4}|{sale.total():>10.2f}")
    return "\n".join(lines)


def run(size: int) -> int:
    """A hash of all reports."""
    checksum = 0
    for city, sales in sorted(by_city(make_sales(size)).items()):
        for letter in report(city, sales).encode()[::7]:
            checksum = (checksum * 31 + letter) % 1_000_000_007
    return checksum


if __name__ == "__main__":
    import sys
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from script import main

    raise SystemExit(main(run, SIZES))
