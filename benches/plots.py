"""Line plots, as SVG."""

import math

COLOURS = ("#c0392b", "#2c6fbb", "#4a8f3c", "#b8860b", "#7d3c98")


def ticks(low, high, is_log):
    if is_log:
        powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        parts = (1, 2, 5) if len(powers) < 5 else (1,)
        return [part * 10**power for power in powers for part in parts if low <= part * 10**power <= high]
    step = 10 ** math.floor(math.log10(high - low))
    step = next(step * part for part in (0.1, 0.2, 0.5, 1, 2) if (high - low) / (step * part) <= 8)
    return [step * n for n in range(math.ceil(low / step), math.floor(high / step) + 1)]


def panel(title, x_label, series, top, log_x=False, width=640, height=200):
    """One plot from y = top on: lines by name, each a list of points. The y axis starts at 0."""
    left, right, above, below = 60, 30, 36, 34
    points = [point for line in series.values() for point in line]
    low, high = min(x for x, _ in points), max(x for x, _ in points)
    most = max(y for _, y in points) * 1.05 or 1
    place = math.log if log_x else float
    x = lambda value: left + (place(value) - place(low)) / ((place(high) - place(low)) or 1) * (width - left - right)
    y = lambda value: top + above + (1 - value / most) * (height - above - below)
    yield f'<text x="8" y="{top + 14}" font-weight="bold">{title}</text>'
    for value in ticks(0, most, False):
        yield f'<path d="M{left} {y(value):.1f}H{width - right}" stroke="#ddd"/>'
        yield f'<text x="{left - 6}" y="{y(value) + 4:.1f}" text-anchor="end" fill="#777">{value:,.10g}</text>'
    for value in ticks(low, high, log_x):
        yield f'<text x="{x(value):.1f}" y="{top + height - below + 14}" text-anchor="middle" fill="#777">{value:,.10g}</text>'
    yield f'<text x="{width - right}" y="{top + height - 6}" text-anchor="end" fill="#777">{x_label}</text>'
    at = left
    for (name, line), colour in zip(series.items(), COLOURS):
        path = "L".join(f"{x(a):.1f} {y(b):.1f}" for a, b in line)
        yield f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
        yield f'<text x="{at}" y="{top + 29}" fill="{colour}">{name}</text>'
        at += 24 + 6 * len(name)


def figure(panels, width=640, height=200):
    """Panels below each other: the arguments of each, as a dictionary."""
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height * len(panels)}" font-family="sans-serif" font-size="11">',
        f'<rect width="{width}" height="{height * len(panels)}" fill="#fff"/>',
    ]
    for number, arguments in enumerate(panels):
        out += panel(**arguments, top=number * height, width=width, height=height)
    return "\n".join([*out, "</svg>", ""])
