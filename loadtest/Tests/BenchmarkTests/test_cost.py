"""What torhaus-cost prints of redaction becomes figures, or a reason why there are none."""

import subprocess
import unittest
from unittest import mock

from benchmark import cost
from benchmark.processes import BenchError

PRINTED = """| redaction     | bytes | values | MB/s  |
| ---           | ---   | ---    | ---   |
| scanner alone | 65552 | 841    | 171.3 |
| whole path    | 65678 | 840    | 64.0  |

"""


class CostTests(unittest.TestCase):
    def run_program(self, text="", code=0, errors="", raises=None):
        done = subprocess.CompletedProcess([], code, text, errors)
        with mock.patch.object(cost.subprocess, "run", return_value=done, side_effect=raises) as run:
            return cost.Cost("/there/torhaus-cost").redaction(), run.call_args.args[0]

    def test_the_speeds_are_read(self):
        found, command = self.run_program(PRINTED)
        self.assertEqual(found, {"scanner": 171.3, "whole": 64.0})
        self.assertEqual(command, ["/there/torhaus-cost", "redaction"])

    def test_a_program_that_does_not_say_both_is_no_measurement(self):
        for text in ("", "\n", PRINTED.replace("whole path", "something "), "| scanner alone | 1 | 1 | 170.0 |\n"):
            with self.assertRaisesRegex(BenchError, "has no row '.*'; build it anew"):
                self.run_program(text)
        with self.assertRaisesRegex(BenchError, "no number"):
            self.run_program(PRINTED.replace("171.3", "quick"))

    def test_a_program_that_fails_is_no_measurement(self):
        with self.assertRaisesRegex(BenchError, "ended with -4: only 3 values were found"):
            self.run_program(PRINTED, code=-4, errors="only 3 values were found\n")
        with self.assertRaisesRegex(BenchError, "did not end well"):
            self.run_program(raises=subprocess.TimeoutExpired("torhaus-cost", 120))

    def test_a_program_that_is_not_there_is_known_before(self):
        self.assertFalse(cost.Cost("/nowhere/torhaus-cost").is_there)
        self.assertTrue(cost.Cost("/bin/sh").is_there)


if __name__ == "__main__":
    unittest.main()
