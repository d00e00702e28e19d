"""What the modes share: tables and plots of scenario runs."""

from ..report.numbers import number, share, times

COUNTS = ("errors", "unaccounted")


def fill_values(result, row, targets, yardstick="nginx", prefix=""):
    """Takes the figures of a row over into a result, for thresholds: medians, sums of counts, and ratios of pairs.

    `prefix` comes before the figures' names, where a result has several rows.
    """
    for target in targets:
        for name in sorted(row.figures.get(target, {})):
            pick = row.total if name in COUNTS else row.value
            result.value(target, prefix + name, pick(target, name))
            if target != yardstick and name not in COUNTS:
                result.value(f"{target}/{yardstick}", prefix + name, row.ratio(name, target, yardstick))


def latency_table(result, title, row, names, yardstick="nginx"):
    """One line per target."""
    columns = ["target", "requests/s", "p50", "p90", "p99", "p99.9", "CPU per request", f"CPU / {yardstick}", "RSS peak",
               "offered", "aborted", "errors", "note"]  # fmt: skip
    rows = []
    for name in names:
        rows.append([
            name,
            number(row.value(name, "requests_per_s"), 0),
            *[number(row.value(name, figure), 3, " ms") for figure in ("p50_ms", "p90_ms", "p99_ms", "p999_ms")],
            number(row.value(name, "cpu_us"), 1, " µs"),
            times(row.ratio("cpu_us", name, yardstick)) if name != yardstick else "1.00 ×",
            number(row.value(name, "rss_mib"), 1, " MiB"),
            number(row.value(name, "offered"), 0),
            number(row.value(name, "aborted"), 0),
            number(row.total(name, "errors"), 0),
            " ".join(row.reasons.get(name, "").split())[:160],
        ])  # fmt: skip
    result.table(title, columns, rows)


def group_table(result, title, report_of, names, member):
    """Tenants or classes of the round in the middle, by target; at most twenty of them."""
    rows = []
    for name in names:
        report = report_of(name)
        for group in (report or {}).get(member, [])[:20]:
            latency = group.get("latency") or {}
            rows.append([
                name, group["name"], number(group["offered"], 0), number(group["succeeded"], 0), number(group["failed"], 0),
                number(group["aborted"], 0), number(latency.get("p50_ms"), 3, " ms"), number(latency.get("p99_ms"), 3, " ms"),
            ])  # fmt: skip
    columns = ["target", {"classes": "class", "tenants": "tenant"}[member], "offered", "well", "failed", "aborted", "p50", "p99"]
    if rows:
        result.table(title, columns, rows)


def fairness_table(result, row, names):
    rows = [
        [name, share(row.value(name, "fairness")), share(row.value(name, "latency_fairness"))]
        for name in names
        if row.value(name, "fairness") is not None
    ]
    if rows:
        result.table("Fairness between tenants (Jain's index: 1 is even)", ["target", "of what was asked", "of p99"], rows)
        result.plot(
            "Fairness between tenants (Jain's index)", "target", "index",
            [(what, [(name, row.value(name, figure)) for name in names])
             for what, figure in (("of what was asked", "fairness"), ("of p99", "latency_fairness"))],
            bars=True,
        )  # fmt: skip


def time_plots(result, reports):
    """Memory, throughput and p99 over time; `reports` are (name, report)."""
    def over(figure, scale=1.0):
        # A sample without an answer has no latency; zero would be a lie.
        return [(name, [(p["t_s"], p[figure] * scale) for p in timeline(report)
                        if p.get(figure) is not None and (p["requests"] or not figure.endswith("_ms"))])
                for name, report in reports]  # fmt: skip

    result.plot("Memory of the whole process tree", "seconds", "MiB resident", over("rss_kib", 1 / 1024))
    result.plot("Throughput", "seconds", "answers/s", [(name, rates(report)) for name, report in reports])
    result.plot("p99 over time", "seconds", "ms", over("p99_ms"), log_y=True)


def timeline(report):
    return (report or {}).get("timeline", [])


def rates(report):
    """Answers per second in each sample."""
    points, before = [], 0.0
    for point in timeline(report):
        if point["t_s"] - before > 0.02:
            points.append((point["t_s"], point["requests"] / (point["t_s"] - before)))
        before = point["t_s"]
    return points


def curve_plot(result, reports):
    """The percentiles of latency, with as much room for the tail as for the rest."""
    result.plot(
        "Latency by percentile, from the time a request was due", "percentile", "ms",
        [(name, [(point["percentile"], point["ms"]) for point in (report or {}).get("curve", []) if point["percentile"] < 100])
         for name, report in reports],
        log_y=True,
    )  # fmt: skip
