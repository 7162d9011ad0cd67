"""The cells of one's own in PyTorch: what does not depend on the state is computed for the whole sequence at once."""
import torch
from torch import nn
from torch.nn import functional as F


class MinimalGated(nn.Module):
    """The minimal gated unit: f = sigmoid(a), n = tanh(W_n x + U_n (f h)), h' = (1 - f) h + f n."""

    def __init__(self, width, hidden):
        super().__init__()
        self.input = nn.Linear(width, 2 * hidden)
        self.forget = nn.Linear(hidden, hidden, bias=False)
        self.candidate = nn.Linear(hidden, hidden, bias=False)

    def forward(self, x):
        gate, candidate = self.forget.weight.t(), self.candidate.weight.t()
        h, outputs = x.new_zeros(x.shape[1], gate.shape[0]), []
        xf, xn = self.input(x).chunk(2, -1)
        for xf, xn in zip(xf.unbind(0), xn.unbind(0)):
            f = torch.sigmoid(torch.addmm(xf, h, gate))
            n = torch.tanh(torch.addmm(xn, f * h, candidate))
            h = torch.lerp(h, n, f)
            outputs.append(h)
        return torch.stack(outputs)


class LayerNormLstm(nn.Module):
    """The LSTM with the two parts of its gates and its cell state normalised."""

    def __init__(self, width, hidden):
        super().__init__()
        self.input = nn.Linear(width, 4 * hidden, bias=False)
        self.hidden = nn.Linear(hidden, 4 * hidden, bias=False)
        self.input_norm = nn.LayerNorm(4 * hidden)
        self.hidden_norm = nn.LayerNorm(4 * hidden)
        self.cell_norm = nn.LayerNorm(hidden)

    def forward(self, x):
        width = self.hidden.in_features
        h, c, outputs = x.new_zeros(x.shape[1], width), x.new_zeros(x.shape[1], width), []
        norm, cell = self.hidden_norm, self.cell_norm
        for x in self.input_norm(self.input(x)).unbind(0):
            part = F.layer_norm(F.linear(h, self.hidden.weight), norm.normalized_shape, norm.weight, norm.bias)
            i, f, g, o = (x + part).chunk(4, -1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            c = F.layer_norm(c, cell.normalized_shape, cell.weight, cell.bias)
            h = torch.sigmoid(o) * torch.tanh(c)
            outputs.append(h)
        return torch.stack(outputs)
