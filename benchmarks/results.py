"""Results of the measurements, and their tables in reStructuredText."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, NamedTuple, Sequence, Tuple

from .cases import CASES, FEW, FIRST, MANY, Case
from .environments import CONTRACT, RIVAL

ORDINAL = ("first", "second")


class Run(NamedTuple):
    """One broadcast, or many single messages in a row."""

    recipients: int
    seconds: float
    cpu: float
    #: What the sink has counted.
    sent: int
    gone: int
    handshakes: int

    @classmethod
    def of(cls, told: Dict[str, Any]) -> Run:
        return cls(*(told[name] for name in cls._fields))

    @property
    def done(self) -> int:
        return self.sent + self.gone

    @property
    def rate(self) -> float:
        """Messages a second that arrived or whose recipient was gone."""
        return self.done / self.seconds

    @property
    def cpu_each(self) -> float:
        """Milliseconds of CPU a message."""
        return self.cpu / self.done * 1000


class Results:
    """All runs. Of several rounds the best counts, since other load only slows a round down."""

    def __init__(self) -> None:
        self._runs: Dict[Tuple[str, str, int], List[Run]] = {}
        self._peaks: Dict[Tuple[str, int], float] = {}

    def add(self, case: str, contender: str, runs: Sequence[Run]) -> None:
        for which, run in enumerate(runs):
            self._runs.setdefault((case, contender, which), []).append(run)

    def add_peak(self, contender: str, recipients: int, mebibytes: float) -> None:
        known = self._peaks.get((contender, recipients), mebibytes)
        self._peaks[contender, recipients] = min(known, mebibytes)

    def runs(self, case: str, contender: str, which: int = FIRST) -> List[Run]:
        return self._runs.get((case, contender, which), [])

    def peak(self, contender: str, recipients: int) -> float:
        return self._peaks[contender, recipients]

    @property
    def names(self) -> List[str]:
        """The contenders in the order in which they were measured."""
        return list(dict.fromkeys(name for _, name, _ in self._runs))

    def report(self) -> str:
        """Return every table."""
        return "\n\n".join(
            [
                _section("Messages a second", self._broadcasts(_rate)),
                _section("Milliseconds of CPU a message", self._broadcasts(_cpu)),
                _section("TLS handshakes of a broadcast", self._handshakes()),
                *self._lost(),
                _section("One message to one session, 0 ms", self._singles()),
                _section("Memory, MiB at most", self._memory()),
            ]
        )

    def _broadcasts(self, cell: Callable[[List[Run], List[Run]], str]) -> str:
        rows = [["", *self.names]]
        for case, which in _rows():
            base = self.runs(case.name, RIVAL.name, which)
            cells = [cell(self.runs(case.name, name, which), base) for name in self.names]
            rows.append([_title(case, which), *cells])
        return simple_table(rows)

    def _handshakes(self) -> str:
        rows = [["", *self.names]]
        for case, which in _rows():
            if len(case.told) > 1:
                runs = [self.runs(case.name, name, which) for name in self.names]
                cells = [f"{min(r.handshakes for r in some):,}" if some else "--" for some in runs]
                rows.append([_title(case, which), *cells])
        return simple_table(rows)

    def _lost(self) -> List[str]:
        """Return the recipients that were neither reached nor gone; there should be none."""
        most: Dict[str, int] = {}
        for (case, name, _), runs in self._runs.items():
            for run in runs:
                line = f"* {name}, {case}, of {run.recipients:,}"
                most[line] = max(most.get(line, 0), run.recipients - run.done)
        lines = [f"{line}: {lost:,}" for line, lost in most.items() if lost]
        return [_section("Recipients not reached", "\n".join(lines))] if lines else []

    def _singles(self) -> str:
        base = self.runs("single", CONTRACT.name)
        rows = [["", "milliseconds", "of CPU", "handshakes a message"]]
        for name in self.names:
            runs = self.runs("single", name)
            if runs:
                clock = _with_ratio(runs, base, lambda run: run.seconds / run.done * 1000, min)
                cpu = _with_ratio(runs, base, lambda run: run.cpu_each, min)
                rows.append([name, clock, cpu, number(runs[0].handshakes / runs[0].done)])
        return simple_table(rows)

    def _memory(self) -> str:
        rows = [["", f"{FEW:,} recipients", f"{MANY:,} recipients", "difference"]]
        for name in dict.fromkeys(name for name, _ in self._peaks):
            few, many = self.peak(name, FEW), self.peak(name, MANY)
            rows.append([name, number(few), number(many), f"{many - few:.1f}"])
        return simple_table(rows)


def _rows() -> List[Tuple[Case, int]]:
    return [(case, which) for case in CASES for which in case.told]


def _title(case: Case, which: int) -> str:
    return f"{case.name}, {ORDINAL[which]}" if len(case.told) > 1 else case.name


def _rate(runs: List[Run], base: List[Run]) -> str:
    return _with_ratio(runs, base, lambda run: run.rate, max)


def _cpu(runs: List[Run], base: List[Run]) -> str:
    return _with_ratio(runs, base, lambda run: run.cpu_each, min)


def _with_ratio(
    runs: List[Run], base: List[Run], figure: Callable[[Run], float], best: Callable[..., float]
) -> str:
    if not runs:
        return "--"
    value = best(map(figure, runs))
    if not base or runs is base:
        return number(value)
    return f"{number(value)} ({times(value, best(map(figure, base)))})"


def _section(title: str, content: str) -> str:
    return f"{title}\n{'-' * len(title)}\n\n{content}"


def simple_table(rows: Sequence[Sequence[str]]) -> str:
    """Return a simple table; the first row is its head."""
    filled = [[cell or "\\" for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*filled)]
    rule = "  ".join("=" * width for width in widths)
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in filled]
    return "\n".join([rule, lines[0], rule, *lines[1:], rule])


def number(value: float) -> str:
    """Return three significant digits: 12,300 or 45.6 or 0.0789."""
    if value >= 100:
        return f"{round(value, 3 - len(str(int(value)))):,.0f}"
    return f"{value:#.3g}".rstrip(".")


def times(value: float, base: float) -> str:
    """Return a number as a multiple of the base, "13 x", or as a part of it, "1/7.2"."""
    ratio = value / base
    return f"{_two_digits(ratio)} x" if ratio >= 0.95 else f"1/{_two_digits(1 / ratio)}"


def _two_digits(value: float) -> str:
    return f"{value:.1f}" if value < 9.95 else f"{value:.0f}"
