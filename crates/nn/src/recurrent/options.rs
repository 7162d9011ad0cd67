//! What a recurrent layer can be told.

use wengert_core::{Error, Result};

/// How the outputs of the two directions become one.
#[doc(alias = "merge_mode")]
#[doc(alias = "Bidirectional")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Merge {
    /// Outputs side by side, as in PyTorch.
    #[default]
    Concat,
    /// Sums of the outputs.
    Sum,
}

/// How much of a sweep over time is computed again on the way back instead of being kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Checkpointing {
    /// The state after every so many steps is kept.
    Every(usize),
    /// The state is kept so often that the steps between keep at most that many bytes of intermediate values
    /// while they are computed again.
    Bytes(usize),
}

/// All arguments but those of the cells.
#[derive(Clone, Debug)]
pub(super) struct Options {
    pub num_layers: usize,
    pub batch_first: bool,
    pub bidirectional: bool,
    pub merge: Merge,
    pub residual: bool,
    pub dropout: f64,
    pub input_dropout: f64,
    pub state_dropout: f64,
    pub weight_dropout: f64,
    /// The parameters that weight dropout acts on, by their names in the cell.
    pub dropped_weights: Vec<String>,
    pub zoneout: f64,
    pub checkpointing: Option<Checkpointing>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            num_layers: 1,
            batch_first: false,
            bidirectional: false,
            merge: Merge::Concat,
            residual: false,
            dropout: 0.0,
            input_dropout: 0.0,
            state_dropout: 0.0,
            weight_dropout: 0.0,
            dropped_weights: Vec::new(),
            zoneout: 0.0,
            checkpointing: None,
        }
    }
}

impl Options {
    pub fn directions(&self) -> usize {
        if self.bidirectional { 2 } else { 1 }
    }

    /// The width of a layer's output, from that of a cell's.
    pub fn width(&self, cell: usize) -> usize {
        if self.merge == Merge::Concat { cell * self.directions() } else { cell }
    }

    /// The arguments that are not the defaults, as they print.
    pub fn repr(&self, bias: &str) -> String {
        let mut repr = String::new();
        if self.num_layers > 1 {
            repr += &format!(", num_layers={}", self.num_layers);
        }
        repr += bias;
        let flags = [
            ("batch_first", self.batch_first),
            ("bidirectional", self.bidirectional),
            ("residual", self.residual),
        ];
        let chances = [
            ("dropout", self.dropout),
            ("input_dropout", self.input_dropout),
            ("state_dropout", self.state_dropout),
            ("weight_dropout", self.weight_dropout),
            ("zoneout", self.zoneout),
        ];
        let flag = |(name, on): (&str, bool)| if on { format!(", {name}=True") } else { String::new() };
        let chance = |(name, p): &(&str, f64)| if *p > 0.0 { format!(", {name}={p}") } else { String::new() };
        repr += &flag(flags[0]);
        repr += &chance(&chances[0]);
        repr += &flag(flags[1]);
        repr += if self.merge == Merge::Sum { ", merge=sum" } else { "" };
        repr += &flag(flags[2]);
        repr + &chances[1..].iter().map(chance).collect::<String>()
    }

    /// The parameters that are dropped, which do not print.
    pub fn dropped(&self) -> Option<String> {
        (self.weight_dropout > 0.0).then(|| format!("{} dropped", self.dropped_weights.join(" and ")))
    }

    pub fn check(&self, name: &'static str) -> Result<()> {
        if self.num_layers == 0 {
            return Err(Error::argument(name, "num_layers", "at least 1", 0));
        }
        let probabilities = [
            ("dropout", self.dropout),
            ("input_dropout", self.input_dropout),
            ("state_dropout", self.state_dropout),
            ("weight_dropout", self.weight_dropout),
            ("zoneout", self.zoneout),
        ];
        for (argument, p) in probabilities {
            if !(0.0..=1.0).contains(&p) {
                return Err(Error::argument(name, argument, "in [0, 1]", p));
            }
        }
        match self.checkpointing {
            Some(Checkpointing::Every(0)) => {
                Err(Error::argument(name, "checkpointing", "at least every step", 0))
            }
            _ => Ok(()),
        }
    }
}
