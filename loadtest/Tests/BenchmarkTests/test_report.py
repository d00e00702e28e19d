"""Results: kept, read again, written as Markdown and HTML that load nothing and cannot be broken by names."""

import os
import re
import tempfile
import unittest
import xml.etree.ElementTree as xml

from benchmark.processes import BenchError
from benchmark.report import pages, plots
from benchmark.report.result import Result


def sample():
    result = Result("compare", "A <title> & more", "loadtest/bench.py", [("kernel", "Linux | x")])
    result.note("A note with <b>.")
    result.table("Targets", ["target", "p99"], [["torhaus|x", "1.0 ms"], ["<script>", "–"]])
    result.plot("Latency", "percentile", "ms", [("a", [(0, 1), (50, 2), (99.9, 40)]), ("b", [(0, 2), (99, None)])], log_y=True)
    result.plot("Memory", "seconds", "MiB", [("a", [(0, 10), (1, 10)])])
    result.plot("Rates <&>", "target", "1/s", [("rate", [("a", 5), ("b", 0)])], bars=True)
    result.plot("Nothing", "x", "y", [("a", [(1, None)])])
    result.value("torhaus", "errors", 0)
    result.check("all ended", True, "0 left")
    return result


class ReportTests(unittest.TestCase):
    def test_the_html_page_needs_nothing_else_and_follows_light_and_dark(self):
        page = pages.html(sample())
        self.assertIsNone(re.search(r'(src|href|url\()\s*=?\s*["\']?(https?:)?//', page))
        for word in ("<script", "<link", "@import", "<img"):
            self.assertNotIn(word, page)
        self.assertIn("prefers-color-scheme: dark", page)
        self.assertIn("&lt;script&gt;", page)
        self.assertEqual(page.count("<svg"), 3)

    def test_every_plot_is_sound_xml_within_its_frame(self):
        for plot in sample().plots:
            root = xml.fromstring(plots.svg(plot))
            for line in root.iter("polyline"):
                for pair in line.get("points").split():
                    x, y = map(float, pair.split(","))
                    self.assertTrue(0 <= x <= plots.WIDTH and 0 <= y <= plots.HEIGHT, pair)

    def test_extreme_values_can_be_drawn(self):
        for points in ([(0, 0)], [(1, 1e-9), (2, 1e9)], [(5, 0), (5, 0)], [(1e-3, 3), (1e7, 3)], [(-5, -1), (5, 1)]):
            for log in (False, True):
                plot = {"title": "t", "x": "x", "y": "y", "series": [("a", points)], "log_x": log, "log_y": log, "bars": False}
                xml.fromstring(plots.svg(plot))

    def test_markdown_keeps_its_tables(self):
        page = pages.markdown(sample())
        self.assertIn("| torhaus/x | 1.0 ms |", page)
        self.assertIn("| kernel | Linux / x |", page)
        self.assertIn("| all ended | kept | 0 left |", page)

    def test_a_result_is_kept_and_read_again(self):
        with tempfile.TemporaryDirectory() as folder:
            result = sample()
            paths = pages.write(result, folder)
            again = Result.load(paths[0])
            self.assertEqual(pages.html(again), pages.html(result))
            self.assertTrue(again.holds)
            again.thresholds.append("torhaus.errors >= 1")
            self.assertFalse(again.holds)

    def test_a_broken_file_is_no_result(self):
        with tempfile.TemporaryDirectory() as folder:
            for text in ("", "[]", "{}", '{"format": 99}', '{"format": 1, "mode": "x"}'):
                path = os.path.join(folder, "x.json")
                with open(path, "w") as file:
                    file.write(text)
                with self.assertRaisesRegex(BenchError, "no result"):
                    Result.load(path)
            with self.assertRaisesRegex(BenchError, "no result"):
                Result.load(os.path.join(folder, "absent"))


if __name__ == "__main__":
    unittest.main()
