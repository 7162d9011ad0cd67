"""Reads what `examples/events.rs` wrote with the tensorboard package, and checks it.

    cargo run -p wengert-train --features tensorboard --example events -- FOLDER
    python crates/train/scripts/read_events.py FOLDER      (pip install tensorboard)
"""

import struct
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

events = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0, "histograms": 0, "tensors": 0})
events.Reload()
tags = events.Tags()
print("scalars", tags["scalars"], "histograms", tags["histograms"])
assert sorted(tags["scalars"]) == ["loss/training", "loss/validation"], tags
assert tags["histograms"] == ["weights"], tags

single = lambda value: struct.unpack("f", struct.pack("f", value))[0]
for tag, factor in [("loss/training", 1.0), ("loss/validation", 2.0)]:
    found = [(event.step, event.value) for event in events.Scalars(tag)]
    assert found == [(step, single(factor / (1.0 + step))) for step in range(100)], found
    print(tag, len(found), "values, the lost steps purged; last", found[-1])

histograms = events.Histograms("weights")
assert [event.step for event in histograms] == list(range(100))
for event in histograms:
    value = event.histogram_value
    assert value.num == 1000 and sum(value.bucket) == 1000, value
    assert abs(value.sum / 1000 - 1.0 / (1.0 + event.step)) < 0.2, value
print("weights", len(histograms), "histograms of 1000 values")
