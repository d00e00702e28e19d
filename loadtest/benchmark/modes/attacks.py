"""attacks: rude clients of one tenant beside the calm load of another, whose p99 must hold."""

import json
import os
import re
import subprocess
import sys
import threading
import time
from statistics import median
from urllib.parse import urlsplit

from ..attackers import ATTACKS
from ..measure import failure, figures
from ..processes import peak_kib, reset_peak
from ..report.numbers import number, times

HERE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Attacker:
    """A rude client in a process of its own."""

    def __init__(self, name, target, seconds):
        self.found = {"failure": "it did not end"}
        place = urlsplit(target.base)
        command = [sys.executable, "-m", "benchmark.attackers", name, place.hostname, str(place.port), str(seconds),
                   target.keys[0], place.path + "/chat/completions"]  # fmt: skip
        self.thread = threading.Thread(target=self.watch, args=(command, seconds + 60))

    def start(self):
        self.thread.start()

    def watch(self, command, patience):
        # The calm clients are connected by then: an attacker from their own address may use up what that address may have.
        time.sleep(0.9)
        try:
            done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, timeout=patience)
            self.found = json.loads(done.stdout) if done.returncode == 0 else {"failure": done.stderr.strip()[-200:]}
        except (OSError, ValueError, subprocess.TimeoutExpired) as error:
            self.found = {"failure": str(error)[:200]}

    def end(self):
        self.thread.join()
        return self.found


def run(stage, load, rounds, result, names, seconds, rate, memory_mib, only=None):
    """Each attack meets fresh instances of each target, twice in a round: once the calm load's own, once another one."""
    result.note(
        f"One tenant sends {rate} requests/s over 8 connections: alone, beside an attack on another instance of the same "
        f"program, and beside the same attack, by another tenant's client (slowhttptest's have no key), on the instance that serves it; {seconds:g} s each, "
        f"medians of {rounds.rounds} rounds. Attackers share the machine's cores with everybody, as the nicest "
        "processes. What they take of the machine the calm load feels with an instance of its own as well; what is more than "
        "that comes of sharing one. The p99 is to stay below twice the load's alone; the growth by sharing, over the larger of the "
        "first two, tells whose fault it is if it does not, and has a check of its own."
    )
    rows = []
    for name in only or ATTACKS:
        for place in names:
            rounds.progress.step(f"attacks: {name}: {place}")
            started = [stage.start(place) for _ in range(2)]
            try:
                lacking = [why for target, why in started if target is None]
                if lacking:
                    result.check(f"{place}: can be started", False, lacking[0])
                    continue
                target, other = (target for target, _ in started)
                found = [measure(load, target, other, name, seconds, rate) for _ in range(rounds.rounds)]
                is_alive = target.process.poll() is None
            finally:
                for one, _ in started:
                    if one:
                        stage.stop(one)
            failures = [one["failure"] for one in found if "failure" in one]
            if failures:
                result.check(f"{target.name}: {name}: was measured", False, failures[0])
                continue
            seen = Seen(found)
            rows.append([
                name, target.name, ", ".join(f"{key} {value}" for key, value in found[-1]["attack"].items()),
                *(number(value, 2, " ms") for value in (seen.alone, seen.elsewhere, seen.here)),
                times(seen.over_alone), times(seen.by_sharing), number(seen.errors, 0), number(seen.rss_mib, 1, " MiB"),
            ])  # fmt: skip
            rounds.progress.say(
                f"attacks: {name}: {target.name}: p99 × {seen.over_alone:.2f}, by sharing × {seen.by_sharing:.2f}, {rows[-1][2]}"
            )
            slug = re.sub("[^a-z0-9]+", "_", name.lower())
            result.value(target.name, f"p99_growth_{slug}", seen.over_alone)
            result.value(target.name, f"p99_sharing_{slug}", seen.by_sharing)
            if place == "torhaus":
                verdicts(result, f"{target.name}: {name}", seen, is_alive, memory_mib)
    result.table(
        "Attacks",
        ["attack", "target", "what it did", "p99 alone", "attack elsewhere", "attack here", "over alone", "by sharing", "failed",
         "RSS peak"],
        rows,
    )  # fmt: skip


def verdicts(result, slug, seen, is_alive, memory_mib):
    result.check(f"{slug}: the process lives", is_alive, "" if is_alive else "it ended")
    result.check(f"{slug}: no request of the other tenant fails", seen.errors == 0, f"{seen.errors} failed")
    result.check(
        f"{slug}: the other tenant's p99 stays below 2 ×", seen.over_alone < 2, f"{seen.over_alone:.2f} ×"
    )  # fmt: skip
    result.check(
        f"{slug}: sharing an instance costs the other tenant's p99 less than 2 ×", seen.by_sharing < 2,
        f"{seen.by_sharing:.2f} ×",
    )  # fmt: skip
    result.check(f"{slug}: memory stays below {memory_mib} MiB", seen.rss_mib < memory_mib, f"{seen.rss_mib:.0f} MiB")


class Seen:
    """What the calm load saw in all rounds."""

    def __init__(self, rounds):
        self.alone, self.elsewhere, self.here = (
            median(one[key]["p99_ms"] for one in rounds) for key in ("alone", "elsewhere", "here")
        )
        self.over_alone = self.here / max(self.alone, 0.001)
        self.by_sharing = self.here / max(self.alone, self.elsewhere, 0.001)
        self.errors = sum(one["here"]["errors"] for one in rounds)
        self.rss_mib = max(one["here"]["rss_mib"] for one in rounds)


def measure(load, target, other, name, seconds, rate):
    """One round: figures of the calm load at `target`, alone and beside the attack on each of the two."""
    calm = target.with_keys(target.name, target.keys[1:2] or target.keys)
    options = {"rate": rate, "connections": 8, "duration": seconds, "warm_up": 1, "timeout": 10}
    alone = load.single(calm, **options)
    if failure(alone):
        return {"failure": failure(alone)}
    found = {"alone": figures(alone)}
    for key, victim in (("elsewhere", other), ("here", target)):
        reset_peak(target.pid)
        report, attack = beside(load, calm, options, Attacker(name, victim, seconds))
        # An instance of its own must not fail: here it may, and is told of.
        why = report.get("failure") or attack.get("failure") or (failure(report) if key == "elsewhere" else "")
        if why:
            return {"failure": why}
        found[key], found["attack"] = figures(report), attack
        # A sample five times a second may miss the worst.
        found[key]["rss_mib"] = max(found[key]["rss_mib"], peak_kib(target.pid) / 1024)
        if found[key]["p99_ms"] is None:
            return {"failure": f"nobody was served beside the attack: {failure(report)}"}
    return found


def beside(load, calm, options, attacker):
    """The report of the calm load, and what the attacker did meanwhile."""
    attacker.start()
    report = load.single(calm, **options)
    return report, attacker.end()
