//! The third reading of a formula: traced over symbols. `trace.rs` replays what was traced.

use std::cell::{Cell, RefCell};
use std::ops::{Add, BitAnd, BitOr, Div, Mul, Neg, Not, Sub};

use wengert_kernel::real::Real;

use crate::tape::program::{Binary, Compare, Program, Step, Unary};

/// A number that is only known by how it is computed: a place in the current trace.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Symbol(usize);

/// The outcome of a comparison of symbols.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct SymbolMask(usize);

thread_local! {
    static TRACE: RefCell<Vec<Step>> = const { RefCell::new(Vec::new()) };
    /// Whether nothing folds away.
    static AS_WRITTEN: Cell<bool> = const { Cell::new(false) };
}

/// Whether two steps give the same: 0 and -0 are not the same literal.
fn same(a: &Step, b: &Step) -> bool {
    match (a, b) {
        (Step::Literal(a), Step::Literal(b)) => a.to_bits() == b.to_bits(),
        _ => a == b,
    }
}

/// The place of a step that is new, or of the same one before.
fn push(step: Step) -> usize {
    TRACE.with_borrow_mut(|trace| {
        trace.iter().position(|known| same(known, &step)).unwrap_or_else(|| {
            trace.push(step);
            trace.len() - 1
        })
    })
}

impl Symbol {
    /// What comes in under this number.
    pub(super) fn input(i: usize) -> Self {
        Symbol(push(Step::Input(i)))
    }

    fn literal(self) -> Option<f64> {
        match TRACE.with_borrow(|trace| trace[self.0]) {
            Step::Literal(value) => Some(value),
            _ => None,
        }
    }

    fn unary(self, unary: Unary) -> Self {
        Symbol(push(Step::Unary(unary, self.0)))
    }

    /// Symbolic zeros and ones fold away; they come from tangents that are known to be so.
    fn binary(self, binary: Binary, other: Self) -> Self {
        use Binary::{Add, Div, Mul, Pow, Scale, Sub};
        if AS_WRITTEN.get() {
            return Symbol(push(Step::Binary(binary, self.0, other.0)));
        }
        let (zero, one) = (Some(0.0), Some(1.0));
        match (binary, self.literal(), other.literal()) {
            (Add, Some(a), Some(b)) => Symbol::lit(a + b),
            (Sub, Some(a), Some(b)) => Symbol::lit(a - b),
            (Mul | Scale, Some(a), Some(b)) => Symbol::lit(a * b),
            (Add, a, _) if a == zero => other,
            (Add | Sub, _, b) if b == zero => self,
            (Sub, a, _) if a == zero => -other,
            (Mul | Scale | Div, a, _) if a == zero => self,
            (Mul | Scale, _, b) if b == zero => other,
            (Mul | Scale, a, _) if a == one => other,
            (Mul | Scale | Div | Pow, _, b) if b == one => self,
            _ => Symbol(push(Step::Binary(binary, self.0, other.0))),
        }
    }
}

impl Neg for Symbol {
    type Output = Self;
    fn neg(self) -> Self {
        self.literal().map_or_else(|| self.unary(Unary::Neg), |value| Symbol::lit(-value))
    }
}

macro_rules! operators {
    ($($trait:ident $method:ident),*) => {$(
        impl $trait for Symbol {
            type Output = Self;
            fn $method(self, other: Self) -> Self {
                self.binary(Binary::$trait, other)
            }
        }
    )*};
}
operators!(Add add, Sub sub, Mul mul, Div div);

impl BitAnd for SymbolMask {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        SymbolMask(push(Step::And(self.0, other.0)))
    }
}

impl BitOr for SymbolMask {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        SymbolMask(push(Step::Or(self.0, other.0)))
    }
}

impl Not for SymbolMask {
    type Output = Self;
    fn not(self) -> Self {
        SymbolMask(push(Step::Not(self.0)))
    }
}

macro_rules! unary_functions {
    ($($method:ident $unary:ident),*) => {$(
        fn $method(self) -> Self {
            self.unary(Unary::$unary)
        }
    )*};
}

impl Real for Symbol {
    type Mask = SymbolMask;

    fn lit(value: f64) -> Self {
        Symbol(push(Step::Literal(value)))
    }
    fn lt(self, other: Self) -> SymbolMask {
        SymbolMask(push(Step::Compare(Compare::Less, self.0, other.0)))
    }
    fn le(self, other: Self) -> SymbolMask {
        SymbolMask(push(Step::Compare(Compare::LessOrEqual, self.0, other.0)))
    }
    fn eq(self, other: Self) -> SymbolMask {
        SymbolMask(push(Step::Compare(Compare::Equal, self.0, other.0)))
    }
    fn select(mask: SymbolMask, then: Self, otherwise: Self) -> Self {
        if then == otherwise { then } else { Symbol(push(Step::Select(mask.0, then.0, otherwise.0))) }
    }
    fn scale(self, factor: Self) -> Self {
        self.binary(Binary::Scale, factor)
    }
    /// One step, so that it rounds as in the other readings; without a product or a sum it is not one.
    fn mul_add(self, a: Self, b: Self) -> Self {
        let trivial = |x: Symbol| x.literal().is_some_and(|x| x == 0.0 || x == 1.0);
        let nothing = b.literal() == Some(0.0);
        if !AS_WRITTEN.get() && (trivial(self) || trivial(a) || nothing) {
            self * a + b
        } else {
            Symbol(push(Step::MulAdd(self.0, a.0, b.0)))
        }
    }
    fn pow(self, exponent: Self) -> Self {
        self.binary(Binary::Pow, exponent)
    }
    fn atan2(self, x: Self) -> Self {
        self.binary(Binary::Atan2, x)
    }
    unary_functions!(
        exp Exp, exp_m1 ExpM1, ln Ln, ln_1p Ln1p, sqrt Sqrt, tanh Tanh, sigmoid Sigmoid, abs Abs, sin Sin,
        cos Cos, erf Erf, ndtr Ndtr
    );
}

/// The inputs of a formula, told apart by their number.
pub(super) fn symbols<const I: usize>() -> [Symbol; I] {
    std::array::from_fn(Symbol::input)
}

/// A trace in the making: what is computed with symbols becomes its steps, until [`Tracing::end`]. The one
/// around it is put back, also when a formula panics.
pub(super) struct Tracing {
    outer: Vec<Step>,
    as_written: bool,
}

impl Tracing {
    pub(super) fn begin() -> Self {
        Tracing { outer: TRACE.take(), as_written: AS_WRITTEN.replace(false) }
    }

    /// A trace of each step as it is written: nothing folds away, so running them gives the formula's own
    /// bits.
    #[cfg(feature = "small")]
    pub(super) fn begin_as_written() -> Self {
        let tracing = Tracing::begin();
        AS_WRITTEN.set(true);
        tracing
    }

    /// The steps, and where these results are, one group behind the other.
    pub(super) fn end(self, results: &[&[Symbol]]) -> Program {
        let results = results.concat().into_iter().map(|symbol| symbol.0).collect();
        Program { steps: TRACE.take(), results }
    }
}

impl Drop for Tracing {
    fn drop(&mut self) {
        TRACE.set(std::mem::take(&mut self.outer));
        AS_WRITTEN.set(self.as_written);
    }
}
