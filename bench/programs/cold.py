"""A report that is written once in each of many formats and read back: much code, none of it hot.

A small inventory goes through a good part of the standard library (every module is imported where it is first
needed), and each reader must get out what the writer put in. ``size`` is the number of articles in the
inventory; the time goes almost wholly into code that runs a handful of times.
"""

from collections.abc import Callable, Iterator

SIZES = {"quick": 3, "full": 20}

type Article = dict[str, str | int]

NAMES = ["anvil", "bellows", "chisel", "dowel", "easel", "file", "gimlet", "hammer", "iron", "jointer"]


def make_inventory(size: int) -> list[Article]:
    return [
        {
            "name": NAMES[n % len(NAMES)],
            "shelf": f"{chr(65 + n % 26)}{n:02d}",
            "count": n * 7 % 23,
            "cents": 199 + n * 250,
        }
        for n in range(size)
    ]


def expect(fact: bool, what: str) -> None:
    if not fact:
        raise ValueError(f"{what} does not read back what was written")


def as_json(inventory: list[Article]) -> str:
    import json

    text = json.dumps(inventory, indent=1, sort_keys=True)
    expect(json.loads(text) == inventory, "json")
    return text


def as_csv(inventory: list[Article]) -> str:
    import csv
    import io

    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, ["name", "shelf", "count", "cents"])
    writer.writeheader()
    writer.writerows(inventory)
    rows = list(csv.DictReader(io.StringIO(stream.getvalue(), newline="")))
    expect([row["shelf"] for row in rows] == [article["shelf"] for article in inventory], "csv")
    return stream.getvalue()


def as_configuration(inventory: list[Article]) -> str:
    import configparser
    import io

    parser = configparser.ConfigParser(interpolation=None)
    for article in inventory:
        parser[str(article["shelf"])] = {key: str(value) for key, value in article.items()}
    stream = io.StringIO()
    parser.write(stream)
    again = configparser.ConfigParser(interpolation=None)
    again.read_string(stream.getvalue())
    expect(again == parser, "configparser")
    return stream.getvalue()


def as_toml(inventory: list[Article]) -> str:
    import tomllib

    lines = []
    for article in inventory:
        lines.append("[[article]]")
        lines.extend(f"{key} = {value!r}" for key, value in article.items())
    text = "\n".join(lines)
    expect(tomllib.loads(text)["article"] == inventory, "toml")
    return text


def as_xml(inventory: list[Article]) -> str:
    from xml.etree import ElementTree

    root = ElementTree.Element("inventory")
    for article in inventory:
        ElementTree.SubElement(root, "article", {key: str(value) for key, value in article.items()})
    text = ElementTree.tostring(root, encoding="unicode")
    expect(len(ElementTree.fromstring(text)) == len(inventory), "xml")
    return text


def as_html(inventory: list[Article]) -> str:
    from html import escape
    from html.parser import HTMLParser

    class CellCounter(HTMLParser):
        cells = 0

        def handle_starttag(self, tag: str, attrs: object) -> None:
            self.cells += tag == "td"

    rows = ("".join(f"<td>{escape(str(value))}</td>" for value in article.values()) for article in inventory)
    text = "<table>" + "".join(f"<tr>{row}</tr>" for row in rows) + "</table>"
    counter = CellCounter()
    counter.feed(text)
    expect(counter.cells == sum(len(article) for article in inventory), "html")
    return text


def as_mail(inventory: list[Article]) -> str:
    from email import message_from_string
    from email.message import EmailMessage

    mail = EmailMessage()
    mail["Subject"] = f"{len(inventory)} articles"
    mail["To"] = "store@example.org"
    mail.set_content("\n".join(f"{article['shelf']} {article['name']}" for article in inventory))
    text = mail.as_string()
    expect(message_from_string(text)["Subject"] == mail["Subject"], "email")
    return text


def as_property_list(inventory: list[Article]) -> str:
    import plistlib

    data = plistlib.dumps(inventory)
    expect(plistlib.loads(data) == inventory, "plistlib")
    return data.decode()


def as_archive(inventory: list[Article]) -> str:
    import io
    import zipfile

    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for article in inventory:
            archive.writestr(f"{article['shelf']}.txt", repr(article))
    with zipfile.ZipFile(stream) as archive:
        names = archive.namelist()
    expect(names == [f"{article['shelf']}.txt" for article in inventory], "zipfile")
    return " ".join(names)


def as_source(inventory: list[Article]) -> str:
    import ast
    import pprint

    text = pprint.pformat(inventory, width=60)
    expect(ast.literal_eval(text) == inventory, "ast")
    return ast.unparse(ast.parse(f"INVENTORY = {text}"))


def as_pickle(inventory: list[Article]) -> str:
    import base64
    import pickle
    import textwrap

    data = pickle.dumps(inventory, protocol=4)
    expect(pickle.loads(data) == inventory, "pickle")
    return textwrap.fill(base64.b64encode(data).decode(), 60)


def as_address(inventory: list[Article]) -> str:
    from urllib.parse import parse_qsl, urlencode, urlsplit

    address = "https://example.org/search?" + urlencode([(str(a["shelf"]), str(a["count"])) for a in inventory])
    expect(len(parse_qsl(urlsplit(address).query)) == len(inventory), "urllib.parse")
    return address


def as_letter(inventory: list[Article]) -> str:
    import datetime
    from string import Template

    letter = Template("Dear $who, on $day we counted $count articles, ${kinds} kinds.")
    day = datetime.date(2024, 2, 29) + datetime.timedelta(days=len(inventory))
    count = sum(int(article["count"]) for article in inventory)
    return letter.substitute(who="keeper", day=day.isoformat(), count=count, kinds=len(inventory))


def as_money(inventory: list[Article]) -> str:
    from decimal import Decimal
    from fractions import Fraction
    from statistics import mean, median

    prices = [Decimal(int(article["cents"])).scaleb(-2) for article in inventory]
    share = Fraction(int(inventory[0]["cents"]), sum(int(article["cents"]) for article in inventory))
    return f"{sum(prices):,.2f} {mean(prices):.3f} {median(prices):.2f} {share}"


def as_table(inventory: list[Article]) -> str:
    import shlex

    widths = [max(len(str(article[key])) for article in inventory) for key in inventory[0]]
    lines = []
    for article in inventory:
        cells = (str(value).ljust(width) for value, width in zip(article.values(), widths))
        lines.append("|".join(cells).rstrip())
    expect(shlex.split(shlex.join(lines)) == lines, "shlex")
    return "\n".join(lines)


def as_changes(inventory: list[Article]) -> str:
    import difflib

    before = [str(article["name"]) for article in inventory]
    after = [name.title() for name in before]
    changes = list(difflib.unified_diff(before, after, "before", "after", lineterm=""))
    delta = list(difflib.ndiff(before, after))
    expect(list(difflib.restore(delta, 2)) == after, "difflib")
    return "\n".join(changes)


def as_records(inventory: list[Article]) -> str:
    from collections import Counter, namedtuple
    from dataclasses import asdict, make_dataclass
    from enum import Enum

    Record = make_dataclass("Record", [("name", str), ("shelf", str), ("count", int), ("cents", int)])
    Place = namedtuple("Place", ["aisle", "row"])
    Stock = Enum("Stock", ["EMPTY", "LOW", "FULL"])
    records = [Record(**article) for article in inventory]
    expect([asdict(record) for record in records] == inventory, "dataclasses")
    places = [Place(str(article["shelf"])[0], int(str(article["shelf"])[1:])) for article in inventory]
    stock = Counter(Stock(1 + (int(article["count"]) > 0) + (int(article["count"]) > 10)).name for article in inventory)
    return f"{places} {sorted(stock.items())}"


def as_order(inventory: list[Article]) -> str:
    from graphlib import TopologicalSorter
    from ipaddress import ip_network

    sorter: TopologicalSorter[str] = TopologicalSorter()
    for earlier, later in zip(inventory, inventory[1:]):
        sorter.add(str(later["shelf"]), str(earlier["shelf"]))
    hosts = [str(host) for _, host in zip(inventory, ip_network("192.0.2.0/28").hosts())]
    return " ".join(sorter.static_order()) + " " + " ".join(hosts)


def as_options(inventory: list[Article]) -> str:
    import argparse

    parser = argparse.ArgumentParser(prog="store", description="Look after the store.", color=False)
    commands = parser.add_subparsers(dest="command")
    for article in inventory:
        command = commands.add_parser(str(article["shelf"]), help=f"fetch the {article['name']}", color=False)
        command.add_argument("--count", type=int, default=article["count"])
    chosen = parser.parse_args([str(inventory[-1]["shelf"]), "--count", "3"])
    return parser.format_usage() + repr(sorted(vars(chosen).items()))


def as_log(inventory: list[Article]) -> str:
    import io
    import logging

    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    logger = logging.Logger("store")
    logger.addHandler(handler)
    for article in inventory:
        logger.info("%s is on shelf %s", article["name"], article["shelf"])
    return stream.getvalue()


def as_tokens(inventory: list[Article]) -> str:
    import io
    import keyword
    import tokenize

    source = "\n".join(f"{article['name']} = {article['count']}" for article in inventory)
    tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    names = [token.string for token in tokens if token.type == tokenize.NAME and not keyword.iskeyword(token.string)]
    expect(names == [article["name"] for article in inventory], "tokenize")
    return " ".join(names)


FORMATS: list[Callable[[list[Article]], str]] = [
    as_json,
    as_csv,
    as_configuration,
    as_toml,
    as_xml,
    as_html,
    as_mail,
    as_property_list,
    as_archive,
    as_source,
    as_pickle,
    as_address,
    as_letter,
    as_money,
    as_table,
    as_changes,
    as_records,
    as_order,
    as_options,
    as_log,
    as_tokens,
]


def write_all(size: int) -> Iterator[str]:
    """The text in one format after the other."""
    inventory = make_inventory(size)
    for write in FORMATS:
        yield write(inventory)


def run(size: int) -> str:
    """The SHA-256 digest of everything that was written, in hexadecimal digits."""
    import hashlib

    digest = hashlib.sha256()
    for text in write_all(size):
        digest.update(text.encode())
    return digest.hexdigest()


if __name__ == "__main__":
    import sys
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from script import main

    raise SystemExit(main(run, SIZES))
