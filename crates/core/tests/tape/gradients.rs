//! Which gradients come, where to, and how they add up.

use wengert_core::{
    GradOptions, Parameter, Tape, Tensor, Variable, cat, enable_grad, grad, is_recording, no_grad, scope,
};

use crate::{V, gradient, scalar, vector};

fn options() -> GradOptions<f64> {
    GradOptions::default()
}

#[test]
fn a_variable_used_several_times_gets_the_sum() {
    let x = scalar(3.0);
    (&x * &x + &x * 4.0 + x.sin() * 0.0).backward().unwrap();
    assert_eq!(gradient(&x), [10.0]);
    let x = vector([1.0, 2.0, 3.0]);
    (x.narrow(0, 0, 2).sum() * 2.0 + x.narrow(0, 1, 2).sum() + x.select(0, 1)).backward().unwrap();
    assert_eq!(gradient(&x), [2.0, 4.0, 1.0]);
    cat(&[&x, &x], 0).sum().backward().unwrap();
    assert_eq!(gradient(&x), [4.0, 6.0, 3.0]);
}

#[test]
fn gradients_of_several_backwards_accumulate_until_they_are_forgotten() {
    let x = vector([1.0, 2.0]);
    for _ in 0..2 {
        x.square().sum().backward().unwrap();
    }
    assert_eq!(gradient(&x), [4.0, 8.0]);
    let held = x.grad().unwrap();
    x.sum().backward().unwrap();
    assert_eq!(
        (gradient(&x), held.to_vec()),
        (vec![5.0, 9.0], vec![4.0, 8.0]),
        "a gradient given away does not change"
    );
    x.zero_grad();
    assert!(x.grad().is_none());
}

#[test]
fn a_cotangent_given_is_not_changed_by_what_is_added_to_it() {
    let x = vector([1.0, 2.0]);
    let cotangent = V::from(Tensor::from([1.0, 1.0]));
    // The cotangent itself is the gradient's first term.
    let y = x.contiguous() + 0.0;
    y.backward_with(&cotangent).unwrap();
    (&x * 5.0).sum().backward().unwrap();
    assert_eq!((cotangent.to_vec(), gradient(&x)), (vec![1.0, 1.0], vec![6.0, 6.0]));
}

#[test]
fn recording_can_be_switched_off_and_on() {
    let x = scalar(2.0);
    assert!(is_recording());
    let y = no_grad(|| {
        assert!(!is_recording());
        assert!(enable_grad(|| &x * 2.0).requires_grad());
        &x * 2.0
    });
    assert!(is_recording() && !y.requires_grad() && y.is_leaf());
    let caught = std::panic::catch_unwind(|| no_grad(|| panic!("inside")));
    assert!(caught.is_err() && is_recording());
    // A backward inside no_grad finds what was recorded outside.
    let z = &x * &x;
    no_grad(|| z.backward()).unwrap();
    assert_eq!(gradient(&x), [4.0]);
}

#[test]
fn requires_grad_can_be_toggled_on_leaves() {
    let x = scalar(2.0);
    let y = &x * 3.0;
    let x = x.requires_grad_(false);
    assert!(!(&x * 3.0).requires_grad());
    // What was recorded before leads to a leaf that wants nothing now.
    y.backward().unwrap();
    assert!(x.grad().is_none());
    let x = x.requires_grad_(true);
    (&x * 3.0).backward().unwrap();
    assert_eq!(gradient(&x), [3.0]);
    let frozen = Parameter::new(Tensor::scalar(1.0f64));
    frozen.set_requires_grad(false);
    assert!(!(&*frozen * 2.0).requires_grad());
    // A value without history becomes a leaf.
    assert!((V::from(Tensor::scalar(1.0)) * 2.0).requires_grad_(true).is_leaf());
}

#[test]
#[should_panic(expected = "only a leaf can stop requiring a gradient")]
fn a_computed_value_can_not_stop_requiring_a_gradient() {
    let _ = (scalar(1.0) * 2.0).requires_grad_(false);
}

#[test]
fn detach_cuts_the_history_and_shares_the_value() {
    let x = scalar(3.0);
    let y = &x * &x;
    let cut = y.detach();
    assert!(!cut.requires_grad() && cut.value().shares_storage(&y.value()));
    (&cut * &x).backward().unwrap();
    assert_eq!(gradient(&x), [9.0]);
}

#[test]
fn a_retained_graph_is_gone_through_again() {
    let x = scalar(3.0);
    let y = x.exp() * &x;
    y.backward_options(None, &options().retain_graph(true)).unwrap();
    let once = gradient(&x);
    y.backward_options(None, &options().create_graph(true)).unwrap();
    y.backward().unwrap();
    assert_eq!(gradient(&x), [once[0] + once[0] + once[0]]);
}

#[test]
fn create_graph_records_the_gradients_that_backward_leaves() {
    let x = scalar(2.0);
    (&x * &x * &x).backward_options(None, &options().create_graph(true)).unwrap();
    let first = x.grad().unwrap();
    assert!(first.requires_grad());
    x.zero_grad();
    first.backward().unwrap();
    assert_eq!((first.item().unwrap(), gradient(&x)), (12.0, vec![12.0]));
}

#[test]
fn grad_of_an_intermediate_value() {
    let x = scalar(2.0);
    let y = &x * 3.0;
    let z = &y * &y;
    let found = grad(&[&z], &[&y, &x, &z], options()).unwrap();
    assert_eq!(found.iter().map(|g| g.item().unwrap()).collect::<Vec<_>>(), [12.0, 36.0, 1.0]);
    assert!(x.grad().is_none() && y.grad().is_none());
}

#[test]
fn grad_of_one_part_of_several() {
    let x = vector([1.0, 2.0, 3.0]);
    let parts = x.split(&[1, 2], 0);
    let z = (&parts[0] * 10.0).sum() + parts[1].square().sum();
    let found = grad(&[&z], &[&parts[1], &parts[0]], options()).unwrap();
    assert_eq!((found[0].to_vec(), found[1].to_vec()), (vec![4.0, 6.0], vec![10.0]));
}

#[test]
fn grad_of_several_outputs_is_the_sum() {
    let (x, w) = (vector([1.0, 2.0]), scalar(5.0));
    let (a, b) = (&x * &w, x.square().sum());
    let cotangents = vec![V::from(Tensor::from([1.0, 10.0])), V::from(Tensor::scalar(0.5))];
    let found = grad(&[&a, &b], &[&x, &w], options().cotangents(cotangents)).unwrap();
    assert_eq!((found[0].to_vec(), found[1].to_vec()), (vec![6.0, 52.0], vec![21.0]));
    let twice = grad(&[&w, &w], &[&w], options()).unwrap();
    assert_eq!(twice[0].item().unwrap(), 2.0);
    let same = grad(&[&(&w * &w)], &[&w, &w], options()).unwrap();
    assert_eq!((same[0].item().unwrap(), same[1].item().unwrap()), (10.0, 10.0));
}

#[test]
fn grad_computes_nothing_it_is_not_asked_for() {
    let (x, w) = (scalar(2.0), scalar(3.0));
    let mut branch = w.exp();
    branch.register_hook(|_| panic!("leads to nothing that is wanted"));
    let found = grad(&[&(&branch * 0.5 + &x * 4.0)], &[&x], options()).unwrap();
    assert_eq!(found[0].item().unwrap(), 4.0);
}

#[test]
fn an_unused_input_is_an_error_or_zeros() {
    let (x, unused) = (scalar(2.0), vector([1.0, 2.0]));
    let y = &x * 2.0;
    let error = grad(&[&y], &[&x, &unused], options().retain_graph(true)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "grad: input 1 of shape [2] was not used to compute the outputs; allow it with allow_unused"
    );
    let found = grad(&[&y], &[&x, &unused], options().allow_unused(true)).unwrap();
    assert_eq!((found[0].to_vec(), found[1].to_vec()), (vec![2.0], vec![0.0, 0.0]));
}

#[test]
fn a_leaf_that_is_gone_takes_no_gradient() {
    let x = scalar(2.0);
    let y = {
        let w = scalar(3.0);
        &x * &w
    };
    y.backward().unwrap();
    assert_eq!(gradient(&x), [3.0]);
}

#[test]
fn the_listing_reads_as_a_program() {
    let x = V::new(Tensor::zeros([2, 3])).requires_grad_(true);
    let w = V::new(Tensor::zeros([4, 3])).requires_grad_(true);
    let h = scope("rnn", || scope("cell", || x.linear(&w, None).tanh()));
    let parts = h.chunk(2, 1);
    let loss = scope("loss", || (&parts[0] * &parts[1]).sum());
    assert_eq!(
        Tape::of(&loss).to_string(),
        "\
%0 = leaf                        [2, 3]  grad
%1 = leaf                        [4, 3]  grad
%2 = Linear(%0, %1)              [2, 4]  grad  # rnn.cell
%3 = Tanh(%2)                    [2, 4]  grad  # rnn.cell
%4 = Split(%3, sizes=[2, 2], dim=1) [2, 2] [2, 2] grad
%5 = Mul(%4.0, %4.1)             [2, 2]  grad  # loss
%6 = Sum(%5, dim=[0, 1])         []      grad  # loss
"
    );
    assert!(Tape::of(&loss.detach()).is_empty());
    assert_eq!(Tape::of(&x).len(), 1);
    let constant = &scalar(1.0) + &V::from(Tensor::scalar(2.0));
    assert_eq!(
        Tape::of(&constant).to_string(),
        "%0 = leaf                        []\n%1 = Add(%0, constant)           []\n",
        "a leaf that is gone gets no gradient"
    );
}

#[test]
fn a_backward_names_the_parameters_it_did_not_reach() {
    let [a, b, c] = [1.0, 2.0, 3.0].map(|x| Parameter::new(Tensor::from([x, x])));
    let all = [a.clone(), b.clone().named("b"), c.clone(), b.clone()];
    let missed = (&*a * 2.0).sum().backward_reporting(&all).unwrap();
    assert_eq!(missed, ["b", "parameter 2 of shape [2]"]);
    assert_eq!(Parameter::without_gradient(&all), missed);
    // It speaks of this backward; the gradients are those of both.
    assert_eq!((&*b * &*c).sum().backward_reporting(&all).unwrap(), ["parameter 0 of shape [2]"]);
    assert_eq!((gradient(&a), gradient(&b)), (vec![2.0; 2], vec![3.0; 2]));
    assert!(Parameter::without_gradient(&all).is_empty());
    // A gradient of zeros is one; a frozen parameter expects none.
    c.set_requires_grad(false);
    assert!((&*a * &*b * 0.0).sum().backward_reporting(&all).unwrap().is_empty());
    let nowhere = V::from(Tensor::scalar(1.0)).backward_reporting(&all).unwrap_err();
    assert!(nowhere.to_string().starts_with("backward: the value neither requires"), "{nowhere}");
}

#[test]
fn a_name_belongs_to_a_handle_and_goes_with_copies() {
    let w = Parameter::new(Tensor::scalar(1.0));
    let named = w.clone().named("w");
    assert_eq!((w.name(), named.clone().name()), (None, Some("w")));
    assert!(named.is_same(&w));
    assert_eq!(named.copy::<f32>().name(), Some("w"));
    assert_eq!(named.named("v").name(), Some("v"));
}

/// More branches wait at once than a walk lists, and than it leaves room for to the next one.
#[test]
fn a_walk_after_a_wide_one_is_right() {
    for branches in [5000, 40, 5000, 1, 40] {
        let x = vector([2.0]);
        let all: Vec<V> = (0..branches).map(|i| &x * f64::from(i) + x.square()).collect();
        cat(&all, 0).sum().backward().unwrap();
        let n = f64::from(branches);
        assert_eq!(gradient(&x), [n * (n - 1.0) / 2.0 + 4.0 * n]);
    }
}

#[test]
fn as_many_equal_terms_as_one_likes_add_up_in_one_leaf() {
    let terms = 300_000;
    let x = Variable::new(Tensor::scalar(0.5f32)).requires_grad_(true);
    let sum = (0..terms).map(|_| x.sin()).reduce(|sum, term| sum + term).unwrap();
    sum.backward().unwrap();
    let expected = f64::from(terms) * 0.5f64.cos();
    let got = f64::from(x.grad().unwrap().item().unwrap());
    assert!((got / expected - 1.0).abs() < 1e-6, "{got}, expected {expected}");
}

#[test]
fn blocks_of_whole_terms_and_of_parts_add_up() {
    let x = vector([1.0; 3]);
    let mut loss = V::from(Tensor::scalar(0.0));
    for i in 0..1000i32 {
        loss = loss + x.narrow(0, i as usize % 3, 1).sum() + (&x * f64::from(i)).sum();
    }
    loss.backward().unwrap();
    let products = 999.0 * 500.0;
    assert_eq!(gradient(&x), [products + 334.0, products + 333.0, products + 333.0]);
}

#[test]
fn a_list_of_losses_is_summed() {
    let (x, y) = (scalar(2.0), vector([1.0, 3.0]));
    let losses = [x.square(), &y * 3.0, x.exp() * 0.0];
    let sum: V = losses.iter().sum();
    assert_eq!(sum.to_vec(), [7.0, 13.0]);
    sum.sum().backward().unwrap();
    assert_eq!((gradient(&x), gradient(&y)), (vec![8.0], vec![3.0, 3.0]));
    assert!(losses[1..2].iter().sum::<V>().is_same(&losses[1]));
    assert_eq!(std::iter::empty::<V>().sum::<V>().to_vec(), [0.0]);
}
