"""Whether two numbers with their units say the same."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from dedupe.facts._forms import is_currency

if TYPE_CHECKING:
    from dedupe.facts._sides import Mention

__all__ = ["MILLION", "comparable", "measure_of", "same_number", "times"]

MILLION = Decimal(10**6)

_MEASURES = {
    "time": "second:1 minute:60 hour:3600 day:86400 week:604800 month:2629746 year:31556952 "
    "decade:315569520 century:3155695200",
    "length": "mm:0.001 cm:0.01 inch:0.0254 foot:0.3048 yard:0.9144 meter:1 km:1000 mile:1609.344 "
    "nautical:1852",
    "weight": "mg:0.001 gram:1 ounce:28.35 pound:453.6 kg:1000 ton:1000000 tonne:1000000",
    "area": "sqfoot:0.0929 sqmeter:1 acre:4047 hectare:10000 sqkm:1000000 sqmile:2589988",
    "energy": "kwh:1 mwh:1000 gwh:1000000 twh:1000000000",
    "volume": "ml:0.001 liter:1 gallon:3.785",
    "speed": "kmh:1 mph:1.609",
}
_UNITS = {
    unit: (measure, Decimal(size))
    for measure, units in _MEASURES.items()
    for unit, _, size in (item.partition(":") for item in units.split())
}

_ROUNDED = Decimal("0.05")
"""Relative difference within which two units say the same: 10 miles are 16 km."""


def times(value: tuple[Any, ...], factor: Decimal) -> tuple[Any, ...]:
    """The numbers of a value multiplied; codes stay as they are."""
    return tuple(v * factor if isinstance(v, Decimal) else v for v in value)


def measure_of(unit: str) -> str:
    """What a unit measures: money, a share, time …, or what no other unit does."""
    if unit in _UNITS:
        return _UNITS[unit][0]
    if unit in ("percent", "point"):
        return "share"
    return "money" if unit.endswith("$") or is_currency(unit) else unit


def comparable(a: Mention, b: Mention) -> bool:
    """Whether one number may stand for the other: no ordinal for a count, no year for a price."""
    if "ordinal" in (a.unit, b.unit):
        return a.unit == b.unit
    if not a.unit or not b.unit or "m" in (a.unit, b.unit):
        return True
    pounds = "pound" in (a.unit, b.unit) and "GBP" in (a.unit, b.unit)
    return pounds or measure_of(a.unit) == measure_of(b.unit)


def same_number(a: Mention, b: Mention) -> bool:
    """Whether two numbers say the same; a unit may be left out."""
    if a.hedge != b.hedge:
        return False
    return any(_same_amount(*x, *y) for x in _readings(a) for y in _readings(b))


def _readings(number: Mention) -> list[tuple[tuple[Any, ...], str]]:
    """What a number may say: "2m" is two million or two meters, "25 %" a quarter."""
    if number.unit == "pound":
        return [(number.value, "pound"), (number.value, "GBP")]
    if number.unit == "m":
        return [(number.value, "meter"), (times(number.value, MILLION), "")]
    if number.unit == "percent":
        return [(number.value, "percent"), (times(number.value, Decimal("0.01")), "")]
    return [(number.value, number.unit)]


def _same_amount(xs: tuple[Any, ...], x_unit: str, ys: tuple[Any, ...], y_unit: str) -> bool:
    if x_unit == y_unit or not x_unit or not y_unit:
        return xs == ys
    (x_measure, x_size), (y_measure, y_size) = (_UNITS.get(u, ("", 0)) for u in (x_unit, y_unit))
    figures = all(isinstance(value, Decimal) for value in (*xs, *ys))
    if not x_measure or x_measure != y_measure or len(xs) != len(ys) or not figures:
        return False
    amounts = [(x * x_size, y * y_size) for x, y in zip(xs, ys, strict=True)]
    return all(abs(x - y) <= _ROUNDED * max(abs(x), abs(y)) for x, y in amounts)
