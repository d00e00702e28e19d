"""faults: does every request end, and how."""

import re
import unittest

from benchmark.modes import faults
from benchmark.report.result import Result
from fakes import FakeLoad, FakeStage, judged, report, rounds

PATIENCE = 8.0


def script(call):
    """The mock's settings in the prompt; empty for the good requests afterwards."""
    found = re.match(r"\[\[mock (.*)\]\] ", call.first.get("prompt_prefix", ""))
    settings = found.group(1) if found else ""
    return "" if settings == "script=mock-stream" else settings


def case_of(call):
    return script(call), call.first["stream"]


def well(count=4):
    return report(succeeded=count, offered=count)


def refused(count=4, kind="status_502"):
    return report(succeeded=0, offered=count, errors={kind: count})


class FaultsTests(unittest.TestCase):
    def run_mode(self, answer, names=("torhaus",), missing=()):
        result, stage, load = Result("faults", ""), FakeStage(missing=missing), FakeLoad(answer)
        faults.run(stage, load, rounds([]), result, list(names), 4, PATIENCE)
        return result, stage, load

    @staticmethod
    def honest(call):
        """Refuses what the provider broke, and serves the rest."""
        lies = {(settings, stream) for _, settings, stream, is_lie in faults.cases() if is_lie}
        return refused() if case_of(call) in lies else well()

    def test_who_serves_what_is_whole_and_refuses_the_rest_is_in_order(self):
        result, stage, load = self.run_mode(self.honest)
        self.assertTrue(result.holds)
        self.assertEqual(result.values["torhaus"], {"unended": 0, "lies": 0, "afterwards": 0})
        self.assertEqual(len(result.tables[0]["rows"]), len(faults.cases()))
        # Each fault has an instance of its own, which is ended, and is followed by good requests.
        self.assertEqual((len(stage.started), stage.running), (len(faults.cases()), []))
        self.assertEqual([script(call) for call in load.calls[1::2]], [""] * len(faults.cases()))
        self.assertEqual({call.plan["timeout"] for call in load.calls[0::2]}, {PATIENCE})

    def test_each_broken_answer_that_passes_as_whole_is_a_lie(self):
        for fault, settings, stream, is_lie in faults.cases():
            lying = lambda call: well() if case_of(call) == (settings, stream) else self.honest(call)  # noqa: B023, E731
            result, *_ = self.run_mode(lying)
            with self.subTest(fault=fault, stream=stream):
                self.assertEqual(result.values["torhaus"]["lies"], 4 if is_lie else 0)
                self.assertEqual(judged(result)["torhaus: no broken answer passes as whole"], not is_lie)

    def test_only_answers_that_are_whole_are_no_lies(self):
        """By the scripts of the mock, so that no other can be added with its lies excused."""
        whole = ("mock-late-head", "mock-late-body", "mock-slow-head", "mock-huge-line", "mock-usage-", "mock-no-usage")
        for fault, settings, _, is_lie in faults.cases():
            self.assertEqual(is_lie, not settings.removeprefix("script=").startswith(whole), fault)

    def test_a_plain_proxy_is_not_blamed_for_what_it_passes_on(self):
        result, *_ = self.run_mode(lambda call: well(), names=("nginx", "torhaus"))
        self.assertGreater(result.values["nginx"]["lies"], 0)
        self.assertNotIn("nginx: no broken answer passes as whole", judged(result))
        self.assertFalse(judged(result)["torhaus: no broken answer passes as whole"])

    def test_only_a_provider_that_hangs_excuses_a_request_left_open(self):
        opened = lambda name: lambda call: refused(kind="timeout") if name in script(call) else self.honest(call)  # noqa: E731
        self.assertEqual(self.run_mode(opened("mock-hang"))[0].values["torhaus"]["unended"], 0)
        result = self.run_mode(opened("mock-no-usage"))[0]
        self.assertEqual(result.values["torhaus"]["unended"], 8)
        self.assertFalse(judged(result)["torhaus: every request ended"])

    def test_who_serves_nobody_afterwards_is_counted(self):
        result, *_ = self.run_mode(lambda call: self.honest(call) if script(call) else refused())
        self.assertEqual(result.values["torhaus"]["afterwards"], 4 * len(faults.cases()))

    def test_who_cannot_be_started_is_told_of(self):
        result, *_ = self.run_mode(self.honest, missing={"torhaus": "it is not built"})
        self.assertFalse(result.holds)
        self.assertNotIn("torhaus", result.values)


if __name__ == "__main__":
    unittest.main()
