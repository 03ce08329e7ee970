"""The picture on the page of performance shows what its table says."""

from __future__ import annotations

import re

from benchmarks import plot
from benchmarks.results import number
from tests.pages import PAGES

PRINTED = """\
Messages a second
-----------------

=====  =====  ======  =============
\\      1.1.1  4.1.0   fast
=====  =====  ======  =============
20 ms  --     97.7    7,530 (77 x)
0 ms   1.50   12,345  26,800 (2 x)
=====  =====  ======  =============
"""


def test_the_table_that_the_benchmark_prints_is_read():
    assert plot.figures(PRINTED) == {
        "20 ms": {"1.1.1": None, "4.1.0": 97.7, "fast": 7530},
        "0 ms": {"1.1.1": 1.5, "4.1.0": 12345, "fast": 26800},
    }


def test_the_picture_has_the_numbers_of_the_pages_table():
    """If this fails, the table is newer than the picture: `make plot`."""
    rows = plot.figures(PAGES["performance"])
    table = [number(rows[case][name]) for name in plot.CONTENDERS for case in plot.CASES]
    picture = plot.PICTURE.read_text(encoding="utf-8")
    assert re.findall(r"<text [^>]*>([\d.,]+)</text>", picture) == table
