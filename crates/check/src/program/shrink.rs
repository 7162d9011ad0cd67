//! Making a failing program smaller.

use std::time::{Duration, Instant};

use wengert_core::Domain;

use super::{Kind, Line, Place, RandomProgram, Step};

/// The smallest program found, in this time, that still fails.
pub(super) fn shrunk(
    program: &RandomProgram,
    limit: Duration,
    fails: impl Fn(&RandomProgram) -> bool,
) -> RandomProgram {
    let end = Instant::now() + limit;
    let mut best = program.clone();
    'again: loop {
        for smaller in candidates(&best) {
            if Instant::now() > end {
                return best;
            }
            if size(&smaller) < size(&best) && fails(&smaller) {
                best = smaller;
                continue 'again;
            }
        }
        return best;
    }
}

/// What is to become smaller, most important first.
fn size(program: &RandomProgram) -> (usize, usize, usize, usize, usize, bool, bool) {
    let computed = program.lines.iter().filter(|line| !line.inputs().is_empty()).count();
    let (lines, outputs) = (program.lines.len(), program.outputs.len());
    let RandomProgram { watched, passes, retained, second, .. } = program;
    (computed, lines, outputs, watched.len(), *passes, *retained, *second)
}

fn candidates(program: &RandomProgram) -> Vec<RandomProgram> {
    let mut found = Vec::new();
    for line in (0..program.lines.len()).rev() {
        found.extend(given_instead(program, line));
        found.extend(passed_by(program, line));
    }
    for i in 0..program.outputs.len() {
        let mut smaller = program.clone();
        smaller.outputs.remove(i);
        found.push(pruned(smaller));
    }
    for i in 0..program.watched.len() {
        let mut smaller = program.clone();
        smaller.watched.remove(i);
        found.push(smaller);
    }
    let simpler = |change: fn(&mut RandomProgram)| {
        let mut smaller = program.clone();
        change(&mut smaller);
        smaller
    };
    found.push(simpler(|program| program.passes = program.passes.max(2) - 1));
    found.push(simpler(|program| program.retained = false));
    found.push(simpler(|program| program.second = false));
    found.retain(|program| !program.outputs.is_empty());
    found
}

/// A line with one result that is given in place of being computed.
fn given_instead(program: &RandomProgram, line: usize) -> Option<RandomProgram> {
    let known = &program.lines[line];
    if known.inputs().is_empty() || known.shapes.len() != 1 {
        return None;
    }
    let mut smaller = program.clone();
    let step = Step::Given { kind: Kind::Leaf, domain: Domain::NonZero, seed: line as u64 };
    smaller.lines[line] = Line { step, shapes: known.shapes.clone() };
    let given = |place: &Place| place.line != line;
    smaller.outputs.retain(given);
    smaller.watched.retain(given);
    Some(pruned(smaller))
}

/// A line left out, whose result has the shape of an input, which takes its place.
fn passed_by(program: &RandomProgram, line: usize) -> Option<RandomProgram> {
    let known = &program.lines[line];
    let shape = |place: &&Place| program.lines[place.line].shapes[place.output] == known.shapes[0];
    let instead = *known.inputs().iter().find(shape)?;
    let mut smaller = program.clone();
    let moved = |place: &mut Place| {
        if *place == (Place { line, output: 0 }) {
            *place = instead;
        }
    };
    smaller.lines.iter_mut().flat_map(Line::inputs_mut).for_each(moved);
    let outputs = smaller.outputs.clone();
    smaller.outputs.retain(|place| place.line != line);
    let computed = !program.lines[instead.line].inputs().is_empty();
    if computed && outputs.len() > smaller.outputs.len() && !smaller.outputs.contains(&instead) {
        smaller.outputs.push(instead);
    }
    Some(pruned(smaller))
}

/// Without the lines that no output depends on.
fn pruned(mut program: RandomProgram) -> RandomProgram {
    let mut needed = vec![false; program.lines.len()];
    program.outputs.iter().for_each(|place| needed[place.line] = true);
    for line in (0..program.lines.len()).rev() {
        if needed[line] {
            program.lines[line].inputs().to_vec().iter().for_each(|input| needed[input.line] = true);
        }
    }
    let numbers: Vec<usize> = needed
        .iter()
        .scan(0, |next, &needed| Some(std::mem::replace(next, *next + usize::from(needed))))
        .collect();
    let renumbered = |place: &mut Place| place.line = numbers[place.line];
    program.watched.retain(|place| needed[place.line]);
    let mut at = 0;
    program.lines.retain(|_| {
        at += 1;
        needed[at - 1]
    });
    program.lines.iter_mut().flat_map(Line::inputs_mut).for_each(renumbered);
    program.outputs.iter_mut().for_each(renumbered);
    program.watched.iter_mut().for_each(renumbered);
    // What no gradient flows to is no output.
    let requiring = program.requiring();
    program.outputs.retain(|place| requiring[place.line]);
    program.watched.retain(|place| requiring[place.line]);
    program
}
