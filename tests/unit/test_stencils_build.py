"""Building: the digest, the cache, and what the compiler or the checks refuse."""

import importlib.util
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ftjit.stencils import build, cache, compiler, library, templates
from ftjit.stencils.model import Stencil, StencilError

needs_compiler = pytest.mark.skipif(
    importlib.util.find_spec("ziglang") is None, reason=f"pip install ziglang=={compiler.ZIGLANG_VERSION}"
)


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A folder laid out as cdefs/, with one template of its own."""
    folder = tmp_path / "cdefs"
    (folder / "stencils").mkdir(parents=True)
    shutil.copy(build.SOURCES / "activation.h", folder)
    shutil.copy(build.SOURCES / "stencils" / "machine.h", folder / "stencils")
    (folder / "stencils" / "own.stencil.c").write_text("STENCIL(jump) { EXIT; }\n")
    return folder


@pytest.fixture
def compilations(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Puts an empty library in place of compiling, and the cache in a folder of its own.

    Grows by a digest with each build."""
    digests: list[str] = []

    def compile_nothing(*, force: bool) -> bytes:
        digests.append(build.inputs_digest())
        return library.encode([], [], digests[-1])

    monkeypatch.setattr(build, "build", compile_nothing)
    monkeypatch.setenv("FTJIT_CACHE", str(tmp_path / "cache"))
    return digests


def test_second_build_is_current_and_another_output_comes_from_the_cache(
    tmp_path: Path, compilations: list[str]
) -> None:
    first, second = tmp_path / "first.bin", tmp_path / "folder" / "second.bin"
    assert build.ensure(first) == "built"
    assert build.ensure(first) == "current"
    assert build.ensure(second) == "cached"
    assert first.read_bytes() == second.read_bytes()
    assert len(compilations) == 1
    assert [path.name for path in (tmp_path / "cache" / "stencils").iterdir()] == [f"{compilations[0]}.bin"]


def test_force_compiles_again(tmp_path: Path, compilations: list[str]) -> None:
    build.ensure(tmp_path / "out.bin")
    assert build.ensure(tmp_path / "out.bin", force=True) == "built"
    assert len(compilations) == 2


def test_damaged_output_and_damaged_cache_are_built_anew(tmp_path: Path, compilations: list[str]) -> None:
    build.ensure(tmp_path / "out.bin")
    kept = tmp_path / "cache" / "stencils" / f"{compilations[0]}.bin"
    good = kept.read_bytes()
    (tmp_path / "out.bin").write_bytes(b"half a fi")
    kept.write_bytes(b"")
    assert build.ensure(tmp_path / "out.bin") == "built"
    assert kept.read_bytes() == good


def test_library_of_other_inputs_is_replaced(tmp_path: Path, compilations: list[str]) -> None:
    (tmp_path / "out.bin").write_bytes(library.encode([], [], "0ther"))
    assert build.ensure(tmp_path / "out.bin") == "built"
    assert library.load(tmp_path / "out.bin").digest == compilations[0]


def test_a_cache_that_cannot_be_written_is_no_failure(
    tmp_path: Path,
    compilations: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "file").write_text("in the way of a folder")
    monkeypatch.setenv("FTJIT_CACHE", str(tmp_path / "file"))
    assert build.ensure(tmp_path / "out.bin") == "built"
    assert "set FTJIT_CACHE" in capsys.readouterr().out


def test_cache_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FTJIT_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert cache.cache_folder() == Path("/somewhere/ftjit/stencils")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache.cache_folder() == Path.home() / ".cache" / "ftjit" / "stencils"


def test_interrupted_write_leaves_the_old_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "out.bin"
    cache.write(path, b"old")

    def interrupt(*paths: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cache.os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        cache.write(path, b"new")
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("out.bin", b"old")]


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "activation.h").open("a").write("\n"),
        lambda folder: (folder / "stencils" / "machine.h").open("a").write("\n"),
        lambda folder: (folder / "stencils" / "helpers.h").write_text(""),
        lambda folder: (folder / "stencils" / "own.stencil.c").open("a").write("\n"),
        lambda folder: (folder / "stencils" / "another.stencil.c").write_text(""),
    ],
)
def test_digest_depends_on_every_source(sources: Path, change: Callable[[Path], object]) -> None:
    before = build.inputs_digest(sources)
    assert build.inputs_digest(sources) == before
    change(sources)
    assert build.inputs_digest(sources) != before


def test_no_templates_names_the_mend(tmp_path: Path) -> None:
    with pytest.raises(StencilError, match="build from a source checkout"):
        build.template_files(tmp_path)


@needs_compiler
def test_building_twice_gives_the_same_bytes(sources: Path) -> None:
    assert build.build(sources, force=True, jobs=1) == build.build(sources, force=True, jobs=1)


@needs_compiler
def test_only_chunks_that_changed_are_compiled_again(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled = []
    compile_stencils = compiler.compile_stencils

    def count(label: str, *arguments: Path) -> list[Stencil]:
        compiled.append(label)
        return compile_stencils(label, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(compiler, "compile_stencils", count)
    monkeypatch.setenv("FTJIT_CACHE", str(tmp_path / "cache"))
    other = sources / "stencils" / "other.stencil.c"
    other.write_text("STENCIL(move, A:i, B:i) { A = B; NEXT; }\n")
    first = library.decode(build.build(sources))
    assert sorted(compiled) == ["other.0", "own.0"]
    other.write_text("STENCIL(move, A:i, B:i) { A = B + 1; NEXT; }\n")
    second = library.decode(build.build(sources))
    assert compiled[2:] == ["other.0"]
    assert first["jump"] == second["jump"]
    assert first["move", "i0", "i1"] != second["move", "i0", "i1"]
    (sources / "stencils" / "own.stencil.c").write_text("/* a line more */\nSTENCIL(jump) { EXIT; }\n")
    build.build(sources)
    assert compiled[3:] == ["own.0"]  # a comment may hold code to come: only #line is left out of the digest
    build.build(sources, force=True)
    assert len(compiled) == 6


def test_large_templates_have_chunks_of_their_own() -> None:
    """No chunk is large, none is empty, and together they hold every function once."""
    text = "STENCIL(one) { NEXT; }\nSTENCIL(many, A:i, B:i, C:i) { NEXT; }\nSTENCIL(two) { NEXT; }\n"
    file = templates.parse("x.stencil.c", text)
    counts = [chunk.source.count("FTJIT_STENCIL_FUNCTION") for chunk in build.chunks([file])]
    assert sum(counts) == 1 + 512 + 1
    assert counts[0] == 1
    assert max(counts) <= build.FUNCTIONS_PER_CHUNK
    assert 0 not in counts


@needs_compiler
@pytest.mark.parametrize(
    ("template", "message"),
    [
        (
            "STENCIL(one, A:i)\n{\n    A = nothing;\n    NEXT;\n}",
            r"clang refuses own\.0:(?s:.*)own\.stencil\.c:3:\d+: error",
        ),
        (
            "STENCIL(one, A:imm) { A = 1; NEXT; }",
            r"own\.stencil\.c:1:\d+: error: expression is not assignable",
        ),
        ("STENCIL(one) { SLOW; }", r"own\.stencil\.c:1: one has SLOW but no SLOWPATH"),
        (
            "STENCIL(one) { NEXT; }\nSLOWPATH { EXIT; }",
            r"own\.stencil\.c:1: one has a SLOWPATH but never SLOW",
        ),
        ("STENCIL(one) { SLOW; }\nSLOWPATH { SLOW; }", "one__slow uses SLOW itself"),
        (
            "STENCIL(one) { NEXT; }\nSTENCIL(one) { EXIT; }",
            r"own\.stencil\.c:2: one is already defined at .*:1",
        ),
        ('STENCIL(one, A:i) { A = (int64_t)"text"; NEXT; }', r"one__i0\+0x2 takes the absolute address"),
        ("static int64_t counter;\nSTENCIL(one) { counter++; NEXT; }", r"one\+0x\w+ "),
        (
            "extern __thread int64_t mine;\nSTENCIL(one, A:i) { A = mine; NEXT; }",
            "no hole is of relocation type",
        ),
        (
            "static __attribute__((noinline)) int64_t help(int64_t x) { return x * x; }\n"
            "STENCIL(one, A:i) { A = help(A); NEXT; }",
            r"refers to \.text\.help, whose code is not copied",
        ),
    ],
)
def test_refusals(sources: Path, template: str, message: str) -> None:
    (sources / "stencils" / "own.stencil.c").write_text(template + "\n")
    with pytest.raises(StencilError, match=message):
        build.build(sources)
