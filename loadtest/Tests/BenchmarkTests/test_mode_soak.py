"""soak: the same load for a long time, flat or not."""

import unittest
from unittest import mock

from benchmark.modes import soak
from benchmark.report.result import Result
from benchmark.scenario import Scenario
from fakes import FakeLoad, FakeStage, judged, report, rounds, table, target


def timeline(grow_kib):
    return [
        {"t_s": float(at), "rss_kib": 102_400 + grow_kib * at, "threads": 8, "descriptors": 40, "requests": 10, "p99_ms": 1.0}
        for at in range(1, 301)
    ]


class SoakTests(unittest.TestCase):
    WORK = Scenario("work", "", [{"name": "chat"}], [{"name": "all"}], "uniform", [{"seconds": 6, "rate": 100}],
                    {"duration": 5, "warm_up": 1})  # fmt: skip

    def run_mode(self, answer, **options):
        result, load = Result("soak", ""), FakeLoad(answer)
        places = [target("nginx"), target("torhaus", state="/state")]
        soak.run(FakeStage(), load, rounds(places), self.WORK, result, 5, **options)
        return result, load

    def test_what_grows_breaks_its_own_check_only(self):
        result, load = self.run_mode(lambda call: report(timeline=timeline(20 if call.name == "torhaus" else 0)))
        self.assertEqual(
            judged(result),
            {"nginx: memory, descriptors and threads are flat": True, "torhaus: memory, descriptors and threads are flat": False},
        )
        self.assertEqual([line[-1] for line in table(result, "Over time").values()], ["flat", "not flat"])
        self.assertEqual((result.values["nginx"]["flat"], result.values["torhaus"]["flat"]), (1, 0))
        self.assertEqual(load.calls[0].plan["duration"], 300)

    def test_a_run_that_was_not_made_is_no_flat_one(self):
        result, _ = self.run_mode(lambda call: {"failure": "it died"} if call.name == "torhaus" else report(timeline=timeline(0)))
        self.assertFalse(judged(result)["torhaus: the run was made"])
        self.assertEqual(list(table(result, "Over time")), ["nginx"])

    def test_another_rate_takes_the_place_of_the_scenarios(self):
        _, load = self.run_mode(lambda call: report(timeline=timeline(0)), rate=250)
        self.assertEqual(load.calls[0].plan["phases"], [{"seconds": 301, "rate": 250}])

    def test_only_a_gateway_with_a_log_has_it_pruned(self):
        with mock.patch.object(soak, "Pruning") as pruning:
            pruning.return_value.__enter__.return_value.freed = 0
            self.run_mode(lambda call: report(timeline=timeline(0)), keep_log=2)
        self.assertEqual([call.args for call in pruning.call_args_list], [(None, 120), ("/state/data/log", 120)])


if __name__ == "__main__":
    unittest.main()
