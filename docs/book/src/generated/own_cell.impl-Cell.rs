impl Cell for Mgu {
    type State = Variable;

    fn input_size(&self) -> usize {
        self.w.weight.shape()[1]
    }

    fn output_size(&self) -> usize {
        self.u.weight.shape()[1]
    }

    fn zero_state(&self, batch: usize) -> Variable {
        Tensor::zeros([batch, self.output_size()]).into()
    }

    fn project(&self, x: &Variable) -> Variable {
        x.linear(&self.w.weight, self.w.bias.as_deref())
    }

    fn step(&self, x: &Variable, h: &Variable) -> (Variable, Variable) {
        let [f, n] = h.linear(&self.u.weight, Some(x)).parts(-1);
        let h = Blend.apply1([&f, &n, h]);
        (h.clone(), h)
    }
}
