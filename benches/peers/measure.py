"""Repetitions, their times and the memory they take, as wengert-bench measures them."""
import json
import re
import statistics
import time

LAYERS = {
    "S1": ("RNN", (100, 200), 1, (6, 5, 100)),
    "S2": ("LSTM", (50, 100), 2, (10, 3, 50)),
    "S3": ("GRU", (10, 20), 1, (3, 32, 10)),
    "S6": ("GRU", (64, 128), 1, (1000, 16, 64)),
    "S7": ("LSTM", (1024, 1024), 1, (32, 64, 1024)),
    "S10a": ("LSTM", (200, 200), 1, (20, 20, 200)),
    "S10b": ("LSTM", (512, 512), 1, (64, 32, 512)),
}
"""Kind, widths, layers, and shape of the input."""

CUSTOM = (64, 32, 128), 256
"""Shape of the input and hidden units of the cells of one's own."""


def resident(field="VmRSS"):
    """MiB of this process, now or (VmHWM) at most; none where the system does not tell."""
    try:
        with open("/proc/self/status") as status:
            return int(re.search(field + r":\s*(\d+)", status.read())[1]) / 1024
    except OSError:
        return None


def reset_peak():
    """Starts the peak anew, where the system allows it."""
    try:
        with open("/proc/self/clear_refs", "w") as refs:
            refs.write("5")
    except OSError:
        pass


def repeat(run, seconds):
    """Times in seconds: a warm-up, then at least ten repetitions."""
    start = time.perf_counter()
    while time.perf_counter() - start < seconds / 5:
        run()
    times, start = [], time.perf_counter()
    while time.perf_counter() - start < seconds or len(times) < 10:
        t = time.perf_counter()
        run()
        times.append(time.perf_counter() - t)
    return times


def report(workload, variant, run, options, baseline):
    """Measure a variant and print it as one JSON line."""
    run()  # what is compiled or loaded at the first time is not what is measured
    reset_peak()
    times = repeat(run, options.seconds)
    print(json.dumps({
        "workload": workload, "variant": variant, "threads": options.threads,
        "median_ms": statistics.median(times) * 1e3, "min_ms": min(times) * 1e3, "reps": len(times),
        "peak_rss_mib": resident("VmHWM"), "baseline_rss_mib": baseline,
    }), flush=True)
