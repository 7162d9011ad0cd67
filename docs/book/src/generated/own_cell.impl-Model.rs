impl Model {
    fn new() -> Result<Self> {
        let rnn = Recurrent::of(1, |input| Mgu::new(input, 16)).build()?;
        Ok(Model { rnn, head: Linear::new(16, 1)? })
    }

    /// Logits `[batch, 1]` of bits `[steps, batch, 1]`.
    fn logits(&self, bits: &Variable) -> Result<Variable> {
        let (out, _) = self.rnn.forward(bits, None)?;
        self.head.forward(&out.select(0, STEPS - 1))
    }

    fn loss(&self, bits: &Variable) -> Result<Variable> {
        binary_cross_entropy_with_logits(&self.logits(bits)?, &bits.select(0, 0).detach())
    }
}
