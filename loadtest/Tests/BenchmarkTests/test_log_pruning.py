"""What the soak takes away of a log, and what it must leave."""

import fcntl
import os
import tempfile
import time
import unittest

from benchmark.log_pruning import Pruning, prune


class LogPruningTests(unittest.TestCase):
    def setUp(self):
        self.place = tempfile.TemporaryDirectory()
        self.addCleanup(self.place.cleanup)
        self.day = os.path.join(self.place.name, "tenant", "node-managed", "2026-11-30")
        os.makedirs(self.day)

    def file(self, name, age):
        path = os.path.join(self.day, name)
        with open(path, "wb") as file:
            file.write(b"x" * 5000)
        os.utime(path, (1000 - age, 1000 - age))
        return path

    def test_ended_segments_go_with_their_sidecars(self):
        segment, sidecar, footer = self.file("1-1.thl", 100), self.file("1-1.thk", 100), self.file("checkpoint", 100)
        self.assertGreaterEqual(prune(self.place.name, before=950), 10_000)
        self.assertFalse(os.path.exists(segment) or os.path.exists(sidecar))
        self.assertTrue(os.path.exists(footer))

    def test_what_is_young_stays(self):
        segment = self.file("1-1.thl", 10)
        self.assertEqual(prune(self.place.name, before=950), 0)
        self.assertTrue(os.path.exists(segment))

    def test_what_is_being_written_stays_however_old(self):
        segment = self.file("1-1.thl", 100)
        with open(segment, "rb") as owner:
            fcntl.flock(owner, fcntl.LOCK_EX)
            self.assertEqual(prune(self.place.name, before=950), 0)
        self.assertTrue(os.path.exists(segment))
        self.assertGreater(prune(self.place.name, before=950), 0)

    def test_a_context_prunes_until_it_ends(self):
        segment = self.file("1-1.thl", 100)
        with Pruning(self.place.name, keep_seconds=1, pause=0.001) as pruning:
            end = time.monotonic() + 10
            while os.path.exists(segment) and time.monotonic() < end:
                pass
        self.assertGreater(pruning.freed, 0)

    def test_without_a_folder_there_is_nothing_to_do(self):
        with Pruning(None, keep_seconds=1) as pruning:
            pass
        self.assertEqual(pruning.freed, 0)


if __name__ == "__main__":
    unittest.main()
