"""compare without a scenario: the table of goals."""

import unittest
from types import SimpleNamespace
from unittest import mock

from benchmark.modes import goals, sweep
from benchmark.processes import BenchError
from benchmark.report.result import Result
from fakes import FakeLoad, FakeStage, judged, report, rounds, table, target
from test_mode_soak import timeline
from test_mode_sweep import FakeProvision

COSTS = {"direct": 10, "nginx": 20, "haproxy": 22, "torhaus": 40, "torhaus-through": 30}


def answer(call):
    """Costs that grow with the body, on top of what each target takes for a request."""
    cost = COSTS[call.name] * max(1.0, call.first["prompt_bytes"] / 102_400)
    return report(cost, COSTS[call.name] / 10, timeline=timeline(0))


class FakeCost:
    """Speeds of redaction without the program; `why` says that it failed."""

    def __init__(self, scanner=150.0, whole=59.9, is_there=True, why=""):
        self.speeds, self.is_there, self.why = {"scanner": scanner, "whole": whole}, is_there, why

    def redaction(self):
        if self.why:
            raise BenchError(self.why)
        return self.speeds


class GoalsTests(unittest.TestCase):
    def run_mode(self, answer=answer, names=tuple(COSTS)[:4], through=("key",), missing=None, cost=None, **options):
        options = SimpleNamespace(**{"rate": 1000, "quick": False, "tenants": 0, "soak_seconds": 0, **options})
        places = [target(name) for name in names]
        for place in places:
            place.pass_through_keys = list(through) if place.name == "torhaus" else []
        result, stage, load = Result("compare", ""), FakeStage(), FakeLoad(answer)
        with mock.patch.object(sweep, "Provision", FakeProvision), mock.patch.object(sweep, "start_torhaus", stage.restart):
            goals.run(stage, load, cost or FakeCost(), rounds(places, 3, missing), result, options, 6)
        self.assertEqual(stage.running, [])
        return result, stage, load

    def test_every_goal_stands_beside_its_figure(self):
        result, *_ = self.run_mode(tenants=100, soak_seconds=600)
        lines = table(result, "Goals")
        self.assertEqual(lines["CPU per request, all on, 32 connections"][2:], ["40.0 µs", "20.0 µs", "22.0 µs", "2.00 ×", "kept"])
        self.assertEqual(lines["CPU per request, pass-through"][5:], ["1.50 ×", "kept"])
        self.assertEqual(lines["added latency at 1,000/s, p99"][5:], ["3.00 ×", "missed"])
        self.assertEqual(lines["2,000 open streams complete"][2:], ["2,000", "2,000", "2,000", "", "kept"])
        self.assertEqual(lines["cost of bodies, 100 KB … 7.6 MB: exponent"][2], "1.00")
        self.assertEqual(lines["cost per request with 100 tenants over 10"][5:], ["", "kept, with 100 tenants"])
        self.assertEqual(lines["start to ready"][6], "kept, with 100 tenants")
        self.assertTrue(lines["memory"][6].startswith("kept: flat over 600 s"))
        self.assertEqual(lines["CPU per chunk, 500 streams × 20 ms"][5:], ["2.00 ×", "missed"])
        self.assertEqual(lines["redaction: scanner on dense data"][2:], ["150.0 MB/s", "–", "–", "", "kept"])
        self.assertEqual(lines["redaction: JSON to JSON on dense data"][2:], ["59.9 MB/s", "–", "–", "", "missed"])
        # A speed alone is the machine's: it stands there and breaks nothing.
        broken = {text.split(":")[0] for text, holds in judged(result).items() if not holds}
        missed = {figure for figure, line in lines.items() if line[6] == "missed"}
        self.assertEqual(broken, missed - {"redaction: JSON to JSON on dense data"})
        self.assertEqual(result.values["torhaus/nginx"]["streams_2000_event_us"], 2)

    def test_tenants_grow_by_decades_to_the_goal(self):
        self.assertEqual(goals.decades(10_000), (10, 100, 1_000, 10_000))
        self.assertEqual(goals.decades(100), (10, 100))
        self.assertEqual(goals.decades(250), (10, 100, 250))
        result, *_ = self.run_mode(tenants=10_000)
        lines = table(result, "Goals")
        self.assertEqual(lines["cost per request with 10,000 tenants over 10"][6], "kept")
        self.assertEqual(lines["start to ready"][6], "kept")
        row = [line[0] for line in next(one for one in result.tables if one["title"] == "All rows")["rows"]]
        self.assertEqual([name for name in row if name.endswith(" tenants")], ["10 tenants", "100 tenants", "1000 tenants", "10000 tenants"])

    def test_a_quick_bench_has_fewer_rounds_of_what_takes_long(self):
        streams = lambda load: sum(call.first["stream"] for call in load.calls)  # noqa: E731
        self.assertEqual(streams(self.run_mode(quick=True)[2]), 2 * 4)
        self.assertEqual(streams(self.run_mode(quick=False)[2]), 2 * 4)
        self.assertEqual(goals.fewer(rounds([], 5), SimpleNamespace(quick=False)), 3)

    def test_a_row_that_fails_breaks_its_check(self):
        bad = lambda call: report(errors={"timeout": 1}) if call.name == "torhaus" and call.first["stream"] else answer(call)  # noqa: E731
        result, *_ = self.run_mode(bad)
        self.assertEqual(table(result, "Goals")["2,000 open streams complete"][6], "not measured")
        self.assertFalse(judged(result)["2000 streams x 80 ms: torhaus was measured"])

    def test_tenants_that_fail_break_their_check(self):
        bad = lambda call: report(errors={"status_500": 1}) if len(call.plan["tenants"][0]["keys"]) == 100 else answer(call)  # noqa: E731
        result, *_ = self.run_mode(bad, tenants=100)
        self.assertFalse(judged(result)["100 tenants: torhaus was measured"])
        self.assertTrue(table(result, "Goals")["cost per request with 100 tenants over 10"][6].startswith("not measured"))

    def test_a_soak_that_fails_breaks_its_check(self):
        bad = lambda call: {"failure": "it died"} if call.plan["duration"] == 60 else answer(call)  # noqa: E731
        result, *_ = self.run_mode(bad, soak_seconds=60)
        self.assertFalse(judged(result)["memory: was measured"])
        self.assertIn("not measured", table(result, "Goals")["memory"][6])

    def test_redaction_that_is_not_measured_says_why(self):
        for cost, words, breaks in ((FakeCost(is_there=False), "torhaus-cost is not there", False), (FakeCost(why="no row"), "no row", True)):
            result, *_ = self.run_mode(cost=cost)
            for name in ("scanner", "JSON to JSON"):
                line = table(result, "Goals")[f"redaction: {name} on dense data"]
                self.assertEqual(line[2], "–")
                self.assertTrue(line[6].startswith(f"not measured: {words}"), line[6])
            self.assertEqual("redaction on dense data: was measured" in judged(result), breaks)
            self.assertFalse(judged(result).get("redaction on dense data: was measured", False))

    def test_what_is_not_there_is_not_measured(self):
        result, *_ = self.run_mode(names=("direct", "nginx"), missing={"torhaus": "it is not built"}, tenants=100, soak_seconds=60,
                                   cost=FakeCost(is_there=False))  # fmt: skip
        verdicts = {line[6] for line in table(result, "Goals").values()}
        self.assertFalse([verdict for verdict in verdicts if verdict.startswith(("kept", "missed"))])


if __name__ == "__main__":
    unittest.main()
