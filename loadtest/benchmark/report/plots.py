"""Line and bar plots as inline SVG; colours come from the page's style, so that they follow light and dark."""

import math
from html import escape

from .numbers import tick

WIDTH, HEIGHT = 720, 340
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 40, 46
# Lines differ by dash as well as by colour.
DASHES = ("", "7 4", "2 3", "9 3 2 3", "12 4", "4 2 1 2")


class Axis:
    """Maps values to places, evenly or by logarithm, and has ticks at round values."""

    def __init__(self, values, start, end, is_log, from_zero):
        self.start, self.end = start, end
        self.is_log = is_log and min(values) > 0
        low, high = min(values), max(values)
        if self.is_log:
            low, high = math.log10(low), math.log10(high)
            if high - low < 0.1:
                low, high = low - 0.05, high + 0.05
        else:
            low = min(0, low) if from_zero else low
            if high == low:
                low, high = (low - 1, high + 1) if not from_zero else (min(0, low), high or 1)
            elif from_zero:
                high += (high - low) * 0.05
        self.low, self.high = low, high

    def place(self, value):
        position = math.log10(value) if self.is_log else value
        return self.start + (self.end - self.start) * (position - self.low) / (self.high - self.low)

    def ticks(self):
        if self.is_log:
            decades = range(math.floor(self.low), math.ceil(self.high) + 1)
            steps = (1, 2, 5) if self.high - self.low < 3 else (1,)
            values = [step * 10.0**decade for decade in decades for step in steps]
            return [value for value in values if self.low - 1e-9 <= math.log10(value) <= self.high + 1e-9]
        step = 10 ** math.floor(math.log10((self.high - self.low) / 4))
        for factor in (5, 2):
            if (self.high - self.low) / (step * factor) >= 3:
                step *= factor
                break
        first = math.ceil(self.low / step - 1e-9)
        return [index * step for index in range(first, math.floor(self.high / step + 1e-9) + 1)]


def svg(plot):
    """One plot of a result."""
    series = plot["series"]
    ys = [y for _, points in series for _, y in points]
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(plot["title"], quote=True)}">',
        f'<text class="title" x="{LEFT}" y="18">{escape(plot["title"])}</text>',
    ]
    y_axis = Axis(ys, HEIGHT - BOTTOM, TOP, plot["log_y"], from_zero=True)
    for value in y_axis.ticks():
        y = y_axis.place(value)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="tick" x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{tick(value)}</text>')
    parts += bars(plot, y_axis) if plot["bars"] else lines(plot, y_axis)
    parts.append(
        f'<text class="label" x="14" y="{(TOP + HEIGHT - BOTTOM) / 2:.0f}" text-anchor="middle" '
        f'transform="rotate(-90 14 {(TOP + HEIGHT - BOTTOM) / 2:.0f})">{escape(plot["y"])}</text>'
    )
    parts.append(
        f'<text class="label" x="{(LEFT + WIDTH - RIGHT) / 2:.0f}" y="{HEIGHT - 6}" text-anchor="middle">'
        f'{escape(plot["x"])}</text></svg>'
    )
    return "\n".join(parts)


def lines(plot, y_axis):
    """Lines with their points, ticks below and a legend above."""
    series = plot["series"]
    xs = [x for _, points in series for x, _ in points]
    # Percentiles are drawn by their distance from 100, so that the tail has as much room as the rest.
    is_tail = plot["x"] == "percentile"
    x_axis = Axis([tail(x) for x in xs] if is_tail else xs, LEFT, WIDTH - RIGHT, plot["log_x"], from_zero=False)
    parts = []
    marks = [(tail(p), f"{p:g}") for p in (0, 50, 90, 99, 99.9, 99.99) if tail(p) <= x_axis.high] if is_tail else [
        (value, tick(value)) for value in x_axis.ticks()
    ]
    for value, label in marks:
        x = x_axis.place(value)
        parts.append(f'<text class="tick" x="{x:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{label}</text>')
    for index, (name, points) in enumerate(series):
        places = [(x_axis.place(tail(x) if is_tail else x), y_axis.place(y)) for x, y in points if y > 0 or not y_axis.is_log]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        look = f'class="s{index % 6}" stroke-dasharray="{DASHES[index % 6]}"'
        parts.append(f'<polyline {look} points="{path}"><title>{escape(name)}</title></polyline>')
        if len(places) <= 40:
            parts += [
                f'<circle class="s{index % 6}" cx="{x:.1f}" cy="{y:.1f}" r="2.5"><title>{escape(name)}: '
                f"{points[at][0]:g}, {points[at][1]:.4g}</title></circle>"
                for at, (x, y) in enumerate(places)
            ]
    return parts + legend([name for name, _ in series])


def tail(percentile):
    return -math.log10(max(100 - percentile, 0.0005) / 100)


def bars(plot, y_axis):
    """A group of bars per x, which is a name here."""
    series = plot["series"]
    names = list(dict.fromkeys(x for _, points in series for x, _ in points))
    room = (WIDTH - LEFT - RIGHT) / max(1, len(names))
    width = min(60, room * 0.8 / len(series))
    parts = []
    for index, (name, points) in enumerate(series):
        for x, y in points:
            middle = LEFT + room * (names.index(x) + 0.5)
            left = middle + (index - len(series) / 2) * width
            top = y_axis.place(y)
            parts.append(
                f'<rect class="f{index % 6}" x="{left:.1f}" y="{top:.1f}" width="{width - 2:.1f}" '
                f'height="{max(0, HEIGHT - BOTTOM - top):.1f}"><title>{escape(name)}, {escape(str(x))}: {y:.4g}</title></rect>'
            )
    for at, name in enumerate(names):
        parts.append(
            f'<text class="tick" x="{LEFT + room * (at + 0.5):.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">'
            f"{escape(str(name))}</text>"
        )
    return parts + (legend([name for name, _ in series], fills=True) if len(series) > 1 else [])


def legend(names, fills=False):
    parts, x = [], LEFT
    for index, name in enumerate(names):
        if fills:
            parts.append(f'<rect class="f{index % 6}" x="{x}" y="25" width="18" height="8"/>')
        else:
            parts.append(
                f'<line class="s{index % 6}" stroke-dasharray="{DASHES[index % 6]}" x1="{x}" x2="{x + 24}" y1="29" y2="29"/>'
            )
        parts.append(f'<text class="tick" x="{x + 28}" y="33">{escape(name)}</text>')
        x += 44 + 7 * len(name)
    return parts
