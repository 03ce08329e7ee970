"""Plot of the table "Messages a second", as benchmarks.sending prints it, as an SVG.

    python -m benchmarks.plot              # of the table in docs/performance.rst
    python -m benchmarks.plot table.rst    # of a new one

Needs matplotlib, which is in .venv-tools: `make plot`.
"""

from __future__ import annotations

import argparse
import io
import re
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

from .results import number

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "performance.rst"
PICTURE = ROOT / "docs" / "images" / "messages-a-second.svg"

TITLE = "Messages a second to a simulated API Gateway"

#: The rows that are drawn, and what they are called there.
CASES = {
    "20 ms": "answered\nafter 20 ms",
    "0 ms": "answered\nat once",
    "20 ms, 10 % throttled": "20 ms, and 10 %\nare throttled",
    "20 ms, room of 100, first": "20 ms, room of 100,\nfirst message",
    "20 ms, room of 100, second": "20 ms, room of 100,\nsecond message",
}

#: The contenders, with what the legend says and a colour that is seen on either ground.
CONTENDERS = {
    "1.1.1": ("original 1.1.1", "#b0a08c"),
    "4.1.0": ("original 4.1.0", "#87806f"),
    "threads": ("before: threads", "#a9d8c4"),
    "libcurl": ("before: libcurl", "#57b894"),
    "this": ("this package", "#0f8a61"),
}

#: The picture follows the reader's colour scheme, and has a ground of its own.
STYLE = """ <style>
  text { fill: #1b211d !important;
         font-family: system-ui, "Segoe UI", Roboto, "Liberation Sans", sans-serif !important; }
  #ground path { fill: #fbfcfa !important; }
  @media (prefers-color-scheme: dark) {
   text { fill: #e8edf1 !important; }
   #ground path { fill: #14191e !important; }
  }
 </style>
"""

#: A number in a cell, without the ratio in brackets.
Number = Optional[float]


def figures(text: str) -> Dict[str, Dict[str, Number]]:
    """Return {row: {contender: messages a second}}, with None for what was not measured."""
    table = text.partition("Messages a second\n")[2]
    rule, head, _, *lines = table[table.index("\n=") + 1 :].splitlines()
    columns = [match.span() for match in re.finditer("=+", rule)]
    rows = [_cells(line, columns) for line in lines[: lines.index(rule)]]
    contenders = _cells(head, columns)[1:]
    return {row[0]: dict(zip(contenders, map(_number, row[1:]))) for row in rows}


def draw(rows: Dict[str, Dict[str, Number]]) -> str:
    """Return an SVG of grouped bars; the same rows give the same text."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    drawn = [rows[case] for case in CASES]
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "messages-a-second"}):
        figure = Figure(figsize=(8.6, 5.2))
        figure.patch.set_gid("ground")
        axes = figure.add_axes((0.2, 0.0, 0.72, 0.87))
        for place, name in enumerate(CONTENDERS):
            _bars(axes, drawn, place, name)
        _furnish(figure, axes)
        output = io.StringIO()
        figure.savefig(output, format="svg", metadata={"Date": None, "Creator": None})
    svg = re.sub(r" +$", "", output.getvalue(), flags=re.M)
    return svg.replace(" <defs>", STYLE + " <defs>", 1)


def _bars(axes: Any, rows: List[Dict[str, Number]], place: int, name: str) -> None:
    """Draw one contender's bar in each group."""
    legend, colour = CONTENDERS[name]
    known = [(group, row[name]) for group, row in enumerate(rows) if row.get(name) is not None]
    bars = axes.barh(
        [group + 0.16 * place for group, _ in known],
        [value for _, value in known],
        height=0.15,
        color=colour,
        label=legend,
    )
    axes.bar_label(bars, [number(value) for _, value in known], padding=4, fontsize=9)


def _furnish(figure: Any, axes: Any) -> None:
    """Add what surrounds the bars. Each bar has its number, so there is no axis."""
    axes.invert_yaxis()
    axes.set_yticks([group + 0.32 for group in range(len(CASES))], CASES.values(), fontsize=10)
    axes.tick_params(left=False)
    axes.xaxis.set_visible(False)
    axes.patch.set_visible(False)
    axes.spines[:].set_visible(False)
    figure.text(0.02, 0.94, TITLE, fontsize=14, fontweight="bold")
    figure.legend(
        loc="upper left", bbox_to_anchor=(0.012, 0.925), ncols=5, frameon=False, fontsize=10
    )


def _cells(line: str, columns: List[Tuple[int, int]]) -> List[str]:
    ends = [start for start, _ in columns[1:]] + [len(line)]
    return [line[start:end].strip() for (start, _), end in zip(columns, ends)]


def _number(cell: str) -> Number:
    return None if cell == "--" else float(cell.partition(" ")[0].replace(",", ""))


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="benchmarks.plot", description="Draw the messages a second."
    )
    parser.add_argument("table", type=Path, nargs="?", default=PAGE, help="file that holds it")
    parser.add_argument("--output", type=Path, default=PICTURE)
    options = parser.parse_args()
    rows = figures(options.table.read_text(encoding="utf-8"))
    options.output.write_text(draw(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
