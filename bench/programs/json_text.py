"""A parser for JSON, a letter at a time, as one writes it by hand; ``size`` is the number of records in the text."""

from typing import Any

SIZES = {"quick": 600, "full": 3000}
SPACE = " \n\t"
WORDS = {"t": ("true", True), "f": ("false", False), "n": ("null", None)}


class Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.place = 0

    def skip_space(self) -> None:
        while self.place < len(self.text) and self.text[self.place] in SPACE:
            self.place += 1

    def value(self) -> Any:
        self.skip_space()
        letter = self.text[self.place]
        if letter == "{":
            return self.mapping()
        if letter == "[":
            return self.sequence()
        if letter == '"':
            return self.string()
        if letter in WORDS:
            word, value = WORDS[letter]
            self.place += len(word)
            return value
        return self.number()

    def expect(self, letter: str) -> None:
        if self.text[self.place] != letter:
            raise ValueError(f"{letter!r} expected at {self.place}")
        self.place += 1

    def mapping(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        self.expect("{")
        while True:
            self.skip_space()
            name = self.string()
            self.skip_space()
            self.expect(":")
            found[name] = self.value()
            self.skip_space()
            if self.text[self.place] == "}":
                self.place += 1
                return found
            self.expect(",")

    def sequence(self) -> list[Any]:
        found: list[Any] = []
        self.expect("[")
        while True:
            found.append(self.value())
            self.skip_space()
            if self.text[self.place] == "]":
                self.place += 1
                return found
            self.expect(",")

    def string(self) -> str:
        self.expect('"')
        start = self.place
        while self.text[self.place] != '"':
            self.place += 1
        self.place += 1
        return self.text[start : self.place - 1]

    def number(self) -> float | int:
        start = self.place
        while self.place < len(self.text) and self.text[self.place] in "+-.eE0123456789":
            self.place += 1
        digits = self.text[start : self.place]
        return float(digits) if "." in digits or "e" in digits else int(digits)


def make_text(records: int) -> str:
    return "[{}]".format(
        ", ".join(
            f'{{"name": "item {n}", "price": {n % 97}.25, "tags": ["a{n % 5}", true, null], "stock": {n * 7 % 31}}}'
            for n in range(records)
        )
    )


def run(size: int) -> float:
    """What the stock of all records is worth."""
    return sum(record["price"] * record["stock"] for record in Parser(make_text(size)).value())


if __name__ == "__main__":
    import sys
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from script import main

    raise SystemExit(main(run, SIZES))
