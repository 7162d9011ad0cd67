//! Leaves that nobody has a handle to any more, before a backward or in its midst: they get no gradient,
//! and nothing else changes.

use std::sync::{Arc, Mutex};

use wengert_core::{
    Cotangents, Gradients, Operation, Outputs, Parameter, Saved, Saves, Tensor, Wants, with_plain,
};

use crate::{V, gradient, vector};

/// The last handle to a leaf.
type Last = Arc<Mutex<Option<V>>>;

/// `x y`, whose pullback drops a leaf before it does anything.
struct Drops(Last);

impl Operation<f64> for Drops {
    const NAME: &'static str = "Drops";
    fn forward(&self, inputs: &[&Tensor<f64>]) -> Outputs<Tensor<f64>> {
        [inputs[0].zip(inputs[1], |x, y| x * y).unwrap()].into()
    }
    fn saves(&self, _: Wants) -> Saves {
        Saves::INPUTS
    }
    fn pullback(&self, saved: &Saved<'_, f64>, c: &Cotangents<f64>, gradients: &mut Gradients<'_, f64>) {
        drop(self.0.lock().unwrap().take());
        assert_eq!(saved.input_shape(0), [2]);
        gradients.add(0, c.only() * saved.input(1));
        gradients.add(1, c.only() * saved.input(0));
    }
}

#[test]
fn a_pullback_may_drop_the_last_handle_of_its_input() {
    let (x, y) = (vector([1.0, 2.0]), vector([3.0, 4.0]));
    let last: Last = Arc::default();
    let product = Drops(Arc::clone(&last)).apply1(&[&x, &y]);
    *last.lock().unwrap() = Some(x);
    product.sum().backward().unwrap();
    assert!(last.lock().unwrap().is_none());
    assert_eq!(gradient(&y), [1.0, 2.0]);
}

#[test]
fn a_hook_may_drop_the_last_handle_of_a_leaf_behind_it() {
    let (x, y) = (vector([1.0, 2.0]), vector([3.0, 4.0]));
    let last: Last = Arc::default();
    let mut product = &x * &y;
    let taken = Arc::clone(&last);
    product.register_hook(move |_| {
        drop(taken.lock().unwrap().take());
        None
    });
    let loss = product.exp().sum();
    *last.lock().unwrap() = Some(x);
    loss.backward().unwrap();
    assert_eq!(y.grad().unwrap().shape(), &[2]);
}

#[test]
fn a_leafs_own_hook_may_drop_its_last_handle() {
    let (mut x, y) = (vector([1.0, 2.0]), vector([3.0, 4.0]));
    let last: Last = Arc::default();
    let taken = Arc::clone(&last);
    x.register_hook(move |_| {
        drop(taken.lock().unwrap().take());
        None
    });
    let loss = (&x * &y).sum();
    *last.lock().unwrap() = Some(x);
    loss.backward().unwrap();
    assert_eq!(gradient(&y), [1.0, 2.0]);
}

#[test]
fn products_by_views_of_a_leaf_that_is_gone_have_no_gradient_to_give() {
    let x = V::new(Tensor::ones([3, 2])).requires_grad_(true);
    let views: [fn(&V) -> V; 3] = [V::t, |w| w.narrow(0, 1, 2), |w| w.reshape([4, 2]).narrow(0, 2, 2)];
    for view in views {
        let viewed = view(&V::new(Tensor::ones([4, 2])).requires_grad_(true));
        let product = if viewed.shape()[0] == 2 && viewed.shape()[1] == 4 {
            x.matmul(&viewed)
        } else {
            x.linear(&viewed, None)
        };
        x.zero_grad();
        product.sum().backward().unwrap();
        assert_eq!(x.grad().unwrap().to_vec()[0] % 2.0, 0.0);
    }
}

/// From one leaf to a vector of two, by a rule that asks for its input's shape.
type Way = fn(&V) -> V;
const WAYS: [(&str, Way); 7] = [
    ("reshape", |w| w.reshape([2])),
    ("expand", |w| w.narrow(1, 0, 1).expand([2, 1]).squeeze(1)),
    ("permute", |w| w.permute(&[1, 0]).squeeze(0)),
    ("narrow", |w| w.narrow(1, 0, 1).reshape([2])),
    ("sum", |w| w.sum_dim(&[1])),
    ("mean", |w| w.mean_dim(&[1])),
    ("max", |w| w.max_dim(1).0),
];

/// A model that was made inside of a function and dropped there.
#[test]
fn what_a_leaf_that_is_gone_was_turned_into_gets_nothing_and_the_others_get_theirs() {
    for (name, way) in WAYS {
        for plain in [false, true] {
            let x = vector([1.0, 2.0]);
            let y = {
                let w = Parameter::new(Tensor::from([[3.0], [5.0]]));
                &x * way(&w)
            };
            let back = || y.sum().backward();
            if plain { with_plain(back) } else { back() }.unwrap();
            assert_eq!(gradient(&x), [3.0, 5.0], "{name}, plain {plain}");
        }
    }
}
