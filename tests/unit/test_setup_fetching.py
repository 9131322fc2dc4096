"""What the set-up downloads and from where: apt's configuration, proxies, files that match a digest."""

import hashlib
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY))

from tools import apt, download, places, release, say  # noqa: E402


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine of its own: an empty cache, a folder first on PATH for the programs of a test."""
    monkeypatch.setenv("FTJIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    (tmp_path / "bin").mkdir()
    return tmp_path


def executable(path: Path, script: str) -> Path:
    path.write_text("#!/bin/sh\n" + script + "\n", encoding="utf-8")
    path.chmod(0o755)
    return path


# --- what apt is configured with ---------------------------------------------------------------------------

ONE_LINE = """
# deb http://commented.test/debian bookworm main
deb http://first.test/debian/ bookworm main contrib
deb [signed-by=/k.gpg arch=amd64] https://second.test/debian bookworm main # note
deb-src http://first.test/debian bookworm main
deb cdrom:[Debian]/ bookworm main
deb tor+http://onion.test/debian bookworm main
"""
DEB822 = """\
Types: deb
# URIs: http://commented.test/debian
URIs: http://first.test/debian/
  http://third.test/debian
Suites: bookworm
Components: main

Enabled: no
Types: deb
URIs: http://disabled.test/debian
Suites: bookworm
"""


def test_one_line_sources() -> None:
    assert apt.archives(apt.uris_of_list(ONE_LINE)) == [
        "http://first.test/debian",
        "https://second.test/debian",
        "http://onion.test/debian",
    ]


def test_deb822_sources() -> None:
    assert list(apt.uris_of_deb822(DEB822)) == ["http://first.test/debian/", "http://third.test/debian"]


def test_archives_come_from_the_files_apt_reads(machine: Path) -> None:
    etc = machine / "etc"
    (etc / "parts").mkdir(parents=True)
    (etc / "main.list").write_text("deb http://main.test/debian bookworm main\n")
    (etc / "mirrors").write_text("# best\nhttp://mirror.test/debian/\tpriority:1\n")
    (etc / "parts" / "debian.sources").write_text(DEB822 + f"\nTypes: deb\nURIs: mirror+file:{etc}/mirrors\n")
    (etc / "parts" / "old.list.save").write_text("deb http://saved.test/debian bookworm main\n")
    settings = f'Dir "/";\nDir::Etc "{etc}";\nDir::Etc::sourcelist "main.list";\nDir::Etc::sourceparts "parts";'
    executable(machine / "bin" / "apt-config", f"cat <<'END'\n{settings}\nEND")
    assert apt.configured_archives() == [
        "http://main.test/debian",
        "http://first.test/debian",
        "http://third.test/debian",
        "http://mirror.test/debian",
    ]


def test_proxies_are_those_of_apt(machine: Path) -> None:
    settings = apt.parse_configuration(
        'Acquire::http "";\nAcquire::http::Proxy "http://proxy.test:3142";\nAcquire::HTTP::Proxy::near.test "DIRECT";'
    )
    assert apt.proxy_for("http://far.test/debian", settings) == "http://proxy.test:3142"
    assert apt.proxy_for("https://far.test/debian", settings) == "http://proxy.test:3142"
    assert apt.proxy_for("http://near.test/debian", settings) == ""
    assert apt.proxy_for("http://far.test/debian", {}) is None
    detector = executable(machine / "detect", 'echo "http://found.test/?$1"')
    found = {"Acquire::http::Proxy-Auto-Detect": str(detector)}
    assert apt.proxy_for("http://far.test/", found) == "http://found.test/?http://far.test/"


def test_passwords_are_not_shown() -> None:
    assert apt.without_secrets("https://me:secret@host.test:8/debian") == "https://host.test:8/debian"


# --- fetching ----------------------------------------------------------------------------------------------

Server = tuple[str, list[str]]  # its address, the paths it was asked for
CONTENT = b"the source of an interpreter"
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def server() -> Iterator[Server]:
    """A web server: its address, and the paths it was asked for; what it does not know is not there."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            status = {"/good": 200, "/forged": 200, "/short": 200, "/busy": 503}.get(self.path, 404)
            body = {"/good": CONTENT, "/forged": b"forged", "/short": CONTENT[:5]}.get(self.path, b"")
            self.send_response(status)
            self.send_header("Content-Length", str(len(CONTENT if self.path == "/short" else body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{listening.server_port}", asked
        listening.shutdown()
        thread.join()


DIRECT = {"Acquire::http::Proxy": "DIRECT"}  # whatever proxy the machine that runs the tests has


def fetch(urls: list[str], target: Path) -> list[str]:
    return download.fetch(urls, DIGEST, target, DIRECT, pause=lambda seconds: None)


def test_a_wrong_digest_is_refused_and_nothing_is_left(machine: Path, server: Server) -> None:
    address, asked = server
    target = machine / "downloads" / "source.tar.xz"
    failures = fetch([f"{address}/forged"], target)
    assert "refused: its sha256 is" in failures[0]
    assert list(target.parent.iterdir()) == []
    assert asked == ["/forged"]  # the same address again would give the same file


def test_each_archive_is_tried_and_only_passing_failures_again(machine: Path, server: Server) -> None:
    address, asked = server
    target = machine / "source.tar.xz"
    assert fetch([f"{address}/{name}" for name in ("gone", "busy", "forged", "good")], target) == []
    assert target.read_bytes() == CONTENT
    assert asked == ["/gone", "/busy", "/busy", "/busy", "/forged", "/good"]


def test_a_connection_that_breaks_off_is_no_file(machine: Path, server: Server) -> None:
    target = machine / "source.tar.xz"
    failures = fetch([f"{server[0]}/short"], target)
    assert "5 of 28 bytes" in failures[0]
    assert not target.exists()


def test_a_file_in_the_cache_is_used_and_a_wrong_one_replaced(machine: Path, server: Server) -> None:
    address, asked = server
    target = machine / "source.tar.xz"
    target.write_bytes(CONTENT)
    assert fetch([f"{address}/good"], target) == []
    assert asked == []
    target.write_bytes(b"half of it")
    assert fetch([f"{address}/good"], target) == []
    assert target.read_bytes() == CONTENT


def test_without_a_source_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apt, "configured_archives", list)
    with pytest.raises(say.SetupError, match="set FTJIT_PYTHON") as refusal:
        release.source_archive()
    assert release.RELEASE.sha256 in str(refusal.value)
    assert str(places.downloads()) in str(refusal.value)
