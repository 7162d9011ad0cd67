//! What a checkpoint keeps beside what the library knows how to keep: the options.

use wengert::Stateful;
use wengert::prelude::*;

use super::{CellKind, Options};

impl Stateful for Options {
    fn state_dict(&self) -> TensorMap {
        let mut map = TensorMap::new();
        let numbers = [
            ("layers", self.layers as f64),
            ("hidden", self.hidden as f64),
            ("embedding", self.embedding as f64),
            ("batch", self.batch as f64),
            ("sequence", self.sequence as f64),
            ("clip", self.clip),
            ("dropout", self.dropout),
            ("learning_rate", self.learning_rate()),
        ];
        numbers.into_iter().for_each(|(name, value)| map.insert_number(name, value));
        for (name, given) in [("epochs", self.epochs), ("steps", self.steps)] {
            given.into_iter().for_each(|given| map.insert_number(name, given as f64));
        }
        map.set_note("seed", self.seed.to_string());
        map.set_note("cell", format!("{:?}", self.cell).to_lowercase());
        map.set_note("text", self.text.as_ref().map(|path| path.display().to_string()).unwrap_or_default());
        map
    }

    /// Nothing: [`options`] has read them before there was a network of their sizes.
    fn load_state_dict(&mut self, _: &TensorMap) -> Result<()> {
        Ok(())
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
    let text = saved.note("option.text").filter(|text| !text.is_empty());
    let options = Options {
        text: given.text.clone().or_else(|| text.map(Into::into)),
        cell: match saved.note("option.cell") {
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
        seed: match saved.note("option.seed") {
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
