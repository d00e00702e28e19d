"""compare: a scenario on every target."""

import unittest

from benchmark.modes import compare
from benchmark.report.result import Result
from benchmark.scenario import Scenario
from fakes import FakeLoad, FakeStage, judged, report, rounds, table, target

COSTS = {"nginx": 20, "torhaus": 50}


class CompareTests(unittest.TestCase):
    def run_mode(self, answer, missing=None, tenants=("a", "b")):
        work = Scenario("work", "What it stands for.", [{"name": "chat"}], [{"name": name} for name in tenants], "closed", [],
                        {"duration": 2, "warm_up": 1})  # fmt: skip
        result, load = Result("compare", ""), FakeLoad(answer)
        places = [target(name, keys=("only-key",)) for name in COSTS]
        compare.run(FakeStage(), load, rounds(places, 3, missing), work, result)
        return result, load

    def test_every_target_is_measured_in_every_round_and_stands_beside_nginx(self):
        result, load = self.run_mode(lambda call: report(COSTS[call.name], 2.0))
        self.assertEqual([call.name for call in load.calls], ["nginx", "torhaus", "torhaus", "nginx", "nginx", "torhaus"])
        self.assertEqual({call.plan["duration"] for call in load.calls}, {2})
        lines = table(result, "Targets")
        self.assertEqual((lines["torhaus"][6], lines["torhaus"][7]), ("50.0 µs", "2.50 ×"))
        self.assertEqual(result.values["torhaus/nginx"]["cpu_us"], 2.5)
        self.assertTrue(result.holds)
        self.assertEqual(len(judged(result)), 6)

    def test_who_leaves_a_request_open_is_told_of(self):
        lost = {"timeout": 1}
        result, _ = self.run_mode(lambda call: report(errors=lost if call.name == "torhaus" else None))
        self.assertFalse(judged(result)["torhaus: every request ended"])
        self.assertTrue(judged(result)["nginx: every request ended"])
        self.assertEqual(table(result, "Errors"), {"torhaus": ["torhaus", "timeout", "3"]})
        self.assertEqual(result.values["torhaus"]["errors"], 3)

    def test_who_cannot_be_measured_breaks_the_check_and_has_no_figure(self):
        result, _ = self.run_mode(lambda call: {"failure": "it died"} if call.name == "torhaus" else report())
        self.assertFalse(judged(result)["torhaus: every round was measured"])
        self.assertEqual(table(result, "Targets")["torhaus"][-1], "it died")
        self.assertNotIn("torhaus/nginx", result.values)

    def test_who_serves_nobody_in_one_round_breaks_the_check(self):
        answers = iter([report(), report(succeeded=0, errors={"status_500": 10}), report()])
        result, _ = self.run_mode(lambda call: next(answers) if call.name == "torhaus" else report())
        self.assertFalse(judged(result)["torhaus: every round was served"])
        self.assertTrue(judged(result)["nginx: every round was served"])

    def test_who_is_not_there_says_why_and_is_not_judged(self):
        result, _ = self.run_mode(lambda call: report(), missing={"haproxy": "not installed"})
        self.assertEqual(table(result, "Targets")["haproxy"][-1], "not installed")
        self.assertFalse([text for text in judged(result) if text.startswith("haproxy")])

    def test_tenants_who_share_keys_are_told_of(self):
        self.assertIn("tenants share keys", " ".join(self.run_mode(lambda call: report())[0].notes))
        self.assertNotIn("share keys", " ".join(self.run_mode(lambda call: report(), tenants=("a",))[0].notes))


if __name__ == "__main__":
    unittest.main()
