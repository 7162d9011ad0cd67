use proptest::prelude::*;

use super::*;
use crate::guarded::{Guarded, SIDES, at_lesser_levels};
#[cfg(all(target_arch = "x86_64", not(miri)))]
use crate::run::level::{Level, level};

/// Numbers of which many are representable and none is special.
fn numbers(len: usize, seed: u64) -> Vec<f64> {
    let mut state = seed | 1;
    let next = |_| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 40) as f64 / (1u64 << 23) as f64 - 1.0
    };
    (0..len).map(next).collect()
}

/// How a matrix lies in memory.
#[derive(Clone, Copy, Debug)]
enum Layout {
    Rows,
    Columns,
    PaddedRows(usize),
    PaddedColumns(usize),
    Spread,
    /// All rows are one row.
    OneRow,
    OneColumn,
    OneElement,
}

impl Layout {
    fn strides(self, rows: usize, cols: usize) -> (usize, usize) {
        match self {
            Self::Rows => (cols.max(1), 1),
            Self::Columns => (1, rows.max(1)),
            Self::PaddedRows(pad) => (cols + pad, 1),
            Self::PaddedColumns(pad) => (1, rows + pad),
            Self::Spread => (3 * cols + 1, 3),
            Self::OneRow => (0, 1),
            Self::OneColumn => (1, 0),
            Self::OneElement => (0, 0),
        }
    }
}

fn distinct() -> impl Strategy<Value = Layout> {
    let contiguous = prop_oneof![Just(Layout::Rows), Just(Layout::Columns)];
    let padded =
        prop_oneof![(1..9usize).prop_map(Layout::PaddedRows), (1..9usize).prop_map(Layout::PaddedColumns)];
    prop_oneof![4 => contiguous, 2 => padded, 1 => Just(Layout::Spread)]
}

fn any_layout() -> impl Strategy<Value = Layout> {
    let same = prop_oneof![Just(Layout::OneRow), Just(Layout::OneColumn), Just(Layout::OneElement)];
    prop_oneof![6 => distinct(), 1 => same]
}

#[derive(Clone, Copy, Debug)]
struct Case {
    extents: (usize, usize, usize),
    layouts: [Layout; 3],
    offsets: [usize; 3],
    start: Begin,
    seed: u64,
}

/// What the product is added to: nothing, C, or a matrix of this layout.
#[derive(Clone, Copy, Debug)]
enum Begin {
    Zero,
    Own,
    Matrix(Layout),
}

fn cases() -> impl Strategy<Value = Case> {
    // Under an interpreter a product of some thousand multiplications takes seconds.
    let (small, many) = if cfg!(miri) { (0..=4usize, 0) } else { (0..=20usize, 1) };
    let few = small.clone();
    let extent = || prop_oneof![8 => few.clone(), 2 * many => 21..=70usize, many => Just(131)];
    // The longest needs more than one pass of dot products.
    let depth = prop_oneof![8 => small, 2 * many => 21..=70usize, many => Just(131), many => Just(1037)];
    let start = prop_oneof![Just(Begin::Zero), Just(Begin::Own), any_layout().prop_map(Begin::Matrix)];
    let layouts = (any_layout(), any_layout(), distinct()).prop_map(|(a, b, c)| [a, b, c]);
    ((extent(), depth, extent()), layouts, prop::array::uniform3(0..5usize), start, any::<u64>())
        .prop_map(|(extents, layouts, offsets, start, seed)| Case { extents, layouts, offsets, start, seed })
}

/// Memory that just holds the matrix.
fn len(offset: usize, rows: usize, cols: usize, strides: (usize, usize)) -> usize {
    if rows == 0 || cols == 0 { 0 } else { offset + (rows - 1) * strides.0 + (cols - 1) * strides.1 + 1 }
}

fn every_backend<T: Gemm>(product: &Product<T>) -> Vec<Backend> {
    #[cfg_attr(miri, allow(unused_mut, reason = "there is one alone"))]
    let mut backends = vec![Backend::Naive];
    #[cfg(not(miri))]
    backends.push(Backend::Baseline);
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    if level() != Level::Portable && product.extents.k > 0 {
        if product.c.2 == 1 {
            backends.push(Backend::Panels);
        }
        if product.allows_rows() {
            backends.push(Backend::Rows);
        }
        if product.allows_dots() {
            backends.push(Backend::Dots);
        }
    }
    assert!(backends.contains(&product.backend()), "{:?} is not for this product", product.backend());
    backends
}

fn same_bits<T: Copy + Into<f64>>(a: &[T], b: &[T]) -> bool {
    a.iter().zip(b).all(|(&a, &b)| a.into().to_bits() == b.into().to_bits())
}

macro_rules! check_case {
    ($type:ty, $case:expr) => {{
        let Case { extents: (m, k, n), layouts, offsets, start, seed } = $case;
        let [sa, sb, sc] = [layouts[0].strides(m, k), layouts[1].strides(k, n), layouts[2].strides(m, n)];
        let ss = if let Begin::Matrix(layout) = start { layout.strides(m, n) } else { sc };
        let narrow = |v: Vec<f64>| v.into_iter().map(|x| x as $type).collect::<Vec<_>>();
        // What lies right behind an operand, or right in front of it, must not be touched.
        let guarded = |v: Vec<f64>| Guarded::of(&narrow(v), SIDES[(seed % 2) as usize]);
        let a = guarded(numbers(len(offsets[0], m, k, sa), seed));
        let b = guarded(numbers(len(offsets[1], k, n, sb), seed ^ 0x5555));
        let mut c = guarded(numbers(len(offsets[2], m, n, sc), seed ^ 0x1234_5678));
        let first = guarded(numbers(len(1, m, n, ss), seed ^ 0x8765));
        let at = |offset: usize, strides: (usize, usize), i: usize, j: usize| {
            offset + i * strides.0 + j * strides.1
        };
        // What C's elements must become; what is not one of them must stay.
        let mut expected: Vec<Option<(f64, f64)>> = vec![None; c.len()];
        let unit = (k as f64 + 4.0) * <$type>::EPSILON as f64;
        for i in 0..m {
            for j in 0..n {
                let term = |p| a[at(offsets[0], sa, i, p)] as f64 * b[at(offsets[1], sb, p, j)] as f64;
                let sum: f64 = (0..k).map(term).sum();
                let q = at(offsets[2], sc, i, j);
                let size: f64 = (0..k).map(|p| term(p).abs()).sum();
                let old = match start {
                    Begin::Zero => 0.0,
                    Begin::Own => c[q] as f64,
                    Begin::Matrix(_) => first[at(1, ss, i, j)] as f64,
                };
                expected[q] = Some((sum + old, unit * (size + old.abs())));
                if !matches!(start, Begin::Own) {
                    c[q] = <$type>::NAN;
                }
            }
        }
        let verify = |got: &[$type], name: &str| {
            for (q, want) in expected.iter().enumerate() {
                match want {
                    Some((want, error)) => {
                        prop_assert!((got[q] as f64 - want).abs() <= *error, "{name}: {} for {want}", got[q]);
                    }
                    None => {
                        prop_assert!(got[q].to_bits() == c[q].to_bits(), "{name}: wrote between elements")
                    }
                }
            }
            Ok(())
        };
        let (left, right) = (MatRef::of(&a, offsets[0], (m, k), sa), MatRef::of(&b, offsets[1], (k, n), sb));
        let start = match start {
            Begin::Zero => Start::Zero,
            Begin::Own => Start::Own,
            Begin::Matrix(_) => Start::Matrix(MatRef::of(&first, 1, (m, n), ss)),
        };
        let extents = Extents { m, k, n };
        let mut got = c.clone();
        gemm(left, right, start, MatMut::of(&mut got, offsets[2], (m, n), sc));
        verify(&got, "gemm")?;
        if let (Some(len), 1) = (pack_len::<$type>(k, n), sc.1) {
            let (mut packed, mut got) = (guarded(vec![0.0; len]), c.clone());
            pack(right, &mut packed);
            gemm_packed(left, &packed, start, MatMut::of(&mut got, offsets[2], (m, n), sc));
            verify(&got, "with a pack")?;
            let mut same = c.clone();
            gemm_like_packed(left, right, start, MatMut::of(&mut same, offsets[2], (m, n), sc));
            prop_assert!(same_bits(&got, &same), "other bits");
            if m > 0 && n > 0 && k > 0 {
                let mut in_parts = c.clone();
                let out = MatMut::of(&mut in_parts, offsets[2], (m, n), sc);
                let product = Product::unoriented(extents, left, right, start, out).settled();
                // SAFETY: the bounds were checked with the product before, and the pack is of this matrix.
                unsafe { product.cut_packed(Address(packed.as_ptr()), <$type>::panels(n), 5) };
                prop_assert!(same_bits(&got, &in_parts), "other bits in parts");
            }
        }
        if m > 0 && n > 0 {
            let mut got = c.clone();
            let product =
                Product::new(extents, left, right, start, MatMut::of(&mut got, offsets[2], (m, n), sc));
            for backend in every_backend(&product) {
                let mut got = c.clone();
                let product =
                    Product::new(extents, left, right, start, MatMut::of(&mut got, offsets[2], (m, n), sc));
                // SAFETY: `new` checked the bounds, `every_backend` what the backend asks.
                unsafe { <$type>::run(&product, backend) };
                let whole = got;
                let mut got = c.clone();
                let product =
                    Product::new(extents, left, right, start, MatMut::of(&mut got, offsets[2], (m, n), sc));
                // SAFETY: as above.
                unsafe { product.cut(backend, 3) };
                prop_assert!(same_bits(&got, &whole), "{backend:?} in parts has other bits");
                verify(&got, &format!("{backend:?}"))?;
                #[cfg(all(target_arch = "x86_64", not(miri)))]
                if matches!(backend, Backend::Rows | Backend::Dots | Backend::Panels) {
                    // What a lesser machine would run.
                    let mut got = c.clone();
                    let product = Product::new(
                        extents,
                        left,
                        right,
                        start,
                        MatMut::of(&mut got, offsets[2], (m, n), sc),
                    );
                    // SAFETY: as above; every level above the portable one has these instructions.
                    unsafe {
                        match backend {
                            Backend::Rows => product.along_b(Level::Avx2),
                            Backend::Dots => product.by_dots(Level::Avx2),
                            _ => product.through_panels(Level::Avx2),
                        }
                    }
                    verify(&got, "AVX2")?;
                }
            }
        }
        Ok(())
    }};
}

/// Ten thousand where they take seconds, or as many as the deep run asks for.
fn case_count() -> u32 {
    let deep = std::env::var("WENGERT_DEEP_CASES").ok().and_then(|cases| cases.parse().ok());
    if let Some(cases) = deep {
        return cases;
    }
    match (cfg!(miri), cfg!(debug_assertions)) {
        (true, _) => 3,
        (false, true) => 2000,
        (false, false) => 10_000,
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: case_count(),
        failure_persistence: None,
        ..Default::default()
    })]

    #[test]
    fn every_backend_is_right_in_f32(case in cases()) {
        let result: Result<(), TestCaseError> = (|| check_case!(f32, case))();
        result?;
    }

    #[test]
    fn every_backend_is_right_in_f64(case in cases()) {
        let result: Result<(), TestCaseError> = (|| check_case!(f64, case))();
        result?;
    }
}

#[test]
fn every_backend_is_right_at_lesser_levels() {
    at_lesser_levels("gemm::tests::every_backend_is_right_in_f32");
    at_lesser_levels("gemm::tests::every_backend_is_right_in_f64");
}

/// As in a weight's gradient: A comes in several strips, each in pieces between B's panels, of which there
/// are more or fewer than pieces.
#[test]
#[cfg_attr(miri, ignore = "it takes minutes")]
fn a_long_operand_with_contiguous_columns_is_right() {
    for extents in [(389, 70, 331), (301, 600, 97), (250, 33, 20)] {
        let layouts = [Layout::Columns, Layout::Rows, Layout::Rows];
        let case = Case { extents, layouts, offsets: [0; 3], start: Begin::Own, seed: 7 };
        let f32_result: Result<(), TestCaseError> = (|| check_case!(f32, case))();
        let f64_result: Result<(), TestCaseError> = (|| check_case!(f64, case))();
        f32_result.and(f64_result).unwrap_or_else(|error| panic!("{extents:?}: {error}"));
    }
}

/// A product of 2 x 3 and 3 x 2 in memory of these lengths, C with these strides.
fn product(lens: [usize; 3], strides: (usize, usize)) {
    let (a, b, mut c) = (vec![1.0; lens[0]], vec![1.0; lens[1]], vec![0.0; lens[2]]);
    let (a, b) = (MatRef::of(&a, 0, (2, 3), (3, 1)), MatRef::of(&b, 0, (3, 2), (2, 1)));
    gemm(a, b, Start::Zero, MatMut::of(&mut c, 0, (2, 2), strides));
}

#[test]
fn exactly_enough_memory_is_enough() {
    product([6, 6, 4], (2, 1));
    product([6, 6, 6], (1, 4));
}

#[test]
#[should_panic(expected = "a matrix of 2 x 3, strides 3 and 1, at 0 leaves its 5 elements")]
fn a_must_fit() {
    product([5, 6, 4], (2, 1));
}

#[test]
#[should_panic(expected = "a matrix of 3 x 2, strides 2 and 1, at 0 leaves its 5 elements")]
fn b_must_fit() {
    product([6, 5, 4], (2, 1));
}

#[test]
#[should_panic(expected = "a matrix of 2 x 2, strides 2 and 1, at 0 leaves its 3 elements")]
fn c_must_fit() {
    product([6, 6, 3], (2, 1));
}

#[test]
#[should_panic(expected = "leaves its 4 elements")]
fn strides_that_overflow_do_not_fit() {
    product([6, 6, 4], (usize::MAX, 1));
}

#[test]
#[should_panic(expected = "elements of a matrix of 2 x 2, strides 1 and 1, overlap")]
fn elements_of_c_must_not_overlap() {
    product([6, 6, 4], (1, 1));
}

#[test]
#[should_panic(expected = "elements of a matrix of 2 x 2, strides 0 and 1, overlap")]
fn rows_of_c_must_not_be_one() {
    product([6, 6, 4], (0, 1));
}

#[test]
#[should_panic(expected = "gemm: 2 x 3 by 2 x 3 for 2 x 3")]
fn extents_must_fit() {
    let (a, mut c) = ([1.0f32; 6], [0.0; 6]);
    let a = MatRef::of(&a, 0, (2, 3), (3, 1));
    gemm(a, a, Start::Zero, MatMut::rows(&mut c, 2, 3));
}

#[test]
fn strides_of_one_element_do_not_matter() {
    let mut c = [f32::NAN];
    let a = MatRef::of(&[2.0, 3.0], 0, (1, 2), (usize::MAX, 1));
    let b = MatRef::of(&[5.0, 7.0], 0, (2, 1), (1, usize::MAX));
    gemm(a, b, Start::Zero, MatMut::of(&mut c, 0, (1, 1), (0, usize::MAX)));
    assert_eq!(c, [31.0]);
}

#[test]
#[cfg_attr(miri, ignore = "it takes minutes, and one loop has one order")]
fn the_order_of_additions_is_always_the_same() {
    for (m, k, n) in [(5, 100, 200), (3, 1037, 17), (40, 60, 130), (1, 300, 70)] {
        let narrow = |v: Vec<f64>| v.into_iter().map(|x| x as f32).collect::<Vec<_>>();
        let (a, b) = (narrow(numbers(m * k, 1)), narrow(numbers(k * n, 2)));
        for strides in [(n, 1), (1, k)] {
            let run = || {
                let mut c = vec![0.0; m * n];
                let (a, b) = (MatRef::of(&a, 0, (m, k), (k, 1)), MatRef::of(&b, 0, (k, n), strides));
                gemm(a, b, Start::Zero, MatMut::rows(&mut c, m, n));
                c.iter().map(|x| x.to_bits()).collect::<Vec<_>>()
            };
            assert_eq!(run(), run());
        }
    }
}
