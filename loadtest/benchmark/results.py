"""The design's table of goals: every row, the goal beside the figure, nginx and HAProxy in the same run beside them."""

import re

from .report.numbers import number, size, times
from .statistics_of import exponent

THROUGH = "torhaus-through"
# Goals that are ratios or counts, and hold on every machine.
IS_JUDGED = re.compile("×|^all$|^linear|^flat")
# A shorter load says nothing of memory over hours.
SOAK_SECONDS = 300


def verdict(value, goal):
    """Whether a figure keeps within its goal."""
    return "not measured" if value is None else "kept" if value <= goal else "missed"


def at_least(value, goal):
    """Whether a speed reaches its goal."""
    return "not measured" if value is None else "kept" if value >= goal else "missed"


def quotient(own, yardstick):
    return None if own is None or yardstick is None or yardstick <= 0 else own / yardstick


def line(figure, goal, own, nginx, haproxy, ratio, judged):
    return [figure, goal, own, nginx, haproxy, ratio, judged]


def ratio_line(figure, goal_text, goal, row, name, unit, digits=1, own="torhaus"):
    """A figure whose goal is a multiple of nginx's."""
    ratio = row.ratio(name, own)
    return line(
        figure, goal_text, *[number(row.value(target, name), digits, unit) for target in (own, "nginx", "haproxy")],
        times(ratio), verdict(ratio, goal),
    )  # fmt: skip


def goals(rows):
    """The lines of the table, as far as `rows` were measured; what was not says so."""
    cpu, latency, fast, many = rows["cpu"], rows["latency"], rows["streams-fast"], rows["streams-many"]
    goal = "≤ 2.5 × nginx, ≤ 1.8 × in the end"
    lines = [
        ratio_line(f"CPU per request, all on, {row.connections} connections", goal, 2.5, row, "cpu_us", " µs")
        for row in (cpu, rows["cpu-many"])
    ]
    through = ratio_line("CPU per request, pass-through", "≤ 1.7 × nginx", 1.7, cpu, "cpu_us", " µs", own=THROUGH)
    if cpu.value(THROUGH, "cpu_us") is None:
        through[-1] = "not measured" if rows["has_through"] else "not measured: the gateway made no tenant for it"
    lines.append(through)
    for name, label, goal in (("p50_ms", "p50", 1.5), ("p99_ms", "p99", 1.25)):
        own, nginx, haproxy = (latency.added(name, target) for target in ("torhaus", "nginx", "haproxy"))
        ratio = quotient(own, nginx)
        lines.append(
            line(
                f"added latency at {rows['rate']:,}/s, {label}", f"≤ {goal} × nginx",
                *[number(value, 3, " ms") for value in (own, nginx, haproxy)], times(ratio), verdict(ratio, goal),
            )
        )  # fmt: skip
    lines.append(ratio_line("CPU per chunk, 500 streams × 20 ms", "≤ 1.5 × nginx", 1.5, fast, "event_us", " µs"))
    lines.append(ratio_line("CPU per chunk, 2,000 streams × 80 ms", "≤ 1.5 × nginx", 1.5, many, "event_us", " µs"))
    lines += memory_of_streams(many)
    lines += redaction(rows.get("redaction") or {}, rows.get("redaction_why", ""), rows["bodies"])
    lines += growth(rows["bodies"])
    lines += tenants(rows)
    lines += [soak(rows.get("soak"), rows.get("soak_seconds"))]
    return lines


def memory_of_streams(many):
    figures = [many.value(target, "streams") for target in ("torhaus", "nginx", "haproxy")]
    complete = "not measured" if figures[0] is None else "kept" if figures[0] >= 2000 else "missed"
    lines = [line("2,000 open streams complete", "all", *[number(value, 0) for value in figures], "", complete)]
    each = [
        quotient(many.value(target, "rss_growth_mib"), 2000 / 1024) for target in ("torhaus", "nginx", "haproxy")
    ]
    lines.append(
        line(
            "memory per open stream", "≤ 16 KB", *[number(value, 1, " KiB") for value in each],
            times(quotient(each[0], each[1])), verdict(each[0], 15.625),
        )
    )  # fmt: skip
    rss = [many.value(target, "rss_mib") for target in ("torhaus", "nginx", "haproxy")]
    lines.append(
        line(
            "RSS with 2,000 streams", "≤ 150 MB", *[number(value, 1, " MiB") for value in rss],
            times(many.ratio("rss_mib")), verdict(rss[0], 143),
        )
    )  # fmt: skip
    return lines


def redaction(measured, why, bodies):
    """Redaction by itself, as torhaus-cost measures it; and what the policies add per byte over HTTP, from the growth of CPU
    with the body, less nginx's: a lower bound."""
    speed = policy_speed(bodies)
    judged = "not measured" if speed is None else "kept" if speed >= 60 else "missed, or not redaction's doing"
    alone = [
        line(
            f"redaction: {what} on dense data", f"≥ {goal} MB/s", number(measured.get(name), 1, " MB/s"), "–", "–", "",
            at_least(measured.get(name), goal) + (f": {why}" if name not in measured and why else ""),
        )
        for name, what, goal in (("scanner", "scanner", 150), ("whole", "JSON to JSON", 60))
    ]  # fmt: skip
    return [
        *alone,
        line(
            "redaction: whole path (lower bound, 100 KB → 1 MB, all policies, less nginx's growth)", "≥ 60 MB/s",
            number(speed, 0, " MB/s"), "–", "–", "", judged,
        ),
    ]  # fmt: skip


def policy_speed(bodies, small=102_400, large=1_048_576):
    """MB/s of all that is done with a body beyond passing it on; None if it was not measured."""
    if small not in bodies or large not in bodies:
        return None
    cost = []
    for bytes_ in (small, large):
        own, nginx = (bodies[bytes_].value(target, "cpu_us") for target in ("torhaus", "nginx"))
        if own is None or nginx is None:
            return None
        cost.append(own - nginx)
    grown = cost[1] - cost[0]
    return (large - small) / grown if grown > 0 else None


def growth(bodies):
    """How cost and memory grow with the body."""
    powers = []
    for target in ("torhaus", "nginx", "haproxy"):
        points = [(bytes_, row.value(target, "cpu_us")) for bytes_, row in bodies.items() if bytes_ >= 100_000]
        powers.append(exponent([(x, y) for x, y in points if y]))
    largest = max(bodies, default=0)
    rss = [bodies[largest].value(target, "rss_mib") if bodies else None for target in ("torhaus", "nginx", "haproxy")]
    return [
        line(
            f"cost of bodies, 100 KB … {size(largest)}: exponent", "linear (≤ 1.1)", *[number(power, 2) for power in powers],
            "", verdict(powers[0], 1.1),
        ),
        line(
            f"RSS with bodies of {size(largest)}", "bounded", *[number(value, 1, " MiB") for value in rss],
            times(quotient(rss[0], rss[1])), "not measured" if rss[0] is None else "see figure",
        ),
    ]  # fmt: skip


def tenants(rows):
    """Cost with many tenants over cost with ten, and the start with them."""
    measured = rows.get("tenants") or {}
    counts = sorted(measured)
    ratio, ready, most = None, rows.get("ready_seconds"), 0
    if len(counts) > 1:
        most = counts[-1]
        ratio = quotient(measured[most].value("torhaus", "cpu_us"), measured[counts[0]].value("torhaus", "cpu_us"))
        ready = measured[most].value("torhaus", "ready_s")
    judged = verdict(ratio, 1.1) + ("" if ratio is None or most >= 10_000 else f", with {most:,} tenants")
    start = verdict(ready, 1) + (
        "" if ready is None or most >= 10_000 else f", with {f'{most:,}' if most else 'the few'} tenants"
    )
    return [
        line(
            f"cost per request with {most:,} tenants over {counts[0] if counts else 10}" if most else "cost with many tenants",
            "same (≤ 1.1 ×; 10,000 tenants)", times(ratio), "–", "–", "", judged,
        ),
        line("start to ready", "< 1 s (10,000 tenants)", number(ready, 2, " s"), "–", "–", "", start),
    ]  # fmt: skip


def soak(found, seconds):
    """Memory over the short soak of the bench; hours take the mode `soak`."""
    if not found:
        return line("memory", "flat over hours", "–", "–", "–", "", "not measured: bench.py soak --minutes 120")
    judged = "kept: flat" if found["flat"] else f"missed: not flat ({found['why']})"
    if seconds < SOAK_SECONDS:
        judged = "not judged"
    judged += f" over {seconds:g} s; for hours: bench.py soak --minutes 120"
    return line("memory", "flat over hours", number(found["rss_slope_kib_per_min"], 0, " KiB/min"), "–", "–", "", judged)


def fill(result, rows, names, rounds, fewer, seconds):
    """Fills the bench's result from its rows; `fewer` rounds were made of streams and bodies."""
    result.note(
        f"Written by `loadtest/bench.py`; do not edit. Medians of {rounds} alternating round{'s' if rounds > 1 else ''} of "
        f"{seconds:g} s, of streams and bodies of {fewer}. Ratios are medians of the rounds' own; those of added latency, of "
        "memory per stream, of tenants and of the largest body are quotients of medians. Load, mock provider and target share the machine's "
        "cores, so absolute figures are this machine's; the ratios to nginx in the same run are what counts. Reference work: "
        "prompt of 2 KB with some personal data, answer of 1 KB, keep-alive, loopback without TLS. The cost of `direct` is "
        "that of the mock provider itself. Rows of streams have an instance of their own; `torhaus-through` is a tenant without redaction whose log holds metadata only. "
        "Redaction on dense data is measured by `torhaus-cost`, without network: one thread, of many rounds the quickest. "
        "CPU and memory are those of whole process trees."
    )
    columns = ["figure", "goal", "torhaus", "nginx", "HAProxy", "torhaus / nginx", ""]
    lines = goals(rows)
    result.table("Goals", columns, lines)
    for figure, goal, *_, ratio, judged in lines:
        if IS_JUDGED.search(goal) and judged.startswith(("kept", "missed")):
            result.check(f"{figure}: {goal}", judged.startswith("kept"), ratio or judged)
    plain = [rows["cpu"], rows["cpu-many"], rows["latency"], *rows["bodies"].values(), *(rows.get("tenants") or {}).values()]
    result.table(
        "All rows", ["row", "target", "requests/s", "CPU per request", "p50", "p99", "errors"],
        [[row.name, name, number(row.value(name, "requests_per_s"), 0), number(row.value(name, "cpu_us"), 1, " µs"),
          number(row.value(name, "p50_ms"), 3, " ms"), number(row.value(name, "p99_ms"), 3, " ms"), reason(row, name)]
         for row in plain for name in [*names, THROUGH] if name in row.figures or (name in row.reasons and name != THROUGH)],
    )  # fmt: skip
    result.table(
        "Streams", ["row", "target", "complete", "chunks/s", "CPU per chunk", "first byte p99", "RSS", "errors"],
        [[row.name, name, number(row.value(name, "streams"), 0), number(row.value(name, "events_per_s"), 0),
          number(row.value(name, "event_us"), 1, " µs"), number(row.value(name, "first_byte_p99_ms"), 1, " ms"),
          number(row.value(name, "rss_mib"), 1, " MiB"), reason(row, name)]
         for row in (rows["streams-fast"], rows["streams-many"]) for name in names
         if name in row.figures or name in row.reasons],
    )  # fmt: skip


def reason(row, target):
    """Why there are no figures, on one line of a table."""
    return " ".join(row.reasons.get(target, "none").split())[:160]
