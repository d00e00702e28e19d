"""Never more than the limit is admitted, and what the ledger says is what the provider bills."""

import concurrent.futures
import json

import openai


def totals(demo, slug):
    report = json.loads(demo.ctl("usage", "--tenant", slug, "-o", "json").stdout)
    return report["totals"] if "totals" in report else report


def test_200_parallel_requests_against_a_budget_for_50(fresh, mock):
    mock.reset()
    key_row = json.loads(fresh.ctl("key", "list", "--tenant", "kanzlei-a", "-o", "json").stdout)[0]
    # Each request: the worst case is known from the first refusal-free run below.
    client = openai.OpenAI(api_key=fresh.key(), base_url=fresh.base_url, max_retries=0)
    messages = [{"role": "user", "content": "x" * 400}]
    worst = 50 * (400 + 8 + 32 + 100 + 4)
    fresh.ctl("quota", "set", "--tenant", "kanzlei-a", "--key", key_row["id"], "--tokens-per-day", str(worst))

    def ask(_):
        try:
            client.chat.completions.create(model="mock-echo", messages=messages, max_tokens=100)
            return "ok"
        except openai.RateLimitError as error:
            return error.code

    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        outcomes = list(pool.map(ask, range(200)))
    admitted = outcomes.count("ok")
    assert set(outcomes) <= {"ok", "rate_limit_exceeded", "insufficient_quota"}
    bill = mock.bill()
    used = bill["prompt_tokens"] + bill["completion_tokens"]
    assert bill["requests"] == admitted
    assert used <= worst
    assert admitted >= 1
    ledger = totals(fresh, "kanzlei-a")
    assert ledger["requests"] == admitted
    assert ledger["input_tokens"] == bill["prompt_tokens"]
    assert ledger["output_tokens"] == bill["completion_tokens"]


def test_at_most_50_of_200_when_each_costs_its_whole_reservation(fresh, mock):
    mock.reset()
    key_row = json.loads(fresh.ctl("key", "list", "--tenant", "kanzlei-a", "-o", "json").stdout)[0]
    fresh.ctl("quota", "set", "--tenant", "kanzlei-a", "--key", key_row["id"], "--requests-per-minute", "50")
    client = openai.OpenAI(api_key=fresh.key(), base_url=fresh.base_url, max_retries=0)

    def ask(_):
        try:
            client.chat.completions.create(model="mock-echo", messages=[{"role": "user", "content": "hallo"}])
            return True
        except openai.RateLimitError:
            return False

    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        admitted = sum(pool.map(ask, range(200)))
    # A bucket of 50 that refills by 50 a minute: what came back while the test ran is the only way past 50.
    assert 50 <= admitted <= 53
    assert mock.bill()["requests"] == admitted
