"""Where the bars of a chart stand. Pure geometry in units of the SVG's view box; templates draw it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

WIDTH, HEIGHT = 720.0, 180.0
LEFT, BOTTOM, TOP = 48.0, 22.0, 8.0
GAP = 0.28  # share of a day's width left free
LABELS = 6
PARTS = 5


@dataclass(frozen=True, slots=True)
class Bar:
    x: float
    y: float
    width: float
    height: float
    middle: float
    day: date
    value: Decimal
    label: str  # empty where the axis names no day


@dataclass(frozen=True, slots=True)
class Line:
    y: float
    value: Decimal


@dataclass(frozen=True, slots=True)
class Chart:
    bars: tuple[Bar, ...]
    lines: tuple[Line, ...]
    width: float = WIDTH
    height: float = HEIGHT
    left: float = LEFT

    @property
    def empty(self) -> bool:
        return all(bar.value == 0 for bar in self.bars)


def round_top(highest: Decimal) -> Decimal:
    """The next 1, 2 or 5 times a power of ten, which `PARTS` lines divide into figures as round."""
    if highest <= 0:
        return Decimal(1)
    power = Decimal(10) ** math.floor(highest.log10())
    return next(power * step for step in (1, 2, 5, 10) if power * step >= highest)


def axis_top(values: Sequence[Decimal]) -> Decimal:
    """What the axis ends in: of counts at least `PARTS`, so that no line stands for a part of one."""
    top = round_top(max(values))
    counts = all(value == value.to_integral_value() for value in values)
    return max(top, Decimal(PARTS)) if counts else top


def day_chart(values: Sequence[tuple[date, Decimal]]) -> Chart:
    """One bar a day, with lines to read heights by."""
    if not values:
        return Chart((), ())
    top = axis_top([value for _, value in values])
    slot = (WIDTH - LEFT) / len(values)
    room = HEIGHT - BOTTOM - TOP
    every = math.ceil(len(values) / LABELS)
    bars = []
    for number, (day, value) in enumerate(values):
        height = round(float(value / top) * room, 2)
        height = max(height, 1.5) if value else 0.0  # the smallest day is still seen
        x = LEFT + number * slot + slot * GAP / 2
        label = f"{day:%d %b}".lstrip("0") if number % every == 0 else ""
        bars.append(
            Bar(
                x=round(x, 2),
                y=round(HEIGHT - BOTTOM - height, 2),
                width=round(slot * (1 - GAP), 2),
                height=height,
                middle=round(x + slot * (1 - GAP) / 2, 2),
                day=day,
                value=value,
                label=label,
            )
        )
    lines = tuple(
        Line(round(HEIGHT - BOTTOM - room * part / PARTS, 2), top * part / PARTS) for part in range(PARTS + 1)
    )
    return Chart(tuple(bars), lines)
