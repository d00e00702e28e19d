"""What the gateway tells: its own time in a header of each answer, and its counters as Prometheus' own parser reads them."""

import json
import re
import urllib.error
import urllib.request

import pytest
from conftest import fetch, settles
from prometheus_client.parser import text_string_to_metric_families


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


# Names are stable: dashboards and alarms use them.
NAMES = {
    "torhaus_requests": "counter", "torhaus_connections_open": "gauge", "torhaus_edge_refusals": "counter",
    "torhaus_upstream_faults": "counter", "torhaus_failed_keys": "counter", "torhaus_loop_turn_seconds": "histogram",
    "torhaus_bodies_bytes": "gauge", "torhaus_inflight": "gauge", "torhaus_tokens": "counter",
    "torhaus_redaction_findings": "counter", "torhaus_stage_seconds": "counter", "torhaus_overhead_seconds": "histogram",
    "torhaus_http2_calmed": "counter", "torhaus_reservations_open": "gauge", "torhaus_log_lag_seconds": "gauge",
    "torhaus_log_queue_bytes": "gauge", "torhaus_policy_info": "gauge", "torhaus_policy_reload_failed": "gauge",
}


def scrape(demo):
    """Samples by name and labels."""
    token = open(demo.info["operator_token_file"]).read().strip()
    families = list(text_string_to_metric_families(
        fetch(demo.info["admin"] + "/metrics", headers={"authorization": f"Bearer {token}"})))
    assert {family.name: family.type for family in families} == NAMES
    assert len(families) == len(NAMES) and all(family.documentation for family in families)
    samples = [(sample.name, *sample.labels.values(), sample.value) for family in families for sample in family.samples]
    found = {sample[:-1]: sample[-1] for sample in samples}
    assert len(found) == len(samples), "no sample stands twice"
    return found


def send(demo, model, text="Hallo", key=None, stream=False):
    request = urllib.request.Request(
        demo.info["endpoint"] + "/v1/chat/completions",
        json.dumps({"model": model, "stream": stream, "messages": [{"role": "user", "content": text}]}).encode(),
        {"authorization": f"Bearer {key or demo.key('kanzlei-a')}", "content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            answer.read()
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def test_what_was_done_is_what_prometheus_reads(fresh):
    before = scrape(fresh)
    key = fresh.key("kanzlei-a")
    assert send(fresh, "mock-echo") == send(fresh, "mock-echo", stream=True) == 200
    assert send(fresh, "mock-echo", "Schreiben Sie an " + "@".join(["anna.muster", "example.ch"])) == 200
    assert send(fresh, "mock-error-401") == 502
    assert send(fresh, "mock-error-400") == 400
    assert send(fresh, "mock-echo", key=key[:-1] + ("a" if key[-1] != "a" else "b")) == 401
    assert settles(lambda: scrape(fresh)["torhaus_reservations_open",] == 0)
    after = scrape(fresh)
    # The parser knows a counter by its name without `_total`, its samples have it.
    grown = {sample: value - before.get(sample, 0) for sample, value in after.items()}
    assert [grown["torhaus_requests_total", f"{kind}xx"] for kind in range(1, 6)] == [0, 3, 0, 2, 1]
    assert grown["torhaus_failed_keys_total",] == 1
    assert grown["torhaus_redaction_findings_total",] == 1
    faults = {sample[1:]: value for sample, value in grown.items() if sample[0] == "torhaus_upstream_faults_total"}
    assert faults == {("demo-openai-compatible", "upstream_auth"): 1}
    assert all(grown["torhaus_overhead_seconds_count", stage] == count for stage, count in (("request", 5), ("answer", 5)))
    assert grown["torhaus_stage_seconds_total",] > 0

    def records():
        return json.loads(fresh.ctl("log", "list", "--tenant", "kanzlei-a", "--all", "-o", "json").stdout)

    assert settles(lambda: len(records()) == 5), "each request with a right key has one"
    listed = records()
    for kind in ("input", "output"):
        assert grown["torhaus_tokens_total", kind] == sum(row[f"{kind}_tokens"] for row in listed) > 0
    assert sum(value for sample, value in grown.items() if sample[0] == "torhaus_edge_refusals_total") == 0
    assert after["torhaus_inflight",] == after["torhaus_policy_reload_failed",] == 0
    assert [sample[1] for sample in after if sample[0] == "torhaus_policy_info"][0]


def test_metrics_need_a_token(fresh):
    with pytest.raises(urllib.error.HTTPError) as refused:
        fetch(fresh.info["admin"] + "/metrics")
    assert refused.value.code == 401
