"""One run of torhaus-load and what it found."""

import json
import os
import re
import subprocess
import tempfile


class Load:
    """Runs the harness; every run is bounded in time."""

    def __init__(self, binary, folder, loops=1):
        self.binary = binary
        self.folder = folder
        self.loops = loops

    def scenario(self, target, scenario, **changes):
        """Runs a scenario; `changes` go over its load settings."""
        plan = {**scenario.load, **changes, "arrivals": scenario.arrivals}
        if scenario.phases:
            plan["phases"] = scenario.phases
        return self.run(target, scenario.classes, scenario.tenants, **plan)

    def single(self, target, stream=False, settings="", prompt_bytes=2_048, rate=None, **options):
        """Runs one class of requests with the reference prompt, all keys in turn."""
        kind = {"name": "chat", "stream": stream, "settings": settings, "prompt_bytes": prompt_bytes}
        if rate:
            seconds = options.get("duration", 5) + options.get("warm_up", 1)
            options.update(arrivals="uniform", phases=[{"seconds": seconds, "rate": rate}])
        return self.run(target, [kind], [{"name": "all"}], **options)

    def run(self, target, classes, tenants, **options):
        """The report of one run, or {"failure": why}."""
        plan = plan_of(target, classes, tenants)
        plan.update(loops=self.loops, **options)
        handle, plan_path = tempfile.mkstemp(suffix=".plan.json", dir=self.folder)
        path = plan_path.replace(".plan.json", ".report.json")
        with os.fdopen(handle, "w") as file:
            json.dump(plan, file)
        bound = plan.get("duration", 5) + plan.get("warm_up", 1) + plan.get("drain", 10) + 60
        try:
            done = subprocess.run(
                [self.binary, "--quiet", "--plan", plan_path, "--json", path],
                capture_output=True, text=True, timeout=bound,
            )
            if done.returncode != 0:
                return {"failure": done.stderr.strip()[:300] or f"torhaus-load ended with {done.returncode}"}
            with open(path) as file:
                return json.load(file)
        except subprocess.TimeoutExpired:
            return {"failure": f"torhaus-load did not end within {bound:.0f} s"}
        except (OSError, ValueError) as error:
            return {"failure": str(error)}
        finally:
            for old in (plan_path, path):
                if os.path.exists(old):
                    os.unlink(old)


def plan_of(target, classes, tenants):
    """What is sent to `target`: its keys go to the tenants in turn, and the mock's settings into the prompts."""
    filled = []
    for one in classes:
        one = dict(one)
        settings = one.pop("settings", "")
        parts = [part for part in (target.script, settings) if part]
        if one.get("stream") and "script=" not in settings:
            parts.insert(0, "script=mock-stream")
        if parts:
            one["prompt_prefix"] = f"[[mock {';'.join(parts)}]] "
        one["model"] = target.alias
        if one.get("stream") and target.stream_path:
            one["path"] = target.stream_path
        filled.append(one)
    shared = keys_of(target.keys, tenants)
    return {"targets": [target.base], "classes": filled, "tenants": shared, "pids": [target.pid]}


def keys_of(keys, tenants):
    """Tenants with their keys: each has its part of them, and all have the same ones in turn if there are too few."""
    if len(tenants) == 1:
        return [{**tenants[0], "keys": list(keys)}]
    if len(keys) < len(tenants):
        return [{**tenant, "keys": [keys[index % len(keys)]]} for index, tenant in enumerate(tenants)]
    return [{**tenant, "keys": list(keys[index :: len(tenants)])} for index, tenant in enumerate(tenants)]


def failure(report):
    """Why a report cannot be used, or an empty text."""
    if "failure" in report:
        return report["failure"]
    errors = report.get("errors", {})
    failed = sum(errors.values())
    if failed > 0:
        return f"{failed} of {failed + report['succeeded']} requests failed ({kinds(errors)})"
    if report["succeeded"] + report.get("aborted", 0) == 0:
        return "no request was answered"
    return ""


def kinds(errors):
    """How many of each kind."""
    return ", ".join(f"{kind} {count}" for kind, count in sorted(errors.items())) or "none"


def open_requests(errors):
    """Requests that the target left open: until their client had no more patience, or until the run was over."""
    return sum(errors.get(kind, 0) for kind in ("timeout", "unfinished"))


def figures(report):
    """The figures of a report that tables and thresholds use."""
    cost = report["processes"][0]
    seconds = max(report["measured_s"], 0.001)
    timeline = report.get("timeline") or [{}]
    errors = sum(report.get("errors", {}).values())
    latency, first_byte = (report[name] if report[name]["count"] else {} for name in ("latency", "first_byte"))
    # What nobody was served has no cost and no latency, and must not pass for a good one.
    per_request, per_event = (
        cost[name] if report[counted] else None
        for name, counted in (("cpu_us_per_request", "measured_requests"), ("cpu_us_per_event", "measured_events"))
    )
    ended = report["succeeded"] + errors + report.get("aborted", 0)
    return {
        "requests_per_s": report["requests_per_s"],
        "p50_ms": latency.get("p50_ms"),
        "p90_ms": latency.get("p90_ms"),
        "p99_ms": latency.get("p99_ms"),
        "p999_ms": latency.get("p999_ms"),
        "first_byte_p99_ms": first_byte.get("p99_ms"),
        "streams": report["streams_complete"],
        "events_per_s": report["measured_events"] / seconds,
        "cpu_us": per_request,
        "event_us": per_event,
        "rss_mib": cost["rss_peak_kib"] / 1024,
        "rss_growth_mib": (cost["rss_peak_kib"] - cost["rss_first_kib"]) / 1024,
        "threads": timeline[-1].get("threads"),
        "descriptors": timeline[-1].get("descriptors"),
        "offered": report["offered"],
        "succeeded": report["succeeded"],
        "aborted": report.get("aborted", 0),
        "errors": errors,
        "unaccounted": max(0, report["offered"] - ended) + open_requests(report.get("errors", {})),
        "fairness": report.get("fairness"),
        "latency_fairness": report.get("latency_fairness"),
        **class_figures(report.get("classes", [])),
    }


def class_figures(classes):
    """p50 and p99 of each class of a mix: those of all together say little where streams stand beside whole answers."""
    found = {}
    for one in classes if len(classes) > 1 else []:
        name = re.sub("[^a-z0-9]", "_", one["name"].lower())
        latency = one.get("latency") or {}
        if latency.get("count"):
            found[f"{name}_p50_ms"], found[f"{name}_p99_ms"] = latency["p50_ms"], latency["p99_ms"]
    return found
