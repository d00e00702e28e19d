"""allocations: counts per request and chunk, against limits."""

import unittest
from unittest import mock

from benchmark.modes import allocations
from benchmark.processes import BenchError
from benchmark.report.result import Result
from fakes import FakeLoad, FakeStage, judged, report, rounds, table


class FakeCounter(allocations.Counter):
    """Counts what the fake load says that its requests and chunks asked for."""

    def __init__(self, folder):
        self.environment = {"COUNTED": folder}
        self.calls = 0

    def read(self):
        return self.calls, self.calls * 100


class AllocationsTests(unittest.TestCase):
    def run_mode(self, chat=40, passed=30, chunk=0.5, keys=("through",), failure=None):
        """What a request and a chunk ask for; each run asks for a thousand calls besides, which must cancel out."""
        counters = []
        starts = []

        def answer(call):
            if failure:
                return {"failure": failure}
            size, prefix = call.plan["count"], call.first.get("prompt_prefix", "")
            per = {"torhaus": chat, "torhaus-through": passed}[call.name]
            if call.first["stream"]:
                per = chunk * int(prefix.partition("chunks=")[2].partition(";")[0])
            counters[0].calls += 1_000 + round(size * per)
            return report()

        def counter(folder):
            counters.append(FakeCounter(folder))
            return counters[-1]

        result, stage = Result("allocations", ""), FakeStage("folder")
        restart = lambda *args, **options: starts.append(options) or stage.restart()  # noqa: E731
        with (
            mock.patch.object(allocations, "Counter", counter), mock.patch.object(allocations, "start_torhaus", restart),
            mock.patch.object(allocations, "pass_through", lambda target: list(keys)),
        ):  # fmt: skip
            try:
                allocations.run(stage, FakeLoad(answer), rounds([]).progress, result)
            finally:
                self.assertEqual(stage.running, [])
        self.assertEqual(starts, [{"environment": {"COUNTED": "folder"}}])
        return result

    def test_what_a_request_and_a_chunk_ask_for_is_found(self):
        result = self.run_mode()
        self.assertTrue(result.holds)
        found = {name: value for name, value in result.values["torhaus"].items() if name.startswith("allocations_")}
        self.assertEqual(found, {"allocations_chat": 40, "allocations_passed": 30, "allocations_chunk": 0.5})
        self.assertEqual(result.values["torhaus"]["allocated_bytes_chat"], 4_000)
        self.assertEqual(table(result, "Allocations")["request, all policies on"][1:], ["40.0", "4,000", "46"])

    def test_each_limit_is_kept_to_the_edge_and_no_further(self):
        limits = allocations.LIMITS
        self.assertTrue(self.run_mode(**limits).holds)
        for name, limit in limits.items():
            broken = [text for text, holds in judged(self.run_mode(**{**limits, name: limit * 1.02})).items() if not holds]
            self.assertEqual(len(broken), 1, name)

    def test_without_a_tenant_for_it_nothing_is_said_of_passing_through(self):
        result = self.run_mode(keys=())
        self.assertNotIn("allocations_passed", result.values["torhaus"])
        self.assertEqual(len(judged(result)), 2)

    def test_a_run_that_fails_counts_nothing(self):
        with self.assertRaisesRegex(BenchError, "it died"):
            self.run_mode(failure="it died")


if __name__ == "__main__":
    unittest.main()
