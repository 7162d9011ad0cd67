#!/usr/bin/env python3
"""The workloads in PyTorch: one JSON line for each variant, as wengert-bench --json prints them."""
import argparse

import torch
from torch import nn
from torch.nn import functional as F

import literature
from measure import CUSTOM, LAYERS, report, resident
from pytorch_cells import LayerNormLstm, MinimalGated


def passes(model, x, result):
    """Forward alone, and forward and backward with the mean of the squared output as the loss."""

    def forward():
        with torch.no_grad():
            model(x)

    def both():
        result(model(x)).square().mean().backward()
        model.zero_grad()

    return {"f": forward, "fb": both}


def layer(name):
    kind, widths, layers, shape = LAYERS[name]
    return passes(getattr(nn, kind)(*widths, num_layers=layers), torch.randn(shape), lambda out: out[0])


def custom(kind, compiled):
    shape, hidden = CUSTOM
    model = kind(shape[2], hidden)
    return passes(torch.compile(model) if compiled else model, torch.randn(shape), lambda out: out)


class LanguageModel(nn.Module):
    """Tokens in, scores of the next ones out."""

    def __init__(self, tokens, width, hidden):
        super().__init__()
        self.embedding = nn.Embedding(tokens, width)
        self.rnn = nn.LSTM(width, hidden, num_layers=2)
        self.head = nn.Linear(hidden, tokens)

    def loss(self, inputs, targets):
        out, _ = self.rnn(self.embedding(inputs))
        return F.cross_entropy(self.head(out).flatten(0, 1), targets.flatten())


def training(sizes, shape, optimizer, clip=None):
    """A whole training step, on the same random tokens each time."""
    model = LanguageModel(*sizes)
    inputs, targets = torch.randint(sizes[0], shape), torch.randint(sizes[0], shape)
    optimizer = optimizer(model.parameters())

    def step():
        optimizer.zero_grad()
        model.loss(inputs, targets).backward()
        if clip:
            nn.utils.clip_grad_norm_(model.parameters(), clip)
        optimizer.step()

    return {"step": step}


def chain():
    """Add, mul, tanh in turn on four elements, and the way back; cotangents stay normal numbers."""
    start = torch.full((4,), 0.5, requires_grad=True)
    a, b = torch.full((4,), 1e-4), torch.full((4,), 0.999)

    def run():
        x = start
        for i in range(10_000):
            x = x + a if i % 3 == 0 else x * b if i % 3 == 1 else x.tanh()
        x.sum().backward()
        start.grad = None

    return {"fb": run}


def gradient_checks():
    lstm = nn.LSTM(4, 4).double()
    x = torch.randn(3, 1, 4, dtype=torch.float64, requires_grad=True)
    inputs = (x, *lstm.parameters())  # changed in place, so that the layer sees it

    def outputs(x, *_):
        out, (h, c) = lstm(x)
        return out, h, c

    return {
        "first": lambda: torch.autograd.gradcheck(outputs, inputs),
        "second": lambda: torch.autograd.gradgradcheck(outputs, inputs),
    }


OPTIMIZERS = {
    "sgd": ("SGD", {"lr": 1e-4}), "momentum": ("SGD", {"lr": 1e-4, "momentum": 0.9}), "adam": ("Adam", {"lr": 1e-4}),
    "adamw": ("AdamW", {"lr": 1e-4}), "rmsprop": ("RMSprop", {"lr": 1e-4}), "adagrad": ("Adagrad", {"lr": 1e-4}),
    "adadelta": ("Adadelta", {"lr": 1e-2}), "adamax": ("Adamax", {"lr": 1e-4}), "nadam": ("NAdam", {"lr": 1e-4}),
    "radam": ("RAdam", {"lr": 1e-4}), "rprop": ("Rprop", {"lr": 1e-4}), "asgd": ("ASGD", {"lr": 1e-4}),
}


def with_gradients(count, *shape):
    parameters = [torch.randn(*shape).requires_grad_(True) for _ in range(count)]
    for parameter in parameters:
        parameter.grad = torch.randn_like(parameter)
    return parameters


def lbfgs(count):
    """An iteration that remembers ten, on half the squares' sum."""
    parameters = with_gradients(count, 1_000_000 // count)
    optimizer = torch.optim.LBFGS(parameters, lr=1e-4, max_iter=1, history_size=10, tolerance_grad=0, tolerance_change=0)

    def loss():
        optimizer.zero_grad()
        loss = sum(parameter.square().sum() for parameter in parameters) * 0.5
        loss.backward()
        return loss
    return lambda: optimizer.step(loss)


def optimizers():
    """A step over a million elements, in one parameter and in a thousand, by the kernels over lists (`foreach`)."""
    steps = {}
    for text, (kind, options) in OPTIMIZERS.items():
        for count in (1, 1000):
            parameters = with_gradients(count, 1_000_000 // count)
            steps[f"{text}-{count}"] = getattr(torch.optim, kind)(parameters, foreach=True, **options).step
    if hasattr(torch.optim, "Muon"):
        for count, rows in (1, 1000), (1000, 25):
            muon = torch.optim.Muon(with_gradients(count, rows, 1_000_000 // count // rows), lr=1e-4)
            steps[f"muon-{count}"] = muon.step
    return steps | {f"lbfgs-{count}": lbfgs(count) for count in (1, 1000)}


def workload(name, compiled):
    if name in LAYERS:
        return layer(name)
    if name in literature.MODELS:
        return literature.step(name)
    return {
        "S4": lambda: training((65, 128, 512), (64, 32), lambda p: torch.optim.Adam(p, 1e-3)),
        "S5": lambda: training((10_000, 200, 200), (20, 20), lambda p: torch.optim.SGD(p, 0.1), clip=5),
        "S8a": lambda: custom(MinimalGated, compiled),
        "S8b": lambda: custom(LayerNormLstm, compiled),
        "S9": chain,
        "gradcheck": gradient_checks,
        "optim": optimizers,
    }[name]()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--compile", action="store_true", help="torch.compile of the whole time loop")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    baseline = resident()
    torch.manual_seed(0)
    for variant, run in workload(options.only, options.compile).items():
        report(options.only, variant, run, options, baseline)


if __name__ == "__main__":
    main()
