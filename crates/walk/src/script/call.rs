//! Functions applied.

use wengert_core::{Attributes, Tensor, Variable, cat, stack};

use super::error::{Place, Result, ScriptError, did_you_mean};
use super::evaluate::{Evaluator, Value, scalar, short};
use super::functions::{FUNCTIONS, Form, form};
use super::leaf::failed;
use super::shapes;
use super::syntax::{Argument, Expr};

/// The number of an axis, and where it stands.
type Dim = (Place, i64);

impl Evaluator<'_> {
    pub(crate) fn call(&mut self, at: Place, name: &str, arguments: &[Argument]) -> Result<Value> {
        let Some(form) = form(name) else {
            let near = did_you_mean(name, FUNCTIONS.iter().map(|(name, _)| *name));
            return Err(ScriptError::new(at, format!("expected a function, got `{name}`{near}")));
        };
        let (dim, arguments) = self.split(name, form, arguments)?;
        let found = match form {
            Form::Each(operation) => return self.each(at, name, operation, &arguments),
            Form::Constant => {
                let arguments: Vec<Argument> = arguments
                    .into_iter()
                    .map(|value| Argument { name: None, value: value.clone() })
                    .collect();
                return self.constant(at, name, &arguments);
            }
            Form::Reduce if arguments.len() == 2 && dim.is_none() && matches!(name, "max" | "min") => {
                let name = if name == "max" { "maximum" } else { "minimum" };
                self.pair(at, name, &arguments)?
            }
            Form::Reduce => self.reduced(at, name, &arguments, dim)?,
            Form::Along => {
                let (value, axis) = self.with_axis(at, name, &arguments, dim)?;
                let Some(axis) = axis.or(value.rank().checked_sub(1)) else {
                    let message = format!("expected a tensor with axes for `{name}`, got a single number");
                    return Err(ScriptError::new(at, message));
                };
                match name {
                    "softmax" => value.softmax(axis as isize),
                    "log_softmax" => value.log_softmax(axis as isize),
                    _ => value.logsumexp(axis as isize),
                }
            }
            Form::Pair => self.pair(at, name, &arguments)?,
            Form::Join => self.joined(at, name, &arguments, dim)?,
            Form::Other => self.other(at, name, &arguments)?,
        };
        Ok(Value::Tensor(self.note(at, found)?))
    }

    /// The argument `dim`, if there is one, and those without names.
    fn split<'a>(
        &mut self,
        name: &str,
        form: Form,
        arguments: &'a [Argument],
    ) -> Result<(Option<Dim>, Vec<&'a Expr>)> {
        let (mut dim, mut others) = (None, Vec::new());
        for argument in arguments {
            let at = argument.value.at;
            match argument.name.as_deref() {
                None => others.push(&argument.value),
                Some("dim" | "axis") if matches!(form, Form::Reduce | Form::Along | Form::Join) => {
                    dim = Some((at, self.whole(&argument.value)?));
                }
                Some(other) => {
                    let message = format!("expected no argument `{other}` for `{name}`, got one");
                    return Err(ScriptError::new(at, message));
                }
            }
        }
        Ok((dim, others))
    }

    fn expect_count(&self, at: Place, name: &str, expected: usize, got: usize) -> Result<()> {
        if expected == got {
            return Ok(());
        }
        let arguments = if expected == 1 { "argument" } else { "arguments" };
        Err(ScriptError::new(at, format!("expected {expected} {arguments} for `{name}`, got {got}")))
    }

    fn each(&mut self, at: Place, name: &str, operation: &'static str, of: &[&Expr]) -> Result<Value> {
        self.expect_count(at, name, 1, of.len())?;
        let value = self.value(of[0])?;
        let entry = self.entries.get(operation).expect("its operation is in the registry");
        let apply = |x: &Variable<f64>| entry.apply(&Attributes::none(), &[x]).swap_remove(0);
        match value {
            Value::Number(value) => Ok(Value::Number(apply(&scalar(value)).to_vec()[0])),
            Value::Tensor(value) => {
                let found = apply(&value);
                Ok(Value::Tensor(self.note(at, found)?))
            }
        }
    }

    /// A tensor, and the axis that was said.
    fn with_axis(
        &mut self,
        at: Place,
        name: &str,
        of: &[&Expr],
        dim: Option<Dim>,
    ) -> Result<(Variable<f64>, Option<usize>)> {
        let dim = match (of, dim) {
            ([_], dim) => dim,
            ([_, axis], None) => Some((axis.at, self.whole(axis)?)),
            _ => {
                let message = format!("expected a tensor and perhaps an axis for `{name}`, got {}", of.len());
                return Err(ScriptError::new(at, message));
            }
        };
        let value = self.tensor(of[0])?;
        let axis = dim.map(|(at, number)| shapes::axis(at, number, value.rank())).transpose()?;
        Ok((value, axis))
    }

    fn reduced(&mut self, at: Place, name: &str, of: &[&Expr], dim: Option<Dim>) -> Result<Variable<f64>> {
        let (value, axis) = self.with_axis(at, name, of, dim)?;
        let dims: Vec<isize> = axis.into_iter().map(|axis| axis as isize).collect();
        let is_empty = axis.map_or(value.numel(), |axis| value.shape()[axis]) == 0;
        if is_empty && matches!(name, "max" | "min") {
            let message =
                format!("expected a tensor with elements for `{name}`, got shape {:?}", value.shape());
            return Err(ScriptError::new(at, message));
        }
        Ok(match (name, axis) {
            ("sum", None) => value.sum(),
            ("sum", Some(_)) => value.sum_dim(&dims),
            ("mean", None) => value.mean(),
            ("mean", Some(_)) => value.mean_dim(&dims),
            ("max", None) => value.max(),
            ("max", Some(_)) => value.amax(&dims),
            ("min", None) => value.min(),
            ("min", Some(_)) => value.amin(&dims),
            _ => value.norm(2.0, &dims),
        })
    }

    fn pair(&mut self, at: Place, name: &str, of: &[&Expr]) -> Result<Variable<f64>> {
        self.expect_count(at, name, 2, of.len())?;
        let (a, b) = (self.tensor(of[0])?, self.tensor(of[1])?);
        let operands = ((of[0], &a), (of[1], &b));
        if name == "dot" {
            if a.rank() != 1 || a.shape() != b.shape() {
                return self.misfit(at, "two vectors of one length for `dot`", operands.0, operands.1);
            }
            self.spend(at, a.numel())?;
            return Ok(a.dot(&b));
        }
        let Some(shape) = shapes::broadcast(a.shape(), b.shape()) else {
            let expected = format!("shapes that broadcast for `{name}`");
            return self.misfit(at, &expected, operands.0, operands.1);
        };
        shapes::count(at, &shape)?;
        Ok(match name {
            "maximum" => a.maximum(&b),
            "minimum" => a.minimum(&b),
            _ => {
                let off = self.note(at, &a - &b)?;
                let square = self.note(at, off.square())?;
                square.mean()
            }
        })
    }

    fn joined(&mut self, at: Place, name: &str, of: &[&Expr], dim: Option<Dim>) -> Result<Variable<f64>> {
        let parts = of.iter().map(|expr| self.tensor(expr)).collect::<Result<Vec<_>>>()?;
        let Some(first) = parts.first() else {
            return Err(ScriptError::new(at, format!("expected tensors for `{name}`, got none")));
        };
        let stacks = name == "stack";
        let rank = first.rank() + usize::from(stacks);
        let (dim_at, number) = dim.unwrap_or((at, if stacks { 0 } else { -1 }));
        let axis = shapes::axis(dim_at, number, rank)?;
        let fits = |part: &Variable<f64>| {
            let alike = |(place, (a, b)): (usize, (&usize, &usize))| a == b || !stacks && place == axis;
            part.rank() == first.rank() && part.shape().iter().zip(first.shape()).enumerate().all(alike)
        };
        if let Some(wrong) = parts.iter().position(|part| !fits(part)) {
            let expected = match stacks {
                true => "tensors of one shape for `stack`".to_string(),
                false => format!("tensors that differ along axis {axis} alone for `{name}`"),
            };
            return self.misfit(at, &expected, (of[0], first), (of[wrong], &parts[wrong]));
        }
        let elements: usize = parts.iter().map(Variable::numel).sum();
        shapes::count(at, &[elements])?;
        Ok(if stacks { stack(&parts, axis as isize) } else { cat(&parts, axis as isize) })
    }

    fn other(&mut self, at: Place, name: &str, of: &[&Expr]) -> Result<Variable<f64>> {
        let expected = if matches!(name, "reshape" | "cross_entropy") { 2 } else { 1 };
        self.expect_count(at, name, expected, of.len())?;
        let value = self.tensor(of[0])?;
        match name {
            "transpose" => {
                if value.rank() < 2 {
                    let got = value.shape();
                    let message = format!("expected a matrix, got `{}` of shape {got:?}", short(of[0]));
                    return Err(ScriptError::new(at, message));
                }
                Ok(value.t())
            }
            "reshape" => {
                let shape = self.wholes(of[1])?;
                let count = shape.iter().try_fold(1i64, |count, extent| count.checked_mul(*extent));
                let fits = shape.iter().all(|extent| *extent >= 0) && count == Some(value.numel() as i64);
                if !fits || shapes::count(at, &vec![1; shape.len()]).is_err() {
                    let (count, got) = (value.numel(), short(of[1]));
                    let message = format!("expected a shape of {count} elements, got `{got}`");
                    return Err(ScriptError::new(of[1].at, message));
                }
                Ok(value.reshape(shape.iter().map(|&extent| extent as usize).collect::<Vec<_>>()))
            }
            "detach" => Ok(value.detach()),
            _ => self.cross_entropy(at, of, &value),
        }
    }

    /// Whole numbers in brackets.
    fn wholes(&mut self, expr: &Expr) -> Result<Vec<i64>> {
        match &expr.kind {
            super::syntax::ExprKind::List(parts) => parts.iter().map(|part| self.whole(part)).collect(),
            _ => Err(ScriptError::new(
                expr.at,
                format!("expected whole numbers in brackets, got `{}`", short(expr)),
            )),
        }
    }

    /// The mean cross-entropy of rows of scores and the numbers of the right columns.
    fn cross_entropy(&mut self, at: Place, of: &[&Expr], scores: &Variable<f64>) -> Result<Variable<f64>> {
        let targets = self.wholes(of[1])?;
        let &[rows, columns] = scores.shape() else {
            let got = scores.shape();
            let message = format!("expected scores (rows, classes), got `{}` of shape {got:?}", short(of[0]));
            return Err(ScriptError::new(at, message));
        };
        let inside = targets.iter().all(|target| (0..columns as i64).contains(target));
        if targets.len() != rows || !inside {
            let message = format!("expected {rows} classes below {columns}, got `{}`", short(of[1]));
            return Err(ScriptError::new(of[1].at, message));
        }
        let targets = Tensor::from_vec(targets, [rows]).map_err(|error| failed(at, &error))?;
        let losses = scores.cross_entropy(&targets, -1).map_err(|error| failed(at, &error))?;
        let losses = self.note(at, losses)?;
        Ok(losses.mean())
    }
}
