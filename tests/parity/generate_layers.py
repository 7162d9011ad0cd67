#!/usr/bin/env python3
"""Let PyTorch compute cases of layers for the parity runner: convolutions, normalisations, activations, attention.

    pip install torch numpy safetensors          # in an environment of your own
    python generate_layers.py layers --seed 0

What a case is, `generate.py` says; in one of kind `layer` there may also be

    buffer.NAME                          given: a buffer before the forward
    expect.buffer.NAME                   the buffer after it
"""
import argparse
from pathlib import Path

import torch
from generate import Folder, normal
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations


def case(folder, module, arguments, layer, inputs, training=True, second=True):
    """One forward of a layer, whose parameters become random."""
    dtype = inputs[0].dtype
    layer = layer.to(dtype).train(training)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(torch.randn_like(parameter))
        for name, buffer in layer.named_buffers():
            if buffer.is_floating_point():
                buffer.copy_(torch.rand_like(buffer) + 0.5)
    given = {f"buffer.{name}": buffer.clone() for name, buffer in layer.named_buffers()}
    leaves = {f"in.{k}": x for k, x in enumerate(inputs)}
    leaves |= {f"param.{name}": parameter for name, parameter in layer.named_parameters()}
    outputs = dict(output=layer(*inputs))
    outputs |= {f"buffer.{name}": buffer.to(dtype) for name, buffer in layer.named_buffers()}
    short = "f32" if dtype == torch.float32 else "f64"
    says = dict(kind="layer", name=module, module=module, args=arguments, dtype=short, training=training)
    folder.add(says, leaves, outputs, given, second=second and short == "f64")


def convolutions(folder):
    for arguments in (
        {"kernel_size": 3}, {"kernel_size": 1}, {"kernel_size": 2, "stride": 2, "padding": 1},
        {"kernel_size": 3, "padding": "same"}, {"kernel_size": 4, "padding": "same", "dilation": 2},
        {"kernel_size": 3, "dilation": 2, "groups": 2, "bias": False}, {"kernel_size": 3, "groups": 4, "padding": 2},
    ):
        arguments = {"in_channels": 4, "out_channels": 8, **arguments}
        layer = nn.Conv1d(**arguments)
        case(folder, "Conv1d", arguments, layer, [normal(2, 4, 9)])
        case(folder, "Conv1d", arguments, layer, [normal(4, 7)])
    case(folder, "Conv1d", arguments, layer, [normal(2, 4, 9, dtype=torch.float32)])


def normalisations(folder):
    for arguments in ({"normalized_shape": [4]}, {"normalized_shape": [3, 4], "eps": 0.01}, {"normalized_shape": [4], "elementwise_affine": False}):
        case(folder, "RMSNorm", arguments, nn.RMSNorm(**arguments), [normal(2, 3, 4)])
    case(folder, "RMSNorm", {"normalized_shape": [4]}, nn.RMSNorm(4), [normal(2, 3, 4, dtype=torch.float32)])
    for arguments in ({}, {"eps": 0.1, "momentum": 0.4}, {"momentum": None}, {"affine": False}, {"track_running_stats": False}):
        arguments = {"num_features": 3, **arguments}
        for shape in ((5, 3), (2, 3, 4)):
            for training in (True, False):
                case(folder, "BatchNorm1d", arguments, nn.BatchNorm1d(**arguments), [normal(*shape)], training)
    case(folder, "BatchNorm1d", arguments, nn.BatchNorm1d(**arguments), [normal(5, 3, dtype=torch.float32)])
    for arguments in ({"dim": 0}, {"dim": 1}, {"dim": None}):
        layer = parametrizations.weight_norm(nn.Linear(4, 3), **arguments)
        # The second derivatives of PyTorch 2.15's fused kernel, which it has for an axis, fail its own gradgradcheck.
        case(folder, "WeightNorm", arguments, layer, [normal(5, 4)], second=arguments["dim"] is None)


def activations(folder):
    for name, arguments in (
        ("ReLU", {}), ("ReLU6", {}), ("LeakyReLU", {"negative_slope": 0.2}), ("PReLU", {"num_parameters": 1}),
        ("PReLU", {"num_parameters": 4}), ("ELU", {"alpha": 0.7}), ("CELU", {"alpha": 0.7}), ("SELU", {}),
        ("GELU", {"approximate": "none"}), ("GELU", {"approximate": "tanh"}), ("SiLU", {}), ("Mish", {}),
        ("Softplus", {"beta": 2.0, "threshold": 3.0}), ("Softsign", {}), ("Softmin", {"dim": 1}),
        ("Hardtanh", {"min_val": -0.4, "max_val": 0.9}), ("Hardsigmoid", {}), ("Hardswish", {}),
        ("Hardshrink", {"lambd": 0.4}), ("Softshrink", {"lambd": 0.4}), ("Tanhshrink", {}),
        ("Threshold", {"threshold": 0.3, "value": -2.0}), ("LogSigmoid", {}), ("GLU", {"dim": 1}), ("Sigmoid", {}),
        ("Tanh", {}), ("Softmax", {"dim": 1}), ("LogSoftmax", {"dim": -1}),
    ):
        # PyTorch itself does not differentiate these twice.
        second = name not in ("Hardsigmoid", "Hardswish")
        layer = getattr(nn, name)(**arguments)
        x = (3 * torch.randn(2, 4, 3, dtype=torch.float64)).requires_grad_(True)
        case(folder, name, arguments, layer, [x], second=second)
        # Kinks, where a derivative is a matter of choice.
        if name not in ("Softmin", "GLU", "Softmax", "LogSoftmax", "PReLU"):
            kinks = [-3.0, -0.4, 0.0, 0.3, 0.4, 0.9, 3.0, 6.0, 40.0, -40.0]
            case(folder, name, arguments, layer, [torch.tensor(kinks, dtype=torch.float64, requires_grad=True)], second=False)


class Attention(nn.Module):
    def __init__(self, **arguments):
        super().__init__()
        self.arguments = arguments

    def forward(self, q, k, v, *bias):
        return F.scaled_dot_product_attention(q, k, v, *bias, **self.arguments)


def attention(folder):
    for arguments in ({}, {"scale": 0.3}, {"is_causal": True}):
        inputs = [normal(2, 3, 4, 5), normal(2, 3, 6, 5), normal(2, 3, 6, 2)]
        case(folder, "Attention", arguments, Attention(**arguments), inputs)
    case(folder, "Attention", {}, Attention(), [normal(4, 5), normal(6, 5), normal(6, 2), normal(4, 6)])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="what is there is replaced")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    folder = Folder(options.folder)
    convolutions(folder)
    normalisations(folder)
    activations(folder)
    attention(folder)
    print(f"{folder.count} cases in {options.folder}")


if __name__ == "__main__":
    main()
