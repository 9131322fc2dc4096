"""Words of a made-up text, counted in a dict and sorted; ``size`` is the number of words."""

SIZES = {"quick": 20_000, "full": 100_000}
SYLLABLES = ("ka", "lo", "mi", "ru", "ten", "sa", "vo")
PAGE = 2000


def make_text(words: int, seed: int) -> str:
    """A page: ``words`` words of one to three syllables, capitals and commas here and there."""
    state, text = seed, []
    for number in range(words):
        state = (state * 1103515245 + 12345) % 2147483648
        word = "".join(SYLLABLES[(state >> shift) % 7] for shift in range(4, 6 + 4 * (state % 3), 4))
        text.append(word.capitalize() if number % 11 == 0 else word + "," if number % 7 == 0 else word)
    return " ".join(text)


def count_words(text: str, counts: dict[str, int]) -> None:
    for word in text.split():
        clean = word.strip(",").lower()
        counts[clean] = counts.get(clean, 0) + 1


def run(size: int) -> str:
    """The most frequent word, how often it is there, and how many there are."""
    counts: dict[str, int] = {}
    for page in range(size // PAGE):
        count_words(make_text(PAGE, page), counts)
    order = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return f"{order[0][0]} {order[0][1]} {len(order)}"


if __name__ == "__main__":
    import sys
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from script import main

    raise SystemExit(main(run, SIZES))
