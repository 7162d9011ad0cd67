//! The recurrence in all its forms, and cells of a user's, whose lines are their own.

use wengert_core::{Result, Variable};
use wengert_nn::{
    Cell, CellWith, Checkpointing, Constant, Gru, GruCell, LearnedState, Linear, Lstm, LstmCell, Merge,
    Nonlinearity, PackOptions, Recurrent, Rnn, RnnCell, Stack, State, StepFn, Truncated, mse_loss,
    pack_padded_sequence,
};

use crate::{are_recorded_at_their_lines, row, x};

/// The output, and the parts of the state.
fn all<S: State<Element = f32>>(result: Result<(Variable, S)>) -> Vec<Variable> {
    let (output, state) = result.unwrap();
    [vec![output], state.variables()].concat()
}

#[test]
fn layers() {
    let rows = [
        row("Rnn", || {
            let rnn = Rnn::builder(3, 4).nonlinearity(Nonlinearity::Relu).build().unwrap();
            all(rnn.forward(&x(&[5, 2, 3]), None))
        }),
        row("Lstm", || all(Lstm::new(3, 4).unwrap().forward(&x(&[5, 2, 3]), None))),
        row("Gru", || all(Gru::new(3, 4).unwrap().forward(&x(&[5, 2, 3]), None))),
        row("unbatched", || {
            let gru = Gru::new(3, 4).unwrap();
            all(gru.forward(&x(&[5, 3]), Some(&x(&[1, 4]))))
        }),
        row("with a state, two directions and a projection, the batch in front", || {
            let lstm = Lstm::builder(3, 4).proj_size(2).num_layers(2).bidirectional(true).batch_first(true);
            all(lstm.build().unwrap().forward(&x(&[2, 5, 3]), Some(&(x(&[4, 2, 2]), x(&[4, 2, 4])))))
        }),
        row("all kinds of dropout, added directions, a residual", || {
            let gru = Gru::builder(4, 4).num_layers(2).bidirectional(true).merge(Merge::Sum).residual(true);
            let gru = gru.dropout(0.2).input_dropout(0.2).state_dropout(0.2).zoneout(0.2);
            all(gru.weight_dropout(["weight_hh"], 0.2).build().unwrap().forward(&x(&[5, 2, 4]), None))
        }),
        row("a learned state", || {
            all(Gru::builder(3, 4).learned_state().build().unwrap().forward(&x(&[5, 2, 3]), None))
        }),
        row("checkpoints", || {
            let gru = Gru::builder(3, 4).bidirectional(true).checkpointing(Checkpointing::Every(2));
            all(gru.build().unwrap().forward(&x(&[5, 2, 3]), None))
        }),
        row("states after every step", || {
            let lstm = Lstm::builder(3, 4).batch_first(true).build().unwrap();
            let (output, state, states) = lstm.forward_states(&x(&[2, 5, 3]), None).unwrap();
            [vec![output], state.variables(), states.variables()].concat()
        }),
        row("packed", || {
            let options = PackOptions::default().enforce_sorted(false);
            let packed = pack_padded_sequence(&x(&[5, 3, 3]), &[2, 5, 3], options).unwrap();
            let lstm = Lstm::builder(3, 4).bidirectional(true).build().unwrap();
            let (output, state) = lstm.forward_packed(&packed, Some(&lstm.zero_state(3))).unwrap();
            [vec![output.data().clone()], state.variables()].concat()
        }),
        row("masked", || {
            let lstm = Lstm::builder(3, 4).bidirectional(true).build().unwrap();
            all(lstm.forward_masked(&x(&[5, 3, 3]), &[2, 0, 5], Some(&(x(&[2, 3, 4]), x(&[2, 3, 4])))))
        }),
        row("masked, unbatched", || all(Gru::new(3, 4).unwrap().forward_masked(&x(&[5, 3]), &[2], None))),
        row("a stack", || {
            let stack = Stack::new(Lstm::new(3, 4).unwrap(), Gru::new(4, 2).unwrap()).unwrap();
            all(stack.dropout(0.2).unwrap().forward(&x(&[5, 2, 3]), None))
        }),
        row("an initial state", || {
            State::variables(&Gru::builder(3, 4).learned_state().build().unwrap().zero_state(2))
        }),
    ];
    are_recorded_at_their_lines(&rows);
}

#[test]
fn cells() {
    let rows = [
        row("RnnCell", || all(RnnCell::new(3, 4).unwrap().forward(&x(&[2, 3]), None))),
        row("LstmCell", || all(LstmCell::new(3, 4).unwrap().forward(&x(&[3]), Some(&(x(&[4]), x(&[4])))))),
        row("GruCell", || all(GruCell::new(3, 4).unwrap().forward(&x(&[2, 3]), Some(&x(&[2, 4]))))),
        row("a learned state", || {
            all(LearnedState::new(GruCell::new(3, 4).unwrap()).forward_with(&x(&[2, 3]), &(), None))
        }),
        row("a closure", || {
            let step = |w: &Linear, x: &Variable, h: &Variable| {
                let h = x.linear(&w.weight, Some(h)).tanh();
                (h.clone(), h)
            };
            all(StepFn::new([3, 4], Linear::new(3, 4).unwrap(), step).forward(&x(&[2, 3]), None))
        }),
    ];
    are_recorded_at_their_lines(&rows);
}

/// A cell of a user's, which has lines of its own, inside a layer and beside it.
#[derive(Clone)]
struct Own(Linear, GruCell);
impl wengert_nn::Module for Own {
    type Element = f32;
    fn visit(&self, visitor: &mut wengert_nn::Visitor<'_, f32>) {
        visitor.field("w", &self.0);
        visitor.field("gru", &self.1);
    }
    fn visit_mut(&mut self, visitor: &mut wengert_nn::VisitorMut<'_, f32>) {
        self.0.visit_mut(visitor);
        self.1.visit_mut(visitor);
    }
}

const STEP: u32 = line!();
impl CellWith for Own {
    type State = Variable;
    type Context = Constant;
    fn input_size(&self) -> usize {
        3
    }
    fn output_size(&self) -> usize {
        3
    }
    fn zero_state(&self, batch: usize) -> Variable {
        Variable::zeros([batch, 3])
    }
    fn step_with(&self, x: &Variable, c: &Constant, h: &Variable) -> (Variable, Variable) {
        let x = wengert_nn::Forward::forward(&self.0, &(x + &c.0)).unwrap();
        let (_, h) = self.1.forward(&x, Some(h)).unwrap();
        (h.tanh(), h)
    }
}
const END_OF_STEP: u32 = line!();

#[test]
fn a_step_of_a_users_cell_has_its_own_lines() {
    let cell = |_| Ok(Own(Linear::new(3, 3)?, GruCell::new(3, 3)?));
    let rnn = Recurrent::of(3, cell).num_layers(2).bidirectional(true).merge(Merge::Sum).build().unwrap();
    let (output, _) = rnn.forward_with(&x(&[4, 2, 3]), &Constant(x(&[2, 3])), None).unwrap();
    let call = line!() - 1;
    let tape = wengert_core::Tape::of(&output);
    let mut lines = std::collections::BTreeMap::new();
    for entry in tape.entries().iter().filter(|entry| entry.operation != "leaf") {
        let line = entry.location.as_ref().unwrap();
        assert!(line.file.ends_with("recurrences.rs"), "{} at {line}", entry.operation);
        let inside = (STEP..END_OF_STEP).contains(&line.line);
        assert!(inside || line.line == call, "{} at {line}", entry.operation);
        *lines.entry(line.line).or_insert(0) += 1;
    }
    // Three lines of a step, and the layer's own operations.
    assert_eq!(lines.len(), 4, "{lines:?}");
}

#[test]
fn a_loss_over_windows_is_at_its_line() {
    let gru = Gru::new(3, 4).unwrap();
    let mut truncated = Truncated::new(4, 4).unwrap();
    let mut seen = None;
    let loss = truncated.window(&gru, &x(&[4, 2, 3]), None, |out| {
        seen = wengert_core::Tape::of(&out.sum()).entries().last().unwrap().location.clone();
        mse_loss(out, &x(&[4, 2, 4]))
    });
    assert!(loss.is_ok() && seen.unwrap().line == line!() - 3);
}
