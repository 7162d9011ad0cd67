//! Indices and ranges of several axes: the elements are those that a loop over places finds.

use proptest::collection::vec;
use proptest::prelude::*;
use wengert_core::{AxisIndex, Tensor, TensorIndex, Variable};

use crate::{config, counted, shapes};

/// A kind of index, and numbers to choose places with.
type Choice = (u8, usize, usize, bool);

/// An index of an axis of this extent, the places that it names, and whether the axis stays.
fn chosen(extent: usize, (kind, p, q, back): Choice) -> (Box<dyn AxisIndex>, Vec<usize>, bool) {
    let start = p % (extent + 1);
    let end = start + q % (extent - start + 1);
    // From the end only what is before it can be named.
    let named = |place: usize| {
        let place = place as isize;
        if back && place < extent as isize { place - extent as isize } else { place }
    };
    let (index, places): (Box<dyn AxisIndex>, _) = match kind {
        0 if start < extent => return (Box::new(named(start)), vec![start], false),
        1 => (Box::new(named(start)..named(end)), start..end),
        2 => (Box::new(named(start)..), start..extent),
        3 => (Box::new(..named(end)), 0..end),
        4 if end < extent => (Box::new(start..=end), start..end + 1),
        5 if end < extent => (Box::new(..=named(end) as i64), 0..end + 1),
        _ => (Box::new(..), 0..extent),
    };
    (index, places.collect(), true)
}

/// The indices as the tuple of as many.
fn indexed(x: &Tensor<i64>, index: &[Box<dyn AxisIndex>]) -> Tensor<i64> {
    let index: Vec<&dyn AxisIndex> = index.iter().map(|index| &**index).collect();
    match index[..] {
        [] => x.clone(),
        [a] => x.i(a).unwrap(),
        [a, b] => x.i((a, b)).unwrap(),
        [a, b, c] => x.i((a, b, c)).unwrap(),
        [a, b, c, d] => x.i((a, b, c, d)).unwrap(),
        _ => unreachable!("shapes have at most four axes"),
    }
}

/// The elements at these places of each axis, in order.
fn found(x: &Tensor<i64>, places: &[Vec<usize>]) -> Vec<i64> {
    let mut all = vec![Vec::new()];
    for places in places {
        all = all.iter().flat_map(|at| places.iter().map(move |&i| [&at[..], &[i]].concat())).collect();
    }
    all.iter().map(|at| x.at(at)).collect()
}

proptest! {
    #![proptest_config(config(2000))]

    #[test]
    fn indices_name_the_places_that_a_loop_finds(
        shape in shapes(),
        choices in vec((0u8..7, 0usize..12, 0usize..12, any::<bool>()), 0..=4),
    ) {
        let x = counted(&shape);
        let chosen: Vec<_> = shape.iter().zip(&choices).map(|(&n, &choice)| chosen(n, choice)).collect();
        let mut places: Vec<Vec<usize>> = chosen.iter().map(|(_, places, _)| places.clone()).collect();
        places.extend(shape[chosen.len()..].iter().map(|&n| (0..n).collect()));
        let stays = |axis: &usize| chosen.get(*axis).is_none_or(|(_, _, stays)| *stays);
        let expected: Vec<usize> = (0..shape.len()).filter(stays).map(|axis| places[axis].len()).collect();
        let index: Vec<_> = chosen.into_iter().map(|(index, _, _)| index).collect();
        let part = indexed(&x, &index);
        prop_assert_eq!(part.shape(), &expected[..]);
        prop_assert_eq!(part.to_vec(), found(&x, &places));
        prop_assert!(part.shares_storage(&x), "a view");
    }

    #[test]
    fn a_place_beyond_an_axis_is_refused(extent in 0usize..4, beyond in 0usize..3) {
        let x = counted(&[2, extent]);
        let (above, below) = (extent + beyond, -((extent + beyond) as isize) - 1);
        prop_assert!(x.i((.., above)).is_err() && x.i((0, below)).is_err());
        prop_assert!(x.i((.., ..above + 1)).is_err() && x.i((.., below..)).is_err());
        prop_assert!(x.i((.., above + 1..)).is_err() && x.i((.., ..=above)).is_err());
    }
}

#[test]
fn variables_and_tensors_of_any_element_take_the_same_indices() {
    let x = Tensor::from([[1.0f32, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    let both = |index: &dyn Fn(&Tensor<f32>) -> Tensor<f32>, of: Tensor<f32>| assert_eq!(index(&x), of);
    both(&|x| x.i((.., 1)).unwrap(), Variable::new(x.clone()).i((.., 1)).value());
    both(&|x| x.i(1..).unwrap(), Variable::new(x.clone()).i(1..).value());
    assert_eq!(Tensor::from([true, false, true]).i(-2..).unwrap().to_vec(), [false, true]);
}

#[test]
fn all_of_a_variable_is_the_variable() {
    let x = Variable::new(Tensor::from([1.0f32, 2.0])).requires_grad_(true);
    assert!(x.i(..).is_same(&x) && x.i(0..2).is_same(&x));
}

#[test]
fn refusals_name_the_axis_and_what_was_given() {
    let x = counted(&[2, 3]);
    let refusal = |error: wengert_core::Result<Tensor<i64>>| error.unwrap_err().to_string();
    let of = |extent, axis, got: &str| {
        format!("inside the {extent} places of axis {axis} in shape [2, 3], got {got}")
    };
    assert_eq!(refusal(x.i(2)), format!("i: every index must be {}", of(2, 0, "2")));
    assert_eq!(refusal(x.i((.., -4))), format!("i: every index must be {}", of(3, 1, "-4")));
    assert_eq!(refusal(x.i((.., ..=3))), format!("i: every range must be {}", of(3, 1, "..=3")));
    assert_eq!(refusal(x.i((.., -1..1))), format!("i: every range must be {}", of(3, 1, "-1..1")));
    assert_eq!(
        refusal(x.i((usize::MAX..,))),
        format!("i: every range must be {}", of(2, 0, &format!("{}..", usize::MAX)))
    );
    assert_eq!(refusal(x.i((0, 0, 0))), "i: expected at most 2 indices for shape [2, 3], got 3");
}

#[test]
#[should_panic(expected = "i: every index must be inside the 1 places of axis 0 in shape [1], got 1")]
fn a_variable_panics_where_a_tensor_refuses() {
    fn first_of<I: TensorIndex>(index: I) -> Variable<f32> {
        Variable::new(Tensor::from([1.0f32])).i(index)
    }
    first_of(1);
}
