"""A calculator: regular expressions for its tokens, a stack machine for its values; ``size`` is the number of lines."""

import re

SIZES = {"quick": 1500, "full": 8000}
TOKEN = re.compile(r"\s*(?:(?P<number>\d+)|(?P<name>[a-z]+)|(?P<sign>[-+*()=]))")
PRIORITY = {"+": 1, "-": 1, "*": 2}


def tokens(line: str) -> list[tuple[str, str]]:
    return [(match.lastgroup or "", match[match.lastgroup or 0]) for match in TOKEN.finditer(line)]


def to_postfix(infix: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Dijkstra's shunting yard."""
    output: list[tuple[str, str]] = []
    waiting: list[str] = []
    for kind, text in infix:
        if kind != "sign":
            output.append((kind, text))
        elif text == "(":
            waiting.append(text)
        elif text == ")":
            while (sign := waiting.pop()) != "(":
                output.append(("sign", sign))
        else:
            while waiting and waiting[-1] != "(" and PRIORITY[waiting[-1]] >= PRIORITY[text]:
                output.append(("sign", waiting.pop()))
            waiting.append(text)
    while waiting:
        output.append(("sign", waiting.pop()))
    return output


def evaluate(postfix: list[tuple[str, str]], variables: dict[str, int]) -> int:
    stack: list[int] = []
    for kind, text in postfix:
        if kind == "number":
            stack.append(int(text))
        elif kind == "name":
            stack.append(variables[text])
        else:
            right, left = stack.pop(), stack.pop()
            stack.append(left + right if text == "+" else left - right if text == "-" else left * right)
    return stack[0] % 65537


def run(size: int) -> int:
    """The last value of all variables, in one number."""
    variables = {"a": 1, "b": 2, "c": 3}
    for number in range(size):
        name = "abc"[number % 3]
        line = f"{name} = (a + {number} * b) - c * (2 + {number % 7}) + {name} * 3"
        target, _, *infix = tokens(line)
        variables[target[1]] = evaluate(to_postfix(infix), variables)
    return variables["a"] * 65537**2 + variables["b"] * 65537 + variables["c"]


if __name__ == "__main__":
    import sys
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from script import main

    raise SystemExit(main(run, SIZES))
