"""attacks: rude clients of one tenant beside the calm load of another, whose p99 must hold."""

import json
import os
import re
import subprocess
import sys
import threading
import time
from urllib.parse import urlsplit

from ..attackers import ATTACKS
from ..measure import failure, figures
from ..report.numbers import number, times

HERE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Attack:
    """One attacker in a process of its own."""

    def __init__(self, name, target, key, seconds):
        self.found = {"failure": "it did not end"}
        place = urlsplit(target.base)
        command = [sys.executable, "-m", "benchmark.attackers", name, place.hostname, str(place.port), str(seconds), key,
                   place.path + "/chat/completions"]  # fmt: skip
        self.thread = threading.Thread(target=self.watch, args=(command, seconds + 60))
        self.thread.start()

    def watch(self, command, patience):
        try:
            done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, timeout=patience)
            self.found = json.loads(done.stdout) if done.returncode == 0 else {"failure": done.stderr.strip()[-200:]}
        except (OSError, ValueError, subprocess.TimeoutExpired) as error:
            self.found = {"failure": str(error)[:200]}

    def end(self):
        self.thread.join()
        return self.found


def run(stage, load, rounds, result, names, seconds, rate, memory_mib, only=None):
    """Each attack meets a fresh instance of each target; the calm load runs alone first, then beside the attack."""
    result.note(
        f"One tenant sends {rate} requests/s over 8 connections, first alone, then beside the attack of another tenant's "
        f"client, {seconds:g} s each. Attackers share the machine's cores with everybody, as the nicest processes: what "
        "nginx suffers from the same attack is the yardstick for that."
    )
    rows = []
    for name in only or ATTACKS:
        for place in names:
            rounds.progress.step(f"attacks: {name}: {place}")
            target, why = stage.start(place)
            if target is None:
                result.check(f"{place}: can be started", False, why)
                continue
            try:
                row = measure(load, target, name, seconds, rate)
            finally:
                is_alive = target.process.poll() is None
                stage.stop(target)
            if "failure" in row:
                result.check(f"{target.name}: {name}: was measured", False, row["failure"])
                continue
            grown = row["during"]["p99_ms"] / max(row["before"]["p99_ms"], 0.001)
            rows.append([
                name, target.name, ", ".join(f"{key} {value}" for key, value in row["attack"].items()),
                number(row["before"]["p99_ms"], 2, " ms"), number(row["during"]["p99_ms"], 2, " ms"), times(grown),
                number(row["during"]["errors"], 0), number(row["during"]["rss_mib"], 1, " MiB"),
            ])  # fmt: skip
            rounds.progress.say(f"attacks: {name}: {target.name}: p99 × {grown:.2f}, {rows[-1][2]}")
            slug = f"{target.name}: {name}"
            result.value(target.name, "p99_growth_" + re.sub("[^a-z0-9]+", "_", name.lower()), grown)
            if place == "torhaus":
                errors = row["during"]["errors"]
                result.check(f"{slug}: the process lives", is_alive, "" if is_alive else "it ended")
                result.check(f"{slug}: no request of the other tenant fails", errors == 0, f"{errors} failed")
                result.check(f"{slug}: the other tenant's p99 stays below 2 ×", grown < 2, f"{grown:.2f} ×")
                peak = row["during"]["rss_mib"]
                result.check(f"{slug}: memory stays below {memory_mib} MiB", peak < memory_mib, f"{peak:.0f} MiB")
    result.table("Attacks", ["attack", "target", "what it did", "p99 alone", "p99 beside it", "growth", "failed", "RSS peak"], rows)


def measure(load, target, name, seconds, rate):
    calm = target.with_keys(target.name, target.keys[1:2] or target.keys)
    options = {"rate": rate, "connections": 8, "duration": seconds, "warm_up": 1, "timeout": 10}
    before = load.single(calm, **options)
    if failure(before):
        return {"failure": failure(before)}
    attack = None

    def begin():
        # The calm clients are connected by then: an attacker from their own address may use up what that address may have.
        nonlocal attack
        time.sleep(0.9)
        attack = Attack(name, target, target.keys[0], seconds)

    starter = threading.Thread(target=begin)
    starter.start()
    during = load.single(calm, **options)
    starter.join()
    found = attack.end()
    if "failure" in during or "failure" in found:
        return {"failure": during.get("failure") or found["failure"]}
    return {"before": figures(before), "during": figures(during), "attack": found}
