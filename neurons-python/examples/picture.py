"""A picture of events and of accuracies over epochs, as SVG: it needs no package for plots."""

import html

#: Of ON and of OFF events.
COLOURS = ("#d1495b", "#30638e")
PIXEL, GAP, TITLE = 2, 6, 16


def write(path, events, titles, accuracies):
    """A row of frames for each recording of `[N, T, 2, side, side]` under its title, and the curve of accuracies below."""
    count, steps, _, side, _ = events.shape
    frame = side * PIXEL
    width = steps * (frame + GAP) + GAP
    row = frame + TITLE + GAP
    curve = 140
    parts = []
    for sample in range(count):
        top = sample * row + TITLE
        parts.append(_text(GAP, top - 4, titles[sample]))
        for step in range(steps):
            left = GAP + step * (frame + GAP)
            parts.append(f'<rect x="{left}" y="{top}" width="{frame}" height="{frame}" fill="#f4f4f2"/>')
            for polarity, colour in enumerate(COLOURS):
                pixels = events[sample, step, polarity].nonzero().tolist()
                path_data = "".join(
                    f"M{left + x * PIXEL} {top + y * PIXEL}h{PIXEL}v{PIXEL}h-{PIXEL}z" for y, x in pixels
                )
                parts.append(f'<path d="{path_data}" fill="{colour}"/>')
    parts += _curve(accuracies, GAP, count * row, width - 2 * GAP, curve)
    height = count * row + curve + GAP
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
    background = '<rect width="100%" height="100%" fill="white"/>'
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join([head, background, *parts, "</svg>\n"]))


def _curve(values, left, top, width, height):
    """Values from 0 to 1, one an epoch."""
    bottom, across = top + height - 20, width / max(len(values) - 1, 1)
    inside = bottom - top - TITLE
    points = [(left + at * across, bottom - value * inside) for at, value in enumerate(values)]
    yield _text(left, top + 10, f"test accuracy after each epoch, at the end {values[-1]:.3f}")
    for level in (0.0, 0.5, 1.0):
        y = bottom - level * inside
        yield f'<path d="M{left} {y:.1f}h{width}" stroke="#ddd"/>'
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    yield f'<polyline points="{line}" fill="none" stroke="{COLOURS[1]}" stroke-width="2"/>'


def _text(x, y, words):
    return f'<text x="{x}" y="{y}" font-family="sans-serif" font-size="12">{html.escape(words)}</text>'
