//! What leaves and constants begin with: numbers in brackets, zeros, draws.

use wengert_core::{Generator, Tensor, Variable, no_grad};

use super::error::{Place, Result, ScriptError};
use super::evaluate::{Evaluator, Init, Value, short};
use super::shapes;
use super::syntax::{Argument, Expr, ExprKind};

impl Evaluator<'_> {
    /// The first value of a leaf, or the one that was given for it.
    pub(crate) fn leaf_value(
        &mut self,
        at: Place,
        name: &str,
        shape: Vec<usize>,
        init: &Expr,
    ) -> Result<Tensor<f64>> {
        let count = shapes::count(at, &shape)?;
        self.spend(at, count)?;
        if let Some(elements) = self.values.get(name) {
            if elements.len() != count {
                let got = elements.len();
                let message = format!("expected {count} elements for `{name}` of shape {shape:?}, got {got}");
                return Err(ScriptError::new(at, message));
            }
            return Tensor::from_vec(elements.clone(), &shape).map_err(|error| failed(at, &error));
        }
        self.init = Some(Init { name: name.to_string(), shape: shape.clone(), draws: 0 });
        let value = no_grad(|| self.value(init));
        self.init = None;
        let tensor = match value? {
            Value::Number(value) => return Ok(Tensor::full(&shape, value)),
            Value::Tensor(variable) => variable.value(),
        };
        let fits = tensor.shape() == shape || tensor.rank() == 0;
        if !fits {
            let got = tensor.shape();
            let message =
                format!("expected a value of shape {shape:?} for `{name}`, got one of shape {got:?}");
            return Err(ScriptError::new(init.at, message));
        }
        let whole = tensor.expand(&shape).map_err(|error| failed(at, &error))?;
        Ok(whole.copy())
    }

    /// What a word stands for where a leaf gets its first value; none if it is no such word.
    pub(crate) fn init_named(&mut self, at: Place, name: &str) -> Result<Option<Tensor<f64>>> {
        let Some(shape) = self.init.as_ref().map(|init| init.shape.clone()) else { return Ok(None) };
        let counted = || -> Variable<f64> { Variable::from(Tensor::from_fn(&shape, |i| i as f64)) };
        Ok(Some(match name {
            "sin" => counted().sin().value(),
            "cos" => counted().cos().value(),
            _ => match self.drawn(at, name, &shape, &[])? {
                Some(tensor) => tensor,
                None => return Ok(None),
            },
        }))
    }

    /// A tensor of a shape that is not computed; none if there is no such word.
    fn drawn(
        &mut self,
        at: Place,
        name: &str,
        shape: &[usize],
        numbers: &[f64],
    ) -> Result<Option<Tensor<f64>>> {
        shapes::count(at, shape)?;
        let most = if matches!(name, "normal" | "uniform") { 2 } else { 0 };
        if numbers.len() > most || numbers.len() == 1 {
            let expected = if most == 2 { "two numbers or none" } else { "no numbers" };
            let message = format!("expected {expected} for `{name}`, got {}", numbers.len());
            return Err(ScriptError::new(at, message));
        }
        let of = |place: usize, usual: f64| numbers.get(place).copied().unwrap_or(usual);
        Ok(Some(match name {
            "zeros" => Tensor::zeros(shape),
            "ones" => Tensor::ones(shape),
            "range" => Tensor::from_fn(shape, |i| i as f64),
            "eye" => {
                let [rows, columns] = shape else {
                    let message = format!("expected a matrix for `eye`, got shape {shape:?}");
                    return Err(ScriptError::new(at, message));
                };
                let (_, columns) = (rows, columns.max(&1));
                Tensor::from_fn(shape, |i| f64::from(u8::from(i / columns == i % columns)))
            }
            "normal" => {
                let (mean, deviation) = (of(0, 0.0), of(1, 1.0));
                let mut generator = self.generator();
                Tensor::from_fn(shape, |_| generator.normal() * deviation + mean)
            }
            "uniform" => {
                let (low, high) = (of(0, -1.0), of(1, 1.0));
                if low >= high || !(high - low).is_finite() {
                    let message = format!("expected a range for `uniform`, got one from {low} to {high}");
                    return Err(ScriptError::new(at, message));
                }
                let mut generator = self.generator();
                Tensor::from_fn(shape, |_| generator.uniform(low, high))
            }
            _ => return Ok(None),
        }))
    }

    /// A generator for the next draw: a leaf's depends on its name alone, so that its numbers stay the same
    /// when the program around it changes.
    fn generator(&mut self) -> Generator {
        let (name, draws) = match &mut self.init {
            Some(init) => (init.name.as_str(), &mut init.draws),
            None => ("", &mut self.draws),
        };
        // The hash of Fowler, Noll and Vo.
        let hash = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        let seed = name.bytes().fold(0xcbf2_9ce4_8422_2325, hash).wrapping_add(*draws);
        *draws += 1;
        Generator::from_seed(seed)
    }

    /// `zeros [2, 3]`, `normal(0, 1)` where the shape is known.
    pub(crate) fn constant(&mut self, at: Place, name: &str, arguments: &[Argument]) -> Result<Value> {
        let mut shape = self.init.as_ref().map(|init| init.shape.clone());
        let mut rest = arguments;
        if let [Argument { value: Expr { kind: ExprKind::List(extents), .. }, .. }, others @ ..] = arguments {
            let mut given = Vec::new();
            for extent in extents {
                let whole = self.whole(extent)?;
                given.push(usize::try_from(whole).map_err(|_| {
                    ScriptError::new(extent.at, format!("expected an extent of 0 or more, got {whole}"))
                })?);
            }
            (shape, rest) = (Some(given), others);
        }
        let Some(shape) = shape else {
            let message = format!("expected a shape for `{name}`, as in `{name} [2, 3]`, got none");
            return Err(ScriptError::new(at, message));
        };
        let numbers = rest.iter().map(|argument| self.number(&argument.value)).collect::<Result<Vec<_>>>()?;
        let count = shapes::count(at, &shape)?;
        self.spend(at, count)?;
        let drawn = self.drawn(at, name, &shape, &numbers)?.expect("it is a constant's name");
        Ok(Value::Tensor(Variable::from(drawn)))
    }

    /// A tensor of numbers in brackets.
    pub(crate) fn literal(&mut self, expr: &Expr) -> Result<Tensor<f64>> {
        let (mut elements, mut shape) = (Vec::new(), Vec::new());
        self.gather(expr, 0, &mut shape, &mut elements)?;
        shapes::count(expr.at, &shape)?;
        self.spend(expr.at, elements.len())?;
        Tensor::from_vec(elements, &shape).map_err(|error| failed(expr.at, &error))
    }

    fn gather(
        &mut self,
        expr: &Expr,
        depth: usize,
        shape: &mut Vec<usize>,
        elements: &mut Vec<f64>,
    ) -> Result<()> {
        let ExprKind::List(parts) = &expr.kind else {
            if depth < shape.len() {
                let message = format!("expected rows of one shape, got the number `{}`", short(expr));
                return Err(ScriptError::new(expr.at, message));
            }
            elements.push(self.number(expr)?);
            return Ok(());
        };
        let is_first = elements.is_empty() && shape.len() == depth;
        if is_first {
            shape.push(parts.len());
        }
        if shape.get(depth) != Some(&parts.len()) {
            let expected = shape.get(depth).copied().unwrap_or(0);
            let message = format!("expected rows of one length, {expected}, got one of {}", parts.len());
            return Err(ScriptError::new(expr.at, message));
        }
        parts.iter().try_for_each(|part| self.gather(part, depth + 1, shape, elements))
    }
}

/// What an operation refuses.
pub(crate) fn failed(at: Place, error: &dyn std::fmt::Display) -> ScriptError {
    ScriptError::new(at, error.to_string())
}
