"""Line plots on logarithmic axes as SVG, without any plotting package.

Readable on light and dark pages: the text and the lines follow the reader's colour scheme.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Panel", "Series", "loglog"]

_WIDTH, _HEIGHT = 470, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 22, 56, 52
_STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #24292f; }
  .title { font-weight: 600; font-size: 14px; }
  .page { fill: #ffffff; }
  .grid { stroke: #d0d7de; stroke-width: 1; }
  .guide { stroke: #6e7781; stroke-width: 1.2; stroke-dasharray: 5 4; fill: none; }
  .quiet { fill: #57606a; }
  .line { fill: none; stroke-width: 2.2; }
  .s0 { stroke: #0969da; } .f0 { fill: #0969da; }
  .s1 { stroke: #bc4c00; } .f1 { fill: #bc4c00; }
  .s2 { stroke: #1a7f37; } .f2 { fill: #1a7f37; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .page { fill: #0d1117; }
    .grid { stroke: #30363d; }
    .guide { stroke: #8b949e; }
    .quiet { fill: #9da7b3; }
    .s0 { stroke: #58a6ff; } .f0 { fill: #58a6ff; }
    .s1 { stroke: #f0883e; } .f1 { fill: #f0883e; }
    .s2 { stroke: #3fb950; } .f2 { fill: #3fb950; }
  }
"""
_COLOURS = 3


@dataclass(frozen=True, slots=True)
class Series:
    """One line: its name, and points (x, y), both above 0."""

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Panel:
    """One plot.

    Attributes:
        title: above it.
        x: what the horizontal axis counts.
        series: up to three lines.
        guide: label of a line of slope 1 through the first point of the first series, if any.
    """

    title: str
    x: str
    series: Sequence[Series]
    guide: str = ""


def loglog(panels: Sequence[Panel]) -> str:
    """Panels side by side as one SVG document."""
    width = _WIDTH * len(panels)
    size = f'width="{width}" height="{_HEIGHT}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {width} {_HEIGHT}">',
        f"<title>{escape('; '.join(panel.title for panel in panels))}</title>",
        f"<style>{_STYLE}</style>",
        f'<rect class="page" {size}/>',
    ]
    for number, panel in enumerate(panels):
        parts.append(f'<g transform="translate({number * _WIDTH} 0)">')
        parts += _panel(panel)
        parts.append("</g>")
    return "\n".join([*parts, "</svg>", ""])


class _Axis:
    """Values to places along one axis, from the power of ten below the least to the one above."""

    def __init__(self, values: Sequence[float], start: float, end: float) -> None:
        self.low = math.floor(math.log10(min(values)) + 1e-9)
        self.high = max(math.ceil(math.log10(max(values)) - 1e-9), self.low + 1)
        self._start, self._end = start, end

    def place(self, value: float) -> float:
        share = (math.log10(value) - self.low) / (self.high - self.low)
        return self._start + share * (self._end - self._start)

    def ticks(self) -> list[float]:
        return [10.0**power for power in range(self.low, self.high + 1)]


def _panel(panel: Panel) -> list[str]:
    points = [point for series in panel.series for point in series.points]
    right, bottom = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
    x = _Axis([point[0] for point in points], _LEFT, right)
    y = _Axis([point[1] for point in points], bottom, _TOP)
    parts = [f'<text class="title" x="{_LEFT}" y="20">{escape(panel.title)}</text>']
    for value in x.ticks():
        at = f"{x.place(value):.1f}"
        parts.append(f'<path class="grid" d="M{at} {_TOP}V{bottom}"/>')
        parts.append(
            f'<text x="{at}" y="{bottom + 18}" text-anchor="middle">{_number(value)}</text>'
        )
    for value in y.ticks():
        at = f"{y.place(value):.1f}"
        parts.append(f'<path class="grid" d="M{_LEFT} {at}H{right}"/>')
        parts.append(
            f'<text x="{_LEFT - 7}" y="{at}" dy="4" text-anchor="end">{_number(value)}</text>'
        )
    middle = (_LEFT + right) / 2
    parts.append(
        f'<text class="quiet" x="{middle}" y="{bottom + 40}" text-anchor="middle">'
        f"{escape(panel.x)}</text>"
    )
    if panel.guide:
        parts += _guide(panel, x, y)
    for number, series in enumerate(panel.series):
        parts += _line(series, number % _COLOURS, x, y)
    return parts


def _guide(panel: Panel, x: _Axis, y: _Axis) -> list[str]:
    """A line of slope 1 as far as the plot goes, with its label at the upper end."""
    first_x, first_y = panel.series[0].points[0]
    end = min(10.0**x.high, 10.0**y.high * first_x / first_y)
    start = max(10.0**x.low, 10.0**y.low * first_x / first_y)
    ends = [(place, place * first_y / first_x) for place in (start, end)]
    path = _path(ends, x, y)
    at = f'x="{x.place(ends[1][0]) - 10:.1f}" y="{max(y.place(ends[1][1]) - 5, _TOP - 6):.1f}"'
    return [
        f'<path class="guide" d="{path}"/>',
        f'<text class="quiet" {at} text-anchor="end">{escape(panel.guide)}</text>',
    ]


def _line(series: Series, colour: int, x: _Axis, y: _Axis) -> list[str]:
    """A line with its points, and its name in the row of names under the title."""
    parts = [f'<path class="line s{colour}" d="{_path(series.points, x, y)}"/>']
    parts += [
        f'<circle class="f{colour}" cx="{x.place(a):.1f}" cy="{y.place(b):.1f}" r="3.6"/>'
        for a, b in series.points
    ]
    at = _LEFT + colour * 130
    parts.append(f'<circle class="f{colour}" cx="{at + 5}" cy="36" r="4"/>')
    parts.append(f'<text x="{at + 15}" y="40">{escape(series.name)}</text>')
    return parts


def _path(points: Sequence[tuple[float, float]], x: _Axis, y: _Axis) -> str:
    return "M" + "L".join(f"{x.place(a):.1f} {y.place(b):.1f}" for a, b in points)


def _number(value: float) -> str:
    """A power of ten for people: 0.1, 100, 10k, 1M."""
    for unit, name in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= unit:
            return f"{value / unit:g}{name}"
    return f"{value:g}"
