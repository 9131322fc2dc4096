"""The code heap by itself: regions never overlap, sealed bytes stay, no mapping is writable and executable, everything
goes back; in both forms, from one thread (against a model) and from several."""

from __future__ import annotations

import os
import random
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from ftjit._core import ffi, lib
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

SEALED, ELSEWHERE, PAGE = 0, -2, 4096


def counter(name: str) -> int:
    return int(lib.counter(name.encode()))


def address(region: Any) -> int:
    return int(ffi.cast("uintptr_t", lib.region_base(region)))


def content(base: int, size: int) -> bytes:
    return bytes(ffi.buffer(ffi.cast("char *", base), size))


def mappings() -> Iterator[tuple[int, int, str]]:
    with open("/proc/self/maps") as file:
        for line in file:
            ends, access = line.split()[:2]
            start, _, end = ends.partition("-")
            yield int(start, 16), int(end, 16), access


def access_at(base: int) -> str:
    return next((access for start, end, access in mappings() if start <= base < end), "none")


@pytest.fixture(autouse=True, params=["dense", "sealed"])
def form(request: pytest.FixtureRequest) -> Iterator[str]:
    """Each test in both forms; the heap is as it was afterwards."""
    lib.heap_configure(request.param == "sealed", 0)
    yield request.param
    lib.heap_configure(0, 0)


class Heap(RuleBasedStateMachine):
    """The model: live regions with their holders and, once sealed, their bytes."""

    def __init__(self) -> None:
        super().__init__()
        self.live: list[dict[str, Any]] = []

    @initialize()
    def start(self) -> None:
        self.before = (counter("regions"), counter("region_bytes"))

    @rule(size=st.one_of(st.integers(1, 300), st.integers(1, 20_000), st.just(300_000)))
    def create(self, size: int) -> None:
        region = lib.region_create(size)
        assert region
        base = address(region)
        assert base % 64 == 0
        for other in self.live:
            assert base + size <= other["base"] or other["base"] + other["size"] <= base, "overlap"
        self.live.append({"region": region, "base": base, "size": size, "holders": 1, "bytes": None})

    @precondition(lambda self: self.live)
    @rule(data=st.data(), seed=st.integers(0, 2**32))
    def seal(self, data: st.DataObject, seed: int) -> None:
        one = data.draw(st.sampled_from(self.live))
        if one["bytes"] is None:
            code = random.Random(seed).randbytes(one["size"])
            assert lib.region_seal(one["region"], code, len(code)) == SEALED
            one["bytes"] = code

    @precondition(lambda self: self.live)
    @rule(data=st.data())
    def hold(self, data: st.DataObject) -> None:
        one = data.draw(st.sampled_from(self.live))
        lib.region_hold(one["region"])
        one["holders"] += 1

    @precondition(lambda self: self.live)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        one = data.draw(st.sampled_from(self.live))
        lib.region_release(one["region"])
        one["holders"] -= 1
        if one["holders"] == 0:
            self.live.remove(one)

    @invariant()
    def bytes_stay(self) -> None:
        for one in self.live:
            if one["bytes"] is not None:
                assert content(one["base"], one["size"]) == one["bytes"]

    @invariant()
    def nothing_is_writable_and_executable(self) -> None:
        places = [one["base"] for one in self.live]
        for start, end, access in mappings() if places else ():
            if "w" in access and "x" in access:  # another test of this process may have such a mapping of its own
                assert not [base for base in places if start <= base < end]

    @invariant()
    def counts_agree(self) -> None:
        assert counter("regions") - self.before[0] == len(self.live)
        used = counter("region_bytes") - self.before[1]
        assert used >= sum(one["size"] for one in self.live)
        assert int(lib.heap_pages_in_use()) >= used

    def teardown(self) -> None:
        for one in self.live:
            for _ in range(one["holders"]):
                lib.region_release(one["region"])
        assert (counter("regions"), counter("region_bytes")) == self.before


def test_against_a_model(form: str) -> None:
    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(
        Heap, settings=settings(max_examples=12, stateful_step_count=40, deadline=None, derandomize=True)
    )


def put(code: bytes) -> Any:
    region = lib.region_create(len(code))
    assert lib.region_seal(region, code, len(code)) == SEALED
    return region


def test_sealed_code_runs(form: str) -> None:
    """mov eax, 7; ret"""
    region = put(b"\xb8\x07\x00\x00\x00\xc3")
    assert ffi.cast("int (*)(void)", lib.region_base(region))() == 7
    assert access_at(address(region)) == "r-xp"
    lib.region_release(region)


def test_what_is_free_between_regions_is_counted(form: str) -> None:
    """Every second one goes: dense, it leaves a hole in its page; a page of its own goes back whole."""
    regions = [put(bytes([0xC3]) * 256) for _ in range(64)]
    pages, room = int(lib.heap_pages_in_use()), counter("region_bytes")
    for region in regions[::2]:
        lib.region_release(region)
    gone = room - counter("region_bytes")
    assert gone == (32 * 256 if form == "dense" else 32 * PAGE)
    holes = int(lib.heap_pages_in_use()) - counter("region_bytes") - (pages - room)
    assert holes == (gone if form == "dense" else 0)
    for region in regions[1::2]:
        lib.region_release(region)


def test_small_regions_share_a_page(form: str) -> None:
    """The dense form rounds up to 64 bytes, the sealed form to pages."""
    before = int(lib.heap_pages_in_use())
    regions = [put(bytes([0xC3]) * 200) for _ in range(64)]
    pages = (int(lib.heap_pages_in_use()) - before) // PAGE
    if form == "dense":
        assert pages <= 64 * 256 // PAGE + 1
    else:
        assert pages == 64
    for region in regions:
        lib.region_release(region)


def test_room_is_used_again(form: str) -> None:
    """A thousand turns of filling and freeing in random order take no more address space than the first dozen."""
    rng = random.Random(1)
    held: list[Any] = []
    most = 0
    for turn in range(1000):
        held.append(put(rng.randbytes(rng.randrange(1, 6000))))
        if len(held) > 40:
            lib.region_release(held.pop(rng.randrange(len(held))))
        if turn == 200:
            most = counter("heap_bytes")
    assert counter("heap_bytes") <= most + (512 << 10)
    for region in held:
        lib.region_release(region)


def test_empty_arenas_go(form: str) -> None:
    before = counter("heap_bytes")
    regions = [put(bytes(100_000)) for _ in range(30)]
    assert counter("heap_bytes") > before + (2 << 20)
    for region in regions:
        lib.region_release(region)
    assert counter("heap_bytes") <= before + (512 << 10)


def test_freed_code_is_gone(form: str) -> None:
    """With FTJIT_DEBUG the dense form leaves breakpoints; the sealed form leaves no access."""
    lib.heap_configure(form == "sealed", 1)
    keeper, region = put(b"\x90" * 64), put(b"\x90" * 64)
    base = address(region)
    lib.region_release(region)
    if form == "dense":
        assert content(base, 64) == b"\xcc" * 64
        assert content(address(keeper), 64) == b"\x90" * 64, "a neighbour on the same page was written"
    else:
        assert access_at(base) == "---p"
    lib.region_release(keeper)


def test_more_bytes_than_the_region_has(form: str) -> None:
    region = lib.region_create(64)
    assert lib.region_seal(region, bytes(PAGE + 1), PAGE + 1) == -1
    lib.region_release(region)


def test_several_threads(form: str) -> None:
    """Threads that fill and free at once: each finds its bytes as it wrote them, and in the end nothing is left."""
    before = (counter("regions"), counter("region_bytes"))
    wrong: list[str] = []
    barrier = threading.Barrier(4)

    def work(seed: int) -> None:
        rng = random.Random(seed)
        held: list[tuple[Any, bytes]] = []
        barrier.wait()
        for _ in range(400):
            code = rng.randbytes(rng.randrange(1, 3000))
            held.append((put(code), code))
            if len(held) > 10:
                region, code = held.pop(rng.randrange(len(held)))
                if content(address(region), len(code)) != code:
                    wrong.append(f"thread {seed}: bytes changed at {address(region):#x}")
                lib.region_release(region)
        for region, code in held:
            if content(address(region), len(code)) != code:
                wrong.append(f"thread {seed}: bytes changed at {address(region):#x}")
            lib.region_release(region)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong, wrong[:3]
    assert (counter("regions"), counter("region_bytes")) == before


def test_a_child_keeps_what_the_parent_frees(form: str) -> None:
    """F6: the parent frees, poisons and fills again what the child is in; the child has its own copy. And the child's
    writing does not reach the parent."""
    lib.heap_configure(form == "sealed", 1)
    region = put(b"\xb8\x07\x00\x00\x00\xc3")
    base = address(region)
    call = ffi.cast("int (*)(void)", base)
    ready, go = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the test runner's own threads
        child = os.fork()
    if child == 0:
        os.read(ready, 1)
        mine = put(b"\xb8\x0b\x00\x00\x00\xc3")
        right = call() == 7 and ffi.cast("int (*)(void)", lib.region_base(mine))() == 11
        os._exit(0 if right else 1)
    keeper = put(b"\x90" * 64)
    lib.region_release(region)
    again = [put(b"\xb8\x09\x00\x00\x00\xc3") for _ in range(300)]
    assert any(address(other) == base for other in again), "the room was not used again: the test shows nothing"
    assert call() == 9
    os.write(go, b"x")
    assert os.waitpid(child, 0)[1] == 0
    assert all(content(address(other), 6) == b"\xb8\x09\x00\x00\x00\xc3" for other in again)
    for other in [keeper, *again]:
        lib.region_release(other)
    os.close(ready)
    os.close(go)
