"""What a mode found, in a form that can be kept, drawn and checked: tables, plots, figures."""

import json
import time

from ..processes import BenchError
from ..thresholds import Threshold, check_all

FORMAT = 1


class Result:
    """Filled by a mode, kept as JSON, written as Markdown and HTML.

    `values` are {target: {figure: number}}, for thresholds; `checks` are (text, holds, detail) that a mode itself judges.
    """

    def __init__(self, mode, title, command="", conditions=()):
        self.mode = mode
        self.title = title
        self.command = command
        self.made = time.strftime("%Y-%m-%d %H:%M", time.gmtime()) + " UTC"
        self.conditions = [list(pair) for pair in conditions]
        self.notes = []
        self.tables = []
        self.plots = []
        self.values = {}
        self.checks = []
        self.thresholds = []

    def note(self, text):
        self.notes.append(text)

    def table(self, title, columns, rows):
        """Cells are texts; the first column is aligned to the left, the others to the right where they are figures."""
        self.tables.append({"title": title, "columns": list(columns), "rows": [list(row) for row in rows]})

    def plot(self, title, x, y, series, log_x=False, log_y=False, bars=False):
        """`series` are (name, [(x, y), …]); points without a value are left out, and so is a plot without any."""
        kept = [(name, [[a, b] for a, b in points if a is not None and b is not None]) for name, points in series]
        kept = [(name, points) for name, points in kept if points]
        if kept:
            self.plots.append(
                {"title": title, "x": x, "y": y, "series": kept, "log_x": log_x, "log_y": log_y, "bars": bars}
            )

    def value(self, target, figure, number):
        if number is not None:
            self.values.setdefault(target, {})[figure] = number

    def check(self, text, holds, detail=""):
        self.checks.append([text, bool(holds), detail])

    def verdicts(self):
        """Everything that is judged: own checks and thresholds, as (text, holds, detail)."""
        own = [tuple(check) for check in self.checks]
        judged = check_all([Threshold(text) for text in self.thresholds], self.values)
        return own + [(text, holds, "not measured" if value is None else f"{value:,.4g}") for text, holds, value in judged]

    @property
    def holds(self):
        return all(holds for _, holds, _ in self.verdicts())

    def save(self, path):
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"format": FORMAT, **vars(self)}, file, indent=1)

    @classmethod
    def load(cls, path):
        """A result that was kept.

        Raises BenchError if the file is none.
        """
        try:
            with open(path, encoding="utf-8") as file:
                kept = json.load(file)
            if kept.pop("format") != FORMAT:
                raise ValueError("it has another format")
            result = cls(kept["mode"], kept["title"])
            for name in vars(result):
                setattr(result, name, kept[name])
            return result
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise BenchError(f"{path} is no result of a bench: {error}") from error
