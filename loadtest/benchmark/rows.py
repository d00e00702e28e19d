"""A measurement runs every target in turn, round after round, and keeps medians."""

from statistics import median

from .measure import failure, figures


class Row:
    """What one measurement found: figures by target, and reasons where there are none."""

    def __init__(self, name):
        self.name = name
        self.figures = {}
        self.reasons = {}
        self.reports = {}

    def add(self, target, **found):
        for name, value in found.items():
            self.figures.setdefault(target, {}).setdefault(name, []).append(value)

    def refuse(self, target, reason):
        self.reasons.setdefault(target, reason)

    def value(self, target, name):
        """The median of the rounds, or None."""
        values = [value for value in self.figures.get(target, {}).get(name, []) if value is not None]
        return median(values) if values and target not in self.reasons else None

    def total(self, target, name):
        """The sum over the rounds: for counts of what must not happen, which no median may hide. None if a round has none."""
        values = self.figures.get(target, {}).get(name)
        return sum(values) if values and target not in self.reasons else None

    def ratio(self, name, target="torhaus", yardstick="nginx"):
        """The median over rounds of target / yardstick, each pair from one round; None if there is none."""
        if target in self.reasons or yardstick in self.reasons:
            return None
        pairs = [a / b for a, b in self.pairs(name, target, yardstick) if b > 0]
        return median(pairs) if pairs else None

    def added(self, name, target, base="direct"):
        """The median over rounds of target - base, each pair from one round; None if there is none."""
        if target in self.reasons or base in self.reasons:
            return None
        pairs = self.pairs(name, target, base)
        return median(a - b for a, b in pairs) if pairs else None

    def pairs(self, name, first, second):
        ours = self.figures.get(first, {}).get(name, [])
        theirs = self.figures.get(second, {}).get(name, [])
        return [(a, b) for a, b in zip(ours, theirs) if a is not None and b is not None]

    def report(self, target):
        """The report of the round in the middle by its p99, for plots; None if there is none."""
        reports = sorted(self.reports.get(target, []), key=lambda report: report["latency"]["p99_ms"])
        return reports[len(reports) // 2] if reports else None


class Rounds:
    """Runs targets in alternation."""

    def __init__(self, targets, missing, rounds, progress):
        self.targets = targets
        self.missing = missing
        self.rounds = rounds
        self.progress = progress

    def each(self, row, run, targets=None, tolerant=False, rounds=None):
        """Calls `run(target)` for every target in every round; the order turns, so that none is always first.

        A tolerant measurement keeps figures of runs in which requests failed, because failures are what it counts.
        """
        for name, reason in self.missing.items():
            row.refuse(name, reason)
        targets = self.targets if targets is None else targets
        for number in range(rounds or self.rounds):
            shift = number % len(targets) if targets else 0
            for target in targets[shift:] + targets[:shift]:
                if target.name in row.reasons:
                    continue
                self.progress.step(f"{row.name}: {target.name}")
                report = run(target)
                why = failure(report)
                if "failure" in report or (why and not tolerant):
                    row.refuse(target.name, why)
                    self.progress.say(f"{row.name}: {target.name}: {why}")
                    continue
                found = figures(report)
                row.add(target.name, **found)
                row.reports.setdefault(target.name, []).append(report)
                self.progress.say(f"{row.name}: {target.name}: {line(found)}{'; ' + why if why else ''}")
        return row


SHOWN = ("requests_per_s", "p50_ms", "p99_ms", "streams", "cpu_us", "event_us", "rss_mib", "fairness")


def line(found):
    """The figures of a run that are worth a line on the terminal."""
    return "  ".join(f"{name} {found[name]:.3f}" for name in SHOWN if found.get(name))
