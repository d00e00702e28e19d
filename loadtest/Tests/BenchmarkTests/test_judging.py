"""Thresholds, statistics, flatness, capacity search and the table of goals: no process, no clock."""

import io
import unittest

from benchmark import results
from benchmark.measure import class_figures, figures
from benchmark.modes import attacks, capacity, common, compare, faults, soak
from benchmark.processes import BenchError
from benchmark.progress import Progress
from benchmark.report.result import Result
from benchmark.rows import Row, Rounds
from benchmark.statistics_of import exponent, theil_sen, thinned
from benchmark.thresholds import Threshold, check_all
from fakes import report


class AttackTests(unittest.TestCase):
    @staticmethod
    def round(alone, elsewhere, here, errors=0, rss=50):
        return {"alone": {"p99_ms": alone}, "elsewhere": {"p99_ms": elsewhere},
                "here": {"p99_ms": here, "errors": errors, "rss_mib": rss}}  # fmt: skip

    def test_what_an_attack_takes_of_the_machine_is_not_the_gateways(self):
        seen = attacks.Seen([self.round(1, 8, 10)])
        self.assertEqual((seen.over_alone, seen.by_sharing), (10, 1.25))

    def test_the_growth_over_the_load_alone_keeps_its_own_check(self):
        result = Result("attacks", "")
        attacks.verdicts(result, "torhaus: resets", attacks.Seen([self.round(1, 8, 10)]), True, 700)
        judged = {text: holds for text, holds, _ in result.verdicts()}
        self.assertFalse(judged["torhaus: resets: the other tenant's p99 stays below 2 ×"])
        self.assertTrue(judged["torhaus: resets: sharing an instance costs the other tenant's p99 less than 2 ×"])

    def test_an_attack_that_costs_the_machine_nothing_is_judged_against_the_load_alone(self):
        self.assertEqual(attacks.Seen([self.round(2, 1, 3)]).by_sharing, 1.5)

    def test_one_hiccup_is_no_figure_but_one_error_is(self):
        seen = attacks.Seen([self.round(1, 1, 1), self.round(1, 1, 50, errors=1, rss=90), self.round(1, 1, 1.5)])
        self.assertEqual((seen.by_sharing, seen.errors, seen.rss_mib), (1.5, 1, 90))


class ThresholdTests(unittest.TestCase):
    VALUES = {"torhaus": {"errors": 0, "cpu_us": 100.0}, "nginx": {"cpu_us": 25.0, "zero": 0}, "torhaus/nginx": {"p99_ms": 3.0}}

    def test_counts_and_ratios(self):
        judged = check_all(
            [Threshold(text) for text in (
                "torhaus.errors == 0", "torhaus/nginx.cpu_us <= 4", "torhaus/nginx.cpu_us < 4", "torhaus/nginx.p99_ms <= 3",
                "torhaus.nothing >= 0", "torhaus/nginx.zero <= 1",
            )],
            self.VALUES,
        )  # fmt: skip
        self.assertEqual([holds for _, holds, _ in judged], [True, True, False, True, False, False])

    def test_times_and_sizes_alone_are_refused(self):
        for text in ("torhaus.p99_ms <= 5", "nginx.cpu_us < 9", "torhaus.rss_mib <= 100", "torhaus.requests_per_s > 1"):
            with self.assertRaisesRegex(BenchError, "compare it"):
                Threshold(text)

    def test_a_threshold_knows_of_whom_it_speaks(self):
        self.assertEqual(Threshold("torhaus/nginx.cpu_us <= 4").targets, {"torhaus", "nginx"})
        self.assertEqual(Threshold("a-b.errors == 0").targets, {"a-b"})

    def test_what_is_no_threshold_is_refused(self):
        for text in ("", "torhaus", "torhaus.errors", "torhaus.errors = 0", "errors == 0", "torhaus.errors == x"):
            with self.assertRaisesRegex(BenchError, "TARGET.FIGURE"):
                Threshold(text)


class StatisticsTests(unittest.TestCase):
    def test_one_outlier_does_not_move_the_slope(self):
        points = [(x, 2 * x + 1) for x in range(50)]
        points[25] = (25, 10_000)
        self.assertAlmostEqual(theil_sen(points), 2)
        self.assertIsNone(theil_sen([(1, 1)]))

    def test_exponents(self):
        self.assertAlmostEqual(exponent([(x, 3 * x * x) for x in (1, 10, 100)]), 2)
        self.assertAlmostEqual(exponent([(x, 7) for x in (1, 10)]), 0)
        self.assertIsNone(exponent([(5, 5), (5, 6)]))

    def test_thinning_keeps_both_ends(self):
        kept = thinned([(x, x) for x in range(1000)], 10)
        self.assertEqual((len(kept), kept[0], kept[-1]), (10, (0, 0), (999, 999)))


class FlatnessTests(unittest.TestCase):
    @staticmethod
    def timeline(grow_kib=0.0, threads=lambda at: 8, descriptors=lambda at: 40):
        return [
            {"t_s": float(at), "rss_kib": 102_400 + grow_kib * at, "threads": threads(at), "descriptors": descriptors(at)}
            for at in range(1, 301)
        ]

    def test_flat_and_growing(self):
        self.assertTrue(soak.judge(self.timeline())["flat"])
        # 240 s that count: 4 MiB are let pass, more are not.
        self.assertTrue(soak.judge(self.timeline(grow_kib=16))["flat"])
        self.assertFalse(soak.judge(self.timeline(grow_kib=20))["flat"])
        self.assertFalse(soak.judge(self.timeline(threads=lambda at: 8 + at // 30))["flat"])
        self.assertFalse(soak.judge(self.timeline(descriptors=lambda at: 40 + at // 10))["flat"])

    def test_what_a_warm_up_takes_is_no_growth(self):
        early = self.timeline(descriptors=lambda at: 5 if at < 60 else 40)
        self.assertTrue(soak.judge(early)["flat"])

    def test_nothing_measured_is_not_flat(self):
        self.assertFalse(soak.judge([])["flat"])

    def test_descriptors_that_may_not_be_counted_are_left_out(self):
        found = soak.judge(self.timeline(descriptors=lambda at: None))
        self.assertTrue(found["flat"])
        self.assertIsNone(found["descriptors_first"])


class CapacityTests(unittest.TestCase):
    def test_the_limit_is_found_within_the_precision(self):
        for limit in (200, 777, 12_345):
            found = capacity.search(lambda rate: rate <= limit, 200, 0.05, probes=60)
            self.assertLessEqual(found, limit)
            self.assertGreater(found * 1.06, limit)

    def test_one_hiccup_is_no_limit_and_probes_are_bounded(self):
        calls = []

        def keeps(rate):
            calls.append(rate)
            return rate <= 1000 and len(calls) != 2

        self.assertGreater(capacity.search(keeps, 200, 0.05, probes=60), 900)
        calls.clear()
        capacity.search(lambda rate: calls.append(rate) is None, 1, 0.05, probes=7)
        self.assertEqual(len(calls), 7)

    def test_not_even_the_first_rate(self):
        self.assertIsNone(capacity.search(lambda rate: False, 200, 0.05))

    def test_limits_are_read(self):
        self.assertEqual(capacity.Limit("5 ms").milliseconds(None), 5)
        self.assertEqual(capacity.Limit("3 x nginx").milliseconds(2), 6)
        for text in ("", "5", "3 x", "0 ms", "5 ms nginx", "fast"):
            with self.assertRaisesRegex(BenchError, "3 x nginx"):
                capacity.Limit(text)


class FaultTests(unittest.TestCase):
    def test_every_request_is_accounted_for(self):
        self.assertEqual(faults.outcome({"failure": "no"}, 4), ("no", 0, 0))
        text, ended, well = faults.outcome({"succeeded": 1, "errors": {"timeout": 2, "unfinished": 1}}, 4)
        self.assertEqual((ended, well), (1, 1))
        self.assertIn("3 NOT ENDED", text)
        text, ended, _ = faults.outcome({"succeeded": 0, "errors": {"status_502": 4}}, 4)
        self.assertEqual((text, ended), ("4 status_502", 4))

    def test_each_fault_has_its_forms(self):
        self.assertGreaterEqual(len(faults.cases()), 40)
        self.assertEqual(len(set(faults.cases())), len(faults.cases()))


class FigureTests(unittest.TestCase):
    def test_classes_of_a_mix_have_figures_of_their_own(self):
        latency = {"count": 3, "p50_ms": 1, "p99_ms": 2}
        classes = [{"name": "A-b", "latency": latency}, {"name": "c", "latency": {"count": 0}}, {"name": "d"}]
        self.assertEqual(class_figures(classes), {"a_b_p50_ms": 1, "a_b_p99_ms": 2})
        self.assertEqual(class_figures(classes[:1]), {})

    def test_what_did_not_end_is_unaccounted_for(self):
        lost = {**report(1, 1), "offered": 14, "aborted": 1, "errors": {"malformed": 1}}
        self.assertEqual(figures(lost)["unaccounted"], 2)

    def test_what_was_left_open_is_unaccounted_for(self):
        lost = {**report(1, 1), "offered": 15, "errors": {"timeout": 1, "unfinished": 2, "malformed": 2}}
        self.assertEqual(figures(lost)["unaccounted"], 3)

    def test_what_nobody_was_served_has_no_figures(self):
        none = {"count": 0, "p50_ms": 0.0, "p90_ms": 0.0, "p99_ms": 0.0, "p999_ms": 0.0}
        bad = {**report(0, 0), "succeeded": 0, "measured_requests": 0, "measured_events": 0, "latency": none,
               "first_byte": none, "errors": {"status_500": 10}}  # fmt: skip
        found = figures(bad)
        self.assertEqual({found[name] for name in ("p50_ms", "p99_ms", "p999_ms", "first_byte_p99_ms", "cpu_us", "event_us")}, {None})
        self.assertEqual((found["errors"], found["unaccounted"]), (10, 0))


class RowTests(unittest.TestCase):
    class Target:
        is_proxy = True

        def __init__(self, name):
            self.name = name

    def rounds(self, count=3, missing=None):
        targets = [self.Target(name) for name in ("direct", "nginx", "torhaus")]
        return Rounds(targets, missing or {}, count, Progress(9, io.StringIO(), io.StringIO(), clock=lambda: 0))

    def test_the_order_turns_and_ratios_are_of_pairs(self):
        order = []

        def run(target):
            order.append(target.name)
            return report({"direct": 10, "nginx": 20, "torhaus": 50}[target.name] * (1 + len(order)), 1)

        row = self.rounds().each(Row("cpu"), run)
        self.assertEqual(order[:6], ["direct", "nginx", "torhaus", "nginx", "torhaus", "direct"])
        self.assertEqual(len(row.figures["torhaus"]["cpu_us"]), 3)
        self.assertAlmostEqual(row.ratio("cpu_us"), sorted([2.5 * 4 / 3, 2.5 * 6 / 5, 2.5 * 10 / 9])[1])

    def test_failures_refuse_a_target_unless_they_are_what_is_counted(self):
        bad = lambda target: report(1, 1, {"timeout": 1} if target.name == "torhaus" else None)  # noqa: E731
        self.assertIn("timeout 1", self.rounds().each(Row("x"), bad).reasons["torhaus"])
        row = self.rounds(2).each(Row("x"), bad, tolerant=True)
        self.assertEqual((row.reasons, row.total("torhaus", "errors")), ({}, 2))

    def test_a_round_that_failed_is_hidden_by_no_other(self):
        rounds = iter([report(1, 1), {"failure": "no process 7"}])
        run = lambda target: next(rounds) if target.name == "torhaus" else report(1, 1)  # noqa: E731
        row = self.rounds(2).each(Row("x"), run, tolerant=True)
        self.assertIsNone(row.total("torhaus", "errors"))
        self.assertEqual(row.total("nginx", "errors"), 0)
        result = Result("compare", "")
        for name in ("nginx", "torhaus"):
            compare.judge(result, row, name)
        judged = {text: holds for text, holds, _ in result.verdicts()}
        self.assertTrue(judged["nginx: every round was measured"] and judged["nginx: every round was served"])
        self.assertFalse(judged["torhaus: every round was measured"])

    def test_who_serves_nobody_keeps_nothing(self):
        nobody = {**report(0, 0), "succeeded": 0, "errors": {"status_500": 10}}
        row = self.rounds(1).each(Row("x"), lambda target: nobody, tolerant=True)
        result = Result("compare", "")
        compare.judge(result, row, "torhaus")
        self.assertFalse(result.holds)

    def test_figures_of_several_rows_have_names_of_their_own(self):
        result = Result("compare", "")
        row = self.rounds(1).each(Row("x"), lambda target: report(20 if target.name == "nginx" else 30, 1))
        common.fill_values(result, row, ["nginx", "torhaus"], prefix="latency_")
        self.assertEqual(result.values["torhaus/nginx"]["latency_cpu_us"], 1.5)
        self.assertEqual(result.values["torhaus"]["latency_errors"], 0)

    def test_what_is_missing_says_why(self):
        row = self.rounds(missing={"haproxy": "not installed"}).each(Row("x"), lambda target: report(1, 1))
        self.assertIsNone(row.value("haproxy", "cpu_us"))
        self.assertEqual(row.reasons["haproxy"], "not installed")


class GoalsTests(unittest.TestCase):
    def rows(self, through):
        rounds = RowTests().rounds(1)
        costs = {"direct": 10, "nginx": 20, "torhaus": 40, results.THROUGH: 30}
        run = lambda target: report(costs[target.name], costs[target.name] / 10)  # noqa: E731
        targets = rounds.targets + ([RowTests.Target(results.THROUGH)] if through else [])
        rows = {"rate": 1000, "has_through": through, "ready_seconds": 0.2}
        for key, connections in (("cpu", 32), ("cpu-many", 128)):
            rows[key] = rounds.each(Row(key), run, targets=targets)
            rows[key].connections = connections
        for key in ("latency", "streams-fast", "streams-many"):
            rows[key] = rounds.each(Row(key), run)
        rows["bodies"] = {
            size: rounds.each(Row(str(size)), lambda target: report(costs[target.name] * size / 100_000, 1))
            for size in (1_024, 102_400, 1_048_576, 8_000_000)
        }
        return rows

    def table(self, through=True):
        return {line[0]: line for line in results.goals(self.rows(through))}

    def test_goals_stand_beside_figures(self):
        table = self.table()
        self.assertEqual(table["CPU per request, all on, 32 connections"][5:], ["2.00 ×", "kept"])
        self.assertEqual(table["CPU per request, all on, 128 connections"][5:], ["2.00 ×", "kept"])
        self.assertEqual(table["CPU per request, pass-through"][5:], ["1.50 ×", "kept"])
        self.assertEqual(table["added latency at 1,000/s, p50"][5:], ["3.00 ×", "missed"])
        self.assertEqual(table["cost of bodies, 100 KB … 7.6 MB: exponent"][2], "1.00")
        self.assertEqual(table["start to ready"][6], "kept, with the few tenants")
        self.assertEqual(table["RSS with 2,000 streams"][6], "kept")

    def test_goals_are_judged(self):
        result = Result("compare", "")
        rows = self.rows(True)
        rows["soak"], rows["soak_seconds"] = {"flat": True, "rss_slope_kib_per_min": -9, "why": ""}, 10
        results.fill(result, rows, ["direct", "nginx", "torhaus"], 1, 1, 1)
        judged = {text.split(":")[0]: holds for text, holds, _ in result.verdicts()}
        self.assertTrue(judged["CPU per request, pass-through"])
        self.assertFalse(judged["added latency at 1,000/s, p50"])
        self.assertNotIn("memory", judged)
        self.assertIn("not judged over 10 s", next(line for line in result.tables[0]["rows"] if line[0] == "memory")[6])

    def test_what_was_not_measured_says_so(self):
        table = self.table(through=False)
        self.assertIn("no tenant", table["CPU per request, pass-through"][6])
        self.assertIn("not measured", table["memory"][6])
        self.assertIn("not measured", table["cost with many tenants"][6])

    def test_the_speed_of_policies_is_the_growth_beyond_nginx(self):
        # 20 µs per 100,000 bytes more than nginx: 5,000 MB/s.
        self.assertAlmostEqual(results.policy_speed(self.rows(False)["bodies"]), 5_000, delta=1)


class ProgressTests(unittest.TestCase):
    def test_no_bar_where_there_is_no_terminal(self):
        stream, out = io.StringIO(), io.StringIO()
        progress = Progress(2, stream, out, clock=lambda: 0)
        progress.step("one")
        progress.say("found")
        progress.end()
        self.assertEqual((stream.getvalue(), out.getvalue()), ("", "[   0.0 s] found\n"))

    def test_a_bar_on_a_terminal(self):
        class Terminal(io.StringIO):
            def isatty(self):
                return True

        stream, now = Terminal(), iter((0, 10, 10, 10))
        progress = Progress(2, stream, io.StringIO(), clock=lambda: next(now))
        progress.step("one")
        progress.step("two")
        self.assertIn("[############............] 1/2 two, about 10 s left", stream.getvalue())


if __name__ == "__main__":
    unittest.main()
