"""The measurements: each runs every target in turn, round after round, and keeps medians."""

from statistics import median

from .measure import failure


class Row:
    """What one measurement found: figures by target, and reasons where there are none."""

    def __init__(self, name):
        self.name = name
        self.figures = {}
        self.reasons = {}

    def add(self, target, **figures):
        for name, value in figures.items():
            self.figures.setdefault(target, {}).setdefault(name, []).append(value)

    def refuse(self, target, reason):
        self.reasons.setdefault(target, reason)

    def value(self, target, name):
        """The median of the rounds, or None."""
        values = self.figures.get(target, {}).get(name)
        return median(values) if values and target not in self.reasons else None

    def ratio(self, name, target="torhaus", yardstick="nginx"):
        """The median over rounds of target / yardstick, each pair from one round; None if there is none."""
        ours = self.figures.get(target, {}).get(name, [])
        theirs = self.figures.get(yardstick, {}).get(name, [])
        if target in self.reasons or yardstick in self.reasons:
            return None
        pairs = [a / b for a, b in zip(ours, theirs) if b > 0]
        return median(pairs) if pairs else None

    def added(self, name, target, base="direct"):
        """The median over rounds of target - base, each pair from one round; None if there is none."""
        ours = self.figures.get(target, {}).get(name, [])
        theirs = self.figures.get(base, {}).get(name, [])
        if target in self.reasons or base in self.reasons or not ours or not theirs:
            return None
        return median(a - b for a, b in zip(ours, theirs))


class Bench:
    """Targets, the harness and how long each run takes."""

    def __init__(self, load, targets, missing, rounds, seconds, say):
        self.load = load
        self.targets = targets
        self.missing = missing
        self.rounds = rounds
        self.seconds = seconds
        self.say = say

    def each(self, row, run, only_proxies=False):
        """Calls `run(target)` for every target in every round; the order turns, so that none is always first."""
        for name, reason in self.missing.items():
            row.refuse(name, reason)
        targets = [target for target in self.targets if target.is_proxy or not only_proxies]
        for number in range(self.rounds):
            shift = number % len(targets) if targets else 0
            for target in targets[shift:] + targets[:shift]:
                if target.name in row.reasons:
                    continue
                report = run(target)
                why = failure(report)
                if why:
                    row.refuse(target.name, why)
                    self.say(f"{row.name}: {target.name}: {why}")
                    continue
                figures = read(report)
                row.add(target.name, **figures)
                shown = "  ".join(f"{name} {value:.3f}" for name, value in figures.items() if value)
                self.say(f"{row.name}: {target.name}: {shown}")
        return row

    def cpu(self):
        """Closed loop until the processor is full: what a request costs."""
        return self.each(
            Row("cpu"),
            lambda target: self.load.run(
                target, connections=32, duration=self.seconds, warm_up=1, prompt_bytes=2048
            ),
        )

    def latency(self, rate):
        """Open loop at a fixed rate: what a caller waits."""
        return self.each(
            Row(f"latency at {rate}/s"),
            lambda target: self.load.run(
                target, connections=64, rate=rate, duration=self.seconds, warm_up=1, prompt_bytes=2048
            ),
        )

    def streams(self, connections, delay):
        """Many streams at once, all begun together, each with a pause between its events."""
        chunks = max(10, int((self.seconds + 1) * 1000 / delay))
        settings = f"chunks={chunks};delay={delay};size={chunks * 16}"
        return self.each(
            Row(f"{connections} streams x {delay} ms"),
            lambda target: self.load.run(
                target,
                stream=True,
                settings=settings,
                connections=connections,
                count=connections,
                duration=self.seconds * 3 + 10,
                warm_up=1,
                prompt_bytes=2048,
            ),
        )

    def body(self, size):
        """Closed loop with a prompt of a given size."""
        return self.each(
            Row(f"prompt of {size} bytes"),
            lambda target: self.load.run(
                target, connections=8, duration=max(1.5, self.seconds / 2), warm_up=0.5, prompt_bytes=size
            ),
            only_proxies=True,
        )


def read(report):
    """The figures of a report that the tables use."""
    cost = report["processes"][0]
    return {
        "requests_per_s": report["requests_per_s"],
        "p50_ms": report["latency"]["p50_ms"],
        "p99_ms": report["latency"]["p99_ms"],
        "first_byte_p99_ms": report["first_byte"]["p99_ms"],
        "streams": report["streams_complete"],
        "events_per_s": report["measured_events"] / max(report["measured_s"], 0.001),
        "cpu_us": cost["cpu_us_per_request"],
        "event_us": cost["cpu_us_per_event"],
        "rss_mib": cost["rss_peak_kib"] / 1024,
    }
