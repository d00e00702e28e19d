"""The counter of allocations, preloaded before a program that asks for a known block."""

import os
import subprocess
import sys
import tempfile
import unittest

from benchmark.modes.allocations import Counter
from benchmark.processes import BenchError


class CounterTests(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.counter = Counter(folder.name)

    def run_program(self, text):
        done = subprocess.run([sys.executable, "-S", "-c", text], env={**os.environ, **self.counter.environment}, timeout=60)
        return {"succeeded": 1} if done.returncode == 0 else {"failure": f"ended with {done.returncode}"}

    def test_blocks_and_their_bytes_are_counted(self):
        self.run_program("pass")
        calls, size = self.counter.between(lambda: self.run_program("pass"))
        more_calls, more_size = self.counter.between(lambda: self.run_program("[bytearray(1 << 20) for _ in range(50)]"))
        self.assertGreater(calls, 0)
        self.assertGreater(size, calls)
        self.assertGreaterEqual(more_calls - calls, 50)
        self.assertGreaterEqual(more_size - size, 50 << 20)

    def test_a_run_that_fails_counts_nothing(self):
        self.run_program("pass")
        with self.assertRaises(BenchError):
            self.counter.between(lambda: self.run_program("raise SystemExit(3)"))


if __name__ == "__main__":
    unittest.main()
