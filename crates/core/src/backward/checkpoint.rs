//! Computing again instead of keeping: a part of a program whose intermediate values are not saved.
//!
//! A checkpoint is one operation that saves its inputs. Its pullback is the derivative of the function,
//! taken by running it once more; and as that derivative is itself a function of inputs and cotangents,
//! recording it makes a checkpoint of it. So second derivatives don't keep intermediate values either. What
//! the function captures is found while it first runs, and is an input like the others from then on.

use std::sync::Arc;

use super::grad::{GradOptions, grad};
use crate::base::error::Result;
use crate::base::line::callers;
use crate::base::mode::{is_recording, no_grad, with_recording};
use crate::random::{GeneratorState, generator_state, set_generator_state};
use crate::tape::record::record_all;
use crate::tape::rule::Rule;
use crate::tape::{Cotangents, Float, Gradients, Saved, Saves, Variable, Wants, capture};
use crate::tensor::Tensor;

type Function<T> = Arc<dyn Fn(&[Variable<T>]) -> Result<Vec<Variable<T>>> + Send + Sync>;

/// A function applied as one operation.
struct Checkpoint<T: Float> {
    function: Function<T>,
    /// Where the thread's generator was when the function first ran: it must draw the same again.
    generator: GeneratorState,
}

impl<T: Float> Checkpoint<T> {
    /// On the tape, with the values that the function gave.
    #[track_caller]
    fn record(self, inputs: &[&Variable<T>], outputs: &[Variable<T>]) -> Vec<Variable<T>> {
        let values: Vec<Tensor<T>> = inputs.iter().map(|input| input.value()).collect();
        let tensors: Vec<&Tensor<T>> = values.iter().collect();
        record_all(self, inputs, &tensors, outputs.iter().map(Variable::value).collect()).into_vec()
    }
}

impl<T: Float> Rule<T> for Checkpoint<T> {
    fn name(&self) -> &'static &'static str {
        &"Checkpoint"
    }

    fn saves(&self, _: Wants) -> Saves {
        Saves::INPUTS
    }

    fn pullback(&self, saved: &Saved<'_, T>, cotangents: &Cotangents<T>, gradients: &mut Gradients<'_, T>) {
        let count = saved.input_count();
        let wanted: Vec<bool> = (0..count).map(|i| gradients.wants(i)).collect();
        let given: Vec<bool> = (0..cotangents.len()).map(|k| cotangents.get(k).is_some()).collect();
        let mut all: Vec<Variable<T>> = (0..count).map(|i| saved.input(i)).collect();
        all.extend((0..cotangents.len()).filter_map(|k| cotangents.get(k).cloned()));
        let function = derivative(self.function.clone(), self.generator.clone(), wanted.clone(), given);
        match applied(function, self.generator.clone(), &all) {
            Ok(found) => {
                let inputs = (0..count).filter(|&i| wanted[i]);
                inputs.zip(found).for_each(|(i, gradient)| gradients.add(i, gradient));
            }
            Err(error) => gradients.refuse(error),
        }
    }
}

/// The values of a function that seeds its own randomness, recorded as a checkpoint if anything is
/// recorded.
fn applied<T: Float>(
    function: Function<T>,
    generator: GeneratorState,
    inputs: &[Variable<T>],
) -> Result<Vec<Variable<T>>> {
    let values = no_grad(|| function(inputs))?;
    if !is_recording() {
        return Ok(values);
    }
    let inputs: Vec<&Variable<T>> = inputs.iter().collect();
    Ok(Checkpoint { function, generator }.record(&inputs, &values))
}

/// The derivative of `function` in the `wanted` inputs, as a function of all inputs and of the cotangents
/// of those outputs that have one.
fn derivative<T: Float>(
    function: Function<T>,
    generator: GeneratorState,
    wanted: Vec<bool>,
    given: Vec<bool>,
) -> Function<T> {
    Arc::new(move |all| {
        let create_graph = is_recording();
        let (inputs, cotangents) = all.split_at(wanted.len());
        let leaf = |(input, &wanted): (&Variable<T>, &bool)| match wanted {
            // A recorded call is one that is itself differentiated, in inputs that are leaves already.
            _ if create_graph && input.requires_grad() => input.clone(),
            true => Variable::new(input.value()).requires_grad_(true),
            false => input.detach(),
        };
        let inputs: Vec<Variable<T>> = inputs.iter().zip(&wanted).map(leaf).collect();
        let outputs = drawing_from(&generator, || with_recording(true, || function(&inputs)))?;
        let outputs = outputs.iter().zip(&given).filter(|(_, given)| **given).map(|(output, _)| output);
        let flowing = outputs.zip(cotangents).filter(|(output, _)| output.requires_grad());
        let (outputs, cotangents): (Vec<_>, Vec<_>) = flowing.map(|(y, c)| (y, c.clone())).unzip();
        let targets: Vec<&Variable<T>> =
            inputs.iter().zip(&wanted).filter(|(_, wanted)| **wanted).map(|(input, _)| input).collect();
        if outputs.is_empty() {
            return Ok(targets.iter().map(|x| Variable::from(Tensor::zeros(x.shape()))).collect());
        }
        let options = GradOptions::default().allow_unused(true).create_graph(create_graph);
        grad(&outputs, &targets, options.cotangents(cotangents))
    })
}

/// Runs `f` with the thread's generator where it was once, and puts it back.
fn drawing_from<R>(generator: &GeneratorState, f: impl FnOnce() -> R) -> R {
    struct Restore(GeneratorState);
    impl Drop for Restore {
        fn drop(&mut self) {
            set_generator_state(&self.0);
        }
    }
    let _restore = Restore(generator_state());
    set_generator_state(generator);
    f()
}

/// The values of `f` at `inputs`, of which only the inputs are kept: going back, `f` is run once more
/// (`torch.utils.checkpoint`).
///
/// `f` gives no `Result`, since it runs again in the backward, and so there is no `?` in it: to the `forward`
/// of a layer belongs an `expect`.
///
/// Time for memory: one more forward, and of all that lies between inputs and outputs nothing stays.
/// Gradients are those of a plain call, to every order; randomness (dropout) is drawn again from where the
/// thread's generator was.
///
/// What `f` captures and requires a gradient (a layer, its parameters, a computed value) gets it, as if it
/// were among the inputs. Like these it must not change before the backward, which is refused otherwise, as
/// it is if `f` does not use it again. What `f` does without recording ([`no_grad`](crate::no_grad)) is a
/// constant here as well. The graph owns `f` and what that captures: gradients that are themselves recorded
/// keep it alive until the leaves forget them.
///
/// # Panics
/// If `f` does.
///
/// ```
/// use wengert_core::{checkpoint, Tape, Tensor, Variable};
/// let x = Variable::new(Tensor::from([0.5f64])).requires_grad_(true);
/// let y = checkpoint(|x| vec![x[0].sin().exp().tanh()], &[&x]);
/// assert_eq!(Tape::of(&y[0]).len(), 2); // the leaf and one operation
/// y[0].sum().backward()?;
/// let plain = Variable::new(Tensor::from([0.5f64])).requires_grad_(true);
/// plain.sin().exp().tanh().sum().backward()?;
/// assert_eq!(x.grad().unwrap().to_vec(), plain.grad().unwrap().to_vec());
/// // A parameter that the closure captures learns as well.
/// let w = wengert_core::Parameter::new(Tensor::from([2.0f64]));
/// let captured = w.clone();
/// checkpoint(move |x| vec![&x[0] * &*captured], &[&x])[0].sum().backward()?;
/// assert_eq!(w.grad().unwrap().to_vec(), vec![0.5]);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "remat")]
#[doc(alias = "recompute_grad")]
#[track_caller]
pub fn checkpoint<T: Float>(
    f: impl Fn(&[Variable<T>]) -> Vec<Variable<T>> + Send + Sync + 'static,
    inputs: &[&Variable<T>],
) -> Vec<Variable<T>> {
    let (generator, line) = (generator_state(), callers());
    let constants: Vec<Variable<T>> = inputs.iter().map(|input| input.detach()).collect();
    let (values, captured) = capture::watch(|| f(&constants));
    let edges: Vec<_> = captured.iter().filter_map(Variable::edge).collect();
    let function: Function<T> = Arc::new(move |all| {
        let (inputs, stand_ins) = all.split_at(all.len() - edges.len());
        capture::standing_in(line, &edges, stand_ins, || Ok(f(inputs)))
    });
    let all: Vec<&Variable<T>> = inputs.iter().copied().chain(&captured).collect();
    Checkpoint { function, generator }.record(&all, &values)
}
