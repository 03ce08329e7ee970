"""The page on costs adds up: its tables are what its own code and prices give."""

from __future__ import annotations

import re

import pytest

from tests.pages import BLOCKS, PAGES, run

PAGE = PAGES["costs"]

#: The first rows of the examples, which are the arguments of the page's function in their order.
ARGUMENTS = 7


def table_after(text):
    """The rows of the first simple table after this text, the row of its head first."""
    (table,) = re.findall(r"^=[= ]+\n(.*?)\n=[= ]+\n\n", text, re.M | re.S)[:1]
    rule = re.search(r"^=[= ]+$", text, re.M)[0]
    columns = [match.span() for match in re.finditer(r"=+", rule)]
    lines = [line for line in table.splitlines() if line and not line.startswith("=")]
    return [
        [line[start : end if end < len(rule) else None].strip() for start, end in columns]
        for line in lines
    ]


@pytest.fixture(scope="module")
def examples():
    """{name: {row: text}}"""
    head, *rows = table_after(PAGE.partition("\nExamples\n")[2])
    return {
        name: {row[0]: row[column] for row in rows}
        for column, name in enumerate(head[1:], start=1)
    }


@pytest.fixture(scope="module")
def month():
    return run("costs-month")["month"]


def number(text):
    return int(text.replace(",", ""))


def shown(value):
    return f"{value:,.2f}" if isinstance(value, float) else f"{value:,}"


def test_the_examples_are_what_the_code_of_the_page_gives(examples, month):
    assert len(examples) == 5
    for column in examples.values():
        rows = list(column.items())
        outcome = month(*(number(text) for _, text in rows[:ARGUMENTS]))
        assert dict(rows[ARGUMENTS:]) == {name: shown(value) for name, value in outcome.items()}


def test_the_examples_add_up_without_the_code_of_the_page(examples):
    chat = examples["Chat, 1,000"]
    hours = 1000 * 8 * 22
    assert number(chat["messages to clients"]) == hours * 10 * 20
    assert number(chat["billed messages"]) == hours * (10 + 10 * 20 + 12) + 1000 * 22 * 4 * 2
    assert float(chat["$ for messages"]) == pytest.approx(39.248, abs=0.005)
    assert float(chat["$ for minutes"]) == pytest.approx(hours * 60 * 0.25 / 1e6, abs=0.005)


def test_the_large_dashboard_is_metered_twice(examples):
    small, large = examples["Dashboard"], examples["Large"]
    more = number(large["billed messages"]) - number(small["billed messages"])
    assert more == number(small["messages to clients"])


def test_the_code_has_the_prices_of_the_table():
    prices = [row[1] for row in table_after(PAGE.partition("\nPrices\n")[2])[1:]]
    assert prices == ["1.00", "0.80", "0.25", "0.09"]
    assert sorted(re.findall(r"\* (\d\.\d\d)\b", BLOCKS["costs-month"].code)) == sorted(prices)


def test_what_is_beyond_a_thousand_million_messages_is_cheaper(month):
    outcome = month(1, 1, 1, 0, 0, 1_077_000_000, 0.1)
    billed = outcome["billed messages"]
    assert outcome["$ for messages"] == pytest.approx(1000 + (billed - 1e9) * 0.8 / 1e6)


def test_what_one_connection_costs_is_what_the_page_says(month):
    costs = month(1, 8, 22, 0, 0, 12 * 60, 1)
    assert f"${costs['$ for minutes']:.4f};" in PAGE
    assert f"costs ${12 * 60 * 8 * 22 / 1e6:.2f}." in PAGE
