"""How figures are written for people: money, big numbers, changes, names of features."""

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from django import template

register = template.Library()

FEATURES = {
    "chat": "Chat",
    "title": "Chat titles",
    "api": "API",
    "template": "Templates",
    "rag_embed": "Knowledge",
    "rag_search": "Knowledge search",
}
CENT = Decimal("0.01")
SMALL_DIGITS = 2  # significant digits of an amount under a cent


@register.filter
def money(value: Any) -> str:
    """`1234.5` -> `$1,234.50`; `0.00042` -> `$0.00042`: an amount that is not zero never reads as zero."""
    amount = Decimal(value or 0)
    if amount == 0 or abs(amount) >= CENT:
        return f"${amount.quantize(CENT, rounding=ROUND_HALF_EVEN):,}"
    digits = SMALL_DIGITS - 1 - amount.adjusted()
    return f"${amount:.{digits}f}".rstrip("0")


@register.filter
def compact(value: Any) -> str:
    """`1234` -> `1,234`, `45678` -> `45.7k`, `3400000` -> `3.4M`."""
    number = Decimal(value or 0)
    for size, unit in ((Decimal(10) ** 9, "B"), (Decimal(10) ** 6, "M"), (Decimal(10) ** 4, "k")):
        if abs(number) >= size:
            divisor = Decimal(1000) if unit == "k" else size
            return f"{number / divisor:.1f}".removesuffix(".0") + unit
    return f"{number:,.0f}" if number == number.to_integral_value() else f"{number:.2f}"


@register.filter
def change(now: Any, before: Any) -> str:
    """`12` after `10` -> `+20%`; nothing to compare with -> empty."""
    then = Decimal(before or 0)
    if then == 0:
        return ""
    percent = (Decimal(now or 0) - then) / then * 100
    return f"{percent:+.0f}%".replace("-", "−")


@register.filter
def feature_name(code: str) -> str:
    return FEATURES.get(code, code.replace("_", " ").capitalize())


@register.filter
def per_million(value: Any) -> str:
    """A price in US dollars per million tokens, without needless zeros."""
    amount = Decimal(value or 0)
    if amount == 0:
        return "free"
    if amount == amount.quantize(CENT):
        return f"${amount.quantize(CENT)}"
    return f"${amount.normalize():f}"


@register.simple_tag(takes_context=True)
def site_url(context: dict[str, Any], path: str = "/") -> str:
    """`path` on the base domain, from any host; works before the address table of the request is known."""
    request = context.get("request")
    base = context.get("base_domain", "localhost")
    if request is None:
        return f"//{base}{path}"
    _, _, port = request.META.get("HTTP_HOST", "").rpartition(":")
    suffix = f":{port}" if port.isdigit() else ""
    return f"{request.scheme}://{base}{suffix}{path}"
