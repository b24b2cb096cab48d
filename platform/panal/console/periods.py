"""The period a usage page speaks of. Pure: times are UTC, a period includes its beginning and not its end."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

CHOICES = {
    "7d": "Last 7 days",
    "30d": "Last 30 days",
    "90d": "Last 90 days",
    "month": "This month",
    "last-month": "Last month",
}
DEFAULT = "30d"
LONGEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Period:
    key: str
    label: str
    since: datetime
    until: datetime

    @property
    def before(self) -> "Period":
        """The period of the same length that ends where this one begins."""
        length = timedelta(days=self.days)
        return Period(self.key, f"the {self.days} days before", self.since - length, self.until - length)

    @property
    def days(self) -> int:
        """UTC days it touches."""
        last = (self.until - timedelta(microseconds=1)).date()
        return (last - self.since.date()).days + 1


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)


def _first_of_month(day: date) -> date:
    return day.replace(day=1)


def named_period(key: str, now: datetime) -> Period:
    """One of `CHOICES`; anything else is the default."""
    key = key if key in CHOICES else DEFAULT
    today = now.astimezone(UTC).date()
    if key == "month":
        return Period(key, CHOICES[key], _midnight(_first_of_month(today)), now)
    if key == "last-month":
        end = _first_of_month(today)
        return Period(key, CHOICES[key], _midnight(_first_of_month(end - timedelta(days=1))), _midnight(end))
    days = int(key.removesuffix("d"))
    return Period(key, CHOICES[key], _midnight(today - timedelta(days=days - 1)), now)


def custom_period(first: date, last: date) -> Period:
    """Whole days, the last one included."""
    label = f"{first:%d %b %Y} – {last:%d %b %Y}"
    return Period("custom", label, _midnight(first), _midnight(last + timedelta(days=1)))
