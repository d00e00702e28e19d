"""Writes a result as Markdown and as HTML."""

import os
from html import escape

from .plots import svg

STYLE = """
:root { color-scheme: light dark; --text: #1b1b1b; --back: #ffffff; --soft: #6a6a6a; --grid: #d9d9d9; --panel: #f5f5f3;
  --good: #00694a; --bad: #b3261e; --c0: #0a5fa8; --c1: #b34a00; --c2: #00694a; --c3: #8e2f7e; --c4: #6d5a00; --c5: #444; }
@media (prefers-color-scheme: dark) { :root { --text: #e8e8e6; --back: #161616; --soft: #a3a3a0; --grid: #3a3a3a;
  --panel: #202020; --good: #5fd0a5; --bad: #ff8f87; --c0: #6db7f5; --c1: #ff9f5a; --c2: #5fd0a5; --c3: #e58bd8;
  --c4: #d9c24a; --c5: #bbb; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--text); background: var(--back); max-width: 62rem; margin: 2rem auto;
  padding: 0 1rem; }
h1 { font-size: 1.6rem } h2 { font-size: 1.2rem; margin-top: 2.2rem }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem; display: block; overflow-x: auto }
th, td { padding: .25rem .7rem; text-align: right; border-bottom: 1px solid var(--grid); white-space: nowrap }
th:first-child, td:first-child, td.text { text-align: left } th { color: var(--soft); font-weight: 600 }
pre { background: var(--panel); padding: .7rem 1rem; overflow-x: auto } figure { margin: 1.2rem 0 }
.good { color: var(--good) } .bad { color: var(--bad); font-weight: 600 }
svg { width: 100%; height: auto; background: var(--panel); border-radius: 6px }
svg text { fill: var(--text); font: 12px system-ui, sans-serif } svg .title { font-size: 14px; font-weight: 600 }
svg .tick, svg .label { fill: var(--soft) } svg .grid { stroke: var(--grid); stroke-width: 1 }
svg polyline { fill: none; stroke-width: 2 } svg line { stroke-width: 2 }
""" + "\n".join(
    f"svg .s{i} {{ stroke: var(--c{i}) }} svg circle.s{i} {{ fill: var(--c{i}) }} svg .f{i} {{ fill: var(--c{i}) }}"
    for i in range(6)
)


def markdown(result):
    """The page for a terminal, a repository or a pull request."""
    lines = [f"# {result.title}", ""]
    lines += [*[line for note in result.notes for line in (note, "")]]
    if result.command:
        lines += [f"    {result.command}", ""]
    verdicts = result.verdicts()
    if verdicts:
        lines += ["## Checks", "", "| check | | figure |", "|---|---|---|"]
        lines += [f"| {cell(text)} | {'kept' if holds else '**broken**'} | {cell(detail)} |" for text, holds, detail in verdicts]
        lines.append("")
    for table in result.tables:
        lines += [f"## {table['title']}", "", "| " + " | ".join(map(cell, table["columns"])) + " |"]
        lines.append("|---" + "|--:" * (len(table["columns"]) - 1) + "|")
        lines += ["| " + " | ".join(map(cell, row)) + " |" for row in table["rows"]]
        lines.append("")
    lines += ["## Conditions", "", "| condition | |", "|---|---|", f"| made | {result.made} |"]
    lines += [f"| {cell(name)} | {cell(value)} |" for name, value in result.conditions]
    return "\n".join(lines) + "\n"


def cell(text):
    return " ".join(str(text).split()).replace("|", "/")


def html(result):
    """The same with plots: one file, nothing is loaded from elsewhere."""
    parts = [
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(result.title)}</title><style>{STYLE}</style></head><body>",
        f"<h1>{escape(result.title)}</h1>",
    ]
    parts += [f"<p>{escape(note)}</p>" for note in result.notes]
    if result.command:
        parts.append(f"<pre>{escape(result.command)}</pre>")
    verdicts = result.verdicts()
    if verdicts:
        parts.append("<h2>Checks</h2>")
        rows = [
            f'<tr><td>{escape(text)}</td><td class="{"good" if holds else "bad"}">{"kept" if holds else "broken"}</td>'
            f'<td class="text">{escape(str(detail))}</td></tr>'
            for text, holds, detail in verdicts
        ]
        parts.append("<table><tr><th>check</th><th></th><th>figure</th></tr>" + "".join(rows) + "</table>")
    parts += [f"<figure>{svg(plot)}</figure>" for plot in result.plots]
    for table in result.tables:
        parts.append(f"<h2>{escape(table['title'])}</h2>" + html_table(table["columns"], table["rows"]))
    parts.append("<h2>Conditions</h2>" + html_table(["condition", ""], [["made", result.made], *result.conditions]))
    return "\n".join(parts) + "\n</body></html>\n"


def html_table(columns, rows):
    head = "".join(f"<th>{escape(str(name))}</th>" for name in columns)
    body = "".join(
        "<tr>" + "".join(f"<td{kind(text)}>{escape(str(text))}</td>" for text in row) + "</tr>" for row in rows
    )
    return f"<table><tr>{head}</tr>{body}</table>"


def kind(text):
    """Words stand on the left, figures on the right."""
    text = str(text)
    return "" if text[:1].isdigit() or text[:1] in "–-≤≥" else ' class="text"'


def write(result, folder):
    """Writes result.json, report.md and report.html; returns their paths."""
    os.makedirs(folder, exist_ok=True)
    paths = [os.path.join(folder, name) for name in ("result.json", "report.md", "report.html")]
    result.save(paths[0])
    for path, text in zip(paths[1:], (markdown(result), html(result))):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    return paths
