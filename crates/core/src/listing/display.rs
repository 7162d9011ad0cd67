//! A tape as text.

use std::fmt;

use super::{Line, Tape, TapeEntry, TapeInput};
use crate::tape::Attribute;

impl TapeEntry {
    /// Whether an attribute says no more than the shape that stands beside it.
    fn is_shape(&self, name: &str, value: &Attribute) -> bool {
        let shape = |shape: &[usize]| shape.iter().map(|&extent| extent as i64).collect::<Vec<_>>();
        name == "to" && self.outputs.first().is_some_and(|to| *value == Attribute::Ints(shape(&to.shape)))
    }

    /// The operation with its inputs and arguments, as a call; of a leaf, the name. Of several outputs of a
    /// line, the tape that the line is of says which one an input is.
    ///
    /// ```
    /// use wengert_core::{Tape, Tensor, Variable};
    /// let x = Variable::new(Tensor::from([1.0f32])).requires_grad_(true);
    /// let tape = Tape::of(&(&x * 3.0));
    /// assert_eq!(tape.entries()[1].call(Some(&tape)), "MulScalar(%0, c=3)");
    /// ```
    pub fn call(&self, tape: Option<&Tape>) -> String {
        if self.is_leaf() {
            return [&*self.operation, &*self.name].join(" ").trim_end().to_string();
        }
        let mut arguments: Vec<String> = self.inputs.iter().map(|input| input.text(tape)).collect();
        let attributes = self.attributes.iter().filter(|(name, value)| !self.is_shape(name, value));
        arguments.extend(attributes.map(|(name, value)| format!("{name}={value}")));
        format!("{}({})", self.operation, arguments.join(", "))
    }

    fn write(&self, tape: Option<&Tape>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let call = format!("%{} = {}", self.number, self.call(tape));
        let shapes: Vec<String> = self.outputs.iter().map(|output| format!("{:?}", output.shape)).collect();
        let line = format!("{call:<32} {:<7}", shapes.join(" "));
        let mut line = format!("{line} {}", if self.requires_grad { "grad" } else { "" });
        if f.alternate() {
            match self.kept_bytes() {
                0 => {}
                bytes => line = format!("{}  keeps {bytes} B", line.trim_end()),
            }
        }
        let place = self.location.as_ref().filter(|_| f.alternate()).map(Line::to_string);
        let remark: Vec<&str> = [self.path.as_str(), place.as_deref().unwrap_or("")]
            .into_iter()
            .filter(|s| !s.is_empty())
            .collect();
        match remark.join("  ").as_str() {
            "" => f.write_str(line.trim_end()),
            remark => write!(f, "{line}  # {remark}"),
        }
    }
}

impl TapeInput {
    /// An input's name; of several outputs of a line, which one.
    fn text(&self, tape: Option<&Tape>) -> String {
        match self {
            TapeInput::Value { number, output } => {
                let of_several = |entry: &TapeEntry| entry.outputs.len() > 1;
                match tape.and_then(|tape| tape.entry(*number)).is_some_and(of_several) || *output > 0 {
                    true => format!("%{number}.{output}"),
                    false => format!("%{number}"),
                }
            }
            TapeInput::Constant(None) => "constant".to_string(),
            TapeInput::Constant(Some(value)) => format!("constant{:?}", value.shape()),
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// The line as it stands in a listing; `{:#}` adds what it keeps for its pullback and where it was recorded.
impl fmt::Display for TapeEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(None, f)
    }
}

/// A line for each leaf and operation; `{:#}` adds what each keeps for its pullback and where it was
/// recorded.
impl fmt::Display for Tape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for entry in &self.entries {
            entry.write(Some(self), f)?;
            f.write_str("\n")?;
        }
        Ok(())
    }
}
