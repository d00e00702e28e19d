"""capacity: the highest rate that keeps a p99."""

import re

from ..measure import failure, figures
from ..processes import BenchError
from ..report.numbers import number, times

FORM = re.compile(r"^\s*([0-9]+(?:\.[0-9]+)?)\s*(ms|x|×)\s*(nginx)?\s*$")
PROBES = 24


class Limit:
    """A p99 to keep: `5 ms`, or `3 x nginx` (of what nginx needs at the first rate, in the same run)."""

    def __init__(self, text):
        found = FORM.match(text)
        if not found or float(found.group(1)) <= 0 or (found.group(2) == "ms") == bool(found.group(3)):
            raise BenchError(f"--p99 '{text}': say '5 ms' or '3 x nginx'")
        self.text = text
        self.factor = float(found.group(1))
        self.is_ratio = found.group(2) != "ms"

    def milliseconds(self, nginx_p99):
        return self.factor * nginx_p99 if self.is_ratio else self.factor


def search(keeps, start, precision, probes=PROBES, highest=1_000_000):
    """The highest rate for which `keeps(rate)` is true, to a share of `precision`; None if not even `start` is.

    Doubles until a rate fails, then halves the gap. A rate fails only when it fails twice: one hiccup is no limit.
    """
    left = [probes]

    def holds(rate):
        for _ in range(2):
            if left[0] <= 0:
                return False
            left[0] -= 1
            if keeps(rate):
                return True
        return False

    if not holds(start):
        return None
    good, bad = start, None
    while bad is None and left[0] > 0 and good < highest:
        next_rate = min(highest, good * 2)
        if holds(next_rate):
            good = next_rate
        else:
            bad = next_rate
    while bad is not None and left[0] > 0 and bad - good > precision * good:
        rate = (good + bad) / 2
        if holds(rate):
            good = rate
        else:
            bad = rate
    return good


def run(stage, load, rounds, scenario, result, limit_text, start, seconds, precision=0.05):
    """Searches for every target; `start` is the first rate, in requests/s."""
    limit = Limit(limit_text)
    by_name = {target.name: target for target in rounds.targets}
    reference = None
    if limit.is_ratio:
        if "nginx" not in by_name:
            raise BenchError("a limit as a multiple of nginx needs nginx among --target")
        report = load.scenario(by_name["nginx"], scenario.at_rate(start, seconds))
        why = failure(report)
        if why:
            raise BenchError(f"nginx at {start:g}/s: {why}; give a lower --from")
        reference = report["latency"]["p99_ms"]
    bound = limit.milliseconds(reference)
    result.note(
        f"The highest rate of the scenario {scenario.name} at which p99 stays within {bound:.3f} ms ({limit.text}), no request "
        f"fails and at least 95 % of the rate is answered, to {precision:.0%}. Each probe takes {seconds:g} s; a rate fails if "
        "it fails twice."
    )
    rows, series = [], []
    for target in rounds.targets:
        points = []

        def keeps(rate, target=target, points=points):
            rounds.progress.step(f"capacity: {target.name} at {rate:,.0f}/s")
            report = load.scenario(target, scenario.at_rate(rate, seconds))
            if "failure" in report:
                return False
            found = figures(report)
            if found["p99_ms"] is None:
                return False
            points.append((rate, found["p99_ms"]))
            kept = not failure(report) and found["p99_ms"] <= bound and found["requests_per_s"] >= 0.95 * rate
            rounds.progress.say(
                f"capacity: {target.name}: {rate:,.0f}/s: p99 {found['p99_ms']:.3f} ms, {'kept' if kept else 'not kept'}"
            )
            return kept

        best = search(keeps, start, precision)
        result.value(target.name, "rate", best or 0)
        rows.append([target.name, best, len(points)])
        series.append((target.name, sorted(points)))
    yardstick = next((rate for name, rate, _ in rows if name == "nginx"), None)
    for name, rate, _ in rows:
        if yardstick and rate and name != "nginx":
            result.value(f"{name}/nginx", "rate", rate / yardstick)
    result.table(
        "Capacity", ["target", "requests/s", "of nginx", "probes"],
        [[name, number(rate, 0) if rate else f"below {start:g}", times(rate / yardstick if rate and yardstick else None), probes]
         for name, rate, probes in rows],
    )  # fmt: skip
    result.plot("p99 by rate", "requests/s", "ms", series, log_x=True, log_y=True)
    result.plot("Capacity by target", "target", "requests/s", [("rate", [(name, rate) for name, rate, _ in rows])], bars=True)
