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
            [sum, count] if count >= 0.0 && count.fract() == 0.0 => Ok(Mean { sum, count }),
            ref other => Err(refused("mean", "a sum and how many", format!("{other:?} for {name}"))),
        }
    }
}

fn refused(argument: &'static str, expected: impl ToString, got: impl ToString) -> Error {
    Error::argument("the checkpoint", argument, expected, got)
}

/// A whole number, no larger than a file holds exactly.
fn whole(saved: &TensorMap, name: &str, least: f64) -> Result<usize> {
    const MOST: f64 = (1u64 << 53) as f64;
    let number = saved.number(name)?;
    if number.fract() == 0.0 && (least..=MOST).contains(&number) {
        return Ok(number as usize);
    }
    Err(refused("number", format!("whole and from {least} to 2^53"), format!("{number} for {name}")))
}

fn number_in(saved: &TensorMap, name: &str, range: std::ops::RangeInclusive<f64>) -> Result<f64> {
    let number = saved.number(name)?;
    if range.contains(&number) {
        return Ok(number);
    }
    Err(refused("number", format!("in {range:?}"), format!("{number} for {name}")))
}

/// An entry that need not be there, but if it is has to be right.
fn optional<V>(
    saved: &TensorMap,
    name: &str,
    read: impl Fn(&TensorMap, &str) -> Result<V>,
) -> Result<Option<V>> {
    saved.get(name).map(|_| read(saved, name)).transpose()
}

/// The options that a checkpoint decides, over those of the command line.
pub fn options(given: &Options, saved: &TensorMap) -> Result<Options> {
    let size = |name: &str| whole(saved, &format!("option.{name}"), 1.0);
    let text = saved.note("text").filter(|text| !text.is_empty());
    let options = Options {
        text: given.text.clone().or_else(|| text.map(Into::into)),
        cell: match saved.note("cell") {
            Some("rnn") => CellKind::Rnn,
            Some("gru") => CellKind::Gru,
            None | Some("lstm") => CellKind::Lstm,
            Some(other) => return Err(refused("cell", "rnn, lstm or gru", other)),
        },
        layers: size("layers")?,
        hidden: size("hidden")?,
        embedding: size("embedding")?,
        batch: size("batch")?,
        sequence: size("sequence")?,
        clip: number_in(saved, "option.clip", 0.0..=f64::INFINITY)?,
        dropout: number_in(saved, "option.dropout", 0.0..=1.0)?,
        seed: match saved.note("seed") {
            None => given.seed,
            Some(seed) => seed.parse().map_err(|_| refused("seed", "a whole number below 2^64", seed))?,
        },
        learning_rate: given.learning_rate.or(optional(saved, "option.learning_rate", |saved, name| {
            number_in(saved, name, 0.0..=f64::MAX)
        })?),
        epochs: given.epochs.or(optional(saved, "option.epochs", |saved, name| whole(saved, name, 0.0))?),
        steps: given.steps.or(optional(saved, "option.steps", |saved, name| whole(saved, name, 0.0))?),
        ..given.clone()
    };
    check_sizes(&options, saved)?;
    Ok(options)
}

/// Refuses sizes that are not those of the tensors, before a network of such a size is made.
fn check_sizes(options: &Options, saved: &TensorMap) -> Result<()> {
    let width = |name: &str| saved.get(name).and_then(|entry| entry.shape().get(1).copied());
    let hidden = |layer: usize| width(&format!("model.rnn.weight_hh_l{layer}"));
    let same = width("model.embedding.weight") == Some(options.embedding)
        && hidden(0) == Some(options.hidden)
        && hidden(options.layers - 1).is_some()
        && hidden(options.layers).is_none();
    if same {
        return Ok(());
    }
    let Options { layers, hidden, embedding, .. } = options;
    let got = format!("layers {layers}, hidden {hidden}, embedding {embedding}");
    Err(refused("sizes", "those of its tensors", got))
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

/// Puts everything back; gives the carried state and the position. All is read before anything changes.
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
    let parts = fresh.parts().into_iter().enumerate().map(|(i, part)| carried(saved, i, &part));
    let mut parts = parts.collect::<Result<Vec<_>>>()?.into_iter();
    let state = fresh.map(|_| parts.next().expect("one for each part").into());
    let position = Position {
        step: whole(saved, "position.step", 0.0)?,
        epoch: Mean::restored(saved, "position.epoch")?,
        stretch: Mean::restored(saved, "position.stretch")?,
        training: points(saved, "position.training")?,
        validation: points(saved, "position.validation")?,
    };
    let before = optimizer.state_dict();
    optimizer.load_state_dict(&saved.prefixed("optimizer."))?;
    if let Err(error) = model.load_state_dict(&saved.prefixed("model.")) {
        optimizer.load_state_dict(&before)?;
        return Err(error);
    }
    set_generator_state(&generator);
    Ok((state, position))
}

/// A part of the carried state, as wide as a fresh one.
fn carried(saved: &TensorMap, i: usize, fresh: &Variable) -> Result<Tensor<f32>> {
    let name = format!("state.{i}");
    let part = saved.tensor(&name)?;
    if part.shape() == fresh.shape() {
        return Ok(part);
    }
    let got = format!("{:?} for {name}", part.shape());
    Err(refused("carried state", format!("of shape {:?}", fresh.shape()), got))
}

fn curve(points: &[(f64, f64)]) -> Tensor<f64> {
    Tensor::from_fn([points.len(), 2], |i| if i % 2 == 0 { points[i / 2].0 } else { points[i / 2].1 })
}

fn points(saved: &TensorMap, name: &str) -> Result<Vec<(f64, f64)>> {
    let curve = saved.tensor::<f64>(name)?;
    match *curve.shape() {
        [_, 2] => Ok(curve.to_vec().chunks_exact(2).map(|point| (point[0], point[1])).collect()),
        ref other => Err(refused("curve", "points of two numbers", format!("shape {other:?} for {name}"))),
    }
}
