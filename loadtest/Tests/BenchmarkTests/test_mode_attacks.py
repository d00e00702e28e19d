"""attacks: the calm load of one tenant, alone and beside the attack of another."""

import unittest
from unittest import mock

from benchmark.modes import attacks
from benchmark.report.result import Result
from fakes import FakeLoad, FakeStage, judged, report, rounds, table


class FakeAttacker:
    """Attacks nobody, and tells the load whom it would have."""

    victim = None
    found = {"connections": 7}

    def __init__(self, name, target, seconds):
        self.target = target

    def start(self):
        FakeAttacker.victim = self.target

    def end(self):
        FakeAttacker.victim = None
        return self.found


def p99(alone=1.0, elsewhere=1.0, here=1.0, errors=None, when="here"):
    """A load with these latencies, and with these errors in one of the three runs of a round."""
    def answer(call):
        victim = FakeAttacker.victim
        place = "alone" if victim is None else "here" if victim.process is call.target.process else "elsewhere"
        latency = {"alone": alone, "elsewhere": elsewhere, "here": here}[place]
        return report(p99=latency, errors=errors if place == when else None)

    return answer


class AttacksTests(unittest.TestCase):
    def run_mode(self, answer, names=("torhaus",), attacker=FakeAttacker, missing=(), ends=False, peak_kib=20_480):
        result, stage, load = Result("attacks", ""), FakeStage(missing=missing), FakeLoad(answer)
        with (
            mock.patch.object(attacks, "Attacker", attacker), mock.patch.object(attacks, "reset_peak"),
            mock.patch.object(attacks, "peak_kib", side_effect=lambda pid: self.end_all(stage, ends) or peak_kib),
        ):  # fmt: skip
            attacks.run(stage, load, rounds([], count=3), result, names, 4, 300, 700, only=["resets"])
        self.assertEqual(stage.running, [])
        return result, stage, load

    @staticmethod
    def end_all(stage, ends):
        for one in stage.running if ends else []:
            one.process.code = -11

    def test_a_load_that_does_not_notice_keeps_all_checks(self):
        result, stage, load = self.run_mode(p99(1, 1.2, 1.5), names=("nginx", "torhaus"))
        self.assertTrue(result.holds)
        # Only the gateway is judged; what nginx does stands beside it.
        self.assertEqual(len(judged(result)), 5)
        self.assertEqual(stage.started, ["nginx", "nginx", "torhaus", "torhaus"])
        self.assertEqual(len(load.calls), 2 * 3 * 3)
        # The calm tenant is not the one whose key the attacker has.
        self.assertEqual({call.plan["tenants"][0]["keys"][0] for call in load.calls}, {"key-2"})
        self.assertEqual(result.values["nginx"]["p99_growth_resets"], 1.5)

    def test_an_attack_that_is_felt_breaks_the_checks_of_both_growths(self):
        result, *_ = self.run_mode(p99(1, 1.5, 4))
        self.assertFalse(judged(result)["torhaus: resets: the other tenant's p99 stays below 2 ×"])
        self.assertFalse(judged(result)["torhaus: resets: sharing an instance costs the other tenant's p99 less than 2 ×"])
        self.assertEqual(result.values["torhaus"]["p99_growth_resets"], 4)
        self.assertAlmostEqual(result.values["torhaus"]["p99_sharing_resets"], 4 / 1.5)

    def test_each_failed_request_of_each_round_counts(self):
        result, *_ = self.run_mode(p99(errors={"status_503": 1}))
        self.assertFalse(judged(result)["torhaus: resets: no request of the other tenant fails"])
        self.assertIn(["torhaus: resets: no request of the other tenant fails", False, "3 failed"], result.checks)

    def test_the_kernels_peak_counts_not_only_the_samples(self):
        result, *_ = self.run_mode(p99(), peak_kib=800 * 1024)
        self.assertFalse(judged(result)["torhaus: resets: memory stays below 700 MiB"])

    def test_a_process_that_ended_is_told_of(self):
        result, *_ = self.run_mode(p99(), ends=True)
        self.assertFalse(judged(result)["torhaus: resets: the process lives"])

    def test_what_was_not_measured_is_no_good_figure(self):
        class Broken(FakeAttacker):
            found = {"failure": "no such program"}

        for answer, attacker in ((p99(), Broken), (p99(errors={"timeout": 1}, when="alone"), FakeAttacker),
                                 (p99(errors={"timeout": 1}, when="elsewhere"), FakeAttacker)):  # fmt: skip
            result, *_ = self.run_mode(answer, attacker=attacker)
            self.assertEqual(judged(result), {"torhaus: resets: was measured": False})
            self.assertEqual(table(result, "Attacks"), {})

    def test_who_cannot_be_started_is_told_of(self):
        result, *_ = self.run_mode(p99(), missing={"torhaus": "it is not built"})
        self.assertEqual(judged(result), {"torhaus: can be started": False})


if __name__ == "__main__":
    unittest.main()
