#!/usr/bin/env python3
"""Let PyTorch compute cases for the parity runner.

    pip install torch numpy safetensors          # in an environment of your own
    python generate.py cases --seed 0 --layers 60 --cells 30

A case is one .safetensors file. Its metadata `case` (JSON) says what to run; its tensors are

    input, h0, c0, in.K, param.NAME      leaves: they get gradients
    idx.NAME, target, weight, ..         given, without gradient
    expect.X, cotangent.X                output X, and its cotangent; L is the sum of output times cotangent
    expect.grad.LEAF                     dL/dLEAF
    cotangent.grad.LEAF                  where there are second derivatives: S is the sum of dL/dLEAF times this,
    expect.second.LEAF                   and this is dS/dLEAF
    param, grad.T, expect.param.T        where an optimizer starts, step T's gradient, and the parameter after it
    expect.loss, expect.x.T, expect.y.T  losses before each step of an optimizer that evaluates the case's `function`
                                         of param.x and param.y, and these after step T
    expect.lr, expect.momentum, metric   a schedule's rates and momentums step by step, and what it observes after each
"""
import argparse
import json
import random
import shutil
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import rnn

import training


class Folder:
    """Where cases go, numbered in order."""

    def __init__(self, path):
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        self.path, self.count = path, 0

    def add(self, says, leaves, outputs, given=None, second=True):
        """Differentiate `outputs` in `leaves` (twice, if asked and possible) and write the case."""
        cotangents = {name: torch.randn_like(value) for name, value in outputs.items()}
        scalar = sum((value * cotangents[name]).sum() for name, value in outputs.items())
        first = gradients(scalar, leaves, create_graph=True)
        tensors = {**(given or {}), **leaves}
        tensors |= {f"expect.{name}": value for name, value in outputs.items()}
        tensors |= {f"cotangent.{name}": value for name, value in cotangents.items()}
        tensors |= {f"expect.grad.{name}": value for name, value in first.items()}
        flowing = {name: value for name, value in first.items() if value.requires_grad}
        if second:
            weights = {name: torch.randn_like(value) for name, value in flowing.items()}
            scalar = sum((value * weights[name]).sum() for name, value in flowing.items())
            again = gradients(scalar, leaves) if flowing else {k: torch.zeros_like(v) for k, v in leaves.items()}
            tensors |= {f"cotangent.grad.{name}": value for name, value in weights.items()}
            tensors |= {f"expect.second.{name}": value for name, value in again.items()}
        self.write({**says, "double": second}, tensors)

    def write(self, says, tensors):
        tensors = {name: value.detach().clone().contiguous() for name, value in tensors.items()}
        name = f"{self.count:03d}-{says['name']}.safetensors"
        save_file(tensors, self.path / name, metadata={"case": json.dumps(says)})
        self.count += 1


def gradients(scalar, leaves, create_graph=False):
    """By name; zeros where nothing flows."""
    found = torch.autograd.grad(scalar, list(leaves.values()), create_graph=create_graph, allow_unused=True)
    return {
        name: torch.zeros_like(leaf) if gradient is None else gradient
        for (name, leaf), gradient in zip(leaves.items(), found)
    }


def normal(*shape, dtype=torch.float64):
    return torch.randn(shape, dtype=dtype).requires_grad_(True)


def positive(*shape):
    return (torch.rand(shape, dtype=torch.float64) + 0.3).requires_grad_(True)


def layers(folder, draw, count):
    """Recurrent layers in any configuration."""
    for _ in range(count):
        module, dtype = draw.choice(["RNN", "LSTM", "GRU"]), draw.choice([torch.float64, torch.float64, torch.float32])
        arguments = dict(
            input_size=draw.randint(1, 5), hidden_size=draw.randint(2, 6), num_layers=draw.randint(1, 3),
            bias=draw.random() < 0.75, batch_first=draw.random() < 0.5, bidirectional=draw.random() < 0.5,
        )
        if module == "RNN":
            arguments["nonlinearity"] = draw.choice(["tanh", "relu"])
        if module == "LSTM" and draw.random() < 0.5:
            arguments["proj_size"] = draw.randint(1, arguments["hidden_size"] - 1)
        layer = getattr(nn, module)(**arguments, dtype=dtype)
        unbatched = draw.random() < 0.3
        extents = [draw.randint(1, 6)] + ([] if unbatched else [draw.randint(1, 4)])
        batch = extents[1:]
        if arguments["batch_first"] and not unbatched:
            extents.reverse()
        leaves = {"input": normal(*extents, arguments["input_size"], dtype=dtype)}
        state = None
        if draw.random() < 0.5:
            rows = arguments["num_layers"] * (2 if arguments["bidirectional"] else 1)
            width = arguments.get("proj_size", arguments["hidden_size"])
            leaves["h0"] = state = normal(rows, *batch, width, dtype=dtype)
            if module == "LSTM":
                leaves["c0"] = normal(rows, *batch, arguments["hidden_size"], dtype=dtype)
                state = (leaves["h0"], leaves["c0"])
        leaves |= {f"param.{name}": parameter for name, parameter in layer.named_parameters()}
        form = "unbatched" if unbatched else draw.choice(["padded", "packed"])
        says, given = {}, leaves["input"]
        if form == "packed":
            steps = extents[1 if arguments["batch_first"] else 0]
            says["lengths"] = [draw.randint(1, steps) for _ in range(*batch)]
            says["lengths"][0] = steps
            draw.shuffle(says["lengths"])
            given = rnn.pack_padded_sequence(given, torch.tensor(says["lengths"]), arguments["batch_first"], enforce_sorted=False)
        output, last = layer(given, state)
        if form == "packed":
            output, _ = rnn.pad_packed_sequence(output, arguments["batch_first"])
        outputs = dict(output=output, **(dict(h_n=last[0], c_n=last[1]) if module == "LSTM" else dict(h_n=last)))
        short = "f32" if dtype == torch.float32 else "f64"
        says |= dict(kind="recurrent", name=f"{module}-{form}", module=module, args=arguments, form=form, dtype=short)
        folder.add(says, leaves, outputs, second=short == "f64")


def cells(folder, draw, count):
    """Single steps."""
    for _ in range(count):
        module = draw.choice(["RNNCell", "LSTMCell", "GRUCell"])
        arguments = dict(input_size=draw.randint(1, 5), hidden_size=draw.randint(1, 6), bias=draw.random() < 0.75)
        if module == "RNNCell":
            arguments["nonlinearity"] = draw.choice(["tanh", "relu"])
        cell = getattr(nn, module)(**arguments, dtype=torch.float64)
        batch = [] if draw.random() < 0.3 else [draw.randint(1, 4)]
        leaves, state = {"input": normal(*batch, arguments["input_size"])}, None
        if draw.random() < 0.7:
            leaves["h0"] = state = normal(*batch, arguments["hidden_size"])
            if module == "LSTMCell":
                leaves["c0"] = normal(*batch, arguments["hidden_size"])
                state = (leaves["h0"], leaves["c0"])
        leaves |= {f"param.{name}": parameter for name, parameter in cell.named_parameters()}
        after = cell(leaves["input"], state)
        outputs = dict(h=after[0], c=after[1]) if module == "LSTMCell" else dict(h=after)
        says = dict(kind="cell", name=module, module=module, args=arguments, dtype="f64")
        folder.add(says, leaves, outputs)


def unary(names):
    """Functions of one tensor, named as in torch or torch.nn.functional."""
    for name in names.split():
        yield name, getattr(torch, name, None) or getattr(F, name), [normal(3, 4)], {}


def operations():
    """(name, function, inputs, keyword arguments), arguments as the case says them."""
    yield from unary("neg abs exp expm1 square sin cos tanh sigmoid relu selu gelu silu mish softsign logsigmoid erf")
    yield from unary("hardsigmoid")
    for name in "log log1p sqrt rsqrt reciprocal".split():
        yield name, getattr(torch, name), [positive(2, 3)], {}
    for name in "add sub mul maximum minimum logaddexp atan2".split():
        yield name, getattr(torch, name), [normal(2, 3, 4), normal(3, 1)], {}
    yield "div", torch.div, [normal(2, 3), positive(3)], {}
    yield "pow", torch.pow, [positive(2, 3), normal(3)], {}
    yield "leaky_relu", F.leaky_relu, [normal(3, 4)], {"negative_slope": 0.1}
    yield "elu", F.elu, [normal(3, 4)], {"alpha": 0.7}
    yield "softplus", F.softplus, [normal(3, 4)], {"beta": 2.0, "threshold": 1.5}
    yield "hardtanh", F.hardtanh, [normal(3, 4)], {"min_val": -0.4, "max_val": 0.9}
    yield "clamp", torch.clamp, [normal(3, 4)], {"min": -0.6, "max": 0.2}
    yield "matmul", torch.matmul, [normal(2, 3), normal(3, 4)], {}
    yield "matmul_batched", torch.matmul, [normal(2, 3, 4), normal(2, 4, 2)], {}
    yield "matmul_broadcast", torch.matmul, [normal(2, 1, 3, 4), normal(3, 4, 2)], {}
    yield "matmul_vector", torch.matmul, [normal(3, 4), normal(4)], {}
    yield "dot", torch.dot, [normal(4), normal(4)], {}
    yield "outer", torch.outer, [normal(3), normal(2)], {}
    yield "linear", F.linear, [normal(2, 3, 4), normal(5, 4), normal(5)], {}
    yield "bilinear", F.bilinear, [normal(3, 2), normal(3, 4), normal(2, 2, 4), normal(2)], {}
    for dim in (0, 2, -2):
        yield "sum", torch.sum, [normal(2, 3, 4)], {"dim": dim, "keepdim": dim == 2}
        for name in "prod amax amin logsumexp cumsum cumprod softmax log_softmax".split():
            yield name, getattr(torch, name), [normal(2, 3, 4)], {"dim": dim}
        yield "max_dim", lambda x, dim: torch.max(x, dim).values, [normal(2, 3, 4)], {"dim": dim}
        yield "norm", torch.linalg.vector_norm, [normal(2, 3, 4)], {"ord": 2, "dim": dim}
        for name in "var std".split():
            yield name, getattr(torch, name), [normal(2, 3, 4)], {"dim": dim, "correction": 1}
    yield "mean", torch.mean, [normal(2, 3, 4)], {"dim": [0, 2]}
    for descending in (False, True):
        arguments = {"dim": 1, "descending": descending}
        yield "sort", lambda x, **how: torch.sort(x, **how).values, [normal(3, 5)], arguments
    yield "topk", lambda x, k, dim: torch.topk(x, k, dim).values, [normal(3, 5)], {"k": 2, "dim": 1}
    yield "layer_norm", lambda x, w, b, eps: F.layer_norm(x, w.shape, w, b, eps), [normal(3, 4), normal(4), normal(4)], {"eps": 1e-5}
    yield "reshape", torch.reshape, [normal(2, 3, 4)], {"shape": [6, 4]}
    yield "permute", torch.permute, [normal(2, 3, 4)], {"dims": [1, 2, 0]}
    yield "transpose", torch.transpose, [normal(2, 3, 4)], {"dim0": 1, "dim1": -1}
    yield "expand", lambda x, size: x.expand(size), [normal(2, 1, 3)], {"size": [4, 2, 5, 3]}
    yield "squeeze", torch.squeeze, [normal(2, 1, 3)], {"dim": 1}
    yield "unsqueeze", torch.unsqueeze, [normal(2, 3)], {"dim": -2}
    yield "narrow", torch.narrow, [normal(3, 6)], {"dim": 1, "start": 2, "length": 3}
    yield "select", torch.select, [normal(2, 3, 4)], {"dim": 1, "index": 2}
    yield "slice_step", lambda x, start, end, step: x[:, start:end:step], [normal(2, 8)], {"start": 1, "end": 8, "step": 3}
    yield "flip", torch.flip, [normal(2, 3, 4)], {"dims": [1, 2]}
    yield "roll", torch.roll, [normal(2, 5)], {"shifts": 3, "dims": 1}
    yield "tril", torch.tril, [normal(3, 4)], {"diagonal": -1}
    yield "triu", torch.triu, [normal(4, 3)], {"diagonal": 0}
    yield "repeat", lambda x, repeats: x.repeat(repeats), [normal(2, 3)], {"repeats": [3, 2]}
    yield "pad", F.pad, [normal(2, 3)], {"pad": [2, 1], "value": -0.5}
    yield "cat", lambda *x, dim: torch.cat(x, dim), [normal(2, 3), normal(2, 1)], {"dim": 1}
    yield "stack", lambda *x, dim: torch.stack(x, dim), [normal(2, 3), normal(2, 3)], {"dim": 1}


def indexed():
    """(name, function, inputs, indices, keyword arguments)."""
    mask, index = torch.tensor([[1, 0, 1], [0, 0, 1]]), torch.tensor([[0, 2, 2], [1, 0, 1]])
    yield "where", lambda a, b, condition: torch.where(condition.bool(), a, b), [normal(2, 3), normal(3)], {"condition": mask}, {}
    yield "masked_fill", lambda x, mask, value: x.masked_fill(mask.bool(), value), [normal(2, 3)], {"mask": mask}, {"value": 1.5}
    yield "index_select", lambda x, index, dim: x.index_select(dim, index), [normal(2, 3)], {"index": index[0]}, {"dim": 1}
    yield "gather", lambda x, index, dim: x.gather(dim, index), [normal(2, 3)], {"index": index}, {"dim": 1}
    yield "scatter_add", lambda x, y, index, dim: x.scatter_add(dim, index, y), [normal(2, 3), normal(2, 3)], {"index": index}, {"dim": 1}
    yield "embedding", lambda weight, index: F.embedding(index, weight), [normal(4, 2)], {"index": index}, {}


def corners():
    """Like `operations`, at ties, kinks and zeros, where PyTorch has chosen a derivative. Without second ones."""
    def values(*numbers):
        return torch.tensor(numbers, dtype=torch.float64).requires_grad_(True)

    for zeros in (values([2.0, 0.0, 3.0], [1.0, -1.0, 0.5]), values([0.0, 4.0, 0.0], [0.0, 2.0, 3.0])):
        yield "prod", torch.prod, [zeros], {"dim": 1}
        yield "cumprod", torch.cumprod, [zeros], {"dim": 1}
    tied = values([1.0, 1.0, 0.0], [-2.0, 3.0, 3.0])
    for name in ("amax", "amin"):
        yield name, getattr(torch, name), [tied], {"dim": 1}
    for name in ("maximum", "minimum"):
        yield name, getattr(torch, name), [tied, values([1.0, 2.0, 0.0], [-2.0, 3.0, 4.0])], {}
    for name in ("abs", "relu", "hardsigmoid", "selu", "sqrt"):
        yield name, getattr(torch, name, None) or getattr(F, name), [values(0.0, 1.0)], {}
    yield "leaky_relu", F.leaky_relu, [values(0.0, -1.0)], {"negative_slope": 0.1}
    yield "pow", torch.pow, [values(0.0, 0.0, 2.0), values(0.0, 2.0, 0.0)], {}
    yield "norm", torch.linalg.vector_norm, [values([0.0, 0.0], [3.0, 4.0])], {"ord": 2, "dim": 1}
    yield "logsumexp", torch.logsumexp, [values([-torch.inf, 0.0, 1.0], [2.0, 2.0, 2.0])], {"dim": 1}
    yield "softplus", F.softplus, [values(-800.0, 0.0, 20.0, 800.0)], {"beta": 1.0, "threshold": 20.0}


def all_operations(folder):
    everything = [(name, f, inputs, {}, arguments) for name, f, inputs, arguments in operations()]
    for name, f, inputs, arguments in corners():
        leaves = {f"in.{k}": x for k, x in enumerate(inputs)}
        says = dict(kind="op", name=f"{name}-corner", op=name, args=arguments, dtype="f64")
        folder.add(says, leaves, dict(output=f(*inputs, **arguments)), {}, second=False)
    for name, f, inputs, indices, arguments in [*everything, *indexed()]:
        leaves = {f"in.{k}": x for k, x in enumerate(inputs)}
        given = {f"idx.{key}": value for key, value in indices.items()}
        output = f(*inputs, **indices, **{k: tuple(v) if isinstance(v, list) else v for k, v in arguments.items()})
        says = dict(kind="op", name=name, op=name, args=arguments, dtype="f64")
        # PyTorch itself does not differentiate this one twice.
        folder.add(says, leaves, dict(output=output), given, second=name != "hardsigmoid")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="what is there is replaced")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--layers", type=int, default=60)
    parser.add_argument("--cells", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=1, help="how often losses, optimizers and schedules are drawn")
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    draw, folder = random.Random(options.seed), Folder(options.folder)
    layers(folder, draw, options.layers)
    cells(folder, draw, options.cells)
    all_operations(folder)
    for _ in range(options.rounds):
        training.losses(folder, draw)
        training.optimizers(folder, draw)
        training.schedules(folder, draw)
        training.later(folder, draw)
    print(f"{folder.count} cases in {options.folder}")


if __name__ == "__main__":
    main()
