"""What the gateway tells of its own time: one header of each answer, and a histogram in Prometheus' format."""

import json
import re
import urllib.request

from conftest import fetch


def ask(demo, stream=False):
    request = urllib.request.Request(
        demo.info["endpoint"] + "/v1/chat/completions",
        json.dumps({"model": "mock-echo;wait=30", "stream": stream, "messages": [{"role": "user", "content": "Hallo"}]}).encode(),
        {"authorization": f"Bearer {demo.key('kanzlei-a')}", "content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        answer.read()
        return answer.headers["server-timing"]


def histogram(demo, stage):
    token = open(demo.info["operator_token_file"]).read().strip()
    text = fetch(demo.info["admin"] + "/metrics", headers={"authorization": f"Bearer {token}"})
    name = "torhaus_overhead_seconds"
    buckets = re.findall(rf'^{name}_bucket{{stage="{stage}",le="([^"]+)"}} (\d+)$', text, re.M)
    count = int(re.search(rf'^{name}_count{{stage="{stage}"}} (\d+)$', text, re.M)[1])
    total = float(re.search(rf'^{name}_sum{{stage="{stage}"}} (\S+)$', text, re.M)[1])
    assert text.count(f"# TYPE {name} histogram") == 1
    return [(float(bound), int(count)) for bound, count in buckets], count, total


def test_own_time_is_told_apart_from_the_providers(fresh):
    for stream in (False, False, True):
        timing = re.fullmatch(r"gateway;dur=(\d+\.\d\d), upstream;dur=(\d+\.\d\d)", ask(fresh, stream))
        assert float(timing[2]) >= 30, "the provider waited so long"
    for stage in ("request", "answer"):
        buckets, count, total = histogram(fresh, stage)
        assert count == 3 and total > 0
        bounds, sums = zip(*buckets)
        assert list(bounds) == sorted(bounds) and bounds[-1] == float("inf")
        assert list(sums) == sorted(sums) and sums[-1] == 3


def test_turns_of_the_loops_are_told(fresh):
    ask(fresh)
    token = open(fresh.info["operator_token_file"]).read().strip()
    text = fetch(fresh.info["admin"] + "/metrics", headers={"authorization": f"Bearer {token}"})
    sums = [int(count) for count in re.findall(r'^torhaus_loop_turn_seconds_bucket{le="[^"]+"} (\d+)$', text, re.M)]
    assert sums == sorted(sums) and sums[-1] > 0
    assert int(re.search(r"^torhaus_loop_turn_seconds_count (\d+)$", text, re.M)[1]) == sums[-1]
    assert 'torhaus_edge_refusals_total{limit="loop_lag"} ' in text
