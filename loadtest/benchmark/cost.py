"""What torhaus-cost says of redaction, which takes no load and no network: MB/s of one core on a dense prompt."""

import os
import subprocess

from .processes import BenchError

# The names of its rows, and those of the figures in the table of goals.
ROWS = {"scanner alone": "scanner", "whole path": "whole"}


class Cost:
    """The program, at the path where it should be."""

    def __init__(self, binary):
        self.binary = binary

    @property
    def is_there(self):
        return os.access(self.binary, os.X_OK)

    def redaction(self):
        """{"scanner": MB/s, "whole": MB/s}; raises where the program does not say both."""
        try:
            done = subprocess.run([self.binary, "redaction"], capture_output=True, text=True, timeout=120)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise BenchError(f"torhaus-cost did not end well: {error}") from error
        if done.returncode != 0:
            raise BenchError(f"torhaus-cost ended with {done.returncode}: {done.stderr.strip()[-200:]}")
        return speeds(done.stdout)


def speeds(text):
    """The last cells of the rows that are wanted, out of the program's table."""
    found = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if cells[0] in ROWS:
            try:
                found[ROWS[cells[0]]] = float(cells[-1])
            except ValueError:
                raise BenchError(f"torhaus-cost says no number: {line.strip()[:200]}") from None
    lacking = [name for name, key in ROWS.items() if key not in found]
    if lacking:
        raise BenchError(f"torhaus-cost has no row '{lacking[0]}'; build it anew: swift build -c release")
    return found
