//! Attention against loops and differences, and rows that may attend to nothing.

use wengert_check::{Gradcheck, Property, check_gradient, tensor};
use wengert_core::{Tensor, manual_seed};
use wengert_nn::{AdditiveAttention, AttentionOptions, Cast, scaled_dot_product_attention};

use crate::{V, close, names, variable};

/// Attention of one head, query by query; `allowed` says which scores count, `bias` what is added.
fn naive(
    [q, k, v]: [&V; 3],
    scale: f64,
    allowed: impl Fn(usize, usize) -> bool,
    bias: impl Fn(usize, usize) -> f64,
) -> Vec<f64> {
    let [queries, width] = [0, 1].map(|axis| q.shape()[axis]);
    let [keys, out] = [0, 1].map(|axis| v.shape()[axis]);
    let (q, k, v) = (q.to_vec(), k.to_vec(), v.to_vec());
    let score = |i: usize, j: usize| {
        (0..width).map(|e| q[i * width + e] * k[j * width + e]).sum::<f64>() * scale + bias(i, j)
    };
    let of_query = |i: usize| {
        let weights = (0..keys).map(|j| if allowed(i, j) { score(i, j).exp() } else { 0.0 });
        let weights: Vec<f64> = weights.collect();
        let total: f64 = weights.iter().sum();
        let value = |e: usize| (0..keys).map(|j| weights[j] * v[j * out + e]).sum::<f64>();
        (0..out).map(move |e| if total == 0.0 { 0.0 } else { value(e) / total }).collect::<Vec<_>>()
    };
    (0..queries).flat_map(of_query).collect()
}

fn inputs() -> [V; 3] {
    [variable(&[3, 4]), variable(&[5, 4]), variable(&[5, 2])]
}

#[test]
fn values_are_weighted_by_scaled_products() {
    let [q, k, v] = inputs();
    let all = |_: usize, _: usize| true;
    let none = |_: usize, _: usize| 0.0;
    let run =
        |options: AttentionOptions<f64>| scaled_dot_product_attention(&q, &k, &v, &options).unwrap().to_vec();
    close(&run(AttentionOptions::default()), &naive([&q, &k, &v], 0.5, all, none), 1e-14);
    close(&run(AttentionOptions::default().scale(2.0)), &naive([&q, &k, &v], 2.0, all, none), 1e-14);
    let past = |i: usize, j: usize| j <= i;
    close(&run(AttentionOptions::default().causal(true)), &naive([&q, &k, &v], 0.5, past, none), 1e-14);
    // The second query may attend to nothing.
    let allowed = |i: usize, j: usize| i != 1 && (i + j).is_multiple_of(2);
    let mask = Tensor::from_fn([3, 5], |at| allowed(at / 5, at % 5));
    let expected = naive([&q, &k, &v], 0.5, allowed, none);
    assert_eq!(expected[2..4], [0.0, 0.0]);
    close(&run(AttentionOptions::default().mask(mask.clone())), &expected, 1e-14);
    let both = naive([&q, &k, &v], 0.5, |i, j| allowed(i, j) && j <= i, none);
    close(&run(AttentionOptions::default().mask(mask.clone()).causal(true)), &both, 1e-14);
    let minus = V::new(mask.map(|allowed| if allowed { 0.0 } else { f64::NEG_INFINITY }));
    close(&run(AttentionOptions::default().bias(minus)), &expected, 1e-14);
    let bias = variable(&[3, 5]);
    let added = bias.to_vec();
    let expected = naive([&q, &k, &v], 0.5, all, |i, j| added[i * 5 + j]);
    close(&run(AttentionOptions::default().bias(bias)), &expected, 1e-14);
}

#[test]
fn heads_and_samples_are_on_their_own_and_a_mask_broadcasts_over_them() {
    let [q, k, v] = [variable(&[2, 3, 4, 6]), variable(&[2, 3, 5, 6]), variable(&[2, 3, 5, 2])];
    let mask = Tensor::from_fn([2, 1, 1, 5], |i| i % 5 <= 2 + i / 5);
    let options = AttentionOptions::default().mask(mask);
    let y = scaled_dot_product_attention(&q, &k, &v, &options).unwrap();
    assert_eq!(y.shape(), &[2, 3, 4, 2]);
    for (n, head) in [(0, 0), (1, 2)] {
        let one = |x: &V| x.select(0, n).select(0, head);
        let expected =
            naive([&one(&q), &one(&k), &one(&v)], 1.0 / 6f64.sqrt(), |_, j| j <= 2 + n, |_, _| 0.0);
        close(&one(&y).to_vec(), &expected, 1e-14);
    }
}

check_gradient! {
    #![property(Property::new().cases(24))]

    fn of_scaled_products(
        queries in 1..4,
        keys in 1..4,
        q in tensor([2, queries, 2]),
        k in tensor([2, keys, 2]),
        v in tensor([2, keys, 3]),
        bias in tensor([queries, keys]),
    ) {
        // Of three queries the first may attend to nothing.
        let mask = Tensor::from_fn([queries, keys], |i| queries < 3 || i / keys > 0);
        let options = AttentionOptions::default().mask(mask).causal(true).bias(bias);
        scaled_dot_product_attention(&q, &k, &v, &options)
    }
}

#[test]
fn dropped_weights_are_those_of_dropout() {
    let [q, k] = [V::new(Tensor::zeros([1, 4])), V::new(Tensor::zeros([1000, 4]))];
    let v = V::new(Tensor::ones([1000, 1]));
    manual_seed(3);
    let options = AttentionOptions::default().dropout(0.25);
    let sum = scaled_dot_product_attention(&q, &k, &v, &options).unwrap().item().unwrap();
    // Of 1000 weights of 1/1000 some 750 are left, times 4/3.
    let left = sum * 750.0;
    assert!((left - left.round()).abs() < 1e-9 && (650.0..850.0).contains(&left) && left != 750.0, "{left}");
}

#[test]
fn what_does_not_go_together_is_refused() {
    let of = |shape: &[usize]| V::new(Tensor::zeros(shape));
    let refused = |q: &[usize], k: &[usize], v: &[usize], options: AttentionOptions<f64>| {
        scaled_dot_product_attention(&of(q), &of(k), &of(v), &options).unwrap_err().to_string()
    };
    let begins =
        "scaled_dot_product_attention: expected queries (.., L, E), keys (.., S, E) and values (.., S, V)";
    let none = AttentionOptions::default;
    assert_eq!(
        refused(&[2, 3], &[2, 4], &[2, 3], none()),
        format!("{begins}, got [2, 3], [2, 4] and [2, 3]")
    );
    assert!(refused(&[3], &[3], &[3], none()).starts_with(begins));
    assert!(refused(&[2, 2, 3], &[3, 2, 3], &[3, 2, 3], none()).starts_with(begins));
    let mask = refused(&[2, 3], &[4, 3], &[4, 3], none().mask(Tensor::full([4, 2], true)));
    let expected = "scaled_dot_product_attention: expected a mask that broadcasts to [2, 4], got [4, 2]";
    assert_eq!(mask, expected);
    let dropout = refused(&[2, 3], &[2, 3], &[2, 3], none().dropout(1.5));
    assert!(dropout.contains("p must be in [0, 1], got 1.5"), "{dropout}");
}

#[test]
fn additive_scores_are_those_of_the_network() {
    let attention = AdditiveAttention::new(3, 2, 4).unwrap().cast::<f64>();
    assert_eq!(names(&attention), ["query.weight", "key.weight", "score.weight"]);
    assert_eq!(attention.to_string(), "AdditiveAttention(3, 2, 4)");
    let [query, keys, values] = [variable(&[2, 3]), variable(&[2, 4, 2]), variable(&[2, 4, 5])];
    // The second sample has no key that counts.
    let mask = Tensor::from_fn([2, 4], |i| i < 3);
    let (context, weights) = attention.forward(&query, &keys, &values, Some(&mask)).unwrap();
    let parameters = wengert_nn::Module::parameters(&attention);
    let [w, u, s] = [0, 1, 2].map(|i| parameters[i].to_vec());
    let (q, k, v) = (query.to_vec(), keys.to_vec(), values.to_vec());
    let score = |j: usize| {
        let unit = |h: usize| {
            let of_query: f64 = (0..3).map(|i| w[h * 3 + i] * q[i]).sum();
            let of_key: f64 = (0..2).map(|i| u[h * 2 + i] * k[j * 2 + i]).sum();
            s[h] * (of_query + of_key).tanh()
        };
        (0..4).map(unit).sum::<f64>().exp()
    };
    let total: f64 = (0..3).map(score).sum();
    let expected: Vec<f64> = (0..4).map(|j| if j < 3 { score(j) / total } else { 0.0 }).collect();
    close(&weights.to_vec()[..4], &expected, 1e-14);
    assert_eq!(weights.to_vec()[4..], [0.0; 4]);
    let of_values = |e: usize| (0..4).map(|j| expected[j] * v[j * 5 + e]).sum::<f64>();
    close(&context.to_vec()[..5], &(0..5).map(of_values).collect::<Vec<_>>(), 1e-14);
    assert_eq!(context.to_vec()[5..], [0.0; 5]);
    let (several, _) = attention.forward(&query.unsqueeze(1), &keys, &values, Some(&mask)).unwrap();
    assert_eq!((several.shape(), several.to_vec()), (&[2, 1, 5][..], context.to_vec()));
}

#[test]
fn additive_attention_has_derivatives_of_both_orders_and_refuses_what_does_not_fit() {
    let attention = AdditiveAttention::new(2, 3, 2).unwrap().cast::<f64>();
    let leaf = |shape: &[usize]| variable(shape).requires_grad_(true);
    let [query, keys, values] = [leaf(&[2, 2, 2]), leaf(&[2, 3, 3]), leaf(&[2, 3, 2])];
    let mask = Tensor::from_fn([2, 3], |i| i < 2);
    for order in [1, 2] {
        let run = |x: &[V]| attention.forward(&x[0], &x[1], &x[2], Some(&mask));
        let checked = Gradcheck::new().check_module_with(order, &attention, run, &[&query, &keys, &values]);
        checked.unwrap();
    }
    let of = |shape: &[usize]| V::new(Tensor::zeros(shape));
    let refused = |q: &[usize], k: &[usize], v: &[usize], mask: Option<&Tensor<bool>>| {
        attention.forward(&of(q), &of(k), &of(v), mask).unwrap_err().to_string()
    };
    let keys = "AdditiveAttention: expected keys of shape (N, S, 3), got [2, 4]";
    assert_eq!(refused(&[2, 2], &[2, 4], &[2, 4, 1], None), keys);
    let query = "AdditiveAttention: expected a query of shape (2, 2) or (2, L, 2), got [3, 2]";
    assert_eq!(refused(&[3, 2], &[2, 4, 3], &[2, 4, 1], None), query);
    let values = "AdditiveAttention: expected values of shape (2, 4, V), got [2, 3, 1]";
    assert_eq!(refused(&[2, 2], &[2, 4, 3], &[2, 3, 1], None), values);
    let mask = "AdditiveAttention: expected a mask of shape (2, 4), got [2, 3]";
    assert_eq!(refused(&[2, 2], &[2, 4, 3], &[2, 4, 1], Some(&Tensor::full([2, 3], true))), mask);
    let none = AdditiveAttention::new(2, 0, 2).unwrap_err().to_string();
    assert_eq!(none, "AdditiveAttention: key_size must be at least 1, got 0");
}
