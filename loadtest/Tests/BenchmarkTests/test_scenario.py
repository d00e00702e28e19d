"""Scenarios and gateway files: what is read, and what is refused with which words."""

import os
import tempfile
import unittest

from benchmark import scenario
from benchmark.gateway_file import GatewayFile
from benchmark.measure import keys_of, plan_of
from benchmark.processes import BenchError
from benchmark.targets import PASS_THROUGH_POLICY, Target, policies


class Files(unittest.TestCase):
    def file(self, text, name="one.yaml"):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = os.path.join(folder.name, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def refused(self, read, text, *words):
        with self.assertRaises(BenchError) as caught:
            read(self.file(text))
        for word in words:
            self.assertIn(word, str(caught.exception))


class ScenarioTests(Files):
    def test_all_shipped_scenarios_are_read(self):
        names = [name[:-5] for name in os.listdir(scenario.FOLDER) if name.endswith(".yaml")]
        self.assertGreaterEqual(len(names), 6)
        for name in names:
            self.assertEqual(scenario.read(scenario.find(name)).name, name)

    def test_a_whole_scenario(self):
        made = scenario.read(self.file("""
            tenants: [{name: big, weight: 3}, {name: small, count: 2}]
            requests:
              - {name: a, prompt: 1.5 KB, findings_per_kib: 2}
              - {name: s, stream: {chunks: 5, delay_ms: 7}, abort: {share: 0.5, after_events: 2}}
              - {name: t, tools: 2}
            arrivals: poisson
            phases: [{seconds: 2, rate: 10, to: 20}, {seconds: 3, rate: 20}]
            warm_up: 1
            """))
        self.assertEqual([one["name"] for one in made.tenants], ["big", "small-1", "small-2"])
        self.assertEqual(made.classes[0]["prompt_bytes"], 1536)
        self.assertEqual(made.classes[1]["settings"], "chunks=5;delay=7;size=80")
        self.assertEqual(made.classes[1]["abort"], {"share": 0.5, "after_events": 2})
        self.assertEqual(made.classes[2]["settings"], "script=mock-tool")
        self.assertEqual(made.load["duration"], 4)

    def test_requests_may_be_those_of_some_tenants(self):
        made = scenario.read(self.file("""
            tenants: [{name: noisy}, {name: quiet, count: 2}]
            requests: [{name: large, tenants: [noisy]}, {name: short, tenants: [quiet]}, {name: any}]
            """))
        self.assertEqual([one["tenants"] for one in made.classes], [["noisy"], ["quiet-1", "quiet-2"], []])
        self.assertEqual(made.tenants[0], {"name": "noisy", "weight": 1})

    def test_another_time_stretches_the_ramp(self):
        made = scenario.read(self.file(
            "requests: [{name: a}]\narrivals: uniform\nphases: [{seconds: 1, rate: 1, to: 9}, {seconds: 3, rate: 9}]\nwarm_up: 0"
        )).with_seconds(40)  # fmt: skip
        self.assertEqual([one["seconds"] for one in made.phases], [10, 30])
        self.assertEqual(made.load["duration"], 40)

    def test_a_closed_scenario_can_be_had_at_a_rate(self):
        made = scenario.read(self.file("requests: [{name: a}]\nwarm_up: 1")).at_rate(50, 4)
        self.assertEqual((made.arrivals, made.phases), ("uniform", [{"seconds": 5, "rate": 50}]))

    def test_errors_name_the_place_and_what_would_be_right(self):
        for text, words in (
            ("[]", ["mapping"]),
            ("requests: []", ["1 to 64"]),
            ("requests: [{}]", ["requests[0]", "'name' is missing"]),
            ("requests: [{name: a, promt: 1}]", ["'promt' is not known"]),
            ("requests: [{name: a, prompt: 5 GB}]", ["no size"]),
            ("requests: [{name: a, prompt: 99 MB}]", ["64 MB"]),
            ("requests: [{name: a, weight: true}]", ["weight"]),
            ("requests: [{name: a, script: 'x\"y'}]", ["ASCII"]),
            ("requests: [{name: a, abort: {share: 0.1}}]", ["after_ms"]),
            ("requests: [{name: a, abort: {share: 0.1, after_events: 1}}]", ["after_events of a stream"]),
            ("requests: [{name: a, tenants: [b]}]\ntenants: [{name: a}]", ["no entry 'b'"]),
            ("requests: [{name: a, tenants: [a]}]\ntenants: [{name: a}, {name: b}]", ["'b' send nothing"]),
            ("requests: [{name: a}]\narrivals: random", ["closed, uniform, poisson"]),
            ("requests: [{name: a}]\narrivals: poisson", ["phases"]),
            ("requests: [{name: a}]\nphases: [{seconds: 1, rate: 1}]", ["phases"]),
            ("requests: [{name: a}]\nconnections: 0", ["connections", "1 to 20000"]),
            ("requests: [{name: a}]\nthresholds: ['torhaus.p99_ms < 5']", ["machine's", "torhaus/nginx.p99_ms"]),
            ("requests: [{name: a}]\nfoo: 1", ["'foo' is not known"]),
            ("a: [", ["no YAML"]),
        ):
            with self.subTest(text):
                self.refused(scenario.read, text, *words)

    def test_an_unknown_name_lists_the_known_ones(self):
        with self.assertRaisesRegex(BenchError, "mixed"):
            scenario.find("no-such")


class PlanTests(unittest.TestCase):
    class Process:
        pid = 7

    def test_settings_go_into_the_prompt_and_streams_to_their_path(self):
        target = Target("nginx", "http://127.0.0.1:1/v1", self.Process(), "/stream/v1/chat/completions", ["k"])
        plan = plan_of(
            target,
            [{"name": "a", "settings": ""}, {"name": "s", "stream": True, "settings": "chunks=2"}],
            [{"name": "all"}],
        )
        self.assertNotIn("prompt_prefix", plan["classes"][0])
        self.assertEqual(plan["classes"][1]["prompt_prefix"], "[[mock script=mock-stream;chunks=2]] ")
        self.assertEqual(plan["classes"][1]["path"], "/stream/v1/chat/completions")
        self.assertEqual((plan["pids"], plan["tenants"]), ([7], [{"name": "all", "keys": ["k"]}]))

    def test_keys_are_shared_out_and_shared_where_there_are_too_few(self):
        tenants = [{"name": "a"}, {"name": "b"}]
        self.assertEqual([one["keys"] for one in keys_of(["1", "2", "3"], tenants)], [["1", "3"], ["2"]])
        self.assertEqual([one["keys"] for one in keys_of(["1"], tenants)], [["1"], ["1"]])
        self.assertEqual(keys_of(["1", "2"], tenants[:1])[0]["keys"], ["1", "2"])

    def test_the_policy_that_only_passes_on_stands_beside_those_that_ship(self):
        with tempfile.TemporaryDirectory() as folder:
            names = os.listdir(policies(folder))
            self.assertIn("demo.yaml", names)
            self.assertIn(f"{PASS_THROUGH_POLICY}.yaml", names)
            self.assertEqual(policies(folder), os.path.join(folder, "policies"))


class GatewayFileTests(Files):
    def test_the_shipped_example_is_read(self):
        folder = os.path.join(os.path.dirname(scenario.FOLDER), "gateways")
        made = GatewayFile(os.path.join(folder, "nginx-as-gateway.yaml"))
        self.assertEqual(made.ready, "/ready")
        self.assertIn("listen 127.0.0.1:80;", made.fill(made.files["nginx.conf"], {"port": 80}))

    def test_what_is_wrong_is_said(self):
        for text, words in (
            ("name: a", ["command", "the program and its arguments"]),
            ("name: nginx\ncommand: [x]", ["name"]),
            ("name: A b\ncommand: [x]", ["lower-case"]),
            ("name: a\ncommand: [x]\nurl: http://example.org/v1", ["127.0.0.1"]),
            ("name: a\ncommand: [x]\nready: health", ["path"]),
            ("name: a\ncommand: [x]\nfiles: {../x: y}", ["plain file name"]),
            ("name: a\ncommand: [x]\nkey_env: NO_SUCH_VARIABLE_HERE", ["environment"]),
        ):
            with self.subTest(text):
                self.refused(GatewayFile, text, *words)


if __name__ == "__main__":
    unittest.main()
