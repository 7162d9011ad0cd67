use super::*;

fn show(shape: &[usize], values: &[Printed], suffixes: &[&str], options: &PrintOptions) -> String {
    let get = |index: &[usize]| values[index.iter().zip(shape).fold(0, |at, (i, extent)| at * extent + i)];
    let suffixes: Vec<String> = suffixes.iter().map(ToString::to_string).collect();
    format_tensor("tensor(", shape, &get, &suffixes, options)
}

// Elements are `f32`, as a tensor's are unless it says otherwise.
fn floats(shape: &[usize], values: &[f64], suffixes: &[&str], options: PrintOptions) -> String {
    let values: Vec<Printed> = values.iter().map(|v| Printed::Float(f64::from(*v as f32))).collect();
    show(shape, &values, suffixes, &options)
}

fn ints(shape: &[usize], values: &[i64], suffixes: &[&str], options: PrintOptions) -> String {
    let values: Vec<Printed> = values.iter().map(|v| Printed::Int(*v)).collect();
    show(shape, &values, suffixes, &options)
}

fn bools(shape: &[usize], values: &[bool], suffixes: &[&str], options: PrintOptions) -> String {
    let values: Vec<Printed> = values.iter().map(|v| Printed::Bool(*v)).collect();
    show(shape, &values, suffixes, &options)
}

/// `0, 1, 2, ...`
fn counting<T: From<i32>>(n: i32) -> Vec<T> {
    (0..n).map(T::from).collect()
}

const DEFAULT: PrintOptions = PrintOptions::DEFAULT;

// What follows was printed by PyTorch 2.15.

#[test]
fn scalars() {
    assert_eq!(floats(&[], &[0.5], &[], DEFAULT), "tensor(0.5000)");
    assert_eq!(floats(&[], &[3.0], &[], DEFAULT), "tensor(3.)");
    assert_eq!(floats(&[], &[f64::NAN], &[], DEFAULT), "tensor(nan)");
    assert_eq!(floats(&[], &[f64::NEG_INFINITY], &[], DEFAULT), "tensor(-inf)");
    assert_eq!(floats(&[], &[1e-05], &[], DEFAULT), "tensor(1.0000e-05)");
    assert_eq!(floats(&[], &[-0.0], &[], DEFAULT), "tensor(-0.)");
    assert_eq!(ints(&[], &[-7], &[], DEFAULT), "tensor(-7)");
    assert_eq!(bools(&[], &[true], &[], DEFAULT), "tensor(True)");
}

#[test]
fn empty_tensors_show_their_size() {
    assert_eq!(floats(&[0], &[], &[], DEFAULT), "tensor([])");
    assert_eq!(floats(&[0, 3], &[], &[], DEFAULT), "tensor([], size=(0, 3))");
    assert_eq!(
        floats(&[2, 0, 3], &[], &["requires_grad=True"], DEFAULT),
        "tensor([], size=(2, 0, 3), requires_grad=True)"
    );
    assert_eq!(ints(&[0], &[], &["dtype=torch.int64"], DEFAULT), "tensor([], dtype=torch.int64)");
}

#[test]
fn whole_floats_end_in_a_point() {
    assert_eq!(floats(&[3], &[1.0, -20.0, 300.0], &[], DEFAULT), "tensor([  1., -20., 300.])");
    assert_eq!(floats(&[3], &[0.0, 0.0, 0.0], &[], DEFAULT), "tensor([0., 0., 0.])");
    assert_eq!(
        floats(&[2, 2], &[1.0, 0.0, -3.0, 12345.0], &[], DEFAULT),
        concat!("tensor([[ 1.0000e+00,  0.0000e+00],\n", "        [-3.0000e+00,  1.2345e+04]])")
    );
    assert_eq!(floats(&[2], &[100000000.0, 1000000.0], &[], DEFAULT), "tensor([100000000.,   1000000.])");
}

#[test]
fn fractions_have_four_digits() {
    assert_eq!(
        floats(&[4], &[0.1, -2.5, 33.333332, 0.0], &[], DEFAULT),
        "tensor([ 0.1000, -2.5000, 33.3333,  0.0000])"
    );
    assert_eq!(
        floats(&[2, 3], &[1.5, -10.25, 3.0, 100.125, 0.0625, -1.0], &[], DEFAULT),
        concat!(
            "tensor([[ 1.5000e+00, -1.0250e+01,  3.0000e+00],\n",
            "        [ 1.0012e+02,  6.2500e-02, -1.0000e+00]])"
        )
    );
    assert_eq!(
        floats(&[5], &[0.00025, 0.03125, 0.09375, 0.15625, 0.28125], &[], DEFAULT),
        "tensor([2.5000e-04, 3.1250e-02, 9.3750e-02, 1.5625e-01, 2.8125e-01])"
    );
}

#[test]
fn scientific_when_fixed_would_lose_digits() {
    assert_eq!(
        floats(&[3], &[0.001, 0.5, 1.1], &[], DEFAULT),
        "tensor([1.0000e-03, 5.0000e-01, 1.1000e+00])"
    );
    assert_eq!(floats(&[2], &[150000000.0, 160000000.0], &[], DEFAULT), "tensor([1.5000e+08, 1.6000e+08])");
    assert_eq!(floats(&[2], &[5e-05, 6e-05], &[], DEFAULT), "tensor([5.0000e-05, 6.0000e-05])");
    assert_eq!(floats(&[2], &[1.0, 1001.0], &[], DEFAULT), "tensor([1.0000e+00, 1.0010e+03])");
    assert_eq!(
        floats(&[3], &[0.0, -2e-20, 3e+30], &[], DEFAULT),
        "tensor([ 0.0000e+00, -2.0000e-20,  3.0000e+30])"
    );
    assert_eq!(floats(&[2], &[1.0, 1000.0], &[], DEFAULT), "tensor([   1., 1000.])");
}

#[test]
fn non_finite_values_may_stick_out() {
    assert_eq!(floats(&[3], &[f64::NAN, 1.0, f64::INFINITY], &[], DEFAULT), "tensor([nan, 1., inf])");
    assert_eq!(
        floats(&[3], &[f64::NAN, f64::NEG_INFINITY, f64::INFINITY], &[], DEFAULT),
        "tensor([nan, -inf, inf])"
    );
    assert_eq!(
        floats(&[2, 2], &[f64::NAN, 1.5, f64::NEG_INFINITY, -0.0], &[], DEFAULT),
        concat!("tensor([[   nan, 1.5000],\n", "        [  -inf, -0.0000]])")
    );
    assert_eq!(
        floats(&[3], &[f64::NAN, 1e-07, f64::NEG_INFINITY], &[], DEFAULT),
        "tensor([       nan, 1.0000e-07,       -inf])"
    );
}

#[test]
fn integers_and_booleans() {
    assert_eq!(
        ints(&[2, 3], &[1, -20, 300, 4, 5, 6], &[], DEFAULT),
        concat!("tensor([[  1, -20, 300],\n", "        [  4,   5,   6]])")
    );
    assert_eq!(
        ints(&[2], &[-9223372036854775808, 9223372036854775807], &[], DEFAULT),
        "tensor([-9223372036854775808,  9223372036854775807])"
    );
    assert_eq!(
        bools(&[2, 2], &[true, false, false, false], &[], DEFAULT),
        concat!("tensor([[ True, False],\n", "        [False, False]])")
    );
}

#[test]
fn long_rows_wrap() {
    assert_eq!(
        ints(&[30], &counting(30), &[], DEFAULT),
        concat!(
            "tensor([ 0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14, 15, 16, 17,\n",
            "        18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29])"
        )
    );
    assert_eq!(
        floats(&[2, 15], &counting(30), &[], DEFAULT),
        concat!(
            "tensor([[ 0.,  1.,  2.,  3.,  4.,  5.,  6.,  7.,  8.,  9., 10., 11., 12., 13.,\n",
            "         14.],\n",
            "        [15., 16., 17., 18., 19., 20., 21., 22., 23., 24., 25., 26., 27., 28.,\n",
            "         29.]])"
        )
    );
    assert_eq!(
        floats(&[4], &[0.5, 1.5, 2.5, 3.5], &[], PrintOptions { line_width: 20, ..DEFAULT }),
        concat!("tensor([0.5000,\n", "        1.5000,\n", "        2.5000,\n", "        3.5000])")
    );
    assert_eq!(
        floats(&[3], &[0.5, 1.5, 2.5], &[], PrintOptions { line_width: 1, ..DEFAULT }),
        concat!("tensor([0.5000,\n", "        1.5000,\n", "        2.5000])")
    );
}

#[test]
fn blank_lines_between_matrices() {
    assert_eq!(
        ints(&[2, 2, 2], &counting(8), &[], DEFAULT),
        concat!(
            "tensor([[[0, 1],\n",
            "         [2, 3]],\n",
            "\n",
            "        [[4, 5],\n",
            "         [6, 7]]])"
        )
    );
    assert_eq!(
        floats(&[2, 1, 2, 2], &counting(8), &[], DEFAULT),
        concat!(
            "tensor([[[[0., 1.],\n",
            "          [2., 3.]]],\n",
            "\n",
            "\n",
            "        [[[4., 5.],\n",
            "          [6., 7.]]]])"
        )
    );
    assert_eq!(floats(&[1, 1, 1], &[0.5], &[], DEFAULT), "tensor([[[0.5000]]])");
}

#[test]
fn large_tensors_are_summarised() {
    assert_eq!(
        floats(&[1001], &counting(1001), &[], DEFAULT),
        "tensor([   0.,    1.,    2.,  ...,  998.,  999., 1000.])"
    );
    assert_eq!(
        ints(&[1000, 2], &counting(2000), &[], DEFAULT),
        concat!(
            "tensor([[   0,    1],\n",
            "        [   2,    3],\n",
            "        [   4,    5],\n",
            "        ...,\n",
            "        [1994, 1995],\n",
            "        [1996, 1997],\n",
            "        [1998, 1999]])"
        )
    );
    assert_eq!(
        floats(&[40, 40], &counting(1600), &[], DEFAULT),
        concat!(
            "tensor([[0.0000e+00, 1.0000e+00, 2.0000e+00,  ..., 3.7000e+01, 3.8000e+01,\n",
            "         3.9000e+01],\n",
            "        [4.0000e+01, 4.1000e+01, 4.2000e+01,  ..., 7.7000e+01, 7.8000e+01,\n",
            "         7.9000e+01],\n",
            "        [8.0000e+01, 8.1000e+01, 8.2000e+01,  ..., 1.1700e+02, 1.1800e+02,\n",
            "         1.1900e+02],\n",
            "        ...,\n",
            "        [1.4800e+03, 1.4810e+03, 1.4820e+03,  ..., 1.5170e+03, 1.5180e+03,\n",
            "         1.5190e+03],\n",
            "        [1.5200e+03, 1.5210e+03, 1.5220e+03,  ..., 1.5570e+03, 1.5580e+03,\n",
            "         1.5590e+03],\n",
            "        [1.5600e+03, 1.5610e+03, 1.5620e+03,  ..., 1.5970e+03, 1.5980e+03,\n",
            "         1.5990e+03]])"
        )
    );
    assert_eq!(
        ints(&[2, 30, 20], &counting(1200), &[], DEFAULT),
        concat!(
            "tensor([[[   0,    1,    2,  ...,   17,   18,   19],\n",
            "         [  20,   21,   22,  ...,   37,   38,   39],\n",
            "         [  40,   41,   42,  ...,   57,   58,   59],\n",
            "         ...,\n",
            "         [ 540,  541,  542,  ...,  557,  558,  559],\n",
            "         [ 560,  561,  562,  ...,  577,  578,  579],\n",
            "         [ 580,  581,  582,  ...,  597,  598,  599]],\n",
            "\n",
            "        [[ 600,  601,  602,  ...,  617,  618,  619],\n",
            "         [ 620,  621,  622,  ...,  637,  638,  639],\n",
            "         [ 640,  641,  642,  ...,  657,  658,  659],\n",
            "         ...,\n",
            "         [1140, 1141, 1142,  ..., 1157, 1158, 1159],\n",
            "         [1160, 1161, 1162,  ..., 1177, 1178, 1179],\n",
            "         [1180, 1181, 1182,  ..., 1197, 1198, 1199]]])"
        )
    );
    assert_eq!(
        ints(&[8, 2, 8], &counting(128), &[], PrintOptions { threshold: 100, edge_items: 1, ..DEFAULT }),
        concat!(
            "tensor([[[  0,  ...,   7],\n",
            "         [  8,  ...,  15]],\n",
            "\n",
            "        ...,\n",
            "\n",
            "        [[112,  ..., 119],\n",
            "         [120,  ..., 127]]])"
        )
    );
    assert_eq!(
        floats(
            &[12],
            &counting(12),
            &[],
            PrintOptions { threshold: 5, edge_items: 4, line_width: 30, ..DEFAULT }
        ),
        concat!("tensor([ 0.,  1.,  2.,  3.,\n", "         ...,  8.,  9., 10.,\n", "        11.])")
    );
    assert_eq!(
        ints(&[6], &counting(6), &[], PrintOptions { threshold: 5, ..DEFAULT }),
        "tensor([0, 1, 2, 3, 4, 5])"
    );
    assert_eq!(
        floats(&[2, 3], &counting(6), &[], PrintOptions { threshold: 5, edge_items: 0, ..DEFAULT }),
        "tensor([...], size=(2, 3))"
    );
}

#[test]
fn suffixes_wrap_when_the_line_is_full() {
    assert_eq!(
        floats(&[2], &[0.5, 1.5], &["requires_grad=True"], DEFAULT),
        "tensor([0.5000, 1.5000], requires_grad=True)"
    );
    assert_eq!(
        floats(&[6], &[-0.5, 1.5, 2.5, 3.5, 4.5, 5.5], &["grad_fn=<CloneBackward0>"], DEFAULT),
        concat!(
            "tensor([-0.5000,  1.5000,  2.5000,  3.5000,  4.5000,  5.5000],\n",
            "       grad_fn=<CloneBackward0>)"
        )
    );
    assert_eq!(
        floats(
            &[2, 5],
            &[0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5],
            &["grad_fn=<CloneBackward0>"],
            DEFAULT
        ),
        concat!(
            "tensor([[0.5000, 1.5000, 2.5000, 3.5000, 4.5000],\n",
            "        [5.5000, 6.5000, 7.5000, 8.5000, 9.5000]], grad_fn=<CloneBackward0>)"
        )
    );
    assert_eq!(
        floats(
            &[2, 6],
            &[0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5, 10.5, 11.5],
            &["requires_grad=True"],
            DEFAULT
        ),
        concat!(
            "tensor([[ 0.5000,  1.5000,  2.5000,  3.5000,  4.5000,  5.5000],\n",
            "        [ 6.5000,  7.5000,  8.5000,  9.5000, 10.5000, 11.5000]],\n",
            "       requires_grad=True)"
        )
    );
    assert_eq!(
        floats(
            &[2, 6],
            &[0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5, 10.5, 11.5],
            &["grad_fn=<CloneBackward0>"],
            DEFAULT
        ),
        concat!(
            "tensor([[ 0.5000,  1.5000,  2.5000,  3.5000,  4.5000,  5.5000],\n",
            "        [ 6.5000,  7.5000,  8.5000,  9.5000, 10.5000, 11.5000]],\n",
            "       grad_fn=<CloneBackward0>)"
        )
    );
}

#[test]
fn options_count() {
    assert_eq!(
        floats(&[2], &[1.12345, -2.0], &[], PrintOptions { precision: 2, ..DEFAULT }),
        "tensor([ 1.12, -2.00])"
    );
    assert_eq!(floats(&[2], &[0.5, 2.5], &[], PrintOptions { precision: 0, ..DEFAULT }), "tensor([0, 2])");
    assert_eq!(
        floats(&[2], &[1.0, 2.0], &[], PrintOptions { sci_mode: Some(true), ..DEFAULT }),
        "tensor([1.0000e+00, 2.0000e+00])"
    );
    assert_eq!(
        floats(&[2], &[1e-07, 2000.5], &[], PrintOptions { sci_mode: Some(false), ..DEFAULT }),
        "tensor([   0.0000, 2000.5000])"
    );
    assert_eq!(
        floats(&[2], &[1.0, 1000000000.0], &[], PrintOptions { sci_mode: Some(false), ..DEFAULT }),
        "tensor([         1., 1000000000.])"
    );
}
