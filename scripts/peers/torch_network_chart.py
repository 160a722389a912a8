"""A chart of what `torch_network.py --json` has measured.

    python scripts/peers/torch_network_chart.py networks.jsonl networks.svg

For each network and format a bar for each contender: its time in eager mode, and within it that of a CUDA graph. Behind it are both
times and the peak memory.
"""

import argparse
import json

COLOURS = {"eager": "#a9c5dd", "graph": "#30638e"}
LEFT, BAR, WIDTH, ROW = 170, 330, 760, 22


def measurements(path):
    """By network and format, then by contender and mode."""
    found = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            if "ms" in row:
                contenders = found.setdefault((row["network"], row["dtype"]), {})
                contenders.setdefault(row["contender"], {})[row["mode"]] = row
    return found


def shown(modes):
    times = " / ".join(f"{modes[mode]['ms']:.1f}" for mode in COLOURS if mode in modes)
    peak = modes.get("eager", {}).get("peak_mib")
    return f"{times} ms" + ("" if peak is None else f", {peak:.0f} MiB")


def chart(found):
    """As SVG, line by line."""
    height = 40 + sum(ROW * (len(contenders) + 1) + 10 for contenders in found.values())
    text = lambda at, down, words, style="": f'<text x="{at:.0f}" y="{down:.0f}"{style}>{words}</text>'
    yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="12">'
    yield '<rect width="100%" height="100%" fill="white"/>'
    for place, (mode, words) in enumerate(zip(COLOURS, ("eager", "as a CUDA graph"))):
        yield f'<rect x="{LEFT + 90 * place}" y="8" width="12" height="12" fill="{COLOURS[mode]}"/>'
        yield text(LEFT + 90 * place + 17, 18, words)
    down = 40
    for (network, dtype), contenders in found.items():
        yield text(8, down + 12, f"{network}, {dtype}", ' font-weight="bold"')
        most = max(row["ms"] for modes in contenders.values() for row in modes.values())
        for contender, modes in contenders.items():
            down += ROW
            yield text(16, down + 12, contender)
            longest = 0.0
            for mode, colour in COLOURS.items():
                if mode in modes:
                    length = modes[mode]["ms"] / most * BAR
                    longest = max(longest, length)
                    yield f'<rect x="{LEFT}" y="{down}" width="{length:.1f}" height="{ROW - 6}" fill="{colour}"/>'
            yield text(LEFT + longest + 8, down + 12, shown(modes))
        down += ROW + 10
    yield "</svg>"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("measured", help="lines of JSON")
    parser.add_argument("chart", help="the SVG file to write")
    args = parser.parse_args()
    with open(args.chart, "w", encoding="utf-8") as file:
        file.write("\n".join(chart(measurements(args.measured))) + "\n")


if __name__ == "__main__":
    main()
