/// A minimal gated unit: `a, n = W x + b + U h`, and the blend of these.
#[derive(Clone)]
pub struct Mgu {
    w: Linear,
    u: Linear,
}
