"""A table, and a chart, of what `neurons-python/examples/distributed.py` has measured.

    python scripts/peers/torch_scaling.py distributed-ddp.log distributed-fsdp.log --chart scaling.svg

Reads its lines of JSON, and passes over what else is in the files.
"""

import argparse
import json
import sys

COLOURS = {"ddp": "#30638e", "fsdp": "#d1495b"}


def records(paths):
    """What was measured, and what was compared with one process."""
    found = []
    for path in paths:
        with open(path, encoding="utf-8") as file:
            found += [json.loads(line) for line in file if line.startswith("{")]
    return [record for record in found if "scaling" in record and "images_per_s" in record], [
        record for record in found if "check" in record and "passed" in record
    ]


def table(rows, checks):
    """In Markdown."""
    yield "| scaling | engine | GPUs | images a GPU | ms a step | images a second | efficiency | peak memory a GPU, MiB |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    for row in rows:
        peak = "" if row["peak_mib"] is None else row["peak_mib"]
        engine = "" if row["engine"] == "none" else row["engine"]
        figures = f"{row['step_ms']:.2f} | {row['images_per_s']:.0f} | {row['efficiency']:.2f} | {peak} |"
        yield f"| {row['scaling']} | {engine} | {row['processes']} | {row['batch']} | {figures}"
    for check in checks:
        verdict = "the same parameters as one" if check["passed"] else "other parameters than one"
        yield f"\n{check['engine']}, {check['processes']} GPUs: {verdict}, relative difference {check['difference']:.1e}"


def series(rows):
    """Of each engine and kind of scaling the speed-ups over one process, by number of processes."""
    bases = {}
    lines = {}
    for row in rows:
        if row["processes"] == 1:
            # Each file has its own, measured in the same run.
            bases[row["scaling"]] = row["images_per_s"]
            continue
        line = lines.setdefault((row["engine"], row["scaling"]), {1: 1.0})
        line[row["processes"]] = row["images_per_s"] / bases[row["scaling"]]
    return lines


def chart(lines):
    """As SVG: speed-up against processes; weak scaling is drawn solid, strong dashed, the ideal grey."""
    most = max(size for line in lines.values() for size in line)
    width, height, left, bottom = 520, 360, 50, 320
    x = lambda size: left + (size - 1) / max(most - 1, 1) * (width - left - 120)
    top = max(most, *(speed for line in lines.values() for speed in line.values()))
    y = lambda speed: bottom - speed / top * (bottom - 20)
    text = lambda at, down, words: f'<text x="{at:.0f}" y="{down:.0f}">{words}</text>'
    yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">'
    yield '<rect width="100%" height="100%" fill="white"/>'
    yield f'<path d="M{x(1):.1f} {y(1):.1f}L{x(most):.1f} {y(most):.1f}" stroke="#bbb"/>'
    for size in sorted({size for line in lines.values() for size in line}):
        yield f'<path d="M{left} {y(size):.1f}h{width - left - 120}" stroke="#eee"/>'
        yield text(left - 24, y(size) + 4, size)
        yield text(x(size) - 3, bottom + 18, size)
    yield text(left, 14, "images a second, relative to one GPU")
    yield text(x(most) - 30, height - 6, "GPUs")
    for place, ((engine, scaling), line) in enumerate(lines.items()):
        points = " ".join(f"{x(size):.1f},{y(speed):.1f}" for size, speed in sorted(line.items()))
        dashes = ' stroke-dasharray="5 4"' if scaling == "strong" else ""
        style = f'fill="none" stroke="{COLOURS[engine]}" stroke-width="2"{dashes}'
        yield f'<polyline points="{points}" {style}/>'
        down = 40 + 18 * place
        yield f'<path d="M{width - 108} {down - 4}h22" {style}/>'
        yield text(width - 80, down, f"{engine}, {scaling}")
    yield "</svg>"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--chart", help="an SVG file to write")
    args = parser.parse_args()
    rows, checks = records(args.files)
    print("\n".join(table(rows, checks)))
    if args.chart:
        lines = series(rows)
        if not lines:
            sys.exit("--chart: nothing was measured on several processes")
        with open(args.chart, "w", encoding="utf-8") as file:
            file.write("\n".join(chart(lines)) + "\n")


if __name__ == "__main__":
    main()
