"""Usage: figures, periods, groups and CSV; and the overview made of the same rows."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panal.console.charts import HEIGHT, WIDTH, day_chart, round_top
from panal.console.periods import CHOICES, custom_period, named_period
from panal.console.usage import safe_cell
from panal.templatetags.figures import change, compact, money, per_million
from tenants.people.models import User
from tenants.scope import tenant_scope


def rows_of(answer):
    return list(csv.DictReader(io.StringIO(answer.content.decode())))


def test_it_works(browser, cast, call):
    call(cast.member, model="llama", cost="0.000012", days_ago=1)
    call(cast.admin, model="big", cost="1.5", days_ago=2)
    shown = browser(cast.admin).get("/console/usage/").content.decode()
    assert "$1.50" in shown
    assert 'title="1.500012000000 US dollars"' in shown
    assert "llama" in shown
    assert cast.member.email in shown
    assert "<svg" in shown
    assert "Numbers by day" in shown


def test_members_see_their_own_only(browser, cast, call):
    call(cast.member, cost="0.10")
    call(cast.admin, cost="7.00", model="secret-model")
    shown = browser(cast.member).get("/console/usage/").content.decode()
    assert "$0.10" in shown
    assert "secret-model" not in shown
    assert "$7" not in shown
    assert cast.admin.email not in shown


def test_nothing_of_another_workspace_counts(browser, cast, globex_cast, call):
    call(globex_cast.owner, cost="9.00", model="foreign")
    shown = browser(cast.owner).get("/console/usage/").content.decode()
    assert "No calls in this time" in shown
    assert "foreign" not in shown


@pytest.mark.parametrize("period", [*CHOICES, "", "nonsense"])
def test_every_period_opens(browser, cast, call, period):
    call(cast.owner)
    answer = browser(cast.owner).get("/console/usage/", {"period": period})
    assert answer.status_code == 200
    assert answer.context["period"].key == (period if period in CHOICES else "30d")


def test_an_own_period(browser, cast, call):
    call(cast.owner, cost="1.00", days_ago=10)
    call(cast.owner, cost="2.00", days_ago=40)
    day = (datetime.now(UTC) - timedelta(days=40)).date()
    answer = browser(cast.owner).get("/console/usage/", {"first": day, "last": day})
    assert answer.context["totals"].cost_usd == 2
    assert len(answer.context["daily"]) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"first": "2026-02-02", "last": "2026-02-01"},
        {"first": "2026-02-30", "last": "2026-03-01"},
        {"first": "2026-01-01"},
        {"first": "2020-01-01", "last": "2026-01-01"},
        {"first": "x", "last": "y"},
        {"first": "0001-01-01", "last": "0001-01-02"},
        {"first": "9999-12-30", "last": "9999-12-31"},
    ],
)
def test_a_bad_period_is_named_and_the_page_still_stands(browser, cast, fields):
    answer = browser(cast.owner).get("/console/usage/", fields)
    assert answer.status_code == 422
    assert "Usage" in answer.content.decode()
    assert browser(cast.owner).get("/console/usage/by-day.csv", fields).status_code == 422


@pytest.mark.parametrize("by", ["model", "feature", "user", "token", "nonsense"])
@pytest.mark.parametrize("show", ["cost", "tokens", "requests", "nonsense"])
def test_every_group_and_chart_opens(browser, cast, call, by, show):
    call(cast.owner)
    assert browser(cast.owner).get("/console/usage/", {"by": by, "show": show}).status_code == 200


@pytest.mark.parametrize(("cost", "shown"), [("0", "requests"), ("0.000001", "cost")])
def test_the_chart_begins_with_what_there_is_to_see(browser, cast, call, cost, shown):
    call(cast.owner, cost=cost)
    assert browser(cast.owner).get("/console/usage/").context["metric"] == shown


def test_the_ledger_outlives_people(browser, cast, call):
    call(cast.viewer, cost="0.50")
    with tenant_scope(cast.scope):
        User.objects.filter(pk=cast.viewer.user_id).delete()
    assert "Left the workspace" in browser(cast.owner).get("/console/usage/").content.decode()


def test_csv_by_model_is_exact(browser, cast, call):
    call(cast.member, model="llama", cost="0.000000000001", tokens=(7, 3))
    call(cast.member, model="llama", cost="0.5", tokens=(1, 1))
    answer = browser(cast.owner).get("/console/usage/by-model.csv")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer["Content-Disposition"]
    [row] = rows_of(answer)
    assert row["requests"] == "2"
    assert (row["input_tokens"], row["output_tokens"]) == ("8", "4")
    assert Decimal(row["cost_usd"]) == Decimal("0.500000000001")


def test_csv_by_day_sums_to_the_total(browser, cast, call):
    for days in range(5):
        call(cast.member, cost="0.3", days_ago=days)
    rows = rows_of(browser(cast.owner).get("/console/usage/by-day.csv?period=7d"))
    assert len(rows) == 7
    assert sum(Decimal(row["cost_usd"]) for row in rows) == Decimal("1.5")


def test_csv_never_holds_a_formula(browser, cast, call):
    call(cast.member, model="=HYPERLINK(evil)")
    [row] = rows_of(browser(cast.owner).get("/console/usage/by-model.csv"))
    assert row["model"] == "'=HYPERLINK(evil)"
    assert safe_cell(-1) == -1


def test_an_unknown_group_is_not_found(browser, cast):
    assert browser(cast.owner).get("/console/usage/by-weekday.csv").status_code == 404


def test_csv_of_a_member_is_their_own(browser, cast, call):
    call(cast.admin, model="secret-model")
    assert rows_of(browser(cast.member).get("/console/usage/by-model.csv")) == []


def test_hostile_names_are_shown_as_text(browser, cast, call):
    call(cast.member, model="<script>alert(1)</script>", feature="<b>")
    shown = browser(cast.owner).get("/console/usage/").content.decode()
    assert "<script>alert(1)" not in shown
    assert "&lt;script&gt;alert(1)" in shown


def test_the_overview_compares_with_the_time_before(browser, cast, call):
    for _ in range(3):
        call(cast.member, days_ago=1)
    call(cast.member, days_ago=31)
    call(cast.admin, days_ago=32)
    answer = browser(cast.owner).get("/console/")
    shown = answer.content.decode()
    assert ">+50%</bdi> against 2 before" in shown
    assert (answer.context["people"], answer.context["people_before"]) == (1, 2)


def test_the_overview_of_a_new_workspace_says_what_to_do(browser, cast):
    shown = browser(cast.owner).get("/console/").content.decode()
    assert "Getting started" in shown
    assert "1 of 5 done" in shown  # there are several people here already
    assert "No requests yet." in shown


def test_the_overview_ticks_what_is_done(browser, cast, call, document):
    document("Leave")
    call(cast.owner)
    shown = browser(cast.owner).get("/console/").content.decode()
    assert "3 of 5 done" in shown
    assert "Leave" in shown


NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("key", "first", "days"),
    [
        ("7d", date(2026, 2, 23), 7),
        ("30d", date(2026, 1, 31), 30),
        ("month", date(2026, 3, 1), 1),
        ("last-month", date(2026, 2, 1), 28),
    ],
)
def test_named_periods(key, first, days):
    period = named_period(key, NOW)
    assert (period.since.date(), period.days) == (first, days)
    assert period.before.until - period.before.since == period.until - period.since
    assert period.before.until <= period.since or period.before.days == days


def test_a_custom_period_includes_its_last_day():
    period = custom_period(date(2026, 2, 1), date(2026, 2, 2))
    assert (period.days, period.until) == (2, datetime(2026, 2, 3, tzinfo=UTC))
    assert period.before.until == period.since


@given(st.lists(st.decimals(0, 10**9, places=6), min_size=1, max_size=366))
def test_bars_stay_inside_the_chart(values):
    first = date(2026, 1, 1)
    chart = day_chart([(first + timedelta(days=n), value) for n, value in enumerate(values)])
    assert len(chart.bars) == len(values)
    for bar in chart.bars:
        assert 0 <= bar.x <= bar.x + bar.width <= WIDTH + 0.02
        assert 0 <= bar.y <= bar.y + bar.height <= HEIGHT
        assert (bar.height > 0) == (bar.value > 0)
    assert chart.empty == all(value == 0 for value in values)


@given(st.decimals("0.000000000001", 10**12))
def test_the_axis_ends_above_the_highest_bar(value):
    top = round_top(value)
    assert value <= top <= value * Decimal("10.01")


def test_no_days_make_an_empty_chart():
    assert day_chart([]).empty


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0", "$0.00"), ("1234.5", "$1,234.50"), ("0.01", "$0.01"), ("0.0042", "$0.0042"),
        ("0.000000000001", "$0.000000000001"), ("0.005", "$0.005"), ("2.675", "$2.68"), (None, "$0.00"),
    ],
)  # fmt: skip
def test_money(value, text):
    assert money(value and Decimal(value)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (1234, "1,234"),
        (45_678, "45.7k"),
        (3_400_000, "3.4M"),
        (2_000_000_000, "2B"),
        (Decimal("0.25"), "0.25"),
    ],
)
def test_compact(value, text):
    assert compact(value) == text


@pytest.mark.parametrize(
    ("now", "before", "text"), [(12, 10, "+20%"), (5, 10, "−50%"), (5, 0, ""), (0, 0, ""), (0, 4, "−100%")]
)
def test_change(now, before, text):
    assert change(now, before) == text


@pytest.mark.parametrize(
    ("value", "text"), [("0", "free"), ("0.15", "$0.15"), ("3", "$3.00"), ("0.075", "$0.075")]
)
def test_prices(value, text):
    assert per_million(Decimal(value)) == text
