//! What is refused, what the refusal says, and where it points to: the user's line.

use std::panic::{self, AssertUnwindSafe};
use std::sync::Mutex;

use wengert_core::{
    Cotangents, GradOptions, Gradients, Operation, Outputs, Parameter, Pointwise, Saved, Tape, Tensor, cat,
    grad, pointwise, stack,
};

use crate::{V, scalar, vector};

#[test]
fn a_second_backward_says_which_operation_has_been_differentiated() {
    let x = scalar(2.0);
    let y = x.exp() * 3.0;
    let line = line!() - 1;
    y.backward().unwrap();
    let text = y.backward().unwrap_err().to_string();
    assert!(text.starts_with("backward through freed values: Exp recorded at "), "{text}");
    assert!(text.contains(&format!("refusals.rs:{line}:")) && text.ends_with("retain the graph"), "{text}");
}

#[test]
fn only_a_scalar_is_differentiated_without_a_cotangent() {
    let y = vector([1.0, 2.0]) * 2.0;
    let expected = "backward of a value of shape [2]: only a scalar has an implicit cotangent, \
        give one with backward_with";
    assert_eq!(y.backward().unwrap_err().to_string(), expected);
    assert_eq!(grad(&[&y], &[&y], GradOptions::default()).unwrap_err().to_string(), expected);
    let wrong = y.backward_with(&V::from(Tensor::ones([3]))).unwrap_err().to_string();
    assert_eq!(wrong, "backward: expected a cotangent of the value's shape [2], got [3]");
    let wrong = grad(&[&y], &[&y], GradOptions::default().cotangents(Vec::new())).unwrap_err().to_string();
    assert_eq!(wrong, "grad: expected 1 cotangents, one an output, got 0");
    // One element in several axes will do.
    (V::new(Tensor::ones([1, 1])).requires_grad_(true) * 2.0).backward().unwrap();
}

#[test]
fn what_has_no_history_has_no_gradient() {
    let x = V::from(Tensor::scalar(1.0));
    let text = |operation| {
        format!("{operation}: the value neither requires a gradient nor was computed from one that does")
    };
    assert_eq!(x.backward().unwrap_err().to_string(), text("backward"));
    assert_eq!(grad(&[&x], &[&scalar(1.0)], GradOptions::default()).unwrap_err().to_string(), text("grad"));
    assert_eq!(grad(&[&scalar(1.0)], &[&x], GradOptions::default()).unwrap_err().to_string(), text("grad"));
}

#[test]
fn a_graph_keeps_the_values_that_it_was_recorded_with() {
    let w = Parameter::new(Tensor::from([1.0, 2.0]));
    let (kept, before) = (w.square().sum(), w.value());
    w.update("step", |values| values.fill(5.0)).unwrap();
    assert_eq!((w.to_vec(), before.to_vec()), (vec![5.0; 2], vec![1.0, 2.0]));
    let second = w.square().sum();
    w.set_value(Tensor::from([7.0, 7.0])).unwrap();
    assert!(w.set_value(Tensor::ones([3])).is_err());
    let take = |y: &V| {
        y.backward_options(None, &GradOptions::default().retain_graph(true)).unwrap();
        let gradient = w.grad().unwrap().to_vec();
        w.zero_grad();
        gradient
    };
    for _ in 0..2 {
        // A graph that was retained keeps them for the next time as well.
        assert_eq!((take(&kept), take(&second)), (vec![2.0, 4.0], vec![10.0; 2]));
        w.update("step", |values| values.iter_mut().for_each(|value| *value += 1.0)).unwrap();
    }
    let options = GradOptions::default().create_graph(true);
    let first = grad(&[&kept], &[&w], options).unwrap().remove(0);
    w.update("step", |values| values.fill(0.0)).unwrap();
    let of_cube = (&first * &first * &first).sum();
    // d/dw (2 w)^3 = 24 w^2, where w was 1 and 2.
    assert_eq!(grad(&[&of_cube], &[&w], GradOptions::default()).unwrap()[0].to_vec(), [24.0, 96.0]);
}

/// An operation whose pullback gives what it was told to.
struct Wrong {
    shape: Vec<usize>,
}

impl Operation<f64> for Wrong {
    const NAME: &'static str = "Wrong";
    fn forward(&self, inputs: &[&Tensor<f64>]) -> Outputs<Tensor<f64>> {
        [inputs[0].map(|x| x + 1.0)].into()
    }
    fn pullback(&self, saved: &Saved<'_, f64>, _: &Cotangents<f64>, gradients: &mut Gradients<'_, f64>) {
        if self.shape.is_empty() {
            saved.input(0);
        }
        gradients.add(0, V::from(Tensor::ones(&self.shape)));
    }
}

#[test]
fn a_parameter_that_stands_for_another_variable_does_not_change() {
    let expected = "scale: expected a parameter that can change, got one that stands for a computed value";
    for variable in [vector([1.0, 2.0]), vector([1.0, 2.0]).requires_grad_(false), vector([1.0, 2.0]) * 2.0] {
        let (parameter, before) = (Parameter::computed(variable.clone()).named("scale"), variable.to_vec());
        let set = || parameter.set_value(Tensor::from([5.0, 6.0]));
        let update = || parameter.update("step", |values| values.fill(7.0));
        for change in [&set as &dyn Fn() -> _, &update] {
            let refusal = panic::catch_unwind(AssertUnwindSafe(change)).unwrap_err();
            let refusal = refusal
                .downcast_ref::<String>()
                .cloned()
                .or(refusal.downcast_ref::<&str>().map(|s| s.to_string()));
            assert_eq!(refusal.unwrap(), expected);
        }
        assert_eq!(variable.to_vec(), before);
    }
}

#[test]
#[should_panic(expected = "the pullback of Wrong: expected a cotangent of its input's shape [2], got [2, 1]")]
fn a_pullback_of_a_wrong_shape_is_named() {
    let x = vector([1.0, 2.0]);
    Wrong { shape: vec![2, 1] }.apply1(&[&x]).sum().backward().unwrap();
}

#[test]
#[should_panic(expected = "the pullback of Wrong: expected a cotangent of its input's shape [2], got [3]")]
fn a_pullback_of_a_wrong_shape_to_an_intermediate_value_is_named() {
    let x = vector([1.0, 2.0]);
    Wrong { shape: vec![3] }.apply1(&[&(&x * 2.0)]).sum().backward().unwrap();
}

#[test]
#[should_panic(expected = "Wrong: its pullback asks for input 0, which it does not save")]
fn a_pullback_that_asks_for_what_it_does_not_save_is_named() {
    let x = vector([1.0, 2.0]);
    Wrong { shape: vec![] }.apply1(&[&x]).sum().backward().unwrap();
}

pointwise! { struct Triple; fn eval(a, b, c) -> 1 { [a * b * c] } }

type Call = (&'static str, fn(&V) -> V);

/// Calls on a 2 x 3 matrix that are right.
const RIGHT: &[Call] = &[
    ("operators", |x| x + x - x * x / x),
    ("scalars", |x| 1.0 - (2.0 * x + 3.0) / 4.0),
    ("negation", |x| -x),
    ("elementwise", |x| x.exp().sin().tanh().relu().softplus().sqrt().maximum(x).clamp(0.0, 1.0).pow(x)),
    ("pow_scalar", |x| x.pow_scalar(3.0)),
    ("user formula", |x| Triple.apply([x, x, x])[0].clone()),
    ("choices", |x| x.where_(&x.gt(x), x).masked_fill(&x.lt(x), 0.0).scale(x)),
    ("matmul", |x| x.matmul(&x.t())),
    ("linear", |x| x.linear(x, None)),
    ("sums", |x| x.sum_keepdim(&[0]).mean_keepdim(&[1]).sum_to([1]).sum().mean()),
    ("extremes", |x| x.amax_keepdim(&[0]).amin_keepdim(&[1]).max().min()),
    ("extremes along", |x| x.max_keepdim(0).0.min_dim(1).0),
    ("softmax", |x| x.softmax(0).log_softmax(1).logsumexp(-1)),
    ("views", |x| {
        x.narrow(0, 0, 1).slice(1, 0, 3, 2).expand([4, 2]).transpose(0, 1).reshape([8]).select(0, 0)
    }),
    ("other views", |x| x.unsqueeze(0).permute(&[2, 0, 1]).squeeze(1).t().contiguous()),
    ("joins", |x| stack(&[&cat(&[x, x], 0), &cat(&[x, x], 0)], 0)),
    ("parts", |x| x.split(&[1, 1], 0)[0].chunk(3, 1)[1].unbind(0)[0].clone()),
    ("indices", |x| {
        x.index_select(0, &Tensor::from([0i64]))
            .gather(0, &Tensor::from([[0i64, 0, 0]]))
            .embedding(&Tensor::from([0i64]))
    }),
    ("scatter_add", |x| x.scatter_add(0, &Tensor::from([[0i64, 0, 0]]), x)),
    ("scans", |x| x.cumsum(0).cumprod(1).linear_scan(x, 0).prod_keepdim(0).prod()),
    ("statistics", |x| x.var_keepdim(&[0], 1) + x.std_keepdim(&[1], 0) + x.norm(2.0, &[])),
    ("other norms", |x| x.norm_keepdim(f64::INFINITY, &[0]).norm_keepdim(3.0, &[1])),
    ("order", |x| x.sort_descending(1).0.topk(2, 1).0),
    ("indices and ranges", |x| x.i((1, 1..)).i(-1)),
    ("rearrangements", |x| x.flip(&[0]).roll(&[1], &[1]).roll(&[1], &[]).repeat(&[2, 1]).pad(&[1, -1], 0.5)),
    ("triangles", |x| x.tril(0).triu(-1)),
    ("products", |x| {
        let row = x.select(0, 0);
        row.outer(&row).select(0, 1).dot(&row)
            + x.bilinear(x, &x.unsqueeze(0).matmul(&x.t()).expand([1, 2, 2]).pad(&[0, 1, 0, 1], 0.0), None)
                .sum()
    }),
    ("dropout", |x| x.dropout(0.5).unwrap()),
    ("layer_norm", |x| x.layer_norm(&[3], None, None, 1e-5)),
];

#[test]
fn every_recorded_operation_knows_the_line_that_called_it() {
    for (name, call) in RIGHT {
        let x = V::new(Tensor::full([2, 3], 0.5)).requires_grad_(true);
        let tape = Tape::of(&call(&x));
        for entry in tape.entries().iter().filter(|entry| entry.operation != "leaf") {
            let file = &entry.location.as_ref().expect("an operation has a location").file;
            assert!(file.ends_with("refusals.rs"), "{name}: {} recorded at {file}", entry.operation);
        }
        assert!(tape.len() > 1, "{name}");
    }
}

/// Calls on a 2 x 3 matrix that are wrong, and what they say.
const WRONG: &[Call] = &[
    ("Add: expected shapes that broadcast with [2, 3], got [2]", |x| x + x.select(1, 0)),
    ("Mul: expected shapes that broadcast with [2, 3], got [3, 2]", |x| x * x.t()),
    ("Maximum: expected shapes that broadcast with [2, 3], got [3, 2]", |x| x.maximum(&x.t())),
    ("Pow: expected shapes that broadcast with [2, 3], got [3, 2]", |x| x.pow(x.t())),
    ("Triple: expected shapes that broadcast with [2, 3], got [3, 2]", |x| {
        Triple.apply([x, x, &x.t()])[0].clone()
    }),
    ("Scale: expected shapes that broadcast with [2, 3], got [3, 2]", |x| x.scale(&x.t())),
    ("Where: expected shapes", |x| x.where_(&x.gt(x), &x.t())),
    ("MaskedFill: expected shapes", |x| x.masked_fill(&x.t().gt(x.t()), 0.0)),
    ("expected shapes that broadcast with [2, 3], got [3, 2]", |x| x.where_(&x.gt(x.t()), x)),
    ("matmul: expected a right operand that fits [2, 3], got [2, 3]", |x| x.matmul(x)),
    ("matmul: expected shapes that broadcast with [2], got [3]", |x| {
        x.expand([2, 2, 3]).matmul(&x.t().expand([3, 3, 2]))
    }),
    ("linear: expected an input whose last axis is 2, got [2, 3]", |x| x.linear(&x.t(), None)),
    ("linear: expected a bias that broadcasts to [2, 2], got [2, 3]", |x| x.linear(x, Some(x))),
    ("sum: dim must be in [-2, 2) for a tensor of rank 2, got 2", |x| x.sum_dim(&[2])),
    ("mean: dim must be free of repetitions, got [0, -2]", |x| x.mean_dim(&[0, -2])),
    ("amax, amin: dim must be in [-2, 2)", |x| x.amax(&[5])),
    ("max, min: dim must be in [-2, 2)", |x| x.max_dim(-3).0),
    ("expected an axis with elements, got shape [2, 0]", |x| x.narrow(1, 0, 0).max_dim(1).0),
    ("expected an axis with elements, got shape [2, 0]", |x| x.narrow(1, 0, 0).amax(&[1])),
    ("sum_to: expected a shape that broadcasts to [2, 3], got [2]", |x| x.sum_to([2])),
    ("softmax: dim must be in [-2, 2)", |x| x.softmax(2)),
    ("log_softmax: dim must be in [-2, 2)", |x| x.log_softmax(2)),
    ("logsumexp: dim must be in [-2, 2)", |x| x.logsumexp_keepdim(2)),
    ("select: index must be below 2 in shape [2, 3], got 2", |x| x.select(0, 2)),
    ("narrow: start + length must be at most 3 in shape [2, 3], got 1 + 3", |x| x.narrow(1, 1, 3)),
    ("slice: step must be at least 1, got 0", |x| x.slice(0, 0, 1, 0)),
    ("i: every index must be inside the 2 places of axis 0 in shape [2, 3], got 2", |x| x.i((2, ..))),
    ("transpose: dim must be in [-2, 2)", |x| x.transpose(0, 2)),
    ("permute: dims must be each of the 2 axes once, got [0, 0]", |x| x.permute(&[0, 0])),
    ("reshape: expected a shape of 6 elements for [2, 3], got [4]", |x| x.reshape([4])),
    ("expand: expected a shape that [2, 3] broadcasts to, got [4, 3]", |x| x.expand([4, 3])),
    ("squeeze: dim must be in [-2, 2)", |x| x.squeeze(2)),
    ("unsqueeze: dim must be in [-3, 3)", |x| x.unsqueeze(3)),
    ("cat: expected shapes equal to [2, 3] but along axis 0, got [3, 2] in input 1", |x| {
        cat(&[x, &x.t()], 0)
    }),
    ("cat: expected at least one input, got none", |_| cat(&[] as &[V], 0)),
    ("stack: expected at least one input, got none", |_| stack(&[] as &[V], 0)),
    ("stack: expected shapes equal to [2, 3], got [3, 2] in input 1", |x| stack(&[x, &x.t()], 0)),
    ("split: expected extents that add up to 3, got [1, 1]", |x| x.split(&[1, 1], 1)[0].clone()),
    ("parts: expected 2 equal parts of axis 1, got extent 3", |x| x.parts::<2>(1)[0].clone()),
    ("chunk: expected at least one chunk, got 0", |x| x.chunk(0, 1)[0].clone()),
    ("unbind: dim must be in [-2, 2)", |x| x.unbind(2)[0].clone()),
    ("index_select: every index must be in 0..2, got 2", |x| x.index_select(0, &Tensor::from([2i64]))),
    ("index_select: expected a 1-D index, got shape [1, 1]", |x| x.index_select(0, &Tensor::from([[0i64]]))),
    ("embedding: every index must be in 0..2, got -1", |x| x.embedding(&Tensor::from([-1i64]))),
    ("embedding: expected a weight of shape (V, D), got [2]", |x| {
        x.select(1, 0).embedding(&Tensor::from([0i64]))
    }),
    ("gather: every index must be in 0..3, got 3", |x| x.gather(1, &Tensor::from([[3i64]]))),
    ("gather: expected an index that fits [2, 3] but along axis 1, got [1]", |x| {
        x.gather(1, &Tensor::from([0i64]))
    }),
    ("scatter_add: expected an index that fits", |x| x.scatter_add(1, &Tensor::from([0i64]), x)),
    ("scatter_add: expected a source of rank 2", |x| {
        x.scatter_add(1, &Tensor::from([[0i64]]), &x.unsqueeze(2))
    }),
    ("scatter_add: expected a source of rank 2", |x| {
        x.scatter_add(1, &Tensor::from([[0i64]]), &x.select(0, 0))
    }),
    ("narrow: start + length must be at most 3", |x| x.scatter_add(1, &Tensor::from([[0i64, 0, 0, 0]]), x)),
    ("cumsum: dim must be in [-2, 2)", |x| x.cumsum(2)),
    ("cumprod: dim must be in [-2, 2)", |x| x.cumprod(2)),
    ("linear_scan: expected terms of the factors' shape [2, 3], got [3, 2]", |x| x.linear_scan(&x.t(), 0)),
    ("prod: dim must be in [-2, 2)", |x| x.prod_dim(-3)),
    ("var: dim must be in [-2, 2)", |x| x.var_dim(&[2], 1)),
    ("std: dim must be free of repetitions", |x| x.std_dim(&[0, 0], 1)),
    ("norm: dim must be in [-2, 2)", |x| x.norm(2.0, &[2])),
    ("sort: dim must be in [-2, 2)", |x| x.sort(2).0),
    ("topk: dim must be in [-2, 2)", |x| x.topk(1, 2).0),
    ("topk: k must be at most 3 in shape [2, 3], got 4", |x| x.topk(4, 1).0),
    ("flip: dim must be in [-2, 2)", |x| x.flip(&[2])),
    ("roll: dim must be in [-2, 2)", |x| x.roll(&[1], &[2])),
    ("roll: expected as many shifts as dims, 1, got 2", |x| x.roll(&[1, 1], &[0])),
    ("repeat: expected at least 2 repeats, one for each axis, got [2]", |x| x.repeat(&[2])),
    ("pad: expected two numbers for each of at most 2 axes, got [1]", |x| x.pad(&[1], 0.0)),
    ("pad: expected to take at most 3 elements from axis 1 in [2, 3], got [-2, -2]", |x| {
        x.pad(&[-2, -2], 0.0)
    }),
    ("tril: expected at least two axes, got shape [3]", |x| x.select(0, 0).tril(0)),
    ("triu: expected at least two axes, got shape [3]", |x| x.select(0, 0).triu(0)),
    ("dot: expected two vectors of one length, got [2, 3] and [2, 3]", |x| x.dot(x)),
    ("outer: expected two vectors, got [2, 3] and [2, 3]", |x| x.outer(x)),
    ("bilinear: expected (.., in1), (.., in2) and (out, in1, in2), got [2, 3], [2, 3] and [2, 3]", |x| {
        x.bilinear(x, x, None)
    }),
    ("Add: expected shapes that broadcast with [2, 3], got [2]", |x| {
        (x.value() + x.value().select(1, 0).unwrap()).into()
    }),
    ("Mul: expected shapes that broadcast with [2, 3], got [3, 2]", |x| (x.value() * x.t().value()).into()),
    ("matmul: expected a right operand that fits [2, 3], got [2, 3]", |x| {
        x.value().matmul(&x.value()).into()
    }),
    ("max, min: dim must be in [-2, 2)", |x| V::from(x.argmax(2).cast())),
    ("set_grad: expected shape [2, 3], got [3, 2]", |x| {
        x.set_grad(Some(x.t()));
        x.clone()
    }),
];

/// What the last panic on each thread said, and the file it pointed to.
static PANICS: Mutex<Vec<(std::thread::ThreadId, String, String)>> = Mutex::new(Vec::new());

#[test]
fn a_wrong_call_says_what_is_wrong_at_the_callers_line() {
    let usual = panic::take_hook();
    let own = std::thread::current().id();
    panic::set_hook(Box::new(move |info| {
        let thread = std::thread::current().id();
        if thread != own {
            return usual(info);
        }
        let file = info.location().map_or(String::new(), |location| location.file().to_string());
        let said = info.payload().downcast_ref::<String>().cloned();
        let said = said.or_else(|| info.payload().downcast_ref::<&str>().map(|said| said.to_string()));
        PANICS.lock().unwrap().push((thread, said.unwrap_or_default(), file));
    }));
    let mut faults = Vec::new();
    for (expected, call) in WRONG {
        let x = V::new(Tensor::full([2, 3], 0.5)).requires_grad_(true);
        let refused = panic::catch_unwind(AssertUnwindSafe(|| drop(call(&x)))).is_err();
        let said = PANICS.lock().unwrap().pop();
        match said {
            Some((_, text, file)) if refused => {
                if !text.contains(expected) {
                    faults.push(format!("{text:?} instead of {expected:?}"));
                }
                if !file.ends_with("refusals.rs") {
                    faults.push(format!("{expected:?} points to {file}"));
                }
            }
            _ => faults.push(format!("{expected:?} was not refused")),
        }
    }
    let _ = panic::take_hook();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
