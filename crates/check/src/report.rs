//! What a check that passed has to say: what could not be decided, and where.

use std::cell::RefCell;
use std::fmt;

use wengert_core::__private::tell;

use crate::failure::ElementPlace;
use crate::verdict::{Judged, Verdict};

/// The derivatives that were compared, and those among them that nothing can be said of.
///
/// A derivative is undecidable if differences agree with it but would agree as well with one that is off by
/// a thousandth, because it drowns in the rounding noise of the function's own size; or if differences find
/// no derivative at all (a jump, no finite value).
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Report {
    /// How many derivatives were compared: elements of Jacobians, or projections of them.
    pub compared: usize,
    /// How many derivatives stand at a kink, between the derivatives from both sides.
    pub kinks: usize,
    /// How many derivatives could not be told from noise.
    pub undecidable: usize,
    /// The first few of those that could not be told from noise.
    pub doubts: Vec<Doubt>,
}

/// A derivative that nothing can be said of.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Doubt {
    /// The order of the derivative that was taken, from 1.
    pub order: usize,
    /// The element of an output.
    pub output: ElementPlace,
    /// The element of an input or parameter.
    pub input: ElementPlace,
    /// The derivative under check.
    pub analytical: f64,
    /// The derivative from differences.
    pub numerical: f64,
    /// The uncertainty of the derivative from differences; infinite if these don't settle.
    pub uncertainty: f64,
}

/// This many are kept with their place.
const KEPT_DOUBTS: usize = 8;

impl Report {
    /// Counts one; `doubt` says where it is.
    pub(crate) fn count(&mut self, judged: &Judged, doubt: impl FnOnce() -> Doubt) {
        self.compared += 1;
        match judged.verdict {
            Verdict::Agrees | Verdict::Differs => {}
            Verdict::Kink => self.kinks += 1,
            Verdict::Undecidable => {
                self.undecidable += 1;
                if self.doubts.len() < KEPT_DOUBTS {
                    self.doubts.push(doubt());
                }
            }
        }
    }

    pub(crate) fn add(&mut self, other: Report) {
        self.compared += other.compared;
        self.kinks += other.kinks;
        self.undecidable += other.undecidable;
        let room = KEPT_DOUBTS - self.doubts.len();
        self.doubts.extend(other.doubts.into_iter().take(room));
    }

    /// Says what is undecidable: to the property that runs, or where warnings go, past what a test harness
    /// keeps back.
    pub(crate) fn publish(self) {
        COLLECTED.with_borrow_mut(|collected| match collected {
            Some(all) => all.add(self),
            None if self.undecidable > 0 => tell(&format!("gradcheck: {self}")),
            None => {}
        });
    }
}

thread_local! {
    /// The report of the property that runs on this thread.
    static COLLECTED: RefCell<Option<Report>> = const { RefCell::new(None) };
}

/// What all checks within `run` had to say.
pub(crate) fn collected<R>(run: impl FnOnce() -> R) -> (R, Report) {
    struct Restore(Option<Report>);
    impl Drop for Restore {
        fn drop(&mut self) {
            COLLECTED.set(self.0.take());
        }
    }
    let restore = Restore(COLLECTED.replace(Some(Report::default())));
    let result = run();
    let report = COLLECTED.take().unwrap_or_default();
    drop(restore);
    (result, report)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { compared, kinks, undecidable, doubts } = self;
        write!(f, "{undecidable} of {compared} derivatives undecidable")?;
        if *kinks > 0 {
            write!(f, ", {kinks} at kinks")?;
        }
        doubts.iter().take(3).try_for_each(|doubt| write!(f, "\n  {doubt}"))?;
        let more = undecidable.saturating_sub(3);
        if more > 0 { write!(f, "\n  and {more} more") } else { Ok(()) }
    }
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Doubt { order, output, input, analytical, numerical, uncertainty } = self;
        write!(f, "{output} in {input} (order {order}): analytical {analytical:.3e}, ")?;
        match uncertainty.is_finite() {
            true => write!(f, "numerical {numerical:.3e} to within {uncertainty:.1e}"),
            false => write!(f, "differences that don't settle"),
        }
    }
}
