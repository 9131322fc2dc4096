"""What the numbers were measured on."""

import datetime
import os
import platform
import sys
import sysconfig
from importlib import metadata
from pathlib import Path
from typing import Any


def facts() -> dict[str, Any]:
    """CPU, operating system, Python build and ftjit version of this process, all of them plain JSON."""
    return {
        "cpu": processor_name(),
        "cpus": os.process_cpu_count() or 1,
        "load_at_start": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "system": f"{system_name()} ({platform.release()}, {platform.machine()})",
        "python": " ".join(sys.version.split()),
        "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
        "gil_enabled": sys._is_gil_enabled(),
        "executable": sys.executable,
        "ftjit": ftjit_version(),
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }


def processor_name() -> str:
    """The CPU as the operating system names it."""
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text(errors="replace").splitlines():
            if line.lower().startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def system_name() -> str:
    """Distribution or operating system with its version."""
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError, KeyError:
        return platform.platform(aliased=True, terse=True)


def ftjit_version() -> str:
    try:
        return metadata.version("ftjit")
    except metadata.PackageNotFoundError:
        return "not installed as a package"


def lines(machine: dict[str, Any]) -> list[str]:
    """``facts()`` for people."""
    build = "free-threaded" if machine["free_threaded"] and not machine["gil_enabled"] else "with the GIL"
    return [
        f"CPU     {machine['cpu']}, {machine['cpus']} usable (load {machine['load_at_start']} at the start)",
        f"System  {machine['system']}",
        f"Python  {machine['python']}, {build}",
        f"ftjit   {machine['ftjit']}",
        f"Date    {machine['date']}",
    ]
