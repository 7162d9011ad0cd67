//! What is promised where a derivative is a matter of choice.

use wengert_core::Tensor;

use crate::check::{V, gradients, leaf};

/// The gradients of a function at numbers, unrecorded and recorded, which must be the same.
fn slopes<const I: usize>(f: impl Fn([&V; I]) -> V, at: [&[f64]; I]) -> [Vec<f64>; I] {
    let [plain, recorded] = [false, true].map(|record| {
        let inputs = at.map(|x| leaf(&Tensor::from_vec(x.to_vec(), [x.len()]).unwrap()));
        let out = f(inputs.each_ref());
        let ones = V::from(Tensor::ones(out.shape()));
        let found = gradients(&[out], &[ones], &inputs.each_ref(), record);
        std::array::from_fn::<_, I, _>(|i| found[i].to_vec())
    });
    assert_eq!(plain, recorded);
    plain
}

const INF: f64 = f64::INFINITY;

#[test]
fn kinks_have_the_slope_that_is_documented() {
    assert_eq!(slopes(|[x]| x.abs(), [&[0.0, -0.0, 2.0, -2.0]]), [[0.0, 0.0, 1.0, -1.0]]);
    assert_eq!(slopes(|[x]| x.relu(), [&[0.0, -0.0, 2.0, -2.0]]), [[0.0, 0.0, 1.0, 0.0]]);
    assert_eq!(slopes(|[x]| x.clamp(-1.0, 1.0), [&[-1.0, 1.0, -1.5, 1.5, 0.0]]), [[1.0, 1.0, 0.0, 0.0, 1.0]]);
    assert_eq!(slopes(|[x]| x.leaky_relu(0.1), [&[0.0, -0.0, 2.0, -2.0]]), [[0.1, 0.1, 1.0, 0.1]]);
    assert_eq!(slopes(|[x]| x.elu(0.5), [&[0.0, 2.0, -1000.0]]), [[0.5, 1.0, 0.0]]);
    assert_eq!(
        slopes(|[x]| x.hardtanh(-1.0, 1.0), [&[-1.0, 1.0, -1.5, 1.5, 0.0]]),
        [[0.0, 0.0, 0.0, 0.0, 1.0]]
    );
    assert_eq!(slopes(|[x]| x.hardsigmoid(), [&[-3.0, 3.0, -4.0, 4.0]]), [[0.0; 4]]);
    assert_eq!(slopes(|[x]| x.softsign(), [&[0.0]]), [[1.0]]);
    assert_eq!(slopes(|[x]| x.softplus_of(2.0, 6.0), [&[0.0, 3.5, 1000.0, -1000.0]]), [[0.5, 1.0, 1.0, 0.0]]);
    assert_eq!(
        slopes(|[x]| x.logsigmoid(), [&[0.0, -1000.0, 1000.0, -INF, INF]]),
        [[0.5, 1.0, 0.0, 1.0, 0.0]]
    );
    assert_eq!(slopes(|[x]| x.relu6(), [&[0.0, 6.0, -1.0, 7.0, 3.0]]), [[0.0, 0.0, 0.0, 0.0, 1.0]]);
    assert_eq!(slopes(|[x]| x.celu(0.5), [&[0.0, 2.0, -1000.0]]), [[1.0, 1.0, 0.0]]);
    assert_eq!(slopes(|[x]| x.hardswish(), [&[-3.0, 0.0, 3.0, 4.0, -4.0]]), [[0.0, 0.5, 1.0, 1.0, 0.0]]);
    assert_eq!(slopes(|[x]| x.hardshrink(0.5), [&[-0.5, 0.5, 0.0, 2.0, INF]]), [[0.0, 0.0, 0.0, 1.0, 1.0]]);
    assert_eq!(slopes(|[x]| x.softshrink(0.5), [&[-0.5, 0.5, 0.0, 2.0]]), [[0.0, 0.0, 0.0, 1.0]]);
    assert_eq!(slopes(|[x]| x.threshold(0.5, 2.0), [&[0.5, 0.0, 1.0]]), [[0.0, 0.0, 1.0]]);
    assert_eq!(slopes(|[x, w]| x.prelu(w), [&[0.0, 2.0, -2.0], &[0.5]]), [vec![0.5, 1.0, 0.5], vec![-2.0]]);
    assert_eq!(slopes(|[x]| x.gelu_tanh(), [&[0.0, 1000.0, -1000.0]]), [[0.5, 1.0, 0.0]]);
    let tails: [&[f64]; 1] = [&[0.0, 1000.0, -1000.0, INF]];
    assert_eq!(slopes(|[x]| x.silu(), tails), [[0.5, 1.0, 0.0, 1.0]]);
    assert_eq!(slopes(|[x]| x.gelu(), tails), [[0.5, 1.0, 0.0, 1.0]]);
    assert_eq!(slopes(|[x]| x.mish(), tails), [[0.6, 1.0, 0.0, 1.0]]);
    assert_eq!(slopes(|[x]| x.softplus(), [&[20.5, 1000.0, -1000.0]]), [[1.0, 1.0, 0.0]]);
}

#[test]
fn equal_operands_of_maximum_and_minimum_share_half_and_half() {
    let equal: [&[f64]; 2] = [&[2.0, 0.0, -INF, 1e308, 5e-324], &[2.0, -0.0, -INF, 1e308, 5e-324]];
    assert_eq!(slopes(|[a, b]| a.maximum(b), equal), [[0.5; 5], [0.5; 5]]);
    assert_eq!(slopes(|[a, b]| a.minimum(b), equal), [[0.5; 5], [0.5; 5]]);
    assert_eq!(slopes(|[a, b]| a.maximum(b), [&[1.0, 2.0], &[2.0, 1.0]]), [[0.0, 1.0], [1.0, 0.0]]);
    assert_eq!(slopes(|[a, b]| a.minimum(b), [&[1.0, 2.0], &[2.0, 1.0]]), [[1.0, 0.0], [0.0, 1.0]]);
}

#[test]
fn equal_extremes_share_evenly_over_axes_and_the_first_takes_all_along_one() {
    let x: [&[f64]; 1] = [&[1.0, 3.0, 3.0, -4.0, 3.0, -4.0]];
    let third = 1.0 / 3.0;
    assert_eq!(slopes(|[x]| x.max(), x), [[0.0, third, third, 0.0, third, 0.0]]);
    assert_eq!(slopes(|[x]| x.min(), x), [[0.0, 0.0, 0.0, 0.5, 0.0, 0.5]]);
    assert_eq!(slopes(|[x]| x.reshape([2, 3]).amax(&[1]), x), [[0.0, 0.5, 0.5, 0.0, 1.0, 0.0]]);
    assert_eq!(slopes(|[x]| x.reshape([2, 3]).amin_keepdim(&[-1]), x), [[1.0, 0.0, 0.0, 0.5, 0.0, 0.5]]);
    assert_eq!(slopes(|[x]| x.max_dim(0).0, x), [[0.0, 1.0, 0.0, 0.0, 0.0, 0.0]]);
    assert_eq!(slopes(|[x]| x.min_keepdim(0).0, x), [[0.0, 0.0, 0.0, 1.0, 0.0, 0.0]]);
    let places = V::from(Tensor::from([1.0, 3.0, 3.0])).argmax(0);
    assert_eq!(places.item().unwrap(), 1);
}

#[test]
fn singular_slopes_are_infinite_or_zero_as_documented() {
    assert_eq!(slopes(|[x]| x.sqrt(), [&[0.0, 4.0]]), [[INF, 0.25]]);
    assert_eq!(slopes(|[x]| x.rsqrt(), [&[0.0, 4.0]]), [[-INF, -0.0625]]);
    assert_eq!(slopes(|[y, x]| y.atan2(x), [&[0.0, 0.0], &[0.0, 2.0]]), [[0.0, 0.5], [0.0, 0.0]]);
    let infinite: [&[f64]; 2] = [&[INF, -INF, INF, -INF], &[INF, -INF, 0.0, 0.0]];
    assert_eq!(slopes(|[a, b]| a.logaddexp(b), infinite), [[0.5, 0.5, 1.0, 0.0], [0.5, 0.5, 0.0, 1.0]]);
    assert_eq!(slopes(|[x]| x.pow_scalar(0.0), [&[0.0, 2.0, INF, f64::NAN]]), [[0.0; 4]]);
    let [in_base, in_exponent] = slopes(|[x, e]| x.pow(e), [&[0.0, 0.0, 0.0, 2.0], &[0.0, 1.0, 2.0, 0.0]]);
    assert_eq!(in_base, [0.0, 1.0, 0.0, 0.0]);
    assert_eq!(in_exponent, [0.0, 0.0, 0.0, 2.0f64.ln()]);
    assert_eq!(slopes(|[x]| x.pow_scalar(0.5), [&[0.0]]), [[INF]]);
}

#[test]
fn products_with_zeros_have_the_products_of_the_others() {
    assert_eq!(slopes(|[x]| x.prod(), [&[2.0, 0.0, 3.0]]), [[0.0, 6.0, 0.0]]);
    assert_eq!(slopes(|[x]| x.prod(), [&[2.0, 0.0, 0.0]]), [[0.0; 3]]);
    assert_eq!(slopes(|[x]| x.cumprod(0), [&[2.0, 0.0, 3.0]]), [[1.0, 8.0, 0.0]]);
    assert_eq!(V::from(Tensor::zeros([0])).prod().item().unwrap(), 1.0);
    assert_eq!(V::from(Tensor::zeros([2, 0])).prod_keepdim(1).to_vec(), [1.0, 1.0]);
}

#[test]
fn where_a_norm_or_a_deviation_is_zero_so_is_its_slope() {
    for p in [0.5, 1.0, 1.5, 2.0, 3.0, INF] {
        assert_eq!(slopes(|[x]| x.norm(p, &[]), [&[0.0, -0.0]]), [[0.0; 2]], "{p}");
    }
    assert_eq!(slopes(|[x]| x.norm(1.0, &[]), [&[2.0, 0.0, -3.0]]), [[1.0, 0.0, -1.0]]);
    assert_eq!(slopes(|[x]| x.std_dim(&[], 1), [&[2.0, 2.0]]), [[0.0; 2]]);
    assert_eq!(V::from(Tensor::from([2.0, 0.0, -3.0])).norm(0.0, &[]).item().unwrap(), 2.0);
    assert!(V::from(Tensor::from([2.0])).var_dim(&[], 1).item().unwrap().is_nan());
}

#[test]
fn among_equals_in_order_the_one_that_is_named_has_the_slope() {
    let ties: [&[f64]; 1] = [&[1.0, 3.0, 3.0]];
    assert_eq!(slopes(|[x]| x.topk(1, 0).0, ties), [[0.0, 1.0, 0.0]]);
    assert_eq!(slopes(|[x]| x.sort_descending(0).0.narrow(0, 0, 1), ties), [[0.0, 1.0, 0.0]]);
    assert_eq!(slopes(|[x]| x.sort(0).0.narrow(0, 2, 1), ties), [[0.0, 0.0, 1.0]]);
}

#[test]
fn a_branch_not_taken_does_not_poison_the_one_taken() {
    // sqrt at 0 has an infinite slope; behind where_ and masked_fill, which pass a zero cotangent, nothing of
    // it is seen.
    let zero = || V::from(Tensor::scalar(0.0));
    let guarded = |[x]: [&V; 1]| x.sqrt().where_(&x.gt(zero()), x);
    assert_eq!(slopes(guarded, [&[0.0, 4.0]]), [[1.0, 0.25]]);
    let filled = |[x]: [&V; 1]| x.ln().masked_fill(&x.le(zero()), -1.0);
    assert_eq!(slopes(filled, [&[0.0, -3.0, 2.0]]), [[0.0, 0.0, 0.5]]);
    assert_eq!(slopes(|[x]| x.recip().relu(), [&[-0.0, -2.0]]), [[0.0, 0.0]]);
}

#[test]
fn a_mask_is_not_differentiated() {
    let x: V = leaf(&Tensor::from([1.0, 2.0]));
    let mask = x.gt(1.5);
    assert_eq!(mask.to_vec(), [false, true]);
    let chosen = V::from(Tensor::from([5.0, 6.0])).where_(&mask, &V::from(Tensor::scalar(0.0)));
    assert!(!chosen.requires_grad());
}

#[test]
fn dropout_scales_what_it_keeps_and_its_gradient_alike() {
    let dropped = |seed: u64, p: f64| {
        wengert_core::manual_seed(seed);
        let x: V = leaf(&Tensor::ones([1000]));
        let y = x.dropout(p).unwrap();
        y.sum().backward().unwrap();
        assert_eq!(x.grad().unwrap().to_vec(), y.to_vec());
        y.to_vec()
    };
    let kept = dropped(3, 0.2);
    assert_eq!(kept, dropped(3, 0.2));
    assert_ne!(kept, dropped(4, 0.2));
    assert!(kept.iter().all(|&y| y == 0.0 || y == 1.25));
    let share = kept.iter().filter(|&&y| y > 0.0).count();
    assert!((740..860).contains(&share), "{share} of 1000 kept with probability 0.8");
    assert_eq!(dropped(3, 0.0), [1.0; 1000]);
    assert_eq!(dropped(3, 1.0), [0.0; 1000]);
    assert!(
        V::from(Tensor::ones([1])).dropout(1.5).is_err()
            && V::from(Tensor::ones([1])).dropout(f64::NAN).is_err()
    );
}
