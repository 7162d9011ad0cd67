#!/usr/bin/env python3
"""Time and memory of one forward and backward pass in PyTorch, as the program growth measures them."""
import argparse
import json
import statistics
import time

import torch
from torch.nn.utils.rnn import pack_padded_sequence

from measure import reset_peak, resident


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kind", choices=["lstm", "gru"], required=True)
    for size in "steps", "hidden", "batch", "layers":
        parser.add_argument(f"--{size}", type=int, required=True)
    parser.add_argument("--packed", action="store_true")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1.0)
    return parser.parse_args()


def timed(run):
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def within(run, seconds):
    """At least one repetition until so many seconds have passed, after a first time, which does for ten times as long."""
    start = time.perf_counter()
    first = timed(run)
    if first > 10 * seconds:
        return [first]
    times = [timed(run)]
    while time.perf_counter() - start < seconds:
        times.append(timed(run))
    return times


def main():
    options = arguments()
    torch.set_num_threads(options.threads)
    reset_peak()
    before = resident()
    kind = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[options.kind]
    layer = kind(options.hidden, options.hidden, num_layers=options.layers)
    x = torch.randn(options.steps, options.batch, options.hidden)
    if options.packed:
        x = pack_padded_sequence(x, [options.steps] * options.batch)

    def run():
        out, _ = layer(x)
        (out.data if options.packed else out).square().mean().backward()
        layer.zero_grad()

    times = within(run, options.seconds)
    mib = resident("VmHWM") - before if before is not None else None
    print(json.dumps({"ms": statistics.median(times) * 1e3, "mib": mib, "reps": len(times)}))


if __name__ == "__main__":
    main()
