"""Writes RESULTS.md: the goals of the design, the figures, and nginx in the same run beside them."""

import time


def number(value, digits=1, unit=""):
    return "–" if value is None else f"{value:,.{digits}f}{unit}"


def times(value):
    return "–" if value is None else f"{value:.2f} ×"


def verdict(value, goal):
    """Whether a figure keeps within its goal."""
    return "not measured" if value is None else "kept" if value <= goal else "missed"


def quotient(own, yardstick):
    return None if own is None or yardstick is None or yardstick <= 0 else own / yardstick


def goals_table(rows):
    """The table of the design's section 7, as far as this bench measures it."""
    lines = ["| figure | goal | torhaus | nginx | torhaus / nginx | |", "|---|---|---|---|---|---|"]
    cpu, latency, fast, many = rows["cpu"], rows["latency"], rows["streams-fast"], rows["streams-many"]

    ratio = cpu.ratio("cpu_us")
    lines.append(
        f"| CPU per request, all on | ≤ 2.5 × nginx, ≤ 1.8 × in the end | {number(cpu.value('torhaus', 'cpu_us'), unit=' µs')} "
        f"| {number(cpu.value('nginx', 'cpu_us'), unit=' µs')} | {times(ratio)} | {verdict(ratio, 2.5)} |"
    )
    lines.append("| CPU per request, pass-through | ≤ 1.7 × nginx | – | – | – | not measured: the demo has no such tenant |")
    for name, label, goal in (("p50_ms", "p50", 1.5), ("p99_ms", "p99", 1.25)):
        own, theirs = latency.added(name, "torhaus"), latency.added(name, "nginx")
        share = quotient(own, theirs)
        lines.append(
            f"| added latency at {rows['rate']:,}/s, {label} | ≤ {goal} × nginx | {number(own, 3, unit=' ms')} "
            f"| {number(theirs, 3, unit=' ms')} | {times(share)} | {verdict(share, goal)} |"
        )
    for row, label in ((fast, "500 streams × 20 ms"), (many, "2,000 streams × 80 ms")):
        ratio = row.ratio("event_us")
        lines.append(
            f"| CPU per chunk, {label} | ≤ 1.5 × nginx | {number(row.value('torhaus', 'event_us'), unit=' µs')} "
            f"| {number(row.value('nginx', 'event_us'), unit=' µs')} | {times(ratio)} | {verdict(ratio, 1.5)} |"
        )
    complete = many.value("torhaus", "streams")
    lines.append(
        f"| 2,000 open streams complete | all | {number(complete, 0)} | {number(many.value('nginx', 'streams'), 0)} | "
        f"| {'not measured' if complete is None else 'kept' if complete >= 2000 else 'missed'} |"
    )
    memory = many.value("torhaus", "rss_mib")
    lines.append(
        f"| RSS with 2,000 streams | ≤ 150 MB | {number(memory, unit=' MiB')} | {number(many.value('nginx', 'rss_mib'), unit=' MiB')} "
        f"| {times(many.ratio('rss_mib'))} | {verdict(memory, 143)} |"
    )
    ready = rows["ready_seconds"]
    lines.append(
        f"| start of the demo to ready | < 1 s (10,000 tenants) | {number(ready, 2, unit=' s')} | – | – "
        f"| {verdict(ready, 1)}{'' if ready is None else ', with the few tenants of the demo'} |"
    )
    lines.append("| redaction, tenants, memory over hours | see the design | – | – | – | not measured by this bench |")
    return lines


def detail_tables(rows):
    """Medians of every row and target."""
    lines = ["| row | target | requests/s | CPU per request | p50 | p99 | errors |", "|---|---|---|---|---|---|---|"]
    for row in [rows["cpu"], rows["latency"]] + rows["bodies"]:
        for target in ("direct", "nginx", "torhaus"):
            if target not in row.figures and target not in row.reasons:
                continue
            lines.append(
                f"| {row.name} | {target} | {number(row.value(target, 'requests_per_s'), 0)} "
                f"| {number(row.value(target, 'cpu_us'), unit=' µs')} | {number(row.value(target, 'p50_ms'), 3, unit=' ms')} "
                f"| {number(row.value(target, 'p99_ms'), 3, unit=' ms')} | {reason(row, target)} |"
            )
    lines += ["", "| row | target | complete | chunks/s | CPU per chunk | first byte p99 | RSS | errors |"]
    lines.append("|---|---|---|---|---|---|---|---|")
    for row in (rows["streams-fast"], rows["streams-many"]):
        for target in ("direct", "nginx", "torhaus"):
            lines.append(
                f"| {row.name} | {target} | {number(row.value(target, 'streams'), 0)} "
                f"| {number(row.value(target, 'events_per_s'), 0)} | {number(row.value(target, 'event_us'), unit=' µs')} "
                f"| {number(row.value(target, 'first_byte_p99_ms'), 1, unit=' ms')} | {number(row.value(target, 'rss_mib'), unit=' MiB')} "
                f"| {reason(row, target)} |"
            )
    return lines


def reason(row, target):
    """Why there are no figures, on one line of a table."""
    return " ".join(row.reasons.get(target, "none").split()).replace("|", "/")[:160]


def write(path, rows, conditions, command, rounds, seconds):
    """Writes the page."""
    lines = ["# Results of the bench", ""]
    lines.append(
        "Written by `loadtest/bench.py`; do not edit. Medians of "
        f"{rounds} alternating round{'s' if rounds > 1 else ''} of {seconds:g} s; ratios are medians of the rounds' own ratios. "
        "Load, mock provider and target share the machine's cores, so absolute figures are this machine's; the ratios to "
        "nginx in the same run are what counts. Reference work: prompt of 2 KB with some personal data, answer of 1 KB, "
        "keep-alive, loopback without TLS. The cost of `direct` is that of the mock provider itself."
    )
    lines += ["", f"    {command}", "", "| condition | |", "|---|---|"]
    lines.append(f"| made | {time.strftime('%Y-%m-%d %H:%M', time.gmtime())} UTC |")
    lines += [f"| {name} | {value} |" for name, value in conditions]
    lines += ["", "## Goals", ""] + goals_table(rows)
    lines += ["", "## All rows", ""] + detail_tables(rows)
    with open(path, "w") as file:
        file.write("\n".join(lines) + "\n")
