"""soak: the same load for a long time; memory, descriptors and threads, flat or not."""

import os
from statistics import median

from ..log_pruning import Pruning
from ..measure import failure, figures, kinds
from ..report.numbers import number
from ..statistics_of import theil_sen
from . import common

# Growth over the whole time that counts as flat: two per cent, and at least what an allocator keeps at hand.
RSS_SHARE, RSS_MIB = 0.02, 4.0
COUNT_SHARE, COUNT_MORE = 0.02, 2


def run(stage, load, rounds, scenario, result, minutes, rate=None, keep_log=None):
    """Runs every target of `rounds` for `minutes`, one after the other.

    `rate`: requests/s instead of the scenario's. `keep_log`: minutes after which ended segments of the gateway's log go.
    """
    seconds = minutes * 60
    long = scenario.at_rate(rate, seconds) if rate else scenario.with_seconds(seconds)
    result.note(
        f"{minutes:g} minutes of the scenario {scenario.name} on each target{f', at {rate:g} requests/s' if rate else ''}"
        f"{f'; segments of the log were deleted {keep_log:g} minutes after their end' if keep_log else ''}. "
        "Slopes are medians over pairs of samples after the first fifth of the time; flat means that the resident memory of the whole process tree grows by less than "
        f"{RSS_SHARE:.0%} or {RSS_MIB:g} MiB over it, and descriptors and threads by no more than {COUNT_SHARE:.0%} or "
        f"{COUNT_MORE}."
    )
    reports, rows = [], []
    for target in rounds.targets:
        rounds.progress.step(f"soak: {target.name}, {minutes:g} min")
        log = os.path.join(target.state, "data", "log") if keep_log and target.state else None
        with Pruning(log, (keep_log or 0) * 60) as pruning:
            report = load.scenario(target, long, sample=max(0.2, seconds / 600))
        if log:
            rounds.progress.say(f"soak: {target.name}: {pruning.freed / (1 << 30):.1f} GiB of ended segments were deleted")
        why = failure(report)
        if "failure" in report:
            result.check(f"{target.name}: the run was made", False, why)
            continue
        found = judge(report["timeline"])
        reports.append((target.name, report))
        for name, value in {**figures(report), **found}.items():
            if name == "why":
                continue
            result.value(target.name, name, value)
        rows.append([
            target.name, number(report["requests_per_s"], 0), kinds(report["errors"]),
            number(found["rss_first_mib"], 1), number(found["rss_last_mib"], 1), number(found["rss_slope_kib_per_min"], 1),
            number(found["descriptors_first"], 0), number(found["descriptors_last"], 0), number(found["threads_first"], 0),
            number(found["threads_last"], 0), "flat" if found["flat"] else "not flat",
        ])  # fmt: skip
        result.check(f"{target.name}: memory, descriptors and threads are flat", found["flat"], found["why"])
        rounds.progress.say(
            f"soak: {target.name}: {'flat' if found['flat'] else 'not flat'}; {found['why']}; errors: {kinds(report['errors'])}"
        )
    result.table(
        "Over time",
        ["target", "requests/s", "errors", "RSS MiB first", "last", "KiB/min", "descriptors first", "last", "threads first",
         "last", "verdict"],
        rows,
    )  # fmt: skip
    common.time_plots(result, reports)
    for figure, title in (("descriptors", "Open descriptors"), ("threads", "Threads")):
        result.plot(title, "seconds", title.lower(),
                    [(name, [(p["t_s"], p.get(figure)) for p in report["timeline"]]) for name, report in reports])  # fmt: skip


def judge(timeline):
    """Whether a timeline is flat, and its figures."""
    end = timeline[-1]["t_s"] if timeline else 0
    kept = [point for point in timeline if point["t_s"] >= end / 5]
    third = max(1, len(kept) // 3)

    def ends(name):
        values = [point[name] for point in kept if point.get(name) is not None]
        return (median(values[:third]), median(values[-third:])) if values else (None, None)

    rss = [point["rss_kib"] / 1024 for point in kept]
    slope = theil_sen([(point["t_s"] / 60, point["rss_kib"]) for point in kept]) or 0.0
    minutes = (kept[-1]["t_s"] - kept[0]["t_s"]) / 60 if kept else 0
    grown = slope * minutes / 1024
    first, last = ends("rss_kib")
    limit = max(RSS_MIB, RSS_SHARE * median(rss)) if rss else RSS_MIB
    reasons = [f"RSS {grown:+.1f} MiB over {minutes:.1f} min (limit {limit:.1f})"]
    flat = bool(kept) and grown <= limit
    found = {
        "rss_first_mib": first / 1024 if first is not None else None,
        "rss_last_mib": last / 1024 if last is not None else None,
        "rss_slope_kib_per_min": slope,
        "rss_growth": last / first if first else None,
    }
    for name in ("descriptors", "threads"):
        first, last = ends(name)
        found[f"{name}_first"], found[f"{name}_last"] = first, last
        if first is not None:
            found[f"{name}_growth"] = last - first
            flat = flat and last - first <= max(COUNT_MORE, COUNT_SHARE * first)
            reasons.append(f"{name} {last - first:+g}")
    return {**found, "flat": int(flat), "why": ", ".join(reasons)}
