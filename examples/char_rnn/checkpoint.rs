//! What a run keeps: enough to go on bit for bit.

use wengert::prelude::*;
use wengert::{AnyTensor, GeneratorState, generator_state, set_generator_state};

use super::{CellKind, Options};

/// Where a run is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Position {
    /// Steps done, over all epochs.
    pub step: usize,
    /// This epoch's losses.
    pub epoch: Mean,
    /// The losses since the last validation.
    pub stretch: Mean,
    /// (step, loss) of training, a mean for each stretch between two validations.
    pub training: Vec<(f64, f64)>,
    /// (step, loss) of validation.
    pub validation: Vec<(f64, f64)>,
}

/// A mean that goes on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mean {
    sum: f64,
    count: f64,
}

impl Mean {
    pub fn add(&mut self, value: f64) {
        self.sum += value;
        self.count += 1.0;
    }

    /// The mean so far; starts over.
    pub fn take_mean(&mut self) -> f64 {
        let Mean { sum, count } = std::mem::take(self);
        sum / count.max(1.0)
    }

    fn tensor(&self) -> Tensor<f64> {
        Tensor::from([self.sum, self.count])
    }

    fn restored(saved: &TensorMap, name: &str) -> Result<Self> {
        match saved.tensor::<f64>(name)?.to_vec()[..] {
            [sum, count] => Ok(Mean { sum, count }),
            ref other => {
                Err(Error::argument("char_rnn", "the checkpoint's mean", "two numbers", other.len()))
            }
        }
    }
}

/// The options that a checkpoint decides, over those of the command line.
pub fn options(given: &Options, saved: &TensorMap) -> Result<Options> {
    let number = |name: &str| saved.number(&format!("option.{name}"));
    let text = saved.note("text").filter(|text| !text.is_empty());
    Ok(Options {
        text: given.text.clone().or_else(|| text.map(Into::into)),
        cell: match saved.note("cell") {
            Some("rnn") => CellKind::Rnn,
            Some("gru") => CellKind::Gru,
            _ => CellKind::Lstm,
        },
        layers: number("layers")? as usize,
        hidden: number("hidden")? as usize,
        embedding: number("embedding")? as usize,
        batch: number("batch")? as usize,
        sequence: number("sequence")? as usize,
        clip: number("clip")?,
        dropout: number("dropout")?,
        seed: saved.note("seed").and_then(|seed| seed.parse().ok()).unwrap_or(given.seed),
        learning_rate: given.learning_rate.or(number("learning_rate").ok()),
        epochs: given.epochs.or(number("epochs").ok().map(|epochs| epochs as usize)),
        steps: given.steps.or(number("steps").ok().map(|steps| steps as usize)),
        ..given.clone()
    })
}

/// Model, optimizer, carried state, generator and position in one map.
pub fn save<C: Cell<Element = f32>>(
    options: &Options,
    alphabet: &[char],
    model: &super::model::CharModel<C>,
    optimizer: &impl Optimizer,
    state: &C::State,
    position: &Position,
) -> TensorMap {
    let mut map = TensorMap::new();
    map.insert_all("model.", &model.state_dict());
    map.insert_all("optimizer.", &optimizer.state_dict());
    for (i, part) in state.parts().iter().enumerate() {
        map.insert(format!("state.{i}"), part.value());
    }
    map.insert("generator", AnyTensor::Bytes(generator_state().to_bytes().to_vec()));
    let numbers = [
        ("option.layers", options.layers as f64),
        ("option.hidden", options.hidden as f64),
        ("option.embedding", options.embedding as f64),
        ("option.batch", options.batch as f64),
        ("option.sequence", options.sequence as f64),
        ("option.clip", options.clip),
        ("option.dropout", options.dropout),
        ("option.learning_rate", options.learning_rate()),
        ("position.step", position.step as f64),
    ];
    numbers.into_iter().for_each(|(name, value)| map.insert_number(name, value));
    for (name, given) in [("option.epochs", options.epochs), ("option.steps", options.steps)] {
        given.into_iter().for_each(|given| map.insert_number(name, given as f64));
    }
    map.insert("position.epoch", position.epoch.tensor());
    map.insert("position.stretch", position.stretch.tensor());
    map.insert("position.training", curve(&position.training));
    map.insert("position.validation", curve(&position.validation));
    map.set_note("alphabet", alphabet.iter().collect::<String>());
    map.set_note("seed", options.seed.to_string());
    map.set_note("cell", format!("{:?}", options.cell).to_lowercase());
    map.set_note("text", options.text.as_ref().map(|path| path.display().to_string()).unwrap_or_default());
    map
}

/// Puts everything back; gives the carried state and the position.
pub fn restore<C: Cell<Element = f32>>(
    saved: &TensorMap,
    alphabet: &[char],
    model: &super::model::CharModel<C>,
    optimizer: &mut impl Optimizer,
    fresh: &C::State,
) -> Result<(C::State, Position)> {
    if saved.note("alphabet") != Some(&alphabet.iter().collect::<String>()) {
        return Err(Error::argument(
            "char_rnn",
            "the text",
            "the one that the checkpoint was trained on",
            "another",
        ));
    }
    let generator = GeneratorState::from_bytes(saved.bytes("generator")?)?;
    let mut parts = (0..).map(|i| saved.tensor::<f32>(&format!("state.{i}")).map(Variable::from));
    let mut failed = None;
    let state = fresh.map(|part| match parts.next() {
        Some(Ok(saved)) => saved,
        other => {
            failed = failed.take().or(other.and_then(Result::err));
            part.clone()
        }
    });
    if let Some(error) = failed {
        return Err(error);
    }
    let position = Position {
        step: saved.number("position.step")? as usize,
        epoch: Mean::restored(saved, "position.epoch")?,
        stretch: Mean::restored(saved, "position.stretch")?,
        training: points(&saved.tensor("position.training")?),
        validation: points(&saved.tensor("position.validation")?),
    };
    model.load_state_dict(&saved.prefixed("model."))?;
    optimizer.load_state_dict(&saved.prefixed("optimizer."))?;
    set_generator_state(&generator);
    Ok((state, position))
}

fn curve(points: &[(f64, f64)]) -> Tensor<f64> {
    Tensor::from_fn([points.len(), 2], |i| if i % 2 == 0 { points[i / 2].0 } else { points[i / 2].1 })
}

fn points(curve: &Tensor<f64>) -> Vec<(f64, f64)> {
    curve.to_vec().chunks_exact(2).map(|point| (point[0], point[1])).collect()
}
