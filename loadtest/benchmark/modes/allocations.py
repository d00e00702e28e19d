"""allocations: what a request and a chunk of a stream ask of the allocator. Counts, so they are the same on every machine."""

import os
import shutil
import struct
import subprocess

from ..measure import failure
from ..processes import BenchError
from ..report.numbers import number
from ..targets import pass_through, start_torhaus

SOURCE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "allocations.c")
FEW, MANY = 1_000, 3_000
PAIRS = 5
STREAMS, FEW_CHUNKS, MANY_CHUNKS = 50, 20, 120
# Most calls that a release build may make, per request or chunk; a little above what it makes. Three quarters are libcurl's.
LIMITS = {"chat": 46, "passed": 44, "chunk": 1}


class Counter:
    """Counts of a program that was started with `environment`."""

    def __init__(self, folder):
        compiler = shutil.which("cc") or shutil.which("clang")
        if compiler is None:
            raise BenchError("there is no C compiler (cc or clang) to make the counter with")
        library, self.path = os.path.join(folder, "allocations.so"), os.path.join(folder, "allocations")
        done = subprocess.run(
            [compiler, "-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o", library, SOURCE, "-ldl"], capture_output=True, text=True
        )
        if done.returncode != 0:
            raise BenchError(f"the counter cannot be made: {done.stderr.strip()[:300]}")
        self.environment = {"LD_PRELOAD": library, "TORHAUS_ALLOCATIONS": self.path}

    def read(self):
        """Calls and bytes so far."""
        with open(self.path, "rb") as file:
            return struct.unpack("=QQ", file.read(16))

    def between(self, run):
        """What was asked for while `run()` ran; raises where that failed."""
        before = self.read()
        report = run()
        why = failure(report)
        if why:
            raise BenchError(why)
        return [after - earlier for earlier, after in zip(before, self.read())]

    def per_unit(self, few, many, units):
        """Calls and bytes of one unit: the difference of two runs, so that connections and clocks cancel out.

        What the process does once a second or so asks for some thousand blocks, and falls into one run or the other: of
        several pairs the median counts.
        """
        few()
        pairs = sorted([(b - a) / units for a, b in zip(self.between(few), self.between(many))] for _ in range(PAIRS))
        return pairs[PAIRS // 2]


def run(stage, load, progress, result):
    """Counts on an instance of its own and judges by ``LIMITS``."""
    folder = stage.processes.folder
    counter = Counter(folder)
    target = start_torhaus(
        stage.processes, os.path.join(folder), stage.torhaus_binary, stage.mock_port, stage.torhaus_arguments,
        environment=counter.environment,
    )  # fmt: skip
    try:
        rows = measure(load, target, counter, progress)
    finally:
        stage.stop(target)
    result.note(
        f"Calls of the allocator (malloc and its kin, of all threads), counted before it: the difference of {MANY:,} and {FEW:,} "
        f"requests over 8 connections, and of {STREAMS} streams with {MANY_CHUNKS} and {FEW_CHUNKS} chunks; medians of {PAIRS}. "
        "Limits are those of a release build."
    )
    for name, (what, calls, size) in rows.items():
        result.value("torhaus", f"allocations_{name}", calls)
        result.value("torhaus", f"allocated_bytes_{name}", size)
        result.check(f"{what}: at most {LIMITS[name]} allocations", calls <= LIMITS[name], f"{calls:.1f}")
    result.table(
        "Allocations", ["work", "calls", "bytes", "limit"],
        [[what, number(calls, 1), number(size, 0), number(LIMITS[name], 0)] for name, (what, calls, size) in rows.items()],
    )  # fmt: skip


def measure(load, target, counter, progress):
    """{name: (what, calls, bytes)}."""
    through = pass_through(target)
    rows = {}

    def requests(name, what, place):
        progress.step(f"allocations: {what}")
        one = [lambda count=count: load.single(place, connections=8, count=count, duration=120, warm_up=0) for count in (FEW, MANY)]
        rows[name] = (what, *counter.per_unit(*one, MANY - FEW))
        progress.say(f"allocations: {what}: {rows[name][1]:.1f} calls, {rows[name][2]:.0f} bytes")

    requests("chat", "request, all policies on", target)
    if through:
        requests("passed", "request that is passed through", target.with_keys("torhaus-through", through))
    progress.step("allocations: chunk of a stream")
    streams = [
        lambda chunks=chunks: load.single(
            target, True, f"chunks={chunks};delay=5;size={chunks * 16}", connections=STREAMS, count=STREAMS, duration=60, warm_up=0
        )
        for chunks in (FEW_CHUNKS, MANY_CHUNKS)
    ]
    rows["chunk"] = ("chunk of a stream, all policies on", *counter.per_unit(*streams, STREAMS * (MANY_CHUNKS - FEW_CHUNKS)))
    progress.say(f"allocations: chunk: {rows['chunk'][1]:.2f} calls, {rows['chunk'][2]:.0f} bytes")
    return rows
