impl Mul for Variable<'_> {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        self.tape.record(Rule::Mul, &[self, other], self.value() * other.value())
    }
}
