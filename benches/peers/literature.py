#!/usr/bin/env python3
"""The models among the examples as one writes them in eager PyTorch, and whether they compute the same.

    cargo run --release -p wengert-bench -- --numbers DIR    # parameters, data, loss and the gradient's norm of ours
    python benches/peers/literature.py --check DIR           # the same of these, on the same parameters and data
"""
import argparse
import pathlib
import sys

import torch
from torch import nn
from torch.func import functional_call
from torch.nn import functional as F


def layer_input(weight, bias, x):
    """What does not depend on the state, for the whole sequence at once, step by step."""
    return F.linear(x, weight, bias).unbind(0)


class PeepholeCell(nn.Module):
    def __init__(self, width, hidden, projected, clip):
        super().__init__()
        draw = lambda rows, columns: nn.Parameter(torch.empty(rows, columns).uniform_(-0.5, 0.5))
        self.input, self.recurrent = draw(4 * hidden, width), draw(4 * hidden, projected)
        self.bias = nn.Parameter(torch.zeros(4 * hidden))
        self.peepholes, self.projection, self.clip = draw(3, hidden), draw(projected, hidden), clip

    def forward(self, x, reverse):
        projected, hidden = self.projection.shape
        h, c = x.new_zeros(x.shape[1], projected), x.new_zeros(x.shape[1], hidden)
        recurrent, projection, (pi, pf, po) = self.recurrent.t(), self.projection.t(), self.peepholes.unbind(0)
        steps, outputs = layer_input(self.input, self.bias, x), []
        for x in reversed(steps) if reverse else steps:
            i, f, g, o = torch.addmm(x, h, recurrent).chunk(4, -1)
            c = torch.sigmoid(f + pf * c) * c + torch.sigmoid(i + pi * c) * torch.tanh(g)
            c = c.clamp(-self.clip, self.clip)
            h = (torch.sigmoid(o + po * c) * torch.tanh(c)) @ projection
            outputs.append(h)
        return torch.stack(outputs[::-1] if reverse else outputs)


class Peephole(nn.Module):
    """Two layers of both directions."""

    def __init__(self):
        super().__init__()
        self.events, self.head = nn.Embedding(2, 4), nn.Linear(16, 8)
        self.cells = nn.ModuleList(PeepholeCell(width, 16, 8, 3.0) for width in (4, 4, 16, 16))

    def loss(self, events, gaps):
        x = self.events(events)
        for layer in range(2):
            x = torch.cat([self.cells[2 * layer](x, False), self.cells[2 * layer + 1](x, True)], -1)
        return F.cross_entropy(self.head(x[15]), gaps)

    @staticmethod
    def named(name):
        for k, suffix in enumerate(["_l0", "_l0_reverse", "_l1", "_l1_reverse"]):
            if name.startswith("rnn.") and name.endswith(suffix):
                return f"cells.{k}.{name.removeprefix('rnn.').removesuffix(suffix)}"
        return name


class SlstmCell(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.input, self.recurrent = nn.Linear(width, 4 * hidden), nn.Linear(hidden, 4 * hidden, bias=False)

    def forward(self, x, p):
        hidden, recurrent = self.recurrent.in_features, self.recurrent.weight.t()
        h = c = n = m = x.new_zeros(x.shape[1], hidden)
        mask, outputs = F.dropout(torch.ones_like(h), p, self.training), []
        for x in layer_input(self.input.weight, self.input.bias, x):
            seen = h * mask if self.training else h
            i, f, z, o = torch.addmm(x, seen, recurrent).chunk(4, -1)
            f = m - F.softplus(-f)
            m = torch.maximum(f, i)
            i, f = torch.exp(i - m), torch.exp(f - m)
            c = f * c + i * torch.tanh(z)
            n = f * n + i
            h = torch.sigmoid(o) * c / n
            outputs.append(h)
        return torch.stack(outputs)


class Slstm(nn.Module):
    def __init__(self):
        super().__init__()
        self.bits, self.head = nn.Embedding(2, 8), nn.Linear(24, 2)
        self.cells = nn.ModuleList([SlstmCell(8, 24), SlstmCell(24, 24)])

    def loss(self, given, parity):
        x = self.bits(given)
        for cell in self.cells:
            x = cell(x, 0.1)
        return F.cross_entropy(self.head(x).flatten(0, 1), parity.flatten())

    @staticmethod
    def named(name):
        return layered(name)


def layered(name):
    """`rnn.w.weight_l1` as `cells.1.w.weight`."""
    if not name.startswith("rnn."):
        return name
    name, _, layer = name.removeprefix("rnn.").rpartition("_l")
    return f"cells.{layer}.{name}"


class ContinuousCell(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.w, self.u = nn.Linear(width, hidden), nn.Linear(hidden, hidden, bias=False)
        self.rate = nn.Parameter(torch.empty(hidden).uniform_(-2.0, 2.0))

    def forward(self, x, gaps):
        h, recurrent, outputs = x.new_zeros(x.shape[1], self.rate.numel()), self.u.weight.t(), []
        decay = torch.exp(-F.softplus(self.rate) * gaps).unbind(0)
        for x, decay in zip(layer_input(self.w.weight, self.w.bias, x), decay):
            n = torch.tanh(torch.addmm(x, h, recurrent))
            h = torch.lerp(n, h, decay)
            outputs.append(h)
        return torch.stack(outputs)


class TimeGaps(nn.Module):
    def __init__(self):
        super().__init__()
        self.cells = nn.ModuleList([ContinuousCell(1, 24), ContinuousCell(24, 24)])
        self.head = nn.Linear(24, 1)

    def loss(self, x, gaps, next):
        for cell in self.cells:
            x = cell(x, gaps)
        return F.mse_loss(self.head(x), next)

    @staticmethod
    def named(name):
        return layered(name)


class Attention(nn.Module):
    """An encoder, and a decoder that looks back with additive attention, told the right digits."""

    def __init__(self, width=32):
        super().__init__()
        self.digits, self.encoder = nn.Embedding(11, width), nn.GRU(width, width, bidirectional=True)
        self.decoder, self.head = nn.LSTMCell(2 * width, width), nn.Linear(width, 10)
        self.of_memory, self.of_state = nn.Linear(width, width), nn.Linear(width, width, bias=False)
        self.score = nn.Linear(width, 1, bias=False)

    def loss(self, strings):
        forth, back = self.encoder(self.digits(strings))[0].chunk(2, -1)
        memory = forth + back
        keys, width = self.of_memory(memory), memory.shape[-1]
        h = c = memory.new_zeros(strings.shape[1], width)
        last, losses = strings.new_full(strings.shape[1:], 10), []
        for t in reversed(range(len(strings))):
            scores = self.score(torch.tanh(keys + self.of_state(h)))
            context = (scores.softmax(0) * memory).sum(0)
            h, c = self.decoder(torch.cat([self.digits(last), context], -1), (h, c))
            last = strings[t]
            losses.append(F.cross_entropy(self.head(h), last))
        return torch.stack(losses).mean()


class Mixture(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm, self.head = nn.LSTM(1, 16), nn.Linear(16, 9)

    def loss(self, series):
        logits, means, log_widths = self.head(self.lstm(series[:20])[0]).chunk(3, -1)
        distance = (series[1:] - means) / log_widths.exp()
        densities = -0.5 * distance.square() - log_widths - 0.9189385332046727
        return -torch.logsumexp(logits.log_softmax(-1) + densities, -1).mean()


class Reader(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn, self.head = nn.RNN(2, 6), nn.Linear(6, 2)

    def forward(self, pairs):
        return self.head(self.rnn(pairs)[1][0])


class Hypernetwork(nn.Module):
    def __init__(self):
        super().__init__()
        reader = Reader()
        self.shapes = {name: p.shape for name, p in reader.named_parameters()}
        self.functions, self.bits = nn.Embedding(16, 8), nn.Embedding(2, 2)
        self.writer = nn.Linear(8, sum(p.numel() for p in reader.parameters()))
        self.reader = [reader]  # in a list: its own parameters are never used
        self.pairs = torch.tensor([[0, 0, 1, 1], [0, 1, 0, 1]])
        self.tables = torch.tensor([[n >> place & 1 for place in (3, 2, 1, 0)] for n in range(16)])

    def loss(self):
        losses = []
        for function in range(16):
            numbers = self.writer(self.functions.weight[function])
            parts = numbers.split([shape.numel() for shape in self.shapes.values()])
            weights = {name: part.view(shape) for (name, shape), part in zip(self.shapes.items(), parts)}
            logits = functional_call(self.reader[0], weights, (self.bits(self.pairs),))
            losses.append(F.cross_entropy(logits, self.tables[function]))
        return torch.stack(losses).mean()


class Maml(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm, self.head = nn.LSTM(1, 24), nn.Linear(24, 1)

    def forward(self, x):
        return self.head(self.lstm(x)[0])

    def loss(self, x, y, other_x, other_y):
        losses, own = [], dict(self.named_parameters())
        for x, y, other_x, other_y in zip(x, y, other_x, other_y):
            inner = F.mse_loss(functional_call(self, own, (x,)), y)
            slopes = torch.autograd.grad(inner, list(own.values()), create_graph=True)
            moved = {name: p - 0.05 * slope for (name, p), slope in zip(own.items(), slopes)}
            losses.append(F.mse_loss(functional_call(self, moved, (other_x,)), other_y))
        return torch.stack(losses).mean()


digits = lambda high, *shape: torch.randint(high, shape)
MODELS = {
    "peephole": (Peephole, lambda: {"events": digits(2, 16, 32), "gaps": digits(8, 32)}, True),
    "slstm": (Slstm, lambda: {"given": digits(2, 10, 32), "parity": digits(2, 10, 32)}, True),
    "time_gaps": (TimeGaps, lambda: {name: torch.rand(30, 16, 1) for name in ("x", "gaps", "next")}, False),
    "attention": (Attention, lambda: {"strings": digits(10, 5, 32)}, True),
    "mixture": (Mixture, lambda: {"series": torch.randn(21, 32, 1)}, True),
    "hypernetwork": (Hypernetwork, dict, False),
    "maml": (Maml, lambda: {name: torch.randn(8, 10, 1, 1) for name in ("x", "y", "other_x", "other_y")}, False),
}
"""The model, data of its sizes, and whether gradients are clipped."""


def step(name):
    """A training step with Adam."""
    kind, data, clip = MODELS[name]
    model, data = kind(), data()
    adam = torch.optim.Adam(model.parameters(), 1e-3)

    def run():
        adam.zero_grad()
        model.loss(**data).backward()
        if clip:
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        adam.step()

    return {"step": run}


def check(name, path):
    """The largest relative difference of the loss and of the gradient's norm from ours."""
    from safetensors.torch import load_file

    kind, data, _ = MODELS[name]
    model, given = kind().eval(), load_file(path)
    expected = [given.pop(key).item() for key in ("loss", "norm")]
    data = {key: given.pop(key) for key in data()}
    named = getattr(kind, "named", lambda name: name)
    model.load_state_dict({named(key): value.view_as(value) for key, value in given.items()})
    loss = model.loss(**data)
    loss.backward()
    norm = nn.utils.clip_grad_norm_(model.parameters(), 1e9)
    return max(abs(got.item() - ours) / abs(ours) for got, ours in zip((loss, norm), expected))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", type=pathlib.Path, required=True, metavar="DIR")
    folder = parser.parse_args().check
    far = {name: check(name, folder / f"{name}.safetensors") for name in MODELS}
    for name, difference in far.items():
        print(f"{name:13} {difference:.1e}")
    sys.exit(any(difference > 1e-4 for difference in far.values()))


if __name__ == "__main__":
    main()
