//! Programs that have a number of things of some kind.

use std::sync::atomic::{AtomicUsize, Ordering};

use wengert::optim::SgdOptions;
use wengert::prelude::*;
use wengert::{checkpoint, detect_anomaly, scope};

/// A kind of thing, and the program that has as many of it as one asks for.
pub struct Kind {
    pub name: &'static str,
    pub of: fn(usize) -> Box<dyn FnMut()>,
}

/// A list of kinds; the body of each sets up, given the number, and gives what is timed.
macro_rules! kinds {
    ($($name:literal |$n:ident| $body:block)*) => {
        pub const ALL: &[Kind] = &[$(Kind { name: $name, of: |$n| { let run = $body; Box::new(run) } }),*];
    };
}

kinds! {
    "scopes" |n| {
        static FRESH: AtomicUsize = AtomicUsize::new(0);
        move || (0..n).for_each(|_| scope(&format!("block{}", FRESH.fetch_add(1, Ordering::Relaxed)), || ()))
    }
    "known-scopes" |n| {
        let names: Vec<String> = (0..n).map(|i| format!("known{i}")).collect();
        move || names.iter().for_each(|name| scope(name, || ()))
    }
    "operations" |n| {
        let x = leaf([1]);
        move || backward(&(0..n).fold(x.clone(), |y, _| y + 1.0))
    }
    "dropped" |n| {
        let x = leaf([1]);
        move || drop((0..n).map(|_| x.tanh()).collect::<Vec<_>>())
    }
    "uses" |n| {
        let x = leaf([1]);
        move || backward(&stack_of(&(0..n).map(|_| x.tanh()).collect::<Vec<_>>()))
    }
    "uses-recorded" |n| {
        let x = leaf([1]);
        move || twice(&stack_of(&(0..n).map(|_| x.tanh()).collect::<Vec<_>>()), &x)
    }
    "listing" |n| {
        let x = leaf([1]);
        let y = (0..n).fold(x, |y, _| y + 1.0);
        move || drop(Tape::of(&y).to_string())
    }
    "anomaly" |n| {
        let x = leaf([1]);
        move || detect_anomaly(|| (0..n).fold(x.clone(), |y, _| y + 1.0).sum().backward()).expect("finite")
    }
    "checkpoints" |n| {
        let x = leaf([1]);
        let step = |y: Variable| checkpoint(|y| vec![y[0].tanh()], &[&y]).remove(0);
        move || backward(&(0..n).fold(x.clone(), |y, _| step(y)))
    }
    "grad-inputs" |n| {
        let x = leaves(n);
        move || drop(gradients(&stack_of(&x), &x, false))
    }
    "grad-inner-inputs" |n| {
        let x = leaves(n);
        move || {
            let y: Vec<Variable> = x.iter().map(Variable::tanh).collect();
            drop(gradients(&stack_of(&y), &y, false));
        }
    }
    "grad-outputs" |n| {
        let x = leaf([1]);
        move || {
            let y: Vec<Variable> = (0..n).map(|_| x.tanh().sum()).collect();
            let refs: Vec<&Variable> = y.iter().collect();
            drop(grad(&refs, &[&x], GradOptions::default()).expect("scalars"));
        }
    }
    "walks-after-a-wide-one" |n| {
        let (x, one) = (leaves(n), leaf([1]));
        move || {
            backward(&stack_of(&x));
            (0..n).for_each(|_| backward(&one));
        }
    }
    "select" |n| {
        let x = leaf([n, 4]);
        move || backward(&stack_of(&(0..n).map(|t| x.select(0, t).tanh()).collect::<Vec<_>>()))
    }
    "select-recorded" |n| {
        let x = leaf([n, 4]);
        move || twice(&stack_of(&(0..n).map(|t| x.select(0, t).tanh()).collect::<Vec<_>>()), &x)
    }
    "unbind" |n| {
        let x = leaf([n, 4]);
        move || backward(&stack_of(&x.unbind(0).iter().map(Variable::tanh).collect::<Vec<_>>()))
    }
    "unbind-recorded" |n| {
        let x = leaf([n, 4]);
        move || twice(&stack_of(&x.unbind(0).iter().map(Variable::tanh).collect::<Vec<_>>()), &x)
    }
    "unbind-but-one" |n| {
        let x = leaf([n, 4]);
        move || backward(&stack_of(&x.unbind(0)[1..].iter().map(Variable::tanh).collect::<Vec<_>>()))
    }
    "unbind-but-one-recorded" |n| {
        let x = leaf([n, 4]);
        move || twice(&stack_of(&x.unbind(0)[1..].iter().map(Variable::tanh).collect::<Vec<_>>()), &x)
    }
    "split-columns" |n| {
        let x = leaf([2, n]);
        move || {
            let parts = x.split(&vec![1; n], 1);
            let parts: Vec<Variable> = parts.iter().map(Variable::tanh).collect();
            backward(&cat(&parts, 1));
        }
    }
    "watched-parts" |n| {
        let x = leaf([n, 4]);
        move || backward(&stack_of(&x.unbind(0).into_iter().map(Variable::retain_grad).collect::<Vec<_>>()))
    }
    "watchers" |n| {
        let x = leaf([1]);
        move || {
            let y = x.tanh();
            let watched: Vec<Variable> = (0..n).map(|_| y.clone().retain_grad()).collect();
            backward(&y);
            drop(watched);
        }
    }
    "hooks" |n| {
        let mut x = leaf([1]);
        move || {
            let ids: Vec<_> = (0..n).map(|_| x.register_hook(|_| None)).collect();
            backward(&x.tanh());
            ids.into_iter().for_each(|id| assert!(x.remove_hook(id)));
        }
    }
    "weight-views" |n| {
        let (weight, x) = (leaf([n, 4]), Variable::new(Tensor::ones([2, 4])));
        move || backward(&stack_of(&rows(&weight, &x)))
    }
    "weight-views-recorded" |n| {
        let (weight, x) = (leaf([n, 4]), leaf([2, 4]));
        move || twice(&stack_of(&rows(&weight, &x).iter().map(Variable::tanh).collect::<Vec<_>>()), &weight)
    }
    "weight-uses" |n| {
        let (weight, x) = (leaf([4, 4]), leaf([1, 4]));
        move || backward(&(0..n).fold(x.clone(), |h, _| h.linear(&weight, None).tanh()))
    }
    "embedded-steps" |n| {
        let weight = leaf([16, 4]);
        let index: Vec<Tensor<i64>> = (0..n).map(|i| Tensor::from([i as i64 % 16])).collect();
        move || backward(&stack_of(&index.iter().map(|index| weight.embedding(index)).collect::<Vec<_>>()))
    }
    "stacked-columns" |n| {
        let x = leaves(n);
        move || backward(&stack(&x, -1))
    }
    "state-dict" |n| {
        let model = parameters(n);
        move || model.load_state_dict(&model.state_dict()).expect("its own")
    }
    "file" |n| {
        let map = parameters(n).state_dict();
        move || drop(TensorMap::from_bytes(&map.to_bytes().expect("a map")).expect("its own"))
    }
    "module" |n| {
        let mut model = parameters(n);
        move || {
            drop((model.parameters(), model.summary(), model.without_gradient(), model.deep_clone()));
            model.set_requires_grad("0", false).expect("there is one");
            model.zero_grad();
            model.train();
        }
    }
    "tied" |n| {
        let one = Parameter::new(Tensor::ones([1]));
        let model: Vec<Parameter> = (0..n).map(|_| one.clone()).collect();
        move || {
            model.load_state_dict(&model.state_dict()).expect("its own");
            drop((model.parameters(), model.deep_clone()));
        }
    }
    "optimizer" |n| {
        let model = parameters(n);
        let mut adam = Adam::new(model.parameters(), 1e-3).expect("a rate").warn_without_gradient(false);
        let set = move || model.iter().for_each(|p| p.set_grad(Some(Tensor::ones([1]).into())));
        move || {
            set();
            clip_grad_norm(&adam.parameters(), 1.0).expect("finite");
            adam.step().expect("nothing is saved");
            adam.load_state_dict(&adam.state_dict()).expect("its own");
        }
    }
    "groups" |n| {
        let model = parameters(n);
        move || {
            let mut sgd = Sgd::new([model[0].clone()], 0.1).expect("a rate");
            for parameter in &model[1..] {
                sgd.add_group([parameter.clone()], SgdOptions::default()).expect("a new one");
            }
            sgd.load_state_dict(&sgd.state_dict()).expect("its own");
        }
    }
    "reported" |n| {
        let model = parameters(n);
        move || {
            let used: Vec<Variable> = model.iter().map(|parameter| Variable::clone(parameter)).collect();
            drop(stack_of(&used).sum().backward_reporting(&model).expect("a scalar"));
            model.zero_grad();
        }
    }
    "sequences" |n| {
        let sequences: Vec<Variable> = (0..n).map(|i| leaf([1 + i % 3, 2])).collect();
        move || {
            let pack = PackOptions::default().enforce_sorted(false);
            let pad = PadOptions::default().batch_first(true);
            let packed = pack_sequence(&sequences, pack).expect("alike");
            let again = unpack_sequence(&packed);
            let (batch, lengths) = pad_packed_sequence(&packed, pad).expect("as long as needed");
            drop(unpad_sequence(&batch, &lengths, pad).expect("its lengths"));
            backward(&pad_sequence(&again, pad).expect("alike"));
        }
    }
    "steps" |n| {
        let (rnn, x) = (Gru::new(2, 2).expect("sizes"), leaf([n, 1, 2]));
        move || backward(&rnn.forward(&x, None).expect("fits").0)
    }
    "steps-recorded" |n| {
        let (rnn, x) = (Gru::new(2, 2).expect("sizes"), leaf([n, 1, 2]));
        move || twice(&rnn.forward(&x, None).expect("fits").0, &x)
    }
    "steps-of-lengths" |n| {
        let (rnn, x) = (Gru::new(2, 2).expect("sizes"), leaf([n, 2, 2]));
        let in_any_order = PackOptions::default().enforce_sorted(false);
        let packed = pack_padded_sequence(&x, &[n / 2, n], in_any_order).expect("lengths");
        move || {
            let packed = rnn.forward_packed(&packed, None).expect("fits").0;
            backward(packed.data());
        }
    }
    "segments" |n| {
        let rnn = Gru::builder(2, 2).checkpointing(Checkpointing::Every(2)).build().expect("sizes");
        let x = leaf([n, 1, 2]);
        move || backward(&rnn.forward(&x, None).expect("fits").0)
    }
    "layers-made" |n| {
        move || drop(Rnn::builder(2, 2).num_layers(n / 16).build().expect("sizes"))
    }
    "layers" |n| {
        let n = n / 16;
        let (rnn, x) = (Rnn::builder(2, 2).num_layers(n).build().expect("sizes"), leaf([2, 1, 2]));
        move || {
            backward(&rnn.forward(&x, None).expect("fits").0);
            drop(rnn.state_dict());
        }
    }
}

fn leaf<const R: usize>(shape: [usize; R]) -> Variable {
    Variable::new(Tensor::full(shape, 0.5)).requires_grad_(true)
}

fn leaves(n: usize) -> Vec<Variable> {
    (0..n).map(|_| leaf([1])).collect()
}

fn parameters(n: usize) -> Vec<Parameter> {
    (0..n).map(|_| Parameter::new(Tensor::ones([1]))).collect()
}

fn stack_of(parts: &[Variable]) -> Variable {
    stack(parts, 0)
}

/// `x` multiplied by each row of a weight.
fn rows(weight: &Variable, x: &Variable) -> Vec<Variable> {
    (0..weight.shape()[0]).map(|row| x.linear(&weight.narrow(0, row, 1), None)).collect()
}

fn backward(y: &Variable) {
    y.sum().backward().expect("a scalar of leaves");
}

fn gradients(y: &Variable, x: &[Variable], create_graph: bool) -> Vec<Variable> {
    let options = GradOptions::default().create_graph(create_graph);
    grad(&[&y.sum()], &x.iter().collect::<Vec<_>>(), options).expect("each is used")
}

/// A derivative that is recorded, and its own.
fn twice(y: &Variable, x: &Variable) {
    let first = gradients(y, std::slice::from_ref(x), true);
    gradients(&first[0].square(), std::slice::from_ref(x), false);
}
