//! Traits that anybody may implement, each implemented as badly as safe code can: what comes out may be
//! wrong, or a panic, but no memory is touched that is not there. Under Miri this says something, elsewhere
//! only that nothing hangs.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use wengert_kernel::formula::{Formula, Job};
use wengert_kernel::memory::block::{Beside, Block};
use wengert_kernel::memory::buffer::AlignedBuffer;
use wengert_kernel::memory::cut::{Claim, Cut, Division};
use wengert_kernel::memory::dims::Dims;
use wengert_kernel::memory::region::Region;
use wengert_kernel::memory::shared::{Retire, Unique};
use wengert_kernel::memory::view::Target;
use wengert_kernel::real::{Lane, Real};
use wengert_kernel::rows::lanes::moments;
use wengert_kernel::rows::reduce::Sum;
use wengert_kernel::rows::softmax::{OverRows, RowFunction};
use wengert_kernel::run::divide::{Divisible, dispatch_shared};
use wengert_kernel::run::level::Kernel;
use wengert_kernel::run::team::set_num_threads;

/// Keeps what is retired, to be found again while others believe it gone.
struct Hoard;

static HOARD: Mutex<Vec<Unique<Block<f32, Hoard>>>> = Mutex::new(Vec::new());

impl Beside<f32> for Hoard {
    fn retire(last: Unique<Block<f32, Self>>) {
        HOARD.lock().unwrap().push(last);
    }
}

fn dims(extents: &[usize]) -> Dims {
    Dims::from(extents)
}

fn block(shape: &[usize]) -> Unique<Block<f32, Hoard>> {
    let count = shape.iter().product();
    let mut block = Block::new(AlignedBuffer::zeroed(count, count).unwrap(), Hoard);
    block.renew(&dims(shape));
    Unique::new(block)
}

#[test]
fn memory_that_is_hoarded_is_nobody_else_s() {
    let region = Region::from(block(&[4]));
    let view = region.seen(|axes| axes.narrow(0, 1, 2));
    drop(region);
    assert!(HOARD.lock().unwrap().iter().all(|kept| kept.len() != 4));
    drop(view);
    let mut hoard = HOARD.lock().unwrap();
    let at = hoard.iter().position(|kept| kept.len() == 4).expect("the last handle is gone");
    let mut kept = hoard.swap_remove(at);
    drop(hoard);
    // As short as can be, then whole again: nothing sees what it was.
    kept.renew(&dims(&[1]));
    kept.as_mut_slice()[0] = 1.0;
    assert!(catch_unwind(AssertUnwindSafe(|| kept.renew(&dims(&[1000])))).is_err());
}

#[test]
fn blocks_that_change_places_stay_whole() {
    let (mut large, mut small) = (block(&[8]), block(&[2]));
    std::mem::swap(&mut *large, &mut *small);
    let (large, small) = (Region::from(large), Region::from(small));
    assert_eq!((large.as_slice().unwrap().len(), small.as_slice().unwrap().len()), (2, 8));
}

#[test]
fn parts_of_a_cut_are_not_read_before_they_are_finished() {
    let mut cut = Cut::default();
    cut.begin(Claim::New(block(&[2, 3])), Division { axis: 1, bounds: &[0, 1, 3], unbind: false });
    let (first, second) = (cut.give(0).unwrap(), cut.give(1).unwrap());
    let first = first.written();
    // A claim that is dropped without a region, and one that stands for the other.
    drop(second);
    assert!(cut.join([Some(&first), Some(&first)].into_iter()).is_none());
    assert!(cut.give(1).is_none());
    let whole = first.seen(|axes| axes.expand(&dims(&[2, 3])));
    assert!(first.with_layout(0, dims(&[2, 3]), dims(&[3, 1])).is_none());
    assert!(whole.as_slice().is_none());
}

/// Says each time that it has another number of rows, and cuts wherever it likes.
struct Liar<'k> {
    elements: &'k mut [f32],
    asked: Cell<usize>,
}

impl Kernel<f32> for Liar<'_> {
    type Output = ();
    fn run<N: Lane<f32>>(self) {
        assert!(self.elements.len() != 3, "a run that panics");
        self.elements.fill(1.0);
    }
}

impl Divisible for Liar<'_> {
    fn rows(&self) -> usize {
        self.asked.set(self.asked.get() * 5 + 7);
        self.asked.get() % 11
    }
    fn numbers(&self) -> usize {
        usize::MAX
    }
    fn split_at(self, rows: usize) -> (Self, Self) {
        let at = (rows * 3 + 1).min(self.elements.len());
        let (first, others) = self.elements.split_at_mut(at);
        let piece = |elements| Liar { elements, asked: Cell::new(rows) };
        (piece(others), piece(first))
    }
}

#[test]
fn a_kernel_that_lies_about_its_rows_harms_itself_alone() {
    set_num_threads(3);
    for asked in 0..20 {
        let mut elements = vec![0.0; 40];
        let kernel = Liar { elements: &mut elements, asked: Cell::new(asked) };
        let _ = catch_unwind(AssertUnwindSafe(|| dispatch_shared::<f32, _>(kernel)));
        assert!(elements.iter().all(|&x| x == 0.0 || x == 1.0));
    }
}

/// Another formula each time, now and then none.
struct Moody(AtomicUsize);

impl Formula<2, 2> for Moody {
    fn eval<R: Real>(&self, [a, b]: [R; 2]) -> [R; 2] {
        match self.0.fetch_add(1, Ordering::Relaxed) % 97 {
            96 => panic!("not now"),
            mood if mood % 2 == 0 => [a / b, R::lit(f64::NAN)],
            _ => [b, a],
        }
    }
}

#[test]
fn a_formula_that_changes_its_mind_gives_numbers_or_panics() {
    let source = Region::from(block(&[5, 7]));
    for _ in 0..8 {
        let (mut a, mut b) = (block(&[5, 7]), block(&[5, 7]));
        let targets = [&mut a, &mut b].map(|block| Some(Target::from(&mut block.as_mut_slice()[..])));
        let inputs = [Some(source.view()); 2];
        let job = Job::in_order(35, inputs, [], targets, None);
        let moody = Moody(AtomicUsize::new(3));
        let _ = catch_unwind(AssertUnwindSafe(|| job.forward(&moody)));
        // It has begun, and does so once.
        assert!(catch_unwind(AssertUnwindSafe(|| job.forward(&moody))).is_err());
    }
}

/// Ends by making another one of its kind.
struct Phoenix(u8);

static REBORN: AtomicUsize = AtomicUsize::new(0);

impl Retire for Phoenix {
    fn retire(last: Unique<Self>) {
        REBORN.fetch_add(1, Ordering::Relaxed);
        if last.0 > 0 {
            drop(Unique::new(Phoenix(last.0 - 1)).share());
        }
    }
}

#[test]
fn a_value_that_ends_in_another_ends_all_the_same() {
    let handle = Unique::new(Phoenix(3)).share();
    let marked = handle.marked();
    // A handle that is no marked one is dropped as one, and the other way round: they may stay, but none is
    // freed twice.
    handle.drop_marked();
    drop(marked);
    drop(Unique::new(Phoenix(3)).share());
    assert!(REBORN.load(Ordering::Relaxed) >= 4);
}

/// A number of which no answer follows from the one before.
#[derive(Clone, Copy, Debug)]
struct Wild(f32);

static WHIM: AtomicUsize = AtomicUsize::new(0);

impl Wild {
    fn next() -> Self {
        let whims = [f32::NAN, f32::INFINITY, -0.0, 1e38, -3.0, f32::from_bits(1)];
        Wild(whims[WHIM.fetch_add(1, Ordering::Relaxed) % whims.len()])
    }

    fn truth() -> bool {
        WHIM.fetch_add(1, Ordering::Relaxed).is_multiple_of(3)
    }
}

macro_rules! wild {
    ($($trait:ident $method:ident),*; $($binary:ident)*; $($unary:ident)*; $($comparison:ident)*) => {
        $(impl std::ops::$trait for Wild {
            type Output = Self;
            fn $method(self, _: Self) -> Self {
                Wild::next()
            }
        })*

        impl Real for Wild {
            type Mask = bool;

            fn lit(_: f64) -> Self {
                Wild::next()
            }
            fn select(_: bool, _: Self, _: Self) -> Self {
                Wild::next()
            }
            fn mul_add(self, _: Self, _: Self) -> Self {
                Wild::next()
            }
            $(fn $binary(self, _: Self) -> Self {
                Wild::next()
            })*
            $(fn $unary(self) -> Self {
                Wild::next()
            })*
            $(fn $comparison(self, _: Self) -> bool {
                Wild::truth()
            })*
        }
    };
}
wild!(
    Add add, Sub sub, Mul mul, Div div;
    scale pow atan2;
    exp exp_m1 ln ln_1p sqrt tanh sigmoid abs sin cos erf ndtr;
    lt le eq
);

impl std::ops::Neg for Wild {
    type Output = Self;
    fn neg(self) -> Self {
        Wild::next()
    }
}

impl Lane<f32> for Wild {
    fn wrap(_: f32) -> Self {
        Wild::next()
    }
    fn unwrap(self) -> f32 {
        self.0
    }
}

#[test]
fn numbers_that_follow_no_rule_stay_numbers() {
    for width in [0, 1, 15, 16, 17, 130] {
        let source: Vec<f32> = (0..3 * width).map(|i| i as f32).collect();
        let (mut out, mut sums) = (vec![0.0; 3 * width], vec![0.0; width]);
        for function in [RowFunction::Softmax, RowFunction::LogSoftmax] {
            OverRows { function, source: &source, out: &mut out, width }.run::<Wild>();
        }
        Sum { source: &source, out: &mut sums, reduced: 3, inner: width }.run::<Wild>();
        let _ = moments::<f32, Wild>(&source);
        // Too short a place, and rows that do not come out even.
        let function = RowFunction::Softmax;
        let short = OverRows { function, source: &source, out: &mut out[..width], width: width + 1 };
        let _ = catch_unwind(AssertUnwindSafe(|| short.run::<Wild>()));
    }
    let region = Region::from(block(&[33]));
    let mut out = block(&[33]);
    let target = Some(Target::from(&mut out.as_mut_slice()[..]));
    let job = Job::in_order(33, [Some(region.view())], [], [target], None);
    let _ = catch_unwind(AssertUnwindSafe(|| job.forward(&AsItComes)));
}

/// A formula of one number whose derivative and value have nothing to do with each other.
struct AsItComes;

impl Formula<1, 1> for AsItComes {
    fn eval<R: Real>(&self, [x]: [R; 1]) -> [R; 1] {
        [R::select(x.lt(x), x / R::lit(0.0), x.ln().sqrt())]
    }

    fn eval_and_pull<R: Real>(&self, inputs: [R; 1], _: [R; 1]) -> ([R; 1], [R; 1]) {
        ([inputs[0].exp()], [R::lit(f64::NAN)])
    }
}
