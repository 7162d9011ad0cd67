//! A step length by the strong Wolfe conditions (Nocedal and Wright 2006, algorithms 3.5 and 3.6), as
//! `torch.optim.LBFGS` finds it.

use std::rc::Rc;

use wengert_core::Result;

use super::sums::{dot, largest};

/// The objective at a step length.
#[derive(Clone, Debug)]
pub(super) struct Point {
    pub(super) at: f64,
    pub(super) loss: f64,
    pub(super) grad: Rc<Vec<f64>>,
    /// The derivative in the direction.
    pub(super) slope: f64,
}

impl Point {
    pub(super) fn new(at: f64, (loss, grad): (f64, Rc<Vec<f64>>), direction: &[f64]) -> Self {
        let slope = dot(&grad, direction);
        Point { at, loss, grad, slope }
    }
}

const DECREASE: f64 = 1e-4;
const CURVATURE: f64 = 0.9;
/// Ends of a bracket that are nearer are the same, whatever a step's own tolerance is.
const LEAST_BRACKET: f64 = 1e-9;

/// A point that is low and flat enough, or the best one found; and how often the objective was asked: once,
/// and at most so often again.
pub(super) fn strong_wolfe(
    start: Point,
    first: f64,
    direction: &[f64],
    most: u64,
    mut objective: impl FnMut(f64) -> Result<(f64, Rc<Vec<f64>>)>,
) -> Result<(Point, u64)> {
    let mut search = Search {
        start,
        size: largest(direction),
        most,
        evaluations: 0,
        ask: |at| Ok(Point::new(at, objective(at)?, direction)),
    };
    let found = match search.bracket(first)? {
        Bracket::Found(point) => point,
        Bracket::Between(ends) => search.zoom(ends)?,
    };
    Ok((found, search.evaluations))
}

enum Bracket {
    Found(Point),
    Between([Point; 2]),
}

struct Search<F> {
    start: Point,
    /// The largest element of the direction.
    size: f64,
    most: u64,
    evaluations: u64,
    ask: F,
}

impl<F: FnMut(f64) -> Result<Point>> Search<F> {
    fn ask(&mut self, at: f64) -> Result<Point> {
        self.evaluations += 1;
        (self.ask)(at)
    }

    fn is_too_high(&self, point: &Point) -> bool {
        point.loss > self.start.loss + DECREASE * point.at * self.start.slope
    }

    fn is_flat(&self, point: &Point) -> bool {
        point.slope.abs() <= -CURVATURE * self.start.slope
    }

    /// Longer and longer steps, until one is good or too long.
    fn bracket(&mut self, first: f64) -> Result<Bracket> {
        let (mut before, mut point) = (self.start.clone(), self.ask(first)?);
        for turn in 0..self.most {
            if self.is_too_high(&point) || (turn > 1 && point.loss >= before.loss) {
                return Ok(Bracket::Between([before, point]));
            }
            if self.is_flat(&point) {
                return Ok(Bracket::Found(point));
            }
            if point.slope >= 0.0 {
                return Ok(Bracket::Between([before, point]));
            }
            let bounds = (point.at + 0.01 * (point.at - before.at), point.at * 10.0);
            let next = self.ask(lowest(&before, &point, bounds))?;
            before = std::mem::replace(&mut point, next);
        }
        Ok(Bracket::Between([self.start.clone(), point]))
    }

    /// Shorter and shorter brackets, until a point in them is good.
    fn zoom(&mut self, mut ends: [Point; 2]) -> Result<Point> {
        let mut stalled = false;
        let mut low = lower(&ends);
        // The first step does not count, as in PyTorch.
        while self.evaluations <= self.most {
            let bounds = (ends[0].at.min(ends[1].at), ends[0].at.max(ends[1].at));
            if (bounds.1 - bounds.0) * self.size < LEAST_BRACKET {
                break;
            }
            let at = away_from_ends(lowest(&ends[0], &ends[1], bounds), bounds, &mut stalled);
            let point = self.ask(at)?;
            if self.is_too_high(&point) || point.loss >= ends[low].loss {
                ends[1 - low] = point;
                low = lower(&ends);
                continue;
            }
            let is_flat = self.is_flat(&point);
            if !is_flat && point.slope * (ends[1 - low].at - ends[low].at) >= 0.0 {
                ends[1 - low] = ends[low].clone();
            }
            ends[low] = point;
            if is_flat {
                break;
            }
        }
        let [first, second] = ends;
        Ok(if low == 0 { first } else { second })
    }
}

fn lower(ends: &[Point; 2]) -> usize {
    usize::from(ends[0].loss > ends[1].loss)
}

/// Moves what is near an end away from it, the second time in a row or if it is outside.
fn away_from_ends(at: f64, (min, max): (f64, f64), stalled: &mut bool) -> f64 {
    let margin = 0.1 * (max - min);
    let is_near = (max - at).min(at - min) < margin;
    let moves = is_near && (*stalled || at >= max || at <= min);
    *stalled = is_near && !moves;
    match moves {
        true if (at - max).abs() < (at - min).abs() => max - margin,
        true => min + margin,
        false => at,
    }
}

/// The minimum of the cubic through two points and their slopes, within bounds.
fn lowest(a: &Point, b: &Point, (min, max): (f64, f64)) -> f64 {
    let (a, b) = if a.at <= b.at { (a, b) } else { (b, a) };
    let mean = a.slope + b.slope - 3.0 * (a.loss - b.loss) / (a.at - b.at);
    let square = mean * mean - a.slope * b.slope;
    // Also where one is not a number.
    if square.is_nan() || square < 0.0 {
        return (min + max) / 2.0;
    }
    let root = square.sqrt();
    let at = b.at - (b.at - a.at) * ((b.slope + root - mean) / (b.slope - a.slope + 2.0 * root));
    at.max(min).min(max)
}
