#!/usr/bin/env python3
"""Time the workloads here and in PyTorch, in turn, and print medians and ratios as markdown tables.

    pip install torch numpy            # in an environment of your own; jax if --jax
    python benches/compare.py [--only S1,S8] [--threads 1,2] [--rounds 3] [--seconds 1] [--jax] [--compile] [--spread]

Every round runs ours, then theirs, each workload in a process of its own. A ratio above 1 says that ours is faster.
"""
import argparse
import importlib.util
import json
import pathlib
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PEERS = ROOT / "benches/peers"
NAMES = ["S1", "S2", "S3", "S4", "S5", "S6", "S7", "S8a", "S8b", "S9", "S10a", "S10b", "gradcheck", "optim"]
NAMES += ["peephole", "slstm", "time_gaps", "attention", "mixture", "hypernetwork", "maml"]
IN_JAX = ["S1", "S2", "S3", "S6", "S7", "S8a", "S8b", "S10a", "S10b"]
CUSTOM = ["S8a", "S8b"]
MEMORY = ["S4", "S6", "S7"]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", type=named, default=NAMES, help="workloads; S8 means S8a and S8b")
    parser.add_argument("--threads", type=lambda text: [int(n) for n in text.split(",")], default=[1, 2])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.0, help="for each variant in each round, at least")
    parser.add_argument("--jax", action="store_true", help="JAX as well: jit and lax.scan")
    parser.add_argument("--spread", action="store_true", help="ratios of single rounds, and that of the minima")
    parser.add_argument("--compile", action="store_true", help="torch.compile of the time loop as well, for S8")
    return parser.parse_args()


def named(text):
    names = [name for asked in text.split(",") for name in NAMES if asked in (name, name.rstrip("ab"))]
    if not names:
        raise argparse.ArgumentTypeError(f"none of {', '.join(NAMES)}")
    return names


def warn(text):
    print(f"compare.py: {text}", file=sys.stderr, flush=True)


def installed(module):
    found = importlib.util.find_spec(module) is not None
    if not found:
        warn(f"{module} is not installed for {sys.executable} and is left out: pip install {module}")
    return found


def build(program="wengert-bench"):
    """The path of a program of ours."""
    command = ["cargo", "build", "--release", "-p", "wengert-bench", "--bin", program]
    command += ["--message-format", "json-render-diagnostics"]
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT).stdout
    built = [message.get("executable") for message in map(json.loads, out.splitlines())]
    return next(path for path in built if path and pathlib.Path(path).stem == program)


def contestants(options):
    """By name the command of each, and the workloads that it has."""
    python = lambda script, *more: [sys.executable, str(PEERS / script), *more]
    all = {"PyTorch": (python("pytorch.py"), NAMES)} if installed("torch") else {}
    if options.compile and "PyTorch" in all:
        all["compiled"] = (python("pytorch.py", "--compile"), CUSTOM)
    if options.jax and installed("jax"):
        all["JAX"] = (python("jax_scan.py"), IN_JAX)
    return {"Wengert": ([build(), "--json"], NAMES)} | all


def run(command, workload, threads, seconds):
    """By variant, what one process measured; nothing if it could not."""
    command = [*command, "--only", workload, "--threads", str(threads), "--seconds", str(seconds)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    if done.returncode:
        warn(f"{workload}: {done.stderr.strip().splitlines()[-1]}")
        return {}
    return {line["variant"]: line for line in map(json.loads, done.stdout.splitlines())}


def rounds(who, workload, threads, options):
    """For each contestant and variant, the list of what the rounds measured."""
    measured = {name: {} for name in who}
    for _ in range(options.rounds):
        for name, (command, has) in who.items():
            lines = run(command, workload, threads, options.seconds) if workload in has else {}
            for variant, line in lines.items():
                measured[name].setdefault(variant, []).append(line)
    # Without a runner their forward and backward pass is a bare loop already.
    for name in who:
        if name != "Wengert" and "loop" in measured["Wengert"] and "fb" in measured[name]:
            measured[name]["loop"] = measured[name]["fb"]
    return measured


def median(lines, of=lambda line: line["median_ms"]):
    return statistics.median(map(of, lines)) if lines else None


def spread(ours, theirs):
    """The ratios of single rounds, from the least to the largest, and that of the shortest repetitions of all."""
    ratios = [b["median_ms"] / a["median_ms"] for a, b in zip(ours, theirs)]
    least = [min(line["min_ms"] for line in lines) for lines in (theirs, ours)]
    return f"{min(ratios):.2f} to {max(ratios):.2f}", f"{least[0] / least[1]:.2f}"


def above_baseline(line):
    return line["peak_rss_mib"] - line["baseline_rss_mib"]


def cell(value):
    return "" if value is None else f"{value:.0f}" if value >= 1000 else f"{value:.4g}"


def row(*cells):
    print("| " + " | ".join(cells) + " |", flush=True)


def heading(*cells):
    row(*cells)
    row(*["---"] * len(cells))


def table(who, threads, options):
    """Print the times of all workloads, and give the measurements for the memory table."""
    others = [name for name in who if name != "Wengert"]
    print(f"\n{threads} thread{'s' * (threads > 1)}\n")
    more = ["of rounds", "of minima"] if options.spread else []
    heading("workload", "", *[f"{name} ms" for name in others], "Wengert ms", "ratio", *more)
    kept = {}
    for workload in options.only:
        measured = kept[workload] = rounds(who, workload, threads, options)
        variants = dict.fromkeys(variant for name in who for variant in measured[name])
        for variant in variants:
            times = {name: median(measured[name].get(variant)) for name in who}
            ours, theirs = times["Wengert"], times.get("PyTorch")
            ratio = f"{theirs / ours:.2f}" if ours and theirs else ""
            known = options.spread and ours and theirs
            more = spread(measured["Wengert"][variant], measured["PyTorch"][variant]) if known else ()
            row(workload, variant, *[cell(times[name]) for name in others], cell(ours), ratio, *more)
    return kept


def memory_table(who, threads, kept):
    """Print the peaks above what each process held before its first tensor."""
    others = [name for name in ("PyTorch", "Wengert") if name in who]
    print(f"\nPeak memory above each process's own baseline, {threads} thread{'s' * (threads > 1)}\n")
    heading("workload", "", *[f"{name} MiB" for name in others])
    for workload in (name for name in MEMORY if name in kept):
        for variant in kept[workload]["Wengert"]:
            peaks = [median(kept[workload][name].get(variant), above_baseline) for name in others]
            row(workload, variant, *map(cell, peaks))


def main():
    options = arguments()
    who = contestants(options)
    for threads in options.threads:
        kept = table(who, threads, options)
        if any(name in MEMORY for name in kept):
            memory_table(who, threads, kept)


if __name__ == "__main__":
    main()
