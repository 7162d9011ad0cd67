//! Whatever extents a function is given, however large: it refuses them with a message, or gives a tensor
//! of as many elements as their product.

use std::panic::{AssertUnwindSafe, catch_unwind};

use wengert_core::{Error, Result, Tensor, Variable, cat, stack};

use crate::limited::within;

/// Numbers from a seed.
struct Draw(u64);

impl Draw {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        ((mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB) >> 33) as usize % end
    }

    /// Small, zero, or so large that nobody has as much memory.
    fn extent(&mut self) -> usize {
        match self.below(8) {
            0 => 0,
            1..5 => [1, 1, 2, 3, 5][self.below(5)],
            5 => (1usize << (31 + self.below(33))).wrapping_sub(1).wrapping_add(self.below(3)),
            6 => 1 << (31 + self.below(33)),
            _ => [usize::MAX, usize::MAX - 1, isize::MAX as usize, isize::MAX as usize + 1][self.below(4)],
        }
    }

    fn shape(&mut self, rank: usize) -> Vec<usize> {
        (0..rank).map(|_| self.extent()).collect()
    }

    fn any_shape(&mut self) -> Vec<usize> {
        let rank = self.below(5);
        self.shape(rank)
    }

    fn axis(&mut self, rank: usize) -> isize {
        self.below(rank.max(1)) as isize - if self.below(2) == 0 { rank as isize } else { 0 }
    }

    fn shift(&mut self) -> isize {
        match self.below(3) {
            0 => self.below(5) as isize - 2,
            1 => self.extent() as isize,
            _ => [isize::MIN, isize::MAX, isize::MIN + 1][self.below(3)],
        }
    }
}

/// The product of extents as a number that does not wrap, if it fits.
fn product(shape: &[usize]) -> Option<u128> {
    if shape.contains(&0) {
        Some(0)
    } else {
        shape.iter().try_fold(1u128, |all, &n| all.checked_mul(n as u128))
    }
}

/// Of this shape, over one element where that is enough.
fn any(shape: &[usize]) -> Result<Variable> {
    let one = Tensor::full(vec![1; shape.len()], 0.5);
    Ok(Variable::new(one.expand(shape)?).requires_grad_(shape.len().is_multiple_of(2)))
}

fn index(shape: &[usize], value: i64) -> Result<Tensor<i64>> {
    Tensor::full(vec![1; shape.len()], value).expand(shape)
}

type Outcome = Result<Vec<Variable>>;

/// A function that is given extents.
type Function = fn(&mut Draw, &[usize]) -> Outcome;

fn one(value: impl Into<Variable>) -> Outcome {
    Ok(vec![value.into()])
}

/// Of the shape drawn, nothing else; so that the result must have it.
const MAKERS: [(&str, Function); 10] = [
    ("zeros", |_, shape| one(Tensor::zeros(shape))),
    ("ones", |_, shape| one(Tensor::ones(shape))),
    ("from_fn", |_, shape| one(Tensor::from_fn(shape, |i| i as f32))),
    ("uniform", |_, shape| one(Tensor::uniform(shape, -1.0, 1.0))),
    ("randn", |_, shape| one(Tensor::randn(shape))),
    ("bernoulli", |_, shape| one(Tensor::bernoulli(shape, 0.5)?)),
    ("randint", |_, shape| one(Tensor::randint(0, 9, shape)?.cast::<f32>())),
    ("expand", |_, shape| one(any(shape)?)),
    ("reshape", |_, shape| {
        let mut other = shape.to_vec();
        other.reverse();
        one(any(&other)?.reshape(shape))
    }),
    ("from_vec", |draw, shape| one(Tensor::from_vec(vec![0.5; draw.below(7)], shape)?)),
];

/// Of a tensor of the shape drawn, and others beside it.
const TAKERS: [(&str, Function); 54] = [
    ("eye", |draw, _| one(Tensor::eye(draw.extent()))),
    ("linspace", |draw, _| one(Tensor::linspace(0.0, 1.0, draw.extent()))),
    ("arange", |draw, _| one(Tensor::arange(0.0, draw.extent() as f64, 1.0)?)),
    ("one_hot", |draw, shape| one(index(shape, 0)?.one_hot::<f32>(draw.extent())?)),
    ("argsort", |draw, shape| {
        let places = any(shape)?.value().argsort(draw.axis(shape.len()))?;
        one(places.cast::<f32>())
    }),
    ("zip", |draw, shape| one(any(shape)?.value().zip(&any(&draw.any_shape())?.value(), |a, b| a + b)?)),
    ("cast", |_, shape| one(any(shape)?.value().cast::<f64>().cast::<f32>())),
    ("add", |draw, shape| one(&any(shape)? + &any(&draw.any_shape())?)),
    ("tanh", |_, shape| one(any(shape)?.tanh())),
    ("tanh of a transpose", |_, shape| one(any(shape)?.t().tanh())),
    ("cat", |draw, shape| {
        let (x, mut other, axis) = (any(shape)?, shape.to_vec(), draw.axis(shape.len()));
        if let Some(extent) = other.get_mut(axis.rem_euclid(shape.len().max(1) as isize) as usize) {
            *extent = draw.extent();
        }
        one(cat(&[&x, &any(&other)?, &x], axis))
    }),
    ("stack", |draw, shape| {
        let x = any(shape)?;
        one(stack(&[&x, &x, &x], draw.axis(shape.len() + 1)))
    }),
    ("split", |draw, shape| {
        let extents = draw.any_shape();
        Ok(any(shape)?.split(&extents, draw.axis(shape.len())))
    }),
    ("chunk", |draw, shape| Ok(any(shape)?.chunk(draw.extent(), draw.axis(shape.len())))),
    ("parts", |draw, shape| Ok(any(shape)?.parts::<3>(draw.axis(shape.len())).to_vec())),
    ("unbind", |draw, shape| Ok(any(shape)?.unbind(draw.axis(shape.len())))),
    ("pad", |draw, shape| {
        let pad: Vec<isize> = (0..2 * draw.below(shape.len() + 1)).map(|_| draw.shift()).collect();
        one(any(shape)?.pad(&pad, 1.0))
    }),
    ("repeat", |draw, shape| {
        let repeats = draw.shape(shape.len() + 1);
        one(any(shape)?.repeat(&repeats))
    }),
    ("roll", |draw, shape| one(any(shape)?.roll(&[draw.shift()], &[draw.axis(shape.len())]))),
    ("flip", |draw, shape| one(any(shape)?.flip(&[draw.axis(shape.len())]))),
    ("slice", |draw, shape| {
        let (start, end, step) = (draw.extent(), draw.extent(), draw.extent());
        one(any(shape)?.slice(draw.axis(shape.len()), start, end, step))
    }),
    ("narrow", |draw, shape| {
        let (start, length) = (draw.extent(), draw.extent());
        one(any(shape)?.narrow(draw.axis(shape.len()), start, length))
    }),
    ("select", |draw, shape| one(any(shape)?.select(draw.axis(shape.len()), draw.extent()))),
    ("views of views", |draw, shape| {
        let x = any(shape)?.unsqueeze(draw.axis(shape.len() + 1)).transpose(0, -1);
        one(x.slice(-1, draw.below(2), draw.extent(), 2).unsqueeze(0).squeeze(0).contiguous())
    }),
    ("outer", |draw, shape| one(any(shape)?.outer(&any(&[draw.extent()])?))),
    ("matmul", |draw, shape| {
        // A product of few elements takes as long as its inner extent is.
        let (inner, n) = (draw.below(4), draw.extent());
        let left = any(&[shape, &[inner]].concat())?;
        one(left.matmul(&any(&[inner, n])?))
    }),
    ("matmul of batches", |draw, shape| {
        let (inner, n, batch) = (draw.below(4), draw.extent(), draw.extent());
        let left = any(&[shape, &[inner]].concat())?;
        one(left.matmul(&any(&[batch, inner, n])?))
    }),
    ("linear", |draw, shape| {
        let (inner, n) = (draw.below(4), draw.extent());
        one(any(&[shape, &[inner]].concat())?.linear(&any(&[n, inner])?, None))
    }),
    ("bilinear", |draw, shape| {
        let (first, second, n) = (draw.below(4), draw.below(4), draw.extent());
        let (x, y) = (any(&[shape, &[first]].concat())?, any(&[shape, &[second]].concat())?);
        one(x.bilinear(&y, &any(&[n, first, second])?, None))
    }),
    ("index_select", |draw, shape| {
        one(any(shape)?.index_select(draw.axis(shape.len()), &index(&[draw.extent()], 0)?))
    }),
    ("embedding", |draw, shape| one(any(&draw.shape(2))?.embedding(&index(shape, 0)?))),
    ("gather", |draw, shape| {
        one(any(shape)?.gather(draw.axis(shape.len()), &index(&draw.shape(shape.len()), 0)?))
    }),
    ("scatter_add", |draw, shape| {
        let places = index(&draw.shape(shape.len()), 0)?;
        let source = any(places.shape())?;
        one(any(shape)?.scatter_add(draw.axis(shape.len()), &places, &source))
    }),
    ("sum", |draw, shape| one(any(shape)?.sum_dim(&[draw.axis(shape.len())]))),
    ("sum_keepdim", |draw, shape| one(any(shape)?.sum_keepdim(&[draw.axis(shape.len())]))),
    ("sum of all", |_, shape| one(any(shape)?.sum())),
    ("mean", |draw, shape| one(any(shape)?.mean_dim(&[draw.axis(shape.len())]))),
    ("amax", |draw, shape| one(any(shape)?.amax(&[draw.axis(shape.len())]))),
    ("max_dim", |draw, shape| one(any(shape)?.max_dim(draw.axis(shape.len())).0)),
    ("max_keepdim", |draw, shape| one(any(shape)?.max_keepdim(draw.axis(shape.len())).0)),
    ("softmax", |draw, shape| one(any(shape)?.softmax(draw.axis(shape.len())))),
    ("logsumexp", |draw, shape| one(any(shape)?.logsumexp(draw.axis(shape.len())))),
    ("cumsum", |draw, shape| one(any(shape)?.cumsum(draw.axis(shape.len())))),
    ("prod", |draw, shape| one(any(shape)?.prod_dim(draw.axis(shape.len())))),
    ("prod_keepdim", |draw, shape| one(any(shape)?.prod_keepdim(draw.axis(shape.len())))),
    ("topk", |draw, shape| one(any(shape)?.topk(draw.extent(), draw.axis(shape.len())).0)),
    ("randperm", |draw, _| one(Tensor::randperm(draw.extent()).cast::<f32>())),
    ("multinomial", |draw, shape| {
        let (weights, samples) = (any(shape)?.value(), draw.extent());
        let drawn = match draw.below(2) {
            0 => weights.multinomial_with_replacement(samples),
            _ => weights.multinomial(samples),
        };
        one(drawn?.cast::<f32>())
    }),
    ("i", |draw, shape| one(any(shape)?.i((draw.extent().., draw.shift())))),
    ("cat of indices", |draw, shape| {
        let (x, other) = (index(shape, 1)?, index(&draw.any_shape(), 1)?);
        one(Tensor::cat(&[&x, &other, &x], draw.axis(shape.len())).cast::<f32>())
    }),
    ("repeat of indices", |draw, shape| {
        let repeats = draw.shape(shape.len() + 1);
        one(index(shape, 1)?.repeat(&repeats).cast::<f32>())
    }),
    ("any_dim", |draw, shape| one(index(shape, 1)?.eq(1).any_dim(&[draw.axis(shape.len())]).cast::<f32>())),
    ("count_nonzero", |_, shape| one(index(shape, 1)?.count_nonzero_dim(&[]).cast::<f32>())),
    ("std", |draw, shape| one(any(shape)?.std_dim(&[draw.axis(shape.len())], 1))),
];

/// What a function did: its results, or the message that it refused with.
fn outcome(function: Function, draw: &mut Draw, shape: &[usize]) -> Result<Vec<Variable>, String> {
    match catch_unwind(AssertUnwindSafe(|| function(draw, shape))) {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(payload) => {
            let text = payload.downcast_ref::<&str>().map(|text| text.to_string());
            Err(text.or_else(|| payload.downcast_ref().cloned()).expect("a panic has a message"))
        }
    }
}

/// Counts as many elements as there are, and can be gone through forward and back.
fn verify(name: &str, result: &Variable) {
    let shape = result.shape();
    assert_eq!(Some(result.numel() as u128), product(shape), "{name}: {shape:?}");
    if result.numel() <= 1 << 16 {
        assert_eq!(result.to_vec().len(), result.numel(), "{name}: {shape:?}");
        let twice = catch_unwind(AssertUnwindSafe(|| (result * 2.0).sum()));
        if let Ok(sum) = twice.as_ref().map(|sum| sum.backward()) {
            assert!(
                matches!(
                    sum,
                    Ok(()) | Err(Error::NoGraph { .. } | Error::Memory { .. } | Error::Extents { .. })
                ),
                "{name}: {sum:?}"
            );
        }
    }
}

/// An arithmetic message of the language is none of ours.
fn check_message(name: &str, message: &str) {
    let foreign = ["overflow", "out of range", "out of bounds", "divide by zero", "unreachable"];
    assert!(!foreign.iter().any(|word| message.contains(word)), "{name}: {message}");
}

#[test]
fn any_extents_are_refused_or_counted() {
    let deep = std::env::var("WENGERT_DEEP_CASES").ok().and_then(|cases| cases.parse().ok());
    let cases = deep.unwrap_or(if cfg!(debug_assertions) { 6_000 } else { 60_000 });
    within(1 << 20, "extents::any_extents_are_refused_or_counted", || {
        std::panic::set_hook(Box::new(|_| {}));
        let failures: Vec<String> = (0..cases).filter_map(case).take(10).collect();
        let _ = std::panic::take_hook();
        assert!(failures.is_empty(), "{}", failures.join("\n"));
    });
}

/// What is wrong in the case of this seed.
fn case(seed: u64) -> Option<String> {
    let mut draw = Draw(seed);
    let shape = draw.any_shape();
    let which = draw.below(MAKERS.len() + TAKERS.len());
    let (name, function) = *MAKERS.get(which).unwrap_or_else(|| &TAKERS[which - MAKERS.len()]);
    // The last line says which case the process ended in.
    println!("{seed}: {name} of {shape:?}");
    let checked = catch_unwind(AssertUnwindSafe(|| match outcome(function, &mut draw, &shape) {
        Err(message) => check_message(name, &message),
        Ok(results) => results.iter().for_each(|result| {
            assert!(which >= MAKERS.len() || result.shape() == shape, "{name}: {:?}", result.shape());
            verify(name, result);
        }),
    }));
    let payload = checked.err()?;
    Some(format!("{seed}: {shape:?}: {}", payload.downcast_ref::<String>().expect("a message")))
}

/// The message of a panic.
fn refusal<R>(work: impl FnOnce() -> R) -> String {
    let payload = catch_unwind(AssertUnwindSafe(work)).err().expect("it is refused");
    payload.downcast_ref::<String>().cloned().expect("a panic has a message")
}

const HALF: usize = 1 << 32;

#[test]
fn extents_whose_product_wraps_are_refused_by_name() {
    let fits = "expected extents whose product is at most 9223372036854775807, got";
    let wraps = (1 << 62) + 1;
    let x = Tensor::from_vec(vec![0.5f32; 4], [wraps, 4]);
    assert_eq!(x.unwrap_err().to_string(), format!("from_vec: {fits} [{wraps}, 4]"));
    let all = Tensor::scalar(1.0f32).expand(&[HALF, HALF]);
    assert_eq!(all.unwrap_err().to_string(), format!("expand: {fits} [{HALF}, {HALF}]"));
    let rows = Tensor::scalar(1.0f32).expand(&[(1 << 60) + 16, 16]);
    assert!(rows.unwrap_err().to_string().starts_with("expand: "));
    assert_eq!(refusal(|| Tensor::<f32>::zeros([1 << 63, 2])), format!("zeros: {fits} [{}, 2]", 1u64 << 63));
    assert_eq!(refusal(|| Tensor::<f32>::eye(HALF)), format!("eye: {fits} [{HALF}, {HALF}]"));
    let long = any(&[HALF, 1]).unwrap();
    let wide = any(&[1, HALF]).unwrap();
    for (name, message) in [
        ("Add", refusal(|| &long + &wide)),
        ("matmul", refusal(|| long.matmul(&wide))),
        ("linear", refusal(|| long.linear(&long, None))),
        ("repeat", refusal(|| long.repeat(&[1, HALF]))),
        ("stack", refusal(|| stack(&[&any(&[usize::MAX >> 1]).unwrap(); 3], 0))),
        ("cat", refusal(|| cat(&[&any(&[usize::MAX >> 1]).unwrap(); 3], 0))),
        ("pad", refusal(|| long.pad(&[isize::MAX, 0], 0.0))),
        ("index_select", refusal(|| long.index_select(1, &index(&[HALF], 0).unwrap()))),
        ("embedding", refusal(|| wide.embedding(&index(&[HALF], 0).unwrap()))),
    ] {
        assert!(message.starts_with(&format!("{name}: {fits} [")), "{message}");
    }
    assert!(
        index(&[HALF], 0).unwrap().one_hot::<f32>(HALF).unwrap_err().to_string().starts_with("one_hot: ")
    );
    let message = refusal(|| any(&[2]).unwrap().split(&[usize::MAX, 3], 0));
    assert_eq!(message, format!("split: expected extents that add up to 2, got [{}, 3]", usize::MAX));
}

#[test]
fn an_extent_of_zero_makes_any_others_legal() {
    for shape in [[0, 1 << 63, 2], [1 << 63, 0, 2], [1 << 63, 2, 0], [usize::MAX, usize::MAX, 0]] {
        let x = Variable::new(Tensor::<f32>::zeros(shape)).requires_grad_(true);
        assert_eq!((x.numel(), x.shape(), x.to_vec()), (0, &shape[..], vec![]));
        let y = (&x.t().tanh() * 2.0).transpose(0, 1);
        assert_eq!(y.numel(), 0);
        y.sum().backward().unwrap();
        assert_eq!(x.grad().unwrap().shape(), shape);
        assert_eq!(x.softmax(-1).cumsum(0).flip(&[1]).shape(), shape);
        assert_eq!(x.value().reshape([0, 7]).unwrap().numel(), 0);
    }
    let none = any(&[1 << 63, 2, 0]).unwrap().matmul(&any(&[0, 0]).unwrap());
    assert_eq!((none.numel(), none.shape()), (0, &[1 << 63, 2, 0][..]));
}

#[test]
fn a_step_over_the_end_leaves_the_first_entry() {
    let x = Tensor::from([5i64, 6, 7, 8]);
    let first = x.slice(0, 0, 4, usize::MAX).unwrap();
    assert_eq!((first.to_vec(), first.shape()), (vec![5], &[1][..]));
    assert_eq!(x.slice(0, 1, usize::MAX, usize::MAX / 2).unwrap().to_vec(), [6]);
}

#[test]
fn a_shift_by_any_number_is_one_round_the_axis() {
    let x = Variable::new(Tensor::from([0.0f32, 1.0, 2.0])).requires_grad_(true);
    for shift in [0, 1, -1, 5, -5, isize::MIN, isize::MAX] {
        let y = x.roll(&[shift], &[0]);
        let from = |i: i128| (i - shift as i128).rem_euclid(3) as f32;
        assert_eq!(y.to_vec(), [from(0), from(1), from(2)]);
        x.zero_grad();
        (&y * &Variable::new(Tensor::from([1.0f32, 2.0, 3.0]))).sum().backward().unwrap();
        let back: Vec<f32> = (0..3).map(|i| ((i + shift as i128).rem_euclid(3) + 1) as f32).collect();
        assert_eq!(x.grad().unwrap().to_vec(), back);
    }
}
