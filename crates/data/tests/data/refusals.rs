use wengert_core::{Error, Result, Tensor};
use wengert_data::{DataLoader, Dataset, TensorDataset, VecDataset};

use super::{numbers, refused};

#[test]
fn loaders_that_can_not_be_are_refused() {
    let builder = |len| DataLoader::builder(numbers(len));
    assert_eq!(
        refused(builder(0).batch_size(2).build()),
        "DataLoader: expected a dataset of at least 1 sample, got 0"
    );
    assert_eq!(refused(builder(3).batch_size(0).build()), "DataLoader: batch_size must be at least 1, got 0");
    assert_eq!(
        refused(builder(3).batch_size(4).drop_last(true).build()),
        "DataLoader: batch_size must be at most 3, the samples there are, if the last batch is dropped, got 4"
    );
    assert_eq!(
        refused(builder(3).bucket_pool(0).build()),
        "DataLoader: bucket_pool must be at least 1, got 0"
    );
    assert_eq!(
        refused(builder(3).bucket_by_length(vec![1, 2]).build()),
        "DataLoader: the number of lengths must be 3, one for each sample, got 2"
    );
}

#[test]
fn tensors_that_are_no_rows_are_refused() {
    let x = Tensor::<f32>::zeros([3, 2]);
    assert_eq!(
        refused(TensorDataset::new((x.clone(), Tensor::<i64>::zeros([3]), Tensor::<i64>::zeros([2])))),
        "TensorDataset: expected tensors of 3 rows, as the first has, got 2 for tensor 2"
    );
    assert_eq!(
        refused(TensorDataset::new((x.clone(), Tensor::scalar(1i64)))),
        "TensorDataset: expected tensors of at least 1 axis, got a scalar for tensor 1"
    );
    assert_eq!(
        refused(TensorDataset::new(x).unwrap().get(3)),
        "TensorDataset: every index must be in 0..3, got 3"
    );
    assert_eq!(refused(numbers(3).get(3)), "VecDataset: every index must be in 0..3, got 3");
}

#[test]
fn a_batch_of_samples_of_several_shapes_is_an_error() {
    let data = VecDataset::new(vec![Tensor::<f32>::zeros([2]), Tensor::zeros([3])]);
    let loader = DataLoader::builder(data).batch_size(2).build().unwrap();
    assert_eq!(
        refused(loader.iter().next().unwrap()),
        "stacked: expected samples of one shape, the first of [2], got [3] for sample 1 of the batch"
    );
}

#[test]
fn an_error_of_a_map_is_the_batch_s() {
    let odd = |x: i64| if x == 1 { Err(Error::argument("odd", "x", "even", x)) } else { Ok(x) };
    let data = numbers(2).map(odd).map(|x| Ok((x, Tensor::from([x as f32; 2]))));
    let result: Result<Vec<(i64, Tensor<f32>)>> = data.iter().collect();
    assert_eq!(refused(result), "odd: x must be even, got 1");
}
