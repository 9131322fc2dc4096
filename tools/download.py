"""Fetching one file whose digest is known beforehand: nothing is kept that does not match."""

import hashlib
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from http.client import HTTPException
from pathlib import Path

from tools.apt import proxy_for, without_secrets
from tools.say import Progress, say

TIMEOUT_SECONDS = 20  # without a byte
TRIES = 3  # the first and two more
PAUSE_SECONDS = 2.0
CHUNK = 1 << 18


class Refused(Exception):
    """A failed download, in one sentence; `final` when trying the same address again is no use."""

    def __init__(self, sentence: str, final: bool = False) -> None:
        super().__init__(sentence)
        self.final = final


def digest_of(path: Path) -> str:
    """The SHA-256 of the file at `path`, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fetch(
    urls: list[str],
    sha256: str,
    target: Path,
    settings: Mapping[str, str],
    pause: Callable[[float], None] = time.sleep,
) -> list[str]:
    """Fetch into `target` from the first of `urls` that has the file with this digest.

    A `target` that is there already and has the digest is left alone. `settings` are apt's, for its proxies.
    Returns [] on success, else one sentence per address that failed.
    """
    if target.is_file():
        if digest_of(target) == sha256:
            return []
        say(f"{target} is not the file that is needed (its sha256 differs); fetching it again")
        target.unlink()
    target.parent.mkdir(parents=True, exist_ok=True)
    failures: list[str] = []
    for url in urls:
        shown = without_secrets(url)
        for attempt in range(1, TRIES + 1):
            try:
                _fetch_once(url, sha256, target, settings)
                return []
            except Refused as refused:
                if refused.final or attempt == TRIES:
                    failures.append(f"{shown}: {refused}")
                    break
                say(f"{shown}: {refused}; trying again")
                pause(PAUSE_SECONDS * attempt)
    return failures


def _fetch_once(url: str, sha256: str, target: Path, settings: Mapping[str, str]) -> None:
    """One attempt; the file appears under its own name only once its digest is right. Raises Refused."""
    partial = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        with _opener(url, settings).open(url, timeout=TIMEOUT_SECONDS) as answer, partial.open("wb") as file:
            length = int(answer.headers.get("Content-Length") or 0)
            progress = Progress(f"fetching {target.name}")
            digest = hashlib.sha256()
            received = 0
            while chunk := answer.read(CHUNK):
                file.write(chunk)
                digest.update(chunk)
                received += len(chunk)
                progress.show("receiving", received / length if length else None)
        if length and received < length:
            raise Refused(f"the connection ended after {received} of {length} bytes")
        if digest.hexdigest() != sha256:
            raise Refused(f"refused: its sha256 is {digest.hexdigest()}, not {sha256}", final=True)
        partial.replace(target)
        progress.done(f"{received / 1e6:.1f} MB, sha256 verified")
    except urllib.error.HTTPError as error:
        raise Refused(f"answered {error.code} {error.reason}", final=error.code in (403, 404, 410)) from None
    except urllib.error.URLError as error:
        raise Refused(str(getattr(error.reason, "strerror", None) or error.reason)) from None
    except TimeoutError:
        raise Refused(f"nothing came for {TIMEOUT_SECONDS} s") from None
    except (OSError, HTTPException) as error:
        raise Refused(str(error) or type(error).__name__) from None
    finally:
        partial.unlink(missing_ok=True)


def _opener(url: str, settings: Mapping[str, str]) -> urllib.request.OpenerDirector:
    """An opener that goes through the proxy apt would use; the environment's where apt names none."""
    proxy = proxy_for(url, settings)
    if proxy is None:
        return urllib.request.build_opener()
    handler = urllib.request.ProxyHandler({"http": proxy, "https": proxy} if proxy else {})
    return urllib.request.build_opener(handler)
