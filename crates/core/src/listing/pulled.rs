//! One line's pullback at a time, of a tape that was run again.

use super::{Recompute, Replay, TapeEntry, TapeInput};
use crate::backward::{GradOptions, Late, Waiting, grad, whole};
use crate::base::error::{Error, Result};
use crate::base::mode::no_grad;
use crate::base::refusal::or_refused;
use crate::tape::node::{Edge, with_saved};
use crate::tape::recycle::NodeRef;
use crate::tape::term::{Arrivals, Term, add_whole};
use crate::tape::{Cotangents, Float, Gradients, Variable, Wants, anomaly};
use crate::tensor::Tensor;
use crate::tensor::storage::Claim;

/// A term, or the factors of one, that the pullback of one line brings one of its inputs.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Pulled<T: Float> {
    /// The cotangent of an input that no gradient flows to: none.
    Nothing,
    /// A term of its cotangent, of its shape.
    Term(Variable<T>),
    /// The term `left^T right`, of factors (r, m) and (r, n), which waits for those of other steps and
    /// becomes one product with them: [`LateProducts`].
    Product {
        /// The factor (r, m).
        left: Variable<T>,
        /// The factor (r, n).
        right: Variable<T>,
    },
}

/// The products of one matrix' cotangent that wait to be summed, as the backward keeps them: those of all
/// steps become one product over their rows.
///
/// ```
/// use wengert_core::{LateProducts, Tensor, Variable};
/// let row = |a: f64| Variable::from(Tensor::from([[a, 1.0]]));
/// let (mut late, mut sum) = (LateProducts::default(), None);
/// late.push(row(2.0), row(3.0), &mut sum);
/// late.push(row(4.0), row(5.0), &mut sum);
/// assert_eq!((late.len(), sum.is_none()), (2, true));
/// late.add_to(&mut sum);
/// assert_eq!(sum.unwrap().to_vec(), [26.0, 6.0, 8.0, 2.0]);
/// ```
pub struct LateProducts<T: Float>(Waiting<T>);

impl<T: Float> Default for LateProducts<T> {
    fn default() -> Self {
        LateProducts(Waiting::default())
    }
}

impl<T: Float> std::fmt::Debug for LateProducts<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "LateProducts({})", self.len())
    }
}

impl<T: Float> LateProducts<T> {
    /// One more product `left^T right`. Once there are rows enough for a fast product, all that wait are
    /// added to the sum, and none waits.
    ///
    /// # Panics
    /// If the factors are no matrices of as many rows.
    pub fn push(&mut self, left: Variable<T>, right: Variable<T>, sum: &mut Option<Variable<T>>) {
        let (a, b) = (left.shape(), right.shape());
        assert!(a.len() == 2 && b.len() == 2 && a[0] == b[0], "a product of {a:?}^T and {b:?}");
        no_grad(|| self.0.push(Late::of(left, right), sum));
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.0.pairs()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds all that wait to the sum, as one product.
    pub fn add_to(self, sum: &mut Option<Variable<T>>) {
        no_grad(|| self.0.add_to(sum));
    }
}

/// Where a pullback's terms are kept apart.
struct Apart<T: Float> {
    wants: Vec<bool>,
    pulled: Vec<Pulled<T>>,
    refusal: Option<Error>,
}

impl<T: Float> Arrivals<T> for Apart<T> {
    fn wants(&self, i: usize) -> bool {
        self.wants.get(i).copied().unwrap_or(false)
    }

    fn refuse(&mut self, error: Error) {
        self.refusal.get_or_insert(error);
    }

    fn arrive(&mut self, i: usize, term: Term<T>) {
        let mut sum = match std::mem::replace(&mut self.pulled[i], Pulled::Nothing) {
            Pulled::Nothing => None,
            Pulled::Term(sum) => Some(sum),
            Pulled::Product { left, right } => Some(left.t().matmul(&right)),
        };
        add_whole(&mut sum, whole(term));
        self.pulled[i] = sum.map_or(Pulled::Nothing, Pulled::Term);
    }

    fn arrive_value(&mut self, i: usize, value: Tensor<T>) {
        self.arrive(i, Term::Whole(Variable::from(value)));
    }

    fn arrive_late(&mut self, i: usize, left: Variable<T>, right: Variable<T>) {
        match self.pulled[i] {
            Pulled::Nothing => self.pulled[i] = Pulled::Product { left, right },
            _ => self.arrive(i, Term::Whole(left.t().matmul(&right))),
        }
    }

    fn claim(&mut self, _: usize) -> Option<Claim<T>> {
        None
    }
}

impl<T: Float> Replay<T> {
    /// Runs one line's pullback: what it brings each input, from the cotangents of its outputs, none standing
    /// for zero: the rule of the operation that was run again, once. Nothing is summed over lines.
    ///
    /// A backward that asks for the gradients of all values goes through the lines from the last to the
    /// first, calls each rule so, and adds up what comes.
    ///
    /// # Errors
    /// [`Error::Argument`] for another number of cotangents than of outputs, [`Error::Shape`] for one of
    /// another shape; what the rule refuses. [`Error::Memory`] if there is none for what it brings.
    ///
    /// ```
    /// use wengert_core::{Pulled, Tape, Tensor, Variable, record};
    /// let x = Variable::new(Tensor::from([3.0f64])).requires_grad_(true);
    /// let tape = Tape::of(&record(|| &x * &x));
    /// let again = tape.replay::<f64>()?;
    /// let one = Variable::from(Tensor::from([1.0]));
    /// let pulled = again.pull_back(&tape.entries()[1], &[Some(one)])?;
    /// for input in pulled {
    ///     let Pulled::Term(term) = input else { panic!("{input:?}") };
    ///     assert_eq!(term.to_vec(), [3.0]);
    /// }
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub fn pull_back(&self, entry: &TapeEntry, cotangents: &[Option<Variable<T>>]) -> Result<Vec<Pulled<T>>> {
        self.check_cotangents(entry, cotangents)?;
        or_refused("pull_back", || self.pulled(entry, cotangents))
    }

    fn pulled(&self, entry: &TapeEntry, cotangents: &[Option<Variable<T>>]) -> Result<Vec<Pulled<T>>> {
        let nothing = || Ok(entry.inputs.iter().map(|_| Pulled::Nothing).collect());
        if cotangents.iter().all(Option::is_none) {
            return nothing();
        }
        match self.value(entry.number, 0).and_then(Variable::edge) {
            // One node has all of the line: its rule is run as it stands.
            Some(Edge::Node(node, _)) if is_whole(&node, entry) => by_rule(&node, cotangents),
            // Or steps, or none where an input is handed on as it is, such as a leaf divided by 1.
            Some(_) => self.by_steps(entry, cotangents),
            None => nothing(),
        }
    }

    fn check_cotangents(&self, entry: &TapeEntry, cotangents: &[Option<Variable<T>>]) -> Result<()> {
        if cotangents.len() != entry.outputs.len() {
            let expected = format!("{}, one an output of %{}", entry.outputs.len(), entry.number);
            return Err(Error::argument("pull_back", "cotangents", expected, cotangents.len().to_string()));
        }
        for (cotangent, output) in cotangents.iter().zip(&entry.outputs) {
            if let Some(cotangent) = cotangent.as_ref().filter(|c| c.shape() != output.shape) {
                let expected = format!("a cotangent of the value's shape {:?}", output.shape);
                return Err(Error::shape("pull_back", expected, format!("{:?}", cotangent.shape())));
            }
        }
        Ok(())
    }

    /// The pullback of a formula, whose steps are operations of their own.
    fn by_steps(&self, entry: &TapeEntry, cotangents: &[Option<Variable<T>>]) -> Result<Vec<Pulled<T>>> {
        let fresh = |(input, value): (&TapeInput, Variable<T>)| {
            let wanted = input.number().is_some() && value.requires_grad();
            Variable::new(value.value()).requires_grad_(wanted)
        };
        let values = self.inputs(entry)?;
        let inputs: Vec<Variable<T>> = entry.inputs.iter().zip(values).map(fresh).collect();
        let outputs = entry.apply(&inputs.iter().collect::<Vec<_>>())?;
        let reached = outputs.iter().zip(cotangents).filter(|(output, _)| output.requires_grad());
        let (outputs, cotangents): (Vec<_>, Vec<_>) =
            reached.filter_map(|(output, cotangent)| Some((output, cotangent.clone()?))).unzip();
        let wanted: Vec<&Variable<T>> = inputs.iter().filter(|input| input.requires_grad()).collect();
        let options = GradOptions::default().allow_unused(true).cotangents(cotangents);
        let found = if outputs.is_empty() { Vec::new() } else { grad(&outputs, &wanted, options)? };
        let mut found = found.into_iter();
        let pulled = |input: &Variable<T>| match input.requires_grad() {
            true => found.next().map_or(Pulled::Nothing, Pulled::Term),
            false => Pulled::Nothing,
        };
        Ok(inputs.iter().map(pulled).collect())
    }
}

/// Whether a node is what a line's operation recorded, and all of it.
fn is_whole<T: Float>(node: &NodeRef<T>, entry: &TapeEntry) -> bool {
    let alike = node.inputs.len() == entry.inputs.len() && node.shapes.len() == entry.outputs.len();
    entry.recompute == Recompute::Registered && node.name() == entry.operation && alike
}

fn by_rule<T: Float>(node: &NodeRef<T>, given: &[Option<Variable<T>>]) -> Result<Vec<Pulled<T>>> {
    let wanted = |input: &Option<Edge<T>>| input.is_some();
    let pulled = node.inputs.iter().map(|_| Pulled::Nothing).collect();
    let mut apart = Apart { wants: node.inputs.iter().map(wanted).collect(), pulled, refusal: None };
    let mut cotangents = Cotangents::idle();
    cotangents.begin(given.len());
    for (slot, cotangent) in cotangents.values.iter_mut().zip(given) {
        slot.clone_from(cotangent);
    }
    let passed = no_grad(|| {
        with_saved(node, true, |saved| {
            let mut gradients = Gradients::new(&mut apart, node, Wants::of(&node.inputs, wanted));
            node.rule().fused(saved, &mut cotangents, &mut gradients);
            gradients.passed()
        })
    })?;
    if let Some(error) = apart.refusal.take().or_else(anomaly::found) {
        return Err(error);
    }
    // A cotangent that goes on as it is.
    if let Some(passed) = passed
        && let Some(cotangent) = cotangents.values[passed.output].take()
    {
        apart.arrive(passed.input, Term::Whole(cotangent));
    }
    Ok(apart.pulled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::listing::Tape;
    use crate::tape::recorded::record;

    fn leaf(value: Tensor<f64>) -> Variable<f64> {
        Variable::new(value).requires_grad_(true)
    }

    #[test]
    fn a_weight_of_several_steps_gets_factors() {
        let (x, w) = (leaf(Tensor::ones([2, 3])), leaf(Tensor::ones([3, 4])));
        let tape = Tape::of(&record(|| x.exp().matmul(&w)));
        let again = tape.replay::<f64>().unwrap();
        let g = Variable::from(Tensor::full([2, 4], 0.5));
        let pulled = again.pull_back(tape.entries().last().unwrap(), &[Some(g)]).unwrap();
        assert!(matches!(&pulled[0], Pulled::Term(term) if term.to_vec() == [2.0; 6]), "{pulled:?}");
        let Pulled::Product { left, right } = &pulled[1] else { panic!("{pulled:?}") };
        assert_eq!((left.shape(), right.shape()), (&[2, 3][..], &[2, 4][..]));
    }

    #[test]
    fn the_steps_of_a_formula_are_one_pullback_and_cotangents_must_fit() {
        let x = leaf(Tensor::from([0.25, 4.0]));
        let tape = Tape::of(&record(|| x.silu()));
        let mut again = tape.replay::<f64>().unwrap();
        let entry = &tape.entries()[1];
        let one = Variable::from(Tensor::ones([2]));
        let Pulled::Term(term) = again.pull_back(entry, &[Some(one)]).unwrap().remove(0) else { panic!() };
        again = Tape::of(&record(|| x.silu().sum())).replay().unwrap();
        again.backward().unwrap();
        assert_eq!(term.to_vec(), again.grad(0, 0).unwrap().to_vec());
        let wrong = Variable::from(Tensor::ones([3]));
        let error = again.pull_back(entry, &[Some(wrong)]).unwrap_err().to_string();
        assert!(error.contains("[2]") && error.contains("[3]"), "{error}");
        assert!(again.pull_back(entry, &[]).unwrap_err().to_string().contains("cotangents"));
        assert!(matches!(again.pull_back(entry, &[None]).unwrap()[0], Pulled::Nothing));
    }
}
