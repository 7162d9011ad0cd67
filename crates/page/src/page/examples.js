// Programs to begin with.

export const EXAMPLES = [
  {
    name: "a recurrence",
    program: `# A recurrent network of three steps: the same W, U and b in each.
x: [3, 1, 2] = sin
W: [2, 3] = normal
U: [3, 3] = normal(0, 0.6)
b: [3] = zeros
h = zeros [1, 3]
for t in 0..3:
    h = tanh(x[t] W + h U + b)
loss = mean(h^2)
`,
  },
  {
    name: "a scalar expression",
    program: `# x is used three times: three paths lead back to it, and their terms are added.
x: [] = 0.5
y: [] = 2
z = x * y + sin(x)
loss = z * x
`,
  },
  {
    name: "an LSTM, by its formulas",
    program: `# Gates from one product: i, f, g and o stand side by side.
x: [3, 1, 2] = sin
W: [2, 8] = normal(0, 0.7)
U: [2, 8] = normal(0, 0.7)
h = zeros [1, 2]
c = zeros [1, 2]
for t in 0..3:
    a = x[t] W + h U
    i = sigmoid(a[:, 0..2])
    f = sigmoid(a[:, 2..4])
    g = tanh(a[:, 4..6])
    o = sigmoid(a[:, 6..8])
    c = f * c + i * g
    h = o * tanh(c)
const target: [1, 2] = [[1, -1]]
loss = mse(h, target)
`,
  },
  {
    name: "a GRU, by its formulas",
    program: `x: [3, 1, 2] = cos
Wr: [2, 2] = normal
Ur: [2, 2] = normal
Wz: [2, 2] = normal
Uz: [2, 2] = normal
Wn: [2, 2] = normal
Un: [2, 2] = normal
h = zeros [1, 2]
for t in 0..3:
    r = sigmoid(x[t] Wr + h Ur)
    z = sigmoid(x[t] Wz + h Uz)
    n = tanh(x[t] Wn + r * (h Un))
    h = (1 - z) * n + z * h
loss = sum(h^2)
`,
  },
  {
    name: "attention",
    program: `# Each row of Q asks all rows of K, and gets a mean of the rows of V.
Q: [2, 3] = normal
K: [4, 3] = normal
V: [4, 2] = normal
scores = Q K' / sqrt(3)
weights = softmax(scores)
out = weights V
loss = mean(out^2)
`,
  },
  {
    name: "a linear fit",
    program: `const x: [5, 1] = range
const y: [5, 1] = [[1], [3], [5], [7], [9]]
w: [1, 1] = 0.5
b: [1] = 0
loss = mse(x w + b, y)
`,
  },
  {
    name: "one with a mistake",
    program: `x: [1, 2] = ones
W: [3, 2] = normal
# What is multiplied does not fit: look at the shapes.
h = tanh(x W)
loss = sum(h^2)
`,
  },
];
