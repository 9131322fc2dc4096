"""What apt on this machine is configured with: the archives it reads and the proxies it goes through."""

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

APT_SECONDS = 20
REMOTE = ("http", "https", "file")

_ONE_LINE = re.compile(r"^\s*deb(?:-src)?\s+(?:\[[^\]]*\]\s+)?(\S+)\s")
_SETTING = re.compile(r'^(\S+) "(.*)";$')


def uris_of_list(text: str) -> Iterator[str]:
    """The URIs in one-line format (`deb [options] URI suite component...`), in order."""
    for line in text.splitlines():
        found = _ONE_LINE.match(line.partition("#")[0] + " ")
        if found:
            yield found[1]


def uris_of_deb822(text: str) -> Iterator[str]:
    """The URIs of the enabled stanzas in deb822 format (`URIs: ...` and indented lines), in order."""
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    for stanza in re.split(r"\n\s*\n", "\n".join(lines)):
        fields: dict[str, str] = {}
        name = ""
        for line in stanza.splitlines():
            if line[:1].isspace():
                fields[name] = fields.get(name, "") + " " + line.strip()
            elif ":" in line:
                name, _, value = line.partition(":")
                name = name.strip().lower()
                fields[name] = value.strip()
        if fields.get("enabled", "yes").lower() not in ("no", "false", "0"):
            yield from fields.get("uris", "").split()


def archives(uris: Iterable[str]) -> list[str]:
    """Base addresses to fetch from: distinct, in order, no trailing slash; mirror lists are opened up."""
    found: dict[str, None] = {}
    for uri in uris:
        uri = uri.removeprefix("tor+")
        if uri.startswith("mirror+file:"):
            for mirror in _mirror_list(Path(urlsplit(uri.removeprefix("mirror+")).path)):
                found[mirror.rstrip("/")] = None
        elif urlsplit(uri).scheme in REMOTE:
            found[uri.rstrip("/")] = None
    return list(found)


def _mirror_list(path: Path) -> list[str]:
    """The addresses in a list of mirrors: the first word of each line."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    return [line.split()[0] for line in lines if line.strip() and not line.startswith("#")]


def configured_archives() -> list[str]:
    """The archives this machine's apt reads, from the files it would read itself; [] without apt."""
    settings = configuration()
    etc = Path(settings.get("Dir", "/")) / settings.get("Dir::Etc", "etc/apt")
    main = etc / settings.get("Dir::Etc::sourcelist", "sources.list")
    parts = etc / settings.get("Dir::Etc::sourceparts", "sources.list.d")
    uris: list[str] = []
    for path in [main, *sorted(parts.glob("*"))]:
        reader = {".list": uris_of_list, ".sources": uris_of_deb822}.get(path.suffix)
        if reader and path.is_file():
            uris += reader(path.read_text(encoding="utf-8", errors="replace"))
    return archives(uris)


def configuration() -> dict[str, str]:
    """Apt's own view of its settings, flat: 'Acquire::http::Proxy' -> value. Empty where there is no apt."""
    if not shutil.which("apt-config"):
        return {}
    return parse_configuration(_output_of(["apt-config", "dump"]))


def parse_configuration(dump: str) -> dict[str, str]:
    """Read the output of `apt-config dump`; the last of several values of one name wins."""
    matches = (_SETTING.match(line) for line in dump.splitlines())
    return {found[1]: found[2] for found in matches if found and found[2]}


def proxy_for(url: str, settings: Mapping[str, str]) -> str | None:
    """The proxy apt would use for `url`: an address, '' for none, None when the environment decides."""
    lower = {name.lower(): value for name, value in settings.items()}
    address = urlsplit(url)
    schemes = [address.scheme] if address.scheme == "http" else [address.scheme, "http"]  # https inherits http's
    for scheme in schemes:
        own = lower.get(f"acquire::{scheme}::proxy::{(address.hostname or '').lower()}")
        detector = lower.get(f"acquire::{scheme}::proxy-auto-detect") or lower.get(
            f"acquire::{scheme}::proxyautodetect"
        )
        said = own or (_output_of([*shlex.split(detector), url]).strip() if detector else "")
        said = said or lower.get(f"acquire::{scheme}::proxy", "")
        if said:
            return "" if said.upper() == "DIRECT" else said
    return None


def _output_of(command: list[str]) -> str:
    """Standard output of `command`; '' when it cannot be run or fails."""
    try:
        answer = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=APT_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout if answer.returncode == 0 else ""


def without_secrets(url: str) -> str:
    """`url` as it may be shown: no user name, no password."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
