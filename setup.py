"""What pyproject.toml cannot say: the C core, the stencil library, and where bench/ and stress/ are installed.

Both native parts exist only for free-threaded CPython 3.14 on x86-64 Linux; elsewhere the package installs
without them, so that importing it works and switching it on can say why not.
"""

from __future__ import annotations

import platform
import sys
import sysconfig
import types
from pathlib import Path

from setuptools import find_namespace_packages, setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
LIBRARY = Path("ftjit", "stencils", "library.x86_64-linux.bin")
SUPPORTED = (
    sys.implementation.name == "cpython"
    and sys.version_info[:2] == (3, 14)
    and bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
    and sys.platform == "linux"
    and platform.machine() == "x86_64"
)


class BuildWithStencils(build_py):
    """Copies the Python files, then puts the stencil library beside them: in the build folder, or for an
    editable install in the source folder."""

    def run(self) -> None:
        super().run()
        if not SUPPORTED:
            print("ftjit: no native parts: they need free-threaded CPython 3.14 on x86-64 Linux")
            return
        output = (ROOT if self.editable_mode else Path(self.build_lib).resolve()) / LIBRARY
        print(f"ftjit: stencil library {self._builder().ensure(output)}")

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        outputs = super().get_outputs(include_bytecode)
        library = str(Path(self.build_lib) / LIBRARY)
        return outputs if library in outputs or not SUPPORTED else [*outputs, library]

    def _builder(self) -> types.ModuleType:
        """`ftjit.stencils.build` without `ftjit/__init__.py`, which may want the C core that is not built yet."""
        bare = types.ModuleType("ftjit")
        bare.__path__ = [str(ROOT / "ftjit")]
        sys.modules["ftjit"] = bare
        import ftjit.stencils.build as builder

        return builder


def packages() -> dict[str, str]:
    """Every package to install, with its folder."""
    found = {name: name.replace(".", "/") for name in _below(ROOT) if name.partition(".")[0] == "ftjit"}
    for folder in ("bench", "stress"):
        if (ROOT / folder / "__init__.py").exists():
            found[f"ftjit_{folder}"] = folder
            for name in _below(ROOT / folder):
                found[f"ftjit_{folder}.{name}"] = f"{folder}/{name.replace('.', '/')}"
    return found


def _below(folder: Path) -> list[str]:
    """The packages in a folder, with those that have no __init__.py."""
    return [name for name in find_namespace_packages(str(folder)) if "__pycache__" not in name]


has_core = SUPPORTED and (ROOT / "cdefs" / "build.py").exists()
native = {"cffi_modules": ["cdefs/build.py:ffibuilder"]} if has_core else {}
setup(packages=list(packages()), package_dir=packages(), cmdclass={"build_py": BuildWithStencils}, **native)
