#!/usr/bin/env python3
"""Time the workloads here and in PyTorch, in turn, and print the medians and their ratio.

    pip install torch numpy            # in an environment of your own
    python benches/compare.py [--only S1,S2,S3,S9] [--rounds 3] [--seconds 1]

One thread each; every round runs ours, then theirs, each in its own process.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
LAYERS = {
    "S1": ("RNN", (100, 200), {}, (6, 5, 100)),
    "S2": ("LSTM", (50, 100), {"num_layers": 2}, (10, 3, 50)),
    "S3": ("GRU", (10, 20), {}, (3, 32, 10)),
    "S6": ("GRU", (64, 128), {}, (1000, 16, 64)),
    "S7": ("LSTM", (1024, 1024), {}, (32, 64, 1024)),
    "S10a": ("LSTM", (200, 200), {}, (20, 20, 200)),
    "S10b": ("LSTM", (512, 512), {}, (64, 32, 512)),
}


def measure(run, seconds):
    start = time.perf_counter()
    while time.perf_counter() - start < seconds / 5:
        run()
    times, start = [], time.perf_counter()
    while time.perf_counter() - start < seconds or len(times) < 10:
        t = time.perf_counter()
        run()
        times.append(time.perf_counter() - t)
    return statistics.median(times) * 1e3


def theirs(name, seconds):
    """Print one JSON line for each variant of a workload in PyTorch."""
    import torch

    torch.set_num_threads(1)
    if name == "S9":
        start = torch.full((4,), 0.5, requires_grad=True)
        a, b = torch.full((4,), 0.1), torch.full((4,), 0.9)

        def chain():
            x = start
            for i in range(10_000):
                x = x + a if i % 3 == 0 else x * b if i % 3 == 1 else x.tanh()
            x.sum().backward()
            start.grad = None

        variants = {"fb": chain}
    elif name == "gradcheck":
        lstm = torch.nn.LSTM(4, 4).double()
        x = torch.randn(3, 1, 4, dtype=torch.float64, requires_grad=True)
        inputs = (x, *lstm.parameters())  # changed in place, so that the layer sees it

        def outputs(x, *_):
            out, (h, c) = lstm(x)
            return out, h, c

        variants = {
            "first": lambda: torch.autograd.gradcheck(outputs, inputs),
            "second": lambda: torch.autograd.gradgradcheck(outputs, inputs),
        }
    else:
        kind, sizes, args, shape = LAYERS[name]
        layer, x = getattr(torch.nn, kind)(*sizes, **args), torch.randn(shape)

        def forward():
            with torch.no_grad():
                layer(x)

        def both():
            out, _ = layer(x)
            out.square().mean().backward()
            layer.zero_grad()

        variants = {"f": forward, "fb": both}
    for variant, run in variants.items():
        print(json.dumps({"workload": name, "variant": variant, "median_ms": measure(run, seconds)}))


def lines(command):
    out = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout
    return {(r["workload"], r["variant"]): r["median_ms"] for r in map(json.loads, out.splitlines())}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join([*LAYERS, "S9", "gradcheck"]))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--theirs", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.theirs:
        return theirs(options.theirs, options.seconds)
    subprocess.run(["cargo", "build", "--release", "-q", "-p", "wengert-bench"], check=True, cwd=ROOT)
    binary = str(ROOT / "target/release/wengert-bench")
    print("| workload | PyTorch ms | Wengert ms | ratio |\n| --- | --- | --- | --- |")
    for name in options.only.split(","):
        ours, others = [], []
        for _ in range(options.rounds):
            seconds = str(options.seconds)
            ours.append(lines([binary, "--json", "--only", name, "--seconds", seconds]))
            others.append(lines([sys.executable, __file__, "--theirs", name, "--seconds", seconds]))
        for key in ours[0]:
            mine = statistics.median(round[key] for round in ours)
            other = statistics.median(round[key] for round in others)
            print(f"| {key[0]} {key[1]} | {other:.3f} | {mine:.3f} | {other / mine:.2f} |", flush=True)


if __name__ == "__main__":
    main()
