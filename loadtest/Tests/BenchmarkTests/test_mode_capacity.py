"""capacity: the highest rate of each target that keeps a p99."""

import unittest

from benchmark.modes import capacity
from benchmark.processes import BenchError
from benchmark.report.result import Result
from benchmark.scenario import Scenario
from fakes import FakeLoad, FakeStage, report, rounds, table, target

MOST = {"nginx": 4_000, "torhaus": 1_000}


def answer(call):
    """A p99 of 2 ms up to what the target can do, and of a second above."""
    rate = call.plan["phases"][0]["rate"]
    return report(p99=2.0 if rate <= MOST[call.name] else 1_000.0, requests_per_s=rate)


class CapacityTests(unittest.TestCase):
    WORK = Scenario("work", "", [{"name": "chat"}], [{"name": "all"}], "closed", [], {"duration": 5, "warm_up": 1})

    def run_mode(self, answer=answer, limit="3 x nginx", names=tuple(MOST)):
        result, load = Result("capacity", ""), FakeLoad(answer)
        capacity.run(FakeStage(), load, rounds([target(name) for name in names]), self.WORK, result, limit, 200, 5)
        return result, load

    def test_each_targets_limit_is_found_and_compared(self):
        result, load = self.run_mode()
        for name, most in MOST.items():
            self.assertLessEqual(result.values[name]["rate"], most)
            self.assertGreater(result.values[name]["rate"] * 1.06, most)
        self.assertAlmostEqual(result.values["torhaus/nginx"]["rate"], 0.25, delta=0.02)
        self.assertNotIn("nginx/nginx", result.values)
        self.assertIn("within 6.000 ms", result.notes[0])
        # The first is the yardstick, a closed loop made an open one.
        self.assertEqual((load.calls[0].name, load.calls[0].plan["arrivals"]), ("nginx", "uniform"))

    def test_a_limit_in_milliseconds_needs_no_yardstick(self):
        result, load = self.run_mode(limit="1 ms", names=("torhaus",))
        self.assertEqual(result.values["torhaus"]["rate"], 0)
        self.assertEqual(table(result, "Capacity")["torhaus"][1], "below 200")
        self.assertEqual(len(load.calls), 2)

    def test_a_rate_that_is_not_answered_is_not_kept(self):
        result, _ = self.run_mode(lambda call: {**answer(call), "requests_per_s": 300}, limit="5 ms", names=("torhaus",))
        self.assertLess(result.values["torhaus"]["rate"], 300 / 0.95 + 1)

    def test_a_rate_with_failures_is_not_kept(self):
        failing = lambda call: {**answer(call), "errors": {"status_503": 1}}  # noqa: E731
        result, _ = self.run_mode(failing, limit="5 ms", names=("torhaus",))
        self.assertEqual(result.values["torhaus"]["rate"], 0)

    def test_without_nginx_there_is_no_multiple_of_it(self):
        with self.assertRaisesRegex(BenchError, "needs nginx"):
            self.run_mode(names=("torhaus",))
        with self.assertRaisesRegex(BenchError, "lower --from"):
            self.run_mode(lambda call: report(errors={"timeout": 1}))


if __name__ == "__main__":
    unittest.main()
