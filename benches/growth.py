#!/usr/bin/env python3
"""Measure how time and memory of a forward and backward pass grow, here and in PyTorch, and draw it.

    pip install torch numpy            # in an environment of your own
    python benches/growth.py [--plot docs/growth.svg] [--threads 1] [--seconds 1] [--quick]

An LSTM and a GRU as wide as their input; one size varies, the others stay. Each figure comes from a process of its own.
PyTorch takes minutes for the packed GRU: there its cost grows with the square of the steps.
"""
import argparse
import json
import pathlib
import subprocess
import sys

from compare import ROOT, PEERS, build, cell, heading, installed, row

SIZES = {"steps": 100, "hidden": 128, "batch": 16, "layers": 1}
AXES = {
    "steps": [10, 30, 100, 300, 1000, 3000, 10_000],
    "hidden": [32, 64, 128, 256, 512, 1024, 2048],
    "batch": [1, 2, 4, 8, 16, 32, 64, 128, 256],
    "layers": [1, 2, 3, 4],
}
PACKED_STEPS = 4000


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plot", type=pathlib.Path, default=ROOT / "docs/growth.svg")
    parser.add_argument("--data", type=pathlib.Path, default=ROOT / "target/growth.jsonl", help="where the figures go")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1.0, help="for each figure, at most")
    parser.add_argument("--quick", action="store_true", help="a few small sizes alone, to try the program")
    return parser.parse_args()


def points(quick):
    """Kind, the size that varies, all sizes, and whether the input is packed."""
    for kind in "LSTM", "GRU":
        for axis, values in AXES.items():
            for value in values[:3] if quick else values:
                yield kind, axis, SIZES | {axis: value}, False
        steps = PACKED_STEPS // 100 if quick else PACKED_STEPS
        yield kind, "steps", SIZES | {"steps": steps}, True


def title(threads):
    sizes = "{steps} steps, {hidden} hidden units, batch {batch}, {layers} layer".format(**SIZES)
    return f"{sizes}, where they do not vary; {threads} thread{'s' * (threads > 1)}"


def measure(command, kind, sizes, packed, options):
    flags = [part for name, value in sizes.items() for part in (f"--{name}", str(value))]
    flags += ["--packed"] * packed + ["--threads", str(options.threads), "--seconds", str(options.seconds)]
    done = subprocess.run([*command, "--kind", kind.lower(), *flags], stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def main():
    options = arguments()
    program = build("growth")
    who = {"Wengert": [program, "measure"]}
    if installed("torch"):
        who["PyTorch"] = [sys.executable, str(PEERS / "pytorch_growth.py")]
    heading("layer", "", *[f"{name} {unit}" for unit in ("ms", "MiB") for name in who])
    lines = []
    for kind, axis, sizes, packed in points(options.quick):
        found = {name: measure(command, kind, sizes, packed, options) for name, command in who.items()}
        for name, figures in found.items():
            lines.append({"who": name, "kind": kind, "axis": axis, "packed": packed, **sizes, **figures})
        figures = [cell(figures[unit]) for unit in ("ms", "mib") for figures in found.values()]
        row(kind, f"{axis} {sizes[axis]}{', packed' * packed}", *figures)
    options.data.parent.mkdir(parents=True, exist_ok=True)
    options.data.write_text("".join(json.dumps(line) + "\n" for line in lines))
    subprocess.run([program, "draw", options.data, options.plot, title(options.threads)], check=True)


if __name__ == "__main__":
    main()
