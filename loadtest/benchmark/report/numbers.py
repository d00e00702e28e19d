"""Numbers as pages show them."""


def number(value, digits=1, unit=""):
    return "–" if value is None else f"{value:,.{digits}f}{unit}"


def times(value):
    return "–" if value is None else f"{value:.2f} ×"


def share(value):
    return "–" if value is None else f"{value:.4f}"


def size(count):
    """`512 B`, `16 KB` or `8 MB`."""
    for unit, factor in (("MB", 1 << 20), ("KB", 1024)):
        if count >= factor:
            text = f"{count / factor:.1f}".removesuffix(".0")
            return f"{text} {unit}"
    return f"{count} B"


def tick(value):
    """A short label of an axis."""
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= limit:
            return f"{value / limit:.3g}{unit}"
    return f"{value:.3g}"
