/// Tells the first bit of a sequence when it has ended.
struct Model {
    rnn: Recurrent<Mgu>,
    head: Linear,
}
