//! Formulas whose hidden entry points lie, as far as safe code can: what comes out may be wrong, or a panic,
//! but it was written, and lies where it should. Under Miri this says something.

use std::panic::{AssertUnwindSafe, catch_unwind};

use wengert_kernel::formula::{BackwardJob, ForwardJob};
use wengert_kernel::real::Real;

use super::{GradOptions, grad};
use crate::ops::formula::{Dependence, Of, Pointwise, Trace, trace};
use crate::tape::Variable;
use crate::tensor::Tensor;

crate::pointwise! { struct Other; fn eval(a, b, c) -> 1 { [a * b.exp() + c] } }

#[derive(Clone, Copy)]
enum Lie {
    ForwardWritesNothing,
    BackwardWritesNothing,
    DependsOnAll,
    DependsOnNothing,
    IsAnotherOutputs,
    TraceOfAnother,
}

#[derive(Clone)]
struct Liar(Lie);

impl Pointwise<2, 1> for Liar {
    const NAME: &'static str = "Liar";

    fn eval<R: Real>(&self, [a, b]: [R; 2]) -> [R; 1] {
        [a * b]
    }

    fn dependence(&self) -> Dependence<2> {
        match self.0 {
            Lie::DependsOnAll => Dependence { on: [u32::MAX; 2], same: [None; 2] },
            Lie::DependsOnNothing => Dependence { on: [0; 2], same: [None; 2] },
            Lie::IsAnotherOutputs => Dependence { on: [0; 2], same: [Some(0), Some(9)] },
            _ => self.dependence_found(),
        }
    }

    fn trace(&self, absent: [bool; 1]) -> Trace {
        match self.0 {
            Lie::TraceOfAnother => trace::<_, 3, 1>(&Other, absent),
            _ => trace(self, absent),
        }
    }

    fn forward_f32(&self, job: &ForwardJob<'_, f32, 2, 1>) {
        if !matches!(self.0, Lie::ForwardWritesNothing) {
            job.forward(&Of(self));
        }
    }

    fn backward_f32(&self, job: &BackwardJob<'_, f32, 2, 1>) {
        if !matches!(self.0, Lie::BackwardWritesNothing) {
            job.backward(&Of(self));
        }
    }
}

#[test]
fn a_formula_that_lies_harms_itself_alone() {
    let lies = [
        Lie::ForwardWritesNothing,
        Lie::BackwardWritesNothing,
        Lie::DependsOnAll,
        Lie::DependsOnNothing,
        Lie::IsAnotherOutputs,
        Lie::TraceOfAnother,
    ];
    for lie in lies {
        for (rows, columns) in [(1, 3), (2, 5), (3, 17)] {
            let leaf = |shape: &[usize]| Variable::new(Tensor::<f32>::ones(shape)).requires_grad_(true);
            let (a, b) = (leaf(&[rows, columns]), leaf(&[columns]));
            let read = |all: &[Variable<f32>]| all.iter().flat_map(|x| x.to_vec()).sum::<f32>();
            let _ = catch_unwind(AssertUnwindSafe(|| {
                let y = Liar(lie).apply1([&a, &b]);
                let _ = read(std::slice::from_ref(&y));
                y.square().sum().backward().map(|()| read(&[a.grad().unwrap(), b.grad().unwrap()]))
            }));
            let _ = catch_unwind(AssertUnwindSafe(|| {
                let y = Liar(lie).apply1([&a, &b]).sum();
                grad(&[&y], &[&a, &b], GradOptions::default().create_graph(true)).map(|found| read(&found))
            }));
        }
    }
}
