"""sweep: how cost grows with what grows."""

import unittest
from unittest import mock

from benchmark.modes import sweep
from benchmark.processes import BenchError
from benchmark.report.result import Result
from fakes import FakeLoad, FakeStage, report, rounds, table, target


class BodyTests(unittest.TestCase):
    SIZES = (1_024, 65_536, 1_048_576)

    def run_mode(self, answer):
        result, load = Result("sweep", ""), FakeLoad(answer)
        places = [target("nginx"), target("torhaus")]
        sweep.run(FakeStage(), load, rounds(places), result, ("body",), 2, self.SIZES, (), ())
        return result, load

    def test_growth_is_a_slope_over_large_bodies(self):
        # As the square of the size, over what a request costs by itself.
        cost = lambda call: 50.0 if call.plan["classes"][0]["prompt_bytes"] < 65_536 else None  # noqa: E731
        result, load = self.run_mode(
            lambda call: report(cost(call) or (call.first["prompt_bytes"] / 65_536) ** (1 if call.name == "nginx" else 2) * 100)
        )
        self.assertAlmostEqual(result.values["nginx"]["body_exponent"], 1)
        self.assertAlmostEqual(result.values["torhaus"]["body_exponent"], 2)
        self.assertAlmostEqual(result.values["torhaus"]["body_growth"], 16 * 16 * 100 / 50)
        self.assertEqual([call.first["prompt_bytes"] for call in load.calls[::2]], list(self.SIZES))

    def test_who_fails_has_no_figure_but_an_error(self):
        bad = lambda call: report(errors={"status_502": 1} if call.name == "torhaus" and call.first["prompt_bytes"] > 65_536 else None)  # noqa: E731
        result, _ = self.run_mode(bad)
        self.assertEqual(result.values["torhaus"]["body_1048576_errors"], 1)
        self.assertNotIn("body_1048576_cpu_us", result.values["torhaus"])
        self.assertEqual(result.values["nginx"]["body_1048576_errors"], 0)


class StreamTests(unittest.TestCase):
    def run_mode(self, answer, counts):
        result, stage, load = Result("sweep", ""), FakeStage(), FakeLoad(answer)
        sweep.run(stage, load, rounds([target("torhaus")]), result, ("streams",), 4, (), (), counts)
        self.assertEqual(stage.running, [])
        return result, stage, load

    def test_each_number_of_streams_has_an_instance_of_its_own(self):
        result, stage, load = self.run_mode(lambda call: report(cpu=call.plan["count"]), (100, 1_000))
        self.assertEqual(stage.started, ["torhaus", "torhaus"])
        self.assertEqual([call.plan["connections"] for call in load.calls], [100, 1_000])
        self.assertIn("chunks=80;delay=50", load.calls[0].first["prompt_prefix"])
        self.assertAlmostEqual(result.values["torhaus"]["streams_exponent"], 1)
        self.assertAlmostEqual(result.values["torhaus"]["streams_growth"], 10)

    def test_a_cost_that_is_less_than_the_clocks_tick_hides_no_growth(self):
        ticks = lambda call: 100_000.0 if call.plan["count"] < 100 else float(call.plan["count"])  # noqa: E731
        result, *_ = self.run_mode(lambda call: report(cpu=ticks(call)), (1, 10, 100, 2_000))
        self.assertAlmostEqual(result.values["torhaus"]["streams_growth"], 20)
        self.assertAlmostEqual(result.values["torhaus"]["streams_exponent"], 1)
        self.assertNotIn("streams_1_event_us", result.values["torhaus"])
        self.assertEqual(result.values["torhaus"]["streams_1_errors"], 0)
        lines = table(result, "Streams at once")
        self.assertEqual([lines[count][3] for count in ("1", "10", "100")], ["–", "–", "10.0 µs"])
        self.assertEqual(lines["1"][6], "10.0 MiB")

    def test_streams_begin_at_one(self):
        self.assertEqual((sweep.STREAMS[0], sweep.STREAMS[-1]), (1, 2_000))


class FakeProvision:
    """Makes keys without a gateway; `most` of them, or none at all where `refuses`."""

    most = 10**9
    refuses = False

    def __init__(self, state):
        pass

    def tenants(self, first, count, seconds):
        if self.refuses and first > 0:
            raise BenchError("the Admin API answered 500")
        return [f"key-{number}" for number in range(first, min(first + count, self.most))]


class TenantTests(unittest.TestCase):
    def run_mode(self, answer, counts=(10, 100, 1_000), provision=FakeProvision, missing=()):
        result, stage, load = Result("sweep", ""), FakeStage(missing=missing), FakeLoad(answer)
        with mock.patch.object(sweep, "Provision", provision), mock.patch.object(sweep, "start_torhaus", stage.restart):
            sweep.run(stage, load, rounds([], count=2), result, ("tenants",), 2, (), counts, ())
        self.assertEqual(stage.running, [])
        return result, stage, load

    @staticmethod
    def keys(call):
        return len(call.plan["tenants"][0]["keys"])

    def test_all_tenants_send_and_the_gateway_starts_anew_with_them(self):
        result, stage, load = self.run_mode(lambda call: report(cpu=10.0 + self.keys(call) / 100))
        # The first request of each, and then two rounds.
        self.assertEqual([self.keys(call) for call in load.calls], [10] * 3 + [100] * 3 + [1_000] * 3)
        self.assertEqual([call.plan.get("count") for call in load.calls], [10, None, None, 100, None, None, 1_000, None, None])
        self.assertEqual(len(stage.started), 4)
        self.assertAlmostEqual(result.values["torhaus"]["tenants_growth"], 20 / 10.1)
        self.assertEqual(list(table(result, "First request of each tenant, and start")), ["10", "100", "1000"])

    def test_tenants_that_could_not_be_made_are_told_of(self):
        class Slow(FakeProvision):
            most = 500

        class Refusing(FakeProvision):
            refuses = True

        for provision, words, measured in ((Slow, "500 were made", 2), (Refusing, "stopped at 10: the Admin API", 1)):
            result, _, load = self.run_mode(lambda call: report(), provision=provision)
            self.assertIn(words, " ".join(result.notes))
            self.assertEqual(len(load.calls), 3 * measured)

    def test_measuring_takes_no_time_from_making(self):
        now, given = [0.0], []

        class Timed(FakeProvision):
            def tenants(self, first, count, seconds):
                given.append(seconds)
                now[0] += 10
                return super().tenants(first, count, seconds)

        def answer(call):
            now[0] += 500
            return report()

        with mock.patch.object(sweep.time, "monotonic", lambda: now[0]):
            self.run_mode(answer, provision=Timed)
        self.assertEqual(given, [900, 890, 880])

    def test_only_as_many_send_as_can_be_busy_at_once(self):
        with mock.patch.object(sweep, "active", lambda keys: keys[:50]):
            result, _, load = self.run_mode(lambda call: report())
        self.assertEqual([self.keys(call) for call in load.calls[::3]], [10, 50, 50])
        self.assertIn("Of 1000 tenants 50 sent", " ".join(result.notes))

    def test_without_the_gateway_there_is_nothing_to_measure(self):
        result, _, load = self.run_mode(lambda call: report(), missing={"torhaus": "it is not built"})
        self.assertIn("not measured, it is not built", " ".join(result.notes))
        self.assertEqual(load.calls, [])


if __name__ == "__main__":
    unittest.main()
