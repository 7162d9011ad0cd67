#!/usr/bin/env python3
"""The recurrent workloads in JAX (jit, lax.scan): one JSON line for each variant, as wengert-bench --json prints them."""
import argparse
import os
import sys

from measure import CUSTOM, LAYERS, report, resident

NAMES = [*LAYERS, "S8a", "S8b"]


def options():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", required=True, choices=NAMES)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=2.0)
    return parser.parse_args()


if __name__ == "__main__":
    # JAX has no number of threads to set: it takes as many as there are processors for it, so this comes before its import.
    asked = options().threads
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:asked])
    else:
        sys.exit("the threads of JAX are bounded by its processors, which only Linux lets one choose")

import jax
import jax.numpy as jnp
from jax.nn import sigmoid, standardize


def gates(parameters, h):
    return h @ parameters["weight_hh"].T + parameters["bias_hh"]


def rnn(parameters, h, x):
    h = jnp.tanh(x + gates(parameters, h))
    return h, h


def lstm(parameters, state, x):
    h, c = state
    i, f, g, o = jnp.split(x + gates(parameters, h), 4, axis=-1)
    c = sigmoid(f) * c + sigmoid(i) * jnp.tanh(g)
    h = sigmoid(o) * jnp.tanh(c)
    return (h, c), h


def gru(parameters, h, x):
    (xr, xz, xn), (hr, hz, hn) = jnp.split(x, 3, axis=-1), jnp.split(gates(parameters, h), 3, axis=-1)
    r, z = sigmoid(xr + hr), sigmoid(xz + hz)
    n = jnp.tanh(xn + r * hn)
    h = (h - n) * z + n
    return h, h


def minimal_gated(parameters, h, x):
    xf, xn = jnp.split(x, 2, axis=-1)
    f = sigmoid(xf + h @ parameters["forget"].T)
    n = jnp.tanh(xn + (f * h) @ parameters["candidate"].T)
    h = (1 - f) * h + f * n
    return h, h


def norm(parameters, name, x):
    return standardize(x, axis=-1, epsilon=1e-5) * parameters[name + "_weight"] + parameters[name + "_bias"]


def layer_norm_lstm(parameters, state, x):
    h, c = state
    i, f, g, o = jnp.split(x + norm(parameters, "hidden_norm", h @ parameters["weight_hh"].T), 4, axis=-1)
    c = norm(parameters, "cell_norm", sigmoid(f) * c + sigmoid(i) * jnp.tanh(g))
    h = sigmoid(o) * jnp.tanh(c)
    return (h, c), h


def affine(parameters, x):
    return x @ parameters["weight_ih"].T + parameters["bias_ih"]


def normed(parameters, x):
    return norm(parameters, "input_norm", x @ parameters["weight_ih"].T)


class Draw:
    """Parameters from U(-1/sqrt(hidden), 1/sqrt(hidden)), each with a key of its own."""

    def __init__(self, hidden):
        self.key, self.bound = jax.random.key(0), hidden**-0.5

    def __call__(self, *shape):
        self.key, key = jax.random.split(self.key)
        return jax.random.uniform(key, shape, minval=-self.bound, maxval=self.bound)


def standard(draw, count, width, hidden):
    rows = count * hidden
    shapes = {"weight_ih": (rows, width), "weight_hh": (rows, hidden), "bias_ih": (rows,), "bias_hh": (rows,)}
    return {name: draw(*shape) for name, shape in shapes.items()}


def minimal_gated_parameters(draw, width, hidden):
    return {
        "weight_ih": draw(2 * hidden, width), "bias_ih": draw(2 * hidden),
        "forget": draw(hidden, hidden), "candidate": draw(hidden, hidden),
    }


def layer_norm_parameters(draw, width, hidden):
    widths = {"input_norm": 4 * hidden, "hidden_norm": 4 * hidden, "cell_norm": hidden}
    norms = {name + "_weight": jnp.ones(rows) for name, rows in widths.items()}
    norms |= {name + "_bias": jnp.zeros(rows) for name, rows in widths.items()}
    return {"weight_ih": draw(4 * hidden, width), "weight_hh": draw(4 * hidden, hidden)} | norms


def network(name):
    """Project, step, parameters layer by layer, shape of the input, hidden units, whether the state is a pair."""
    if name in LAYERS:
        kind, (width, hidden), layers, shape = LAYERS[name]
        step, count = {"RNN": (rnn, 1), "LSTM": (lstm, 4), "GRU": (gru, 3)}[kind]
        draw = Draw(hidden)
        parameters = [standard(draw, count, width if l == 0 else hidden, hidden) for l in range(layers)]
        return affine, step, parameters, shape, hidden, kind == "LSTM"
    shape, hidden = CUSTOM
    if name == "S8a":
        return affine, minimal_gated, [minimal_gated_parameters(Draw(hidden), shape[2], hidden)], shape, hidden, False
    return normed, layer_norm_lstm, [layer_norm_parameters(Draw(hidden), shape[2], hidden)], shape, hidden, True


def workload(name):
    project, step, parameters, shape, hidden, pair = network(name)
    x = jax.random.normal(jax.random.key(1), shape)

    def forward(parameters, x):
        zeros = jnp.zeros((shape[1], hidden))
        for layer in parameters:
            start = (zeros, zeros) if pair else zeros
            _, x = jax.lax.scan(lambda state, x: step(layer, state, x), start, project(layer, x))
        return x

    f = jax.jit(forward)
    fb = jax.jit(jax.grad(lambda parameters, x: (forward(parameters, x) ** 2).mean()))
    run = lambda function: lambda: jax.block_until_ready(function(parameters, x))
    return {"f": run(f), "fb": run(fb)}


def main():
    asked, baseline = options(), resident()
    for variant, run in workload(asked.only).items():
        report(asked.only, variant, run, asked, baseline)


if __name__ == "__main__":
    main()
