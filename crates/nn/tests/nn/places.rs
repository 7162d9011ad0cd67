//! Which row of a padded batch is which row of a packed one: the library's own file, compiled here.

use wengert_core::{Tensor, Variable};

#[allow(dead_code, reason = "the library uses the rest")]
#[path = "../../src/sequence/places.rs"]
mod library;

use library::{BatchLayout, Packing};

#[test]
fn steps_that_count_are_packed_the_longest_sequence_first() {
    let layout = BatchLayout::of(&[4, 4], false);
    let times = [vec![0], vec![0, 2, 3], vec![], vec![1, 2]];
    let packing = Packing::of(&times, |t, n| layout.place(t, n));
    assert_eq!(packing.order, [1, 3, 0, 2]);
    assert_eq!(packing.sizes, [3, 2, 1]);
    assert_eq!(packing.places, [1, 4 + 3, 0, 8 + 1, 8 + 3, 12 + 1]);
    let rows = Variable::from(Tensor::from([[1.0], [2.0], [3.0], [4.0], [5.0], [6.0f64]]));
    let all = [3.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 2.0, 0.0, 4.0, 0.0, 5.0, 0.0, 6.0, 0.0, 0.0];
    let batch = layout.spread(&rows, &packing.places, 0.0);
    assert_eq!((batch.shape(), batch.to_vec()), (&[4, 4, 1][..], all.to_vec()));
    assert_eq!(packing.pack(&layout.rows(&batch)).to_vec(), rows.to_vec());
}

#[test]
fn a_batch_whose_first_axis_is_the_batch_has_its_rows_sample_by_sample() {
    let layout = BatchLayout::of(&[2, 3, 5], true);
    assert_eq!((layout.steps, layout.batch, layout.place(2, 1), layout.shape()), (3, 2, 5, [2, 3]));
}
