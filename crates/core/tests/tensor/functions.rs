//! Functions of tensors give the bits that the methods of variables give.

use proptest::collection::vec;
use proptest::prelude::*;
use wengert_core::{Float, Tensor, Variable};

use crate::{config, shapes};

/// Numbers of all sizes, special ones among them.
fn numbers() -> impl Strategy<Value = Vec<f64>> {
    let special = prop_oneof![
        Just(f64::NAN),
        Just(f64::INFINITY),
        Just(f64::NEG_INFINITY),
        Just(0.0),
        Just(-0.0),
        Just(1.0),
        Just(-3.0),
    ];
    vec(prop_oneof![6 => -4.0..4.0, 1 => special, 1 => -100.0..100.0], 1..40)
}

fn tensor<T: Float>(shape: &[usize], numbers: &[f64], from: usize) -> Tensor<T> {
    Tensor::from_fn(shape, |i| T::from_f64(numbers[(i + from) % numbers.len()]))
}

/// The bits of all elements, which tell NaNs and zeros apart, behind the shape.
fn bits<T: Float>(x: &Tensor<T>) -> (Vec<usize>, Vec<u64>) {
    (x.shape().to_vec(), x.to_vec().iter().map(|x| x.to_f64().to_bits()).collect())
}

/// Whether methods give the same for tensors and variables: of `x` and numbers, and with tensors in brackets.
macro_rules! same {
    ($x:ident: $($method:ident($($argument:expr),*) $([$($operand:ident),+])?;)*) => {$({
        let of_tensor = $x.$method($($argument,)* $($(&$operand),+)?);
        $($(let $operand = Variable::from($operand.clone());)+)?
        let of_variable = Variable::from($x.clone()).$method($($argument,)* $($(&$operand),+)?);
        prop_assert_eq!(bits(&of_tensor), bits(&of_variable.value()), "{}", stringify!($method));
    })*};
}

/// Methods whose results are a tensor and places, on tensors as on variables.
macro_rules! same_places {
    ($x:ident: $($method:ident($($argument:expr),*);)*) => {$({
        let (of_tensor, places) = $x.$method($($argument),*);
        let (of_variable, expected) = Variable::from($x.clone()).$method($($argument),*);
        prop_assert_eq!(bits(&of_tensor), bits(&of_variable.value()), "{}", stringify!($method));
        prop_assert_eq!(places, expected, "{}", stringify!($method));
    })*};
}

/// Functions of elements, and of pairs of elements that broadcast.
fn elements<T: Float>(shape: &[usize], numbers: &[f64]) -> Result<(), TestCaseError> {
    let x = tensor::<T>(shape, numbers, 0);
    let y = tensor::<T>(&shape[shape.len().min(1)..], numbers, 3);
    let mask = y.gt(0.0);
    same! { x:
        exp(); exp_m1(); ln(); ln_1p(); sqrt(); rsqrt(); square(); recip(); abs(); sin(); cos(); tanh();
        sigmoid(); erf(); ndtr(); relu(); relu6(); selu(); gelu(); gelu_tanh(); silu(); mish(); softplus();
        logsigmoid(); softsign(); hardsigmoid(); hardswish(); tanhshrink();
        pow_scalar(2.5); clamp(-1.0, 2.0); leaky_relu(0.1); elu(0.5); celu(0.5); softplus_of(2.0, 5.0);
        hardtanh(-0.5, 2.0); hardshrink(0.5); softshrink(0.5); threshold(0.5, -1.0); pow(3); pow(0.5f32);
        atan2()[y]; logaddexp()[y]; maximum()[y]; minimum()[y]; scale()[y]; pow()[y];
        where_(&mask)[y]; masked_fill(&mask, -2.5);
    }
    let slope = Tensor::full([1], T::from_f64(0.25));
    same! { x: prelu()[slope]; }
    let (of_tensors, variable) = (x.pow(&y), Variable::from(y.clone()));
    prop_assert_eq!(bits(&of_tensors), bits(&x.pow(&variable)));
    prop_assert_eq!(bits(&of_tensors), bits(&Variable::from(x.clone()).pow(&y).value()));
    Ok(())
}

/// Functions along axes.
fn axes<T: Float>(shape: &[usize], numbers: &[f64], p: usize) -> Result<(), TestCaseError> {
    let x = tensor::<T>(shape, numbers, 0);
    let dims = [(p % shape.len().max(1)) as isize];
    let dims = if shape.is_empty() { &[][..] } else { &dims };
    same! { x:
        sum(); sum_dim(dims); sum_keepdim(dims); mean(); mean_dim(dims); mean_keepdim(dims); prod();
        var_dim(dims, 1); var_keepdim(dims, 0); std_dim(dims, 0); std_keepdim(dims, 1);
        norm(2.0, dims); norm(3.0, &[]); norm_keepdim(1.0, dims); sum_to(&shape[shape.len().min(1)..]);
    }
    let Some(&dim) = dims.first() else { return Ok(()) };
    let extent = shape[dim as usize];
    same! { x:
        prod_dim(dim); prod_keepdim(dim); cumsum(dim); cumprod(dim); softmax(dim); softmin(dim);
        log_softmax(dim); logsumexp(dim); logsumexp_keepdim(dim);
    }
    same_places! { x: sort(dim); sort_descending(dim); topk(extent / 2, dim); }
    if shape.len() > 1 {
        same! { x: tril(-1); triu(1); }
    }
    if extent.is_multiple_of(2) {
        same! { x: glu(dim); }
    }
    if x.numel() > 0 {
        same! { x: max(); min(); amax(dims); amax_keepdim(dims); amin(dims); amin_keepdim(dims); }
        same_places! { x: max_dim(dim); max_keepdim(dim); min_dim(dim); min_keepdim(dim); }
        prop_assert_eq!(x.argmax(dim), Variable::from(x.clone()).argmax(dim));
        prop_assert_eq!(x.argmin(dim), Variable::from(x.clone()).argmin(dim));
    }
    Ok(())
}

/// Products, and what goes by indices.
fn products<T: Float>([m, k, n]: [usize; 3], numbers: &[f64]) -> Result<(), TestCaseError> {
    let (x, y) = (tensor::<T>(&[m, k], numbers, 0), tensor::<T>(&[k, n], numbers, 1));
    let (w, bias) = (tensor::<T>(&[n, k], numbers, 2), tensor::<T>(&[n], numbers, 3));
    let (row, scaled) = (tensor::<T>(&[k], numbers, 4), tensor::<T>(&[m, k], numbers, 5));
    let index = Tensor::from_fn([m, k], |i| (i * i % k) as i64);
    let rows = Tensor::from_fn([2, 3], |i| (i % m) as i64);
    same! { x:
        matmul()[y]; gather(1, &index); scatter_add(1, &index)[scaled]; embedding(&rows);
        index_select(1, &index.select(0, 0).unwrap());
    }
    same! { row: dot()[row]; outer()[bias]; }
    let variables = [&x, &w, &bias, &row, &scaled, &y].map(|t| Variable::from(t.clone()));
    let [vx, vw, vbias, vrow, vscaled, vy] = &variables;
    let same = |a: Tensor<T>, b: Variable<T>| (bits(&a) == bits(&b.value())).then_some(()).ok_or("differs");
    prop_assert_eq!(same(x.linear(&w, Some(&bias)), vx.linear(vw, Some(vbias))), Ok(()));
    prop_assert_eq!(same(x.linear(&w, None), vx.linear(vw, None)), Ok(()));
    prop_assert_eq!(same(x.linear_scan(&scaled, 1), vx.linear_scan(vscaled, 1)), Ok(()));
    let normed = x.layer_norm(&[k], Some(&row), Some(&row), 0.1);
    prop_assert_eq!(same(normed, vx.layer_norm(&[k], Some(vrow), Some(vrow), 0.1)), Ok(()));
    prop_assert_eq!(same(x.layer_norm(&[k], None, None, 0.1), vx.layer_norm(&[k], None, None, 0.1)), Ok(()));
    let targets = Tensor::from_fn([m], |i| (i % k) as i64 - 1);
    let losses = (x.cross_entropy(&targets, -1).unwrap(), vx.cross_entropy(&targets, -1).unwrap());
    prop_assert_eq!(same(losses.0, losses.1), Ok(()));
    let (form, vform) = (y.unsqueeze(0).unwrap(), vy.unsqueeze(0));
    let (beside, vbeside) = (x.matmul(&y), vx.matmul(vy));
    prop_assert_eq!(same(x.bilinear(&beside, &form, None), vx.bilinear(&vbeside, &vform, None)), Ok(()));
    Ok(())
}

proptest! {
    #![proptest_config(config(300))]

    #[test]
    fn functions_of_elements_give_the_bits_of_variables(shape in shapes(), numbers in numbers()) {
        elements::<f32>(&shape, &numbers)?;
        elements::<f64>(&shape, &numbers)?;
    }

    #[test]
    fn functions_along_axes_give_the_bits_of_variables(
        shape in shapes(),
        numbers in numbers(),
        p in 0usize..4,
    ) {
        axes::<f32>(&shape, &numbers, p)?;
        axes::<f64>(&shape, &numbers, p)?;
    }

    #[test]
    fn products_give_the_bits_of_variables(sizes in [1usize..6, 1usize..6, 1usize..6], numbers in numbers()) {
        products::<f32>(sizes, &numbers)?;
        products::<f64>(sizes, &numbers)?;
    }

    #[test]
    fn a_number_counts_as_its_value_in_double_precision(numbers in numbers(), c in any::<f32>()) {
        let x = tensor::<f64>(&[numbers.len()], &numbers, 0);
        let (v, wide) = (Variable::from(x.clone()), f64::from(c));
        let narrow = [&x + c, &x - c, &x * c, &x / c].map(|x| bits(&x));
        prop_assert_eq!(&narrow, &[&x + wide, &x - wide, &x * wide, &x / wide].map(|x| bits(&x)));
        prop_assert_eq!(&narrow, &[&v + c, &v - c, &v * c, &v / c].map(|v| bits(&v.value())));
        prop_assert_eq!(&narrow, &[&v + wide, &v - wide, &v * wide, &v / wide].map(|v| bits(&v.value())));
        let left = [wide - &x, 2 / &x, wide + &x, 3 * &x, wide / x.clone()].map(|x| bits(&x));
        prop_assert_eq!(left, [wide - &v, 2 / &v, wide + &v, 3 * &v, wide / &v].map(|v| bits(&v.value())));
        prop_assert_eq!((x.gt(c), x.le(c)), (x.gt(wide), x.le(wide)));
    }
}

#[test]
fn an_assigned_tensor_leaves_what_others_hold() {
    let x = Tensor::from([1.0f32, 2.0]);
    let mut y = x.clone();
    y += &x;
    y *= 3;
    y -= 0.5f32;
    y /= 2.0;
    y -= x.clone();
    assert_eq!((x.to_vec(), y.to_vec()), (vec![1.0, 2.0], vec![1.75, 3.75]));
}

#[test]
fn what_is_no_number_is_found() {
    let x = Tensor::from([f64::NAN, f64::NEG_INFINITY, 0.0]);
    let found = [x.is_nan(), x.is_infinite(), x.is_finite()].map(|mask| mask.to_vec());
    assert_eq!(found, [[true, false, false], [false, true, false], [false, false, true]]);
    assert_eq!((x.zeros_like().to_vec(), x.gt(0.0).ones_like().to_vec()), (vec![0.0; 3], vec![true; 3]));
    assert_eq!(x.full_like(2.5), Tensor::full([3], 2.5));
}
