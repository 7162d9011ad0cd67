//! Tensors: views are what ndarray's views are, whatever lies below them; memory goes in and out uncopied.

mod elements;
mod extents;
mod functions;
mod indexed;
mod limited;
mod refused;
mod sampled;
mod whole_numbers;

use ndarray::{Array, ArrayD, ArrayViewD, Axis, IxDyn, ShapeBuilder, Slice, arr2};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::Config;
use wengert_core::{Parameter, Tensor, Variable, manual_seed};

fn config(cases: u32) -> Config {
    Config { cases, failure_persistence: None, ..Config::default() }
}

/// Extents of a small tensor, empty ones and single ones among them.
fn shapes() -> impl Strategy<Value = Vec<usize>> {
    vec(prop_oneof![Just(1), Just(2), Just(3), Just(4), Just(0)], 0..=4)
}

/// A step of a chain of views: what to do, and numbers to choose axes and places with.
type Step = (u8, usize, usize, usize);

fn chains() -> impl Strategy<Value = Vec<Step>> {
    vec((0u8..7, 0usize..12, 0usize..12, 0usize..12), 0..=6)
}

fn counted(shape: &[usize]) -> Tensor<i64> {
    Tensor::from_fn(shape, |i| i as i64)
}

/// One step on a tensor and on an array.
fn step<'a>(
    x: Tensor<i64>,
    y: ArrayViewD<'a, i64>,
    (kind, p, q, r): Step,
) -> (Tensor<i64>, ArrayViewD<'a, i64>) {
    let rank = x.rank();
    if kind == 0 {
        let axis = p % (rank + 1);
        let dim = if q % 2 == 0 { axis as isize } else { axis as isize - rank as isize - 1 };
        return (x.unsqueeze(dim).unwrap(), y.insert_axis(Axis(axis)));
    }
    if rank == 0 {
        return (x, y);
    }
    let axis = p % rank;
    let dim = if r % 2 == 0 { axis as isize } else { axis as isize - rank as isize };
    let extent = x.shape()[axis];
    match kind {
        1 if extent > 0 => (x.select(dim, q % extent).unwrap(), y.index_axis_move(Axis(axis), q % extent)),
        2 => {
            let start = q % (extent + 1);
            let length = r % (extent - start + 1);
            let mut y = y;
            y.slice_axis_inplace(Axis(axis), Slice::from(start..start + length));
            (x.narrow(dim, start, length).unwrap(), y)
        }
        3 => {
            let (start, by) = (q % (extent + 1), 1 + r % 3);
            let mut y = y;
            y.slice_axis_inplace(Axis(axis), Slice::from(start..).step_by(by as isize));
            // An end beyond the axis is its end.
            (x.slice(dim, start, extent + q, by).unwrap(), y)
        }
        4 => {
            let mut y = y;
            y.swap_axes(axis, q % rank);
            (x.transpose(dim, (q % rank) as isize).unwrap(), y)
        }
        5 => {
            let mut axes: Vec<usize> = (0..rank).collect();
            axes.rotate_left(q % rank);
            axes.swap(0, r % rank);
            let dims: Vec<isize> = axes.iter().map(|&a| a as isize).collect();
            (x.permute(&dims).unwrap(), y.permuted_axes(axes))
        }
        6 if extent == 1 && q % 2 == 0 => (x.squeeze(dim).unwrap(), y.index_axis_move(Axis(axis), 0)),
        _ => (x, y),
    }
}

fn viewed(x: &Tensor<i64>, chain: &[Step]) -> Tensor<i64> {
    let array = x.as_ndarray();
    chain.iter().fold((x.clone(), array.view()), |(x, y), &s| step(x, y, s)).0
}

/// Shapes of the same number of elements: two axes merged, one divided, single ones put in.
fn reshaped(shape: &[usize], choices: &[(u8, usize)]) -> Vec<usize> {
    let mut to = shape.to_vec();
    for &(kind, p) in choices {
        let axis = p % (to.len() + 1);
        match kind {
            0 if axis + 1 < to.len() => to[axis] *= to.remove(axis + 1),
            1 if axis < to.len() && to[axis].is_multiple_of(2) => {
                to[axis] /= 2;
                to.insert(axis, 2);
            }
            2 => to = vec![to.iter().product()],
            _ => to.insert(axis, 1),
        }
    }
    to
}

proptest! {
    #![proptest_config(config(2000))]

    #[test]
    fn chains_of_views_are_those_of_ndarray(shape in shapes(), chain in chains()) {
        let x = counted(&shape);
        let array = ArrayD::from_shape_vec(shape.clone(), x.to_vec()).unwrap();
        let (view, expected) = chain.iter().fold((x.clone(), array.view()), |(x, y), &s| step(x, y, s));
        prop_assert_eq!(view.shape(), expected.shape());
        prop_assert_eq!(view.to_vec(), expected.iter().copied().collect::<Vec<_>>());
        prop_assert_eq!(view.as_ndarray(), expected.view());
        prop_assert!(view.shares_storage(&x));
        expected.indexed_iter().for_each(|(at, &v)| assert_eq!(view.at(ndarray::Dimension::slice(&at)), v));
    }

    #[test]
    fn a_contiguous_tensor_is_its_slice_and_others_copy_to_one(shape in shapes(), chain in chains()) {
        let x = viewed(&counted(&shape), &chain);
        let elements = x.to_vec();
        prop_assert_eq!(x.numel(), elements.len());
        if x.is_contiguous() {
            prop_assert_eq!(x.as_slice().unwrap(), &elements[..]);
            prop_assert!(x.contiguous().shares_storage(&x));
        } else {
            prop_assert!(x.as_slice().is_none());
        }
        let standard = x.as_ndarray().is_standard_layout();
        prop_assert!(x.is_contiguous() || !standard || x.numel() == 0);
        let contiguous = x.contiguous();
        prop_assert_eq!(contiguous.as_slice().unwrap(), &elements[..]);
        let copy = x.copy();
        prop_assert!(!copy.shares_storage(&x) && copy.is_contiguous());
        prop_assert_eq!(copy, x);
    }

    #[test]
    fn reshape_of_a_view_is_reshape_of_its_copy(
        shape in shapes(), chain in chains(), choices in vec((0u8..4, 0usize..12), 0..=4)
    ) {
        let x = viewed(&counted(&shape), &chain);
        let to = reshaped(x.shape(), &choices);
        let (of_view, of_copy) = (x.reshape(&to).unwrap(), x.copy().reshape(&to).unwrap());
        prop_assert_eq!(of_view.shape(), &to[..]);
        prop_assert_eq!(of_view.to_vec(), of_copy.to_vec());
        prop_assert_eq!(of_view.to_vec(), x.to_vec());
        prop_assert!(!x.is_contiguous() || of_view.shares_storage(&x));
        prop_assert!(x.reshape([x.numel() + 1]).is_err());
    }

    #[test]
    fn expand_is_ndarrays_broadcast(shape in shapes(), ones in vec(any::<bool>(), 4), extra in shapes()) {
        let from: Vec<usize> = shape.iter().zip(&ones).map(|(&n, &one)| if one { 1 } else { n }).collect();
        let to: Vec<usize> = extra.into_iter().take(2).chain(shape).collect();
        let x = counted(&from);
        let wide = x.expand(&to).unwrap();
        let array = ArrayD::from_shape_vec(from.clone(), x.to_vec()).unwrap();
        let expected = array.broadcast(to.clone()).unwrap();
        prop_assert_eq!(wide.as_ndarray(), expected.view());
        prop_assert_eq!(wide.to_vec(), expected.iter().copied().collect::<Vec<_>>());
        prop_assert!(wide.shares_storage(&x));
        // A reshape of a broadcast tensor, too.
        prop_assert_eq!(wide.reshape([wide.numel()]).unwrap().to_vec(), wide.to_vec());
    }

    #[test]
    fn what_lies_outside_is_refused(shape in shapes(), p in 0usize..12) {
        let x = counted(&shape);
        let rank = x.rank() as isize;
        prop_assert!(x.select(rank, 0).is_err() && x.narrow(-rank - 1, 0, 0).is_err());
        prop_assert!(x.transpose(0, rank).is_err() && x.unsqueeze(rank + 1).is_err());
        if x.rank() > 0 {
            let axis = p % x.rank();
            let (dim, extent) = (axis as isize, x.shape()[axis]);
            prop_assert!(x.select(dim, extent).is_err());
            prop_assert!(x.narrow(dim, extent, 1).is_err() && x.narrow(dim, 1, usize::MAX).is_err());
            prop_assert!(x.slice(dim, 0, extent, 0).is_err());
            prop_assert!(x.permute(&vec![dim; x.rank() + 1]).is_err());
            prop_assert!(x.expand(&x.shape()[1..]).is_err());
        }
    }

    #[test]
    fn arrays_come_and_go_without_a_copy(shape in shapes(), fortran in any::<bool>(), p in 0usize..12) {
        let count: usize = shape.iter().product();
        let elements: Vec<i64> = (0..count as i64).collect();
        let memory = elements.as_ptr();
        let mut array = Array::from_shape_vec(IxDyn(&shape).set_f(fortran), elements).unwrap();
        if shape.len() > 1 {
            array.swap_axes(0, p % shape.len());
        }
        let copy = array.clone();
        let tensor = Tensor::from_ndarray(array);
        prop_assert_eq!(tensor.as_ndarray(), copy.view());
        if count > 0 {
            prop_assert_eq!(tensor.as_ndarray().as_ptr(), memory);
            prop_assert_eq!(Tensor::from_ndarray(tensor.as_ndarray().to_owned()), tensor);
        }
    }
}

#[test]
fn parts_and_reversed_axes_of_arrays_keep_their_elements() {
    let array = arr2(&[[1i64, 2, 3], [4, 5, 6]]);
    let expected = [[3, 2, 1], [6, 5, 4]].concat();
    assert_eq!(Tensor::from_ndarray(array.clone().slice_move(ndarray::s![.., ..;-1])).to_vec(), expected);
    assert_eq!(Tensor::from_ndarray(array.clone().slice_move(ndarray::s![1.., 1..])).to_vec(), [5, 6]);
    assert_eq!(Tensor::from_ndarray(array.slice_move(ndarray::s![.., ..;2])).to_vec(), [1, 3, 4, 6]);
}

#[test]
fn a_vectors_memory_is_taken_over() {
    let elements = vec![1.0f32, 2.0, 3.0, 4.0];
    let memory = elements.as_ptr();
    let x = Tensor::from_vec(elements, [2, 2]).unwrap();
    assert_eq!(x.as_slice().unwrap().as_ptr(), memory);
    assert_eq!(x.reshape([4]).unwrap().as_slice().unwrap().as_ptr(), memory);
    let elements = vec![true];
    let memory = elements.as_ptr();
    assert_eq!(Tensor::from(elements).as_slice().unwrap().as_ptr(), memory);
}

#[test]
fn creation_functions_give_what_their_names_say() {
    assert_eq!(Tensor::<f32>::zeros([2, 3]).to_vec(), [0.0; 6]);
    assert_eq!(Tensor::<f64>::ones([2]).to_vec(), [1.0; 2]);
    assert_eq!(Tensor::<bool>::ones([1, 1]).to_vec(), [true]);
    assert_eq!(Tensor::full([3], 7i64).to_vec(), [7; 3]);
    assert_eq!(Tensor::scalar(2.5f32).shape(), &[] as &[usize]);
    assert_eq!(Tensor::from(3i64).item().unwrap(), 3);
    assert_eq!(Tensor::<i64>::eye(3).to_vec(), [1, 0, 0, 0, 1, 0, 0, 0, 1]);
    assert_eq!(Tensor::<f64>::eye(0).shape(), &[0, 0]);
    assert_eq!(Tensor::from([[1i64, 2], [3, 4], [5, 6]]).shape(), &[3, 2]);
    assert_eq!(Tensor::<f64>::arange(0.0, 1.0, 0.25).unwrap().to_vec(), [0.0, 0.25, 0.5, 0.75]);
    assert_eq!(Tensor::<i64>::arange(3.0, 0.0, -1.0).unwrap().to_vec(), [3, 2, 1]);
    assert_eq!(Tensor::<f64>::arange(1.0, 1.0, 1.0).unwrap().numel(), 0);
    assert!(Tensor::<f64>::arange(0.0, 1.0, 0.0).is_err() && Tensor::<f64>::arange(0.0, 1.0, -1.0).is_err());
    assert_eq!(Tensor::<f64>::linspace(-1.0, 1.0, 5).to_vec(), [-1.0, -0.5, 0.0, 0.5, 1.0]);
    assert_eq!(Tensor::<f64>::linspace(2.0, 9.0, 1).to_vec(), [2.0]);
    assert_eq!(Tensor::<f64>::linspace(2.0, 9.0, 0).numel(), 0);
    assert_eq!(Tensor::from([1i64, 0]).one_hot::<i64>(2).unwrap().to_vec(), [0, 1, 1, 0]);
    assert!(
        Tensor::from([2i64]).one_hot::<f32>(2).is_err() && Tensor::from([-1i64]).one_hot::<f32>(2).is_err()
    );
    assert!(Tensor::from_vec(vec![1.0f32], [2]).is_err());
    assert_eq!(Tensor::from_vec(Vec::<f32>::new(), [3, 0]).unwrap().shape(), &[3, 0]);
}

#[test]
fn random_tensors_follow_the_seed_and_their_range() {
    let draw = |seed| {
        manual_seed(seed);
        let uniform = Tensor::<f64>::uniform([500], -2.0, 3.0);
        assert!(uniform.to_vec().iter().all(|x| (-2.0..3.0).contains(x)));
        let unit = Tensor::<f32>::rand([500]);
        assert!(unit.to_vec().iter().all(|x| (0.0..=1.0).contains(x)));
        let coins = Tensor::<f64>::bernoulli([500], 0.3).unwrap();
        let heads = coins.to_vec().iter().sum::<f64>();
        assert!((100.0..200.0).contains(&heads), "{heads} of 500 with probability 0.3");
        let normal = Tensor::<f64>::randn([500]);
        assert!(normal.to_vec().iter().sum::<f64>().abs() < 100.0);
        [uniform, coins, normal, unit.cast()].map(|x| x.to_vec())
    };
    assert_eq!(draw(1), draw(1));
    assert_ne!(draw(1), draw(2));
    assert!(Tensor::<f32>::bernoulli([1], -0.1).is_err());
}

#[test]
fn elements_change_in_place_only_while_nobody_else_holds_them() {
    let mut x = counted(&[2, 2]);
    let (id, version) = (x.storage_id(), x.version());
    x.data_mut().unwrap()[0] = 9;
    assert_eq!((x.storage_id(), x.to_vec()[0]), (id, 9));
    assert!(x.version() > version);
    let view = x.select(0, 0).unwrap();
    let error = x.data_mut().unwrap_err().to_string();
    assert_eq!(error, "data_mut: the storage of [2, 2] is shared with 1 other handles; copy it first");
    drop(view);
    assert!(x.data_mut().is_ok());
    assert!(x.t().data_mut().unwrap_err().to_string().contains("contiguous"));
    let mut part = counted(&[3, 2]).narrow(0, 1, 1).unwrap();
    part.data_mut().unwrap().fill(0);
    assert_eq!(part.to_vec(), [0, 0]);
}

#[test]
fn tensors_compute_what_variables_do_and_are_constants_beside_them() {
    let (a, b) = (Tensor::from([[1.0f64, -2.0], [3.0, 0.5]]), Tensor::from([2.0f64, 4.0]));
    let x = Variable::new(a.clone()).requires_grad_(true);
    let y = Variable::from(b.clone());
    assert_eq!(((&a + &b) * 2 - 1.0) / &b, ((&x + &y) * 2.0 - 1.0).value() / &b);
    assert_eq!(-&a, (-&x).value());
    assert_eq!(a.tanh().sum_keepdim(&[1]), x.tanh().sum_keepdim(&[1]).value());
    assert_eq!(a.matmul(&a.t()), x.matmul(&x.t()).value());
    assert_eq!((&b / &x).value(), (&y / &x).value());
    assert_eq!((1 - &x).value(), (1.0 - &x).value());
    // A tensor has no history, and gives none.
    let mut loss = (&x * &b).sum();
    loss += &x.sum() * 2;
    loss -= 1;
    loss.backward().unwrap();
    assert_eq!(x.grad().unwrap().to_vec(), [4.0, 6.0, 4.0, 6.0]);
    assert!(!(&Variable::from(a.clone()) * &b).requires_grad());
}

#[test]
fn a_parameter_stands_for_its_variable_beside_variables_tensors_and_numbers() {
    let p = Parameter::new(Tensor::from([2.0f64]));
    let (x, t) = (Variable::new(Tensor::from([3.0f64])), Tensor::from([5.0f64]));
    let all = [&x - &p, &p - &x, x.clone() - p.clone(), &p - &t, &t - p.clone(), &p - &p, -&p];
    assert_eq!(all.map(|result| result.item().unwrap()), [1.0, -1.0, 1.0, -3.0, 3.0, 0.0, -2.0]);
    let numbers = [&p / 4, 4 / &p, &p / 4.0, 1.0 / &p];
    assert_eq!(numbers.map(|result| result.item().unwrap()), [0.5, 2.0, 0.5, 0.5]);
    let mut product = &t * &p;
    product *= &p;
    product.backward().unwrap();
    assert_eq!(p.grad().unwrap().to_vec(), [20.0]);
}

#[test]
fn an_assigned_variable_leaves_what_it_stood_for() {
    let x = Variable::new(Tensor::from([1.0f64, 2.0])).requires_grad_(true);
    let mut y = x.clone();
    y *= &x;
    y /= 2.0;
    assert_eq!((x.to_vec(), y.to_vec()), (vec![1.0, 2.0], vec![0.5, 2.0]));
    y.sum().backward().unwrap();
    assert_eq!(x.grad().unwrap().to_vec(), [1.0, 2.0]);
}

#[test]
fn an_error_shows_its_message_to_whoever_unwraps_it() {
    let error = Tensor::from_vec(vec![1.0f32], [2]).unwrap_err();
    assert_eq!(format!("{error:?}"), "from_vec: expected 2 elements for shape [2], got 1");
}
