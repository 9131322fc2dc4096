"""Stencils: machine code compiled ahead of time from C, copied and patched at run time.

model.py      what a stencil is templates.py  the template language: one block of C -> a function per register
assignment assembly.py   tidies the compiler's assembly: jumps to the next stencil disappear elf.py        object file
-> stencils compiler.py   runs clang: a C file -> stencils cache.py      where built stencils are kept between builds
build.py      templates -> library file (`python -m ftjit.stencils.build`) library.py    library file -> stencils,
loaded lazily catalogue.py  the library as a table (`python -m ftjit stencils`)

Everything here needs only the standard library; building needs ziglang as well, reading does not.
"""
