#!/usr/bin/env python3
"""Let PyTorch say what operations are, and their gradients, at special numbers.

    pip install torch numpy          # in an environment of your own
    python special.py special

The folder gets a table for each type, `f32.csv` and `f64.csv`, a line for each operation and input:

    operation   the name, with its constants in parentheses
    inputs      operands separated by `|`, their elements by spaces; -, sub, tiny, huge and max are of the type
    value       the elements of the result
    gradients   of each operand, for the cotangent 1 2 3 ..; nothing where PyTorch has none

What differs here and why is in `differences.csv` beside them, which is written by hand.
"""
import argparse
import itertools
from pathlib import Path

import numpy
import torch
from torch.nn import functional as F

TYPES = {"f32": torch.float32, "f64": torch.float64}
SUB, TINY, HUGE = {"f32": 2.0**-149, "f64": 2.0**-1074}, {"f32": 1e-30, "f64": 1e-300}, {"f32": 1e30, "f64": 1e300}

ALL = "0 -0 sub -sub tiny -tiny 1 -1 2.5 -2.5 huge -huge max -max inf -inf nan".split()
FEW = "0 -0 sub tiny 1 -1 huge max inf -inf nan".split()
ROWS = """
0; -0; sub; 1; max; inf; -inf; nan
1 2; 1 1; 0 0; 0 -0; -0 0; -0 -0; 0 2; 1 inf; 1 -inf; inf inf; -inf -inf; inf -inf; -inf inf; 1 nan; nan 1; inf nan; nan nan
0 inf; 0 -inf; 0 nan; max max; max -max; -max -max; huge huge; -huge -huge; huge 1; tiny tiny; tiny 1; sub sub; sub -sub
1e3 1e3; 1e5 1e5; 1e7 1e7; -1e7 -1e7; 1e15 1e15; 1e30 1e30
2 0 3; 0 0 3; 0 0 0; 2 2 2; 0.1 0.1 0.1; 3 1 3 2; -1 -2 -3; 1 inf -inf; nan 1 inf; inf 0 2; -inf 1 2; 1 2 3 nan
max max -max; tiny huge tiny huge; huge tiny huge tiny; inf 1 inf; -inf 1 -inf; 1 -0 2; 1e7 1e7 1e3
"""


def number(name, dtype):
    sign, size = (-1.0, name[1:]) if name.startswith("-") else (1.0, name)
    sizes = {"sub": SUB[dtype], "tiny": TINY[dtype], "huge": HUGE[dtype], "max": torch.finfo(TYPES[dtype]).max}
    return sign * (sizes[size] if size in sizes else float(size))


def elementwise():
    """(name, function) of one operand, element by element."""
    names = "neg abs exp expm1 log log1p sqrt rsqrt reciprocal square sin cos tanh sigmoid relu selu gelu silu mish"
    for name in f"{names} softsign logsigmoid hardsigmoid erf softplus relu6 hardswish tanhshrink".split():
        yield name, getattr(torch, name, None) or getattr(F, name)
    yield "ndtr", torch.special.ndtr
    yield "gelu_tanh", lambda x: F.gelu(x, approximate="tanh")
    for c in (0, 0.5):
        yield f"hardshrink({c})", lambda x, c=c: F.hardshrink(x, c)
        yield f"softshrink({c})", lambda x, c=c: F.softshrink(x, c)
    yield "celu(0.7)", lambda x: F.celu(x, 0.7)
    yield "threshold(0.1 20)", lambda x: F.threshold(x, 0.1, 20)
    yield "leaky_relu(0.1)", lambda x: F.leaky_relu(x, 0.1)
    yield "elu(0.7)", lambda x: F.elu(x, 0.7)
    yield "softplus_of(2 10)", lambda x: F.softplus(x, 2, 10)
    yield "hardtanh(-1 1)", lambda x: F.hardtanh(x, -1, 1)
    for low, high in ((-1, 1), (2, 1), ("nan", 1), (0, "nan"), ("nan", "nan"), ("-inf", "inf"), ("inf", "-inf")):
        yield f"clamp({low} {high})", lambda x, low=low, high=high: torch.clamp(x, float(low), float(high))
    for power in (0, 1, 2, 3, -1, 0.5, -0.5, "inf", "nan"):
        yield f"pow({power})", lambda x, power=power: torch.pow(x, float(power))
    for c in (0, 1, "inf", "nan"):
        yield f"add({c})", lambda x, c=c: x + float(c)
        yield f"mul({c})", lambda x, c=c: x * float(c)
        yield f"div({c})", lambda x, c=c: x / float(c)
        yield f"rdiv({c})", lambda x, c=c: float(c) / x


def binary():
    for name in "add sub mul div maximum minimum pow logaddexp atan2 lt le gt ge eq ne".split():
        yield name, getattr(torch, name)
    yield "where(1)", lambda a, b: torch.where(torch.tensor([True]), a, b)
    yield "where(0)", lambda a, b: torch.where(torch.tensor([False]), a, b)
    yield "mse_loss", F.mse_loss


def along_rows():
    for name in "sum mean amax amin logsumexp softmax log_softmax prod cumsum cumprod argmax argmin".split():
        yield name, lambda x, f=getattr(torch, name): f(x, 0)
    yield "max_dim", lambda x: torch.max(x, 0).values
    yield "min_dim", lambda x: torch.min(x, 0).values
    yield "sort", lambda x: torch.sort(x, dim=0, stable=True).values
    yield "sort_descending", lambda x: torch.sort(x, dim=0, stable=True, descending=True).values
    yield "argsort", lambda x: torch.argsort(x, dim=0, stable=True)
    yield "topk(1)", lambda x: torch.topk(x, 1, 0).values
    for correction in (0, 1):
        yield f"var({correction})", lambda x, c=correction: torch.var(x, 0, correction=c)
        yield f"std({correction})", lambda x, c=correction: torch.std(x, 0, correction=c)
    for p in ("0", "0.5", "1", "2", "3", "-1", "inf", "-inf"):
        yield f"norm({p})", lambda x, p=p: torch.linalg.vector_norm(x, float(p), 0)
    yield "cross_entropy(0)", lambda x: F.cross_entropy(x, torch.tensor(0), reduction="none")
    yield "layer_norm", lambda x: F.layer_norm(x, x.shape)
    yield "dot", lambda x: torch.dot(x, x)


def cases():
    """(operation, function, inputs)."""
    for name, f in elementwise():
        yield from ((name, f, (x,)) for x in ALL)
    for name, f in binary():
        yield from ((name, f, pair) for pair in itertools.product(FEW, FEW))
    rows = [row.strip() for line in ROWS.split("\n") for row in line.split(";") if row.strip()]
    for name, f in along_rows():
        yield from ((name, f, (row,)) for row in rows)


def text(tensor):
    """The elements, as short as they can be read back."""
    numbers = tensor.detach().reshape(-1).to(tensor.dtype if tensor.is_floating_point() else torch.float64).numpy()
    short = (numpy.format_float_scientific(x, trim="-") if not 1e-4 < abs(x) < 1e7 else numpy.format_float_positional(x, trim="-") for x in numbers)
    return " ".join("0" if x == "0e+00" else "-0" if x == "-0e+00" else x.replace("e+", "e") for x in short)


def line(dtype, operation, f, inputs):
    leaves = [torch.tensor([number(x, dtype) for x in row.split()], dtype=TYPES[dtype], requires_grad=True) for row in inputs]
    out = f(*leaves)
    gradients = []
    if out.requires_grad:
        cotangent = torch.arange(1, out.numel() + 1, dtype=out.dtype).reshape(out.shape)
        found = torch.autograd.grad(out, leaves, cotangent, allow_unused=True)
        gradients = [torch.zeros_like(x) if g is None else g for x, g in zip(leaves, found)]
    return ",".join([operation, "|".join(inputs), text(out), "|".join(map(text, gradients))])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    torch.set_num_threads(1)
    for dtype in TYPES:
        lines = [line(dtype, *case) for case in cases()]
        (folder / f"{dtype}.csv").write_text("\n".join(["operation,inputs,value,gradients", *lines, ""]))
        print(f"{len(lines)} cases of {dtype}, by PyTorch {torch.__version__}")


if __name__ == "__main__":
    main()
