"""What a bench says while it runs: a bar on a terminal, plain lines elsewhere."""

import sys
import time


class Progress:
    """Counts steps; `step` before each, `say` for what was found. The bar goes to stderr and only to a terminal."""

    def __init__(self, total, stream=None, out=None, clock=time.monotonic):
        self.total = max(1, total)
        self.done = 0
        self.stream = stream or sys.stderr
        self.out = out or sys.stdout
        self.clock = clock
        self.begin = clock()
        self.has_bar = self.stream.isatty()

    def step(self, name):
        """Begins the next step."""
        if self.has_bar:
            share = min(1, self.done / self.total)
            filled = round(share * 24)
            passed = self.clock() - self.begin
            left = f", about {duration(passed / share - passed)} left" if self.done and share < 1 else ""
            text = f"[{'#' * filled}{'.' * (24 - filled)}] {self.done}/{self.total} {name}{left}"
            self.stream.write("\r\033[K" + text[:110])
            self.stream.flush()
        self.done += 1

    def say(self, text):
        """A line that stays."""
        if self.has_bar:
            self.stream.write("\r\033[K")
            self.stream.flush()
        print(f"[{self.clock() - self.begin:6.1f} s] {text}", file=self.out, flush=True)

    def end(self):
        if self.has_bar:
            self.stream.write("\r\033[K")
            self.stream.flush()


def duration(seconds):
    """`45 s` or `12 min`."""
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
