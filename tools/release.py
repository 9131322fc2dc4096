"""The CPython source release that is built: which file, what it must hash to, and getting it."""

from dataclasses import dataclass
from pathlib import Path

from tools import apt, places
from tools.download import fetch
from tools.say import SetupError


@dataclass(frozen=True)
class Release:
    """One source release, as a distribution carries it: the unmodified upstream archive."""

    version: str
    pool_path: str  # under the archive's base address
    sha256: str

    @property
    def file_name(self) -> str:
        return self.pool_path.rpartition("/")[2]

    @property
    def folder(self) -> str:
        """The one folder inside the archive."""
        return f"Python-{self.version}"


RELEASE = Release(
    version="3.14.7",
    pool_path="pool/main/p/python3.14/python3.14_3.14.7.orig.tar.xz",
    sha256="3b48dac8fb59f62eaa67ac83c1eb12bda1b7a08406dd286e252c11a66be27f81",
)


def source_archive(release: Release = RELEASE) -> Path:
    """The verified source archive in the cache, fetched from the archives of apt if it is not there.

    Raises SetupError naming every address tried, and what to do without one.
    """
    target = places.downloads() / release.file_name
    urls = [f"{site}/{release.pool_path}" for site in apt.configured_archives()]
    failures = fetch(urls, release.sha256, target, apt.configuration())
    if not target.is_file():
        tried = "".join(f"\n  {failure}" for failure in failures) or " apt is not configured on this machine"
        raise SetupError(
            f"the source of CPython {release.version} could not be fetched:{tried}\n"
            f"mend: set FTJIT_PYTHON to a python3.14t, or put Python-{release.version}.tar.xz "
            f"(sha256 {release.sha256}) at {target}"
        )
    return target
