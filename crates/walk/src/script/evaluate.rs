//! A program run: statements and expressions, as operations that are recorded.

use std::collections::HashMap;

use wengert_core::{OperationEntry, Parameter, Tensor, Variable, operations};

use super::error::{Place, Result, ScriptError, did_you_mean};
use super::functions::FUNCTIONS;
use super::shapes;
use super::syntax::{Binary, Expr, ExprKind, Index, Statement, StatementKind};
use crate::limits::{MOST_NODES, MOST_STEPS, MOST_WORK};

/// What an expression comes to.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Number(f64),
    Tensor(Variable<f64>),
}

/// A leaf that is being given its first value.
pub(crate) struct Init {
    pub(crate) name: String,
    pub(crate) shape: Vec<usize>,
    /// Draws so far.
    pub(crate) draws: u64,
}

/// A program while it runs.
pub(crate) struct Evaluator<'p> {
    /// Elements that leaves have instead of their first ones, by name.
    pub(crate) values: &'p HashMap<String, Vec<f64>>,
    pub(crate) scope: HashMap<String, Value>,
    pub(crate) leaves: Vec<(String, Parameter<f64>)>,
    /// Where each value was computed.
    pub(crate) places: Vec<(Variable<f64>, Place)>,
    /// What values are called.
    pub(crate) names: Vec<(Variable<f64>, String)>,
    /// The variable that was given a value last.
    pub(crate) last: Option<(String, Place)>,
    pub(crate) init: Option<Init>,
    pub(crate) entries: HashMap<&'static str, OperationEntry<f64>>,
    pub(crate) draws: u64,
    loops: usize,
    steps: usize,
    work: usize,
}

impl<'p> Evaluator<'p> {
    pub(crate) fn new(values: &'p HashMap<String, Vec<f64>>) -> Self {
        Evaluator {
            values,
            scope: HashMap::new(),
            leaves: Vec::new(),
            places: Vec::new(),
            names: Vec::new(),
            last: None,
            init: None,
            entries: operations::<f64>().into_iter().map(|entry| (entry.name(), entry)).collect(),
            draws: 0,
            loops: 0,
            steps: 0,
            work: 0,
        }
    }

    pub(crate) fn run(&mut self, statements: &[Statement]) -> Result<()> {
        statements.iter().try_for_each(|statement| self.statement(statement))
    }

    fn statement(&mut self, statement: &Statement) -> Result<()> {
        let at = statement.at;
        match &statement.kind {
            StatementKind::Assign { name, value } => {
                let value = self.value(value)?;
                if let Value::Tensor(variable) = &value {
                    self.names.push((variable.clone(), name.clone()));
                }
                self.scope.insert(name.clone(), value);
                self.last = Some((name.clone(), at));
            }
            StatementKind::Leaf { name, shape, constant, init } => {
                if self.loops > 0 {
                    let message = format!("expected `{name}` to be declared before the loop, got it inside");
                    return Err(ScriptError::new(at, message));
                }
                if self.scope.contains_key(name) {
                    return Err(ScriptError::new(at, format!("expected a new name, got `{name}` again")));
                }
                let shape = self.extents(shape)?;
                let tensor = self.leaf_value(at, name, shape, init)?;
                let leaf = Parameter::new(tensor).named(&**name);
                let variable = if *constant { leaf.detach() } else { (*leaf).clone() };
                if !constant {
                    self.names.push((variable.clone(), name.clone()));
                    self.leaves.push((name.clone(), leaf));
                }
                self.scope.insert(name.clone(), Value::Tensor(variable));
            }
            StatementKind::For { name, from, to, body } => {
                let (from, to) = (self.whole(from)?, self.whole(to)?);
                self.loops += 1;
                for step in from..to.max(from) {
                    self.steps += 1;
                    if self.steps > MOST_STEPS {
                        let message = format!("expected at most {MOST_STEPS} steps of all loops, got more");
                        return Err(ScriptError::new(at, message));
                    }
                    if let Some(name) = name {
                        self.scope.insert(name.clone(), Value::Number(step as f64));
                    }
                    self.run(body)?;
                }
                self.loops -= 1;
            }
        }
        Ok(())
    }

    /// The extents of a shape.
    fn extents(&mut self, shape: &[Expr]) -> Result<Vec<usize>> {
        let extent = |this: &mut Self, expr: &Expr| {
            let extent = this.whole(expr)?;
            usize::try_from(extent).map_err(|_| {
                ScriptError::new(expr.at, format!("expected an extent of 0 or more, got {extent}"))
            })
        };
        shape.iter().map(|expr| extent(self, expr)).collect()
    }

    /// A whole number.
    pub(crate) fn whole(&mut self, expr: &Expr) -> Result<i64> {
        let wrong = |got: String| {
            Err(ScriptError::new(
                expr.at,
                format!("expected a whole number for `{}`, got {got}", short(expr)),
            ))
        };
        match self.value(expr)? {
            Value::Number(value) if value.fract() == 0.0 && value.abs() < 1e15 => Ok(value as i64),
            Value::Number(value) => wrong(value.to_string()),
            Value::Tensor(variable) => wrong(format!("a tensor of shape {:?}", variable.shape())),
        }
    }

    pub(crate) fn number(&mut self, expr: &Expr) -> Result<f64> {
        match self.value(expr)? {
            Value::Number(value) => Ok(value),
            Value::Tensor(variable) => {
                let got = variable.shape();
                let message =
                    format!("expected a number for `{}`, got a tensor of shape {got:?}", short(expr));
                Err(ScriptError::new(expr.at, message))
            }
        }
    }

    pub(crate) fn tensor(&mut self, expr: &Expr) -> Result<Variable<f64>> {
        match self.value(expr)? {
            Value::Tensor(variable) => Ok(variable),
            Value::Number(value) => Ok(Variable::from(Tensor::scalar(value))),
        }
    }

    /// Takes note of a value that an operation gave.
    pub(crate) fn note(&mut self, at: Place, value: Variable<f64>) -> Result<Variable<f64>> {
        self.spend(at, value.numel())?;
        if value.requires_grad() {
            self.places.push((value.clone(), at));
        }
        if self.places.len() > MOST_NODES {
            let message =
                format!("expected at most {MOST_NODES} operations, got more: fewer steps are enough");
            return Err(ScriptError::new(at, message));
        }
        Ok(value)
    }

    /// So much more work is done.
    pub(crate) fn spend(&mut self, at: Place, work: usize) -> Result<()> {
        self.work = self.work.saturating_add(work.max(16));
        if self.work > MOST_WORK {
            return Err(ScriptError::new(at, "expected less to compute: smaller tensors or fewer steps"));
        }
        Ok(())
    }

    pub(crate) fn value(&mut self, expr: &Expr) -> Result<Value> {
        let at = expr.at;
        Ok(match &expr.kind {
            ExprKind::Number(value) => Value::Number(*value),
            ExprKind::Name(name) => self.named(at, name)?,
            ExprKind::List(_) => Value::Tensor(Variable::from(self.literal(expr)?)),
            ExprKind::Neg(inner) => match self.value(inner)? {
                Value::Number(value) => Value::Number(-value),
                Value::Tensor(value) => Value::Tensor(self.note(at, -value)?),
            },
            ExprKind::Transposed(inner) => {
                let value = self.tensor(inner)?;
                Value::Tensor(self.transposed(at, inner, &value)?)
            }
            ExprKind::Binary(binary, left, right) => self.binary(at, *binary, left, right)?,
            ExprKind::Index(inner, indices) => Value::Tensor(self.indexed(at, inner, indices)?),
            ExprKind::Call(name, arguments) => self.call(at, name, arguments)?,
        })
    }

    fn named(&mut self, at: Place, name: &str) -> Result<Value> {
        if let Some(value) = self.scope.get(name) {
            return Ok(value.clone());
        }
        if let Some(drawn) = self.init_named(at, name)? {
            return Ok(Value::Tensor(Variable::from(drawn)));
        }
        let functions = FUNCTIONS.iter().map(|(name, _)| *name);
        if functions.clone().any(|function| function == name) {
            let message = format!("expected `(` behind the function `{name}`, got a value's place");
            return Err(ScriptError::new(at, message));
        }
        let near = did_you_mean(name, self.scope.keys().map(String::as_str).chain(functions));
        Err(ScriptError::new(at, format!("expected a name that has a value, got `{name}`{near}")))
    }

    pub(crate) fn transposed(
        &mut self,
        at: Place,
        of: &Expr,
        value: &Variable<f64>,
    ) -> Result<Variable<f64>> {
        if value.rank() < 2 {
            let got = value.shape();
            let message = format!("expected a matrix to transpose, got `{}` of shape {got:?}", short(of));
            return Err(ScriptError::new(at, message));
        }
        self.note(at, value.t())
    }

    fn binary(&mut self, at: Place, binary: Binary, left: &Expr, right: &Expr) -> Result<Value> {
        let (a, b) = (self.value(left)?, self.value(right)?);
        let found = match (a, b) {
            (Value::Number(a), Value::Number(b)) => return numbers(at, binary, a, b),
            (Value::Tensor(a), Value::Number(b)) => match binary {
                Binary::Add => &a + b,
                Binary::Sub => &a - b,
                Binary::Mul | Binary::Beside => &a * b,
                Binary::Div => &a / b,
                Binary::Pow => a.pow(b),
                Binary::Product => {
                    return self.misfit(at, "two tensors for `@`", (left, &a), (right, &scalar(b)));
                }
            },
            (Value::Number(a), Value::Tensor(b)) => match binary {
                Binary::Add => &b + a,
                Binary::Sub => a - &b,
                Binary::Mul | Binary::Beside => &b * a,
                Binary::Div => a / &b,
                Binary::Pow => scalar(a).pow(&b),
                Binary::Product => {
                    return self.misfit(at, "two tensors for `@`", (left, &scalar(a)), (right, &b));
                }
            },
            (Value::Tensor(a), Value::Tensor(b)) => {
                let is_single = binary == Binary::Beside && (a.rank() == 0 || b.rank() == 0);
                if !is_single && matches!(binary, Binary::Product | Binary::Beside) {
                    return self.product(at, (left, &a), (right, &b));
                }
                let Some(shape) = shapes::broadcast(a.shape(), b.shape()) else {
                    let sign = binary.sign().trim();
                    let expected = format!("shapes that broadcast for `{sign}`");
                    return self.misfit(at, &expected, (left, &a), (right, &b));
                };
                shapes::count(at, &shape)?;
                match binary {
                    Binary::Add => &a + &b,
                    Binary::Sub => &a - &b,
                    Binary::Div => &a / &b,
                    Binary::Pow => a.pow(&b),
                    _ => &a * &b,
                }
            }
        };
        Ok(Value::Tensor(self.note(at, found)?))
    }

    /// The error of two operands that don't fit.
    pub(crate) fn misfit<R>(
        &self,
        at: Place,
        expected: &str,
        (left, a): (&Expr, &Variable<f64>),
        (right, b): (&Expr, &Variable<f64>),
    ) -> Result<R> {
        let message = format!(
            "expected {expected}, got `{}` of shape {:?} and `{}` of shape {:?}",
            short(left),
            a.shape(),
            short(right),
            b.shape()
        );
        Err(ScriptError::new(at, message))
    }

    fn product(
        &mut self,
        at: Place,
        left: (&Expr, &Variable<f64>),
        right: (&Expr, &Variable<f64>),
    ) -> Result<Value> {
        match shapes::product(left.1.shape(), right.1.shape()) {
            Ok((shape, cost)) => {
                shapes::count(at, &shape)?;
                self.spend(at, cost)?;
                Ok(Value::Tensor(self.note(at, left.1.matmul(right.1))?))
            }
            Err(expected) => self.misfit(at, &format!("{expected} for a matrix product"), left, right),
        }
    }

    fn indexed(&mut self, at: Place, inner: &Expr, indices: &[Index]) -> Result<Variable<f64>> {
        let mut value = self.tensor(inner)?;
        if indices.len() > value.rank() {
            let (rank, got) = (value.rank(), indices.len());
            let message = format!("expected at most {rank} indices for `{}`, got {got}", short(inner));
            return Err(ScriptError::new(at, message));
        }
        let mut axis = 0;
        for index in indices {
            let extent = value.shape()[axis];
            match index {
                Index::At(expr) => {
                    let place = self.place_in(expr, extent, extent.saturating_sub(1), axis)?;
                    if extent == 0 {
                        let message = "expected an axis with entries, got one of extent 0";
                        return Err(ScriptError::new(expr.at, message));
                    }
                    value = self.note(at, value.select(axis as isize, place))?;
                }
                Index::Range(from, to) => {
                    let from =
                        from.as_ref().map_or(Ok(0), |from| self.place_in(from, extent, extent, axis))?;
                    let to = to.as_ref().map_or(Ok(extent), |to| self.place_in(to, extent, extent, axis))?;
                    if (from, to) != (0, extent) {
                        let length = to.saturating_sub(from);
                        value = self.note(at, value.narrow(axis as isize, from, length))?;
                    }
                    axis += 1;
                }
            }
        }
        Ok(value)
    }

    /// A place on an axis, from the end if it is negative.
    fn place_in(&mut self, expr: &Expr, extent: usize, most: usize, axis: usize) -> Result<usize> {
        let place = self.whole(expr)?;
        let from_front = if place < 0 { place + extent as i64 } else { place };
        if (0..=most as i64).contains(&from_front) {
            return Ok(from_front as usize);
        }
        let message = format!(
            "expected an index from 0 to {most} on axis {axis} of extent {extent}, got `{}`, which is \
             {place}",
            short(expr)
        );
        Err(ScriptError::new(expr.at, message))
    }
}

pub(crate) fn scalar(value: f64) -> Variable<f64> {
    Variable::from(Tensor::scalar(value))
}

/// What is done to numbers that are no tensors: extents, steps, factors.
fn numbers(at: Place, binary: Binary, a: f64, b: f64) -> Result<Value> {
    let found = match binary {
        Binary::Add => a + b,
        Binary::Sub => a - b,
        Binary::Mul | Binary::Beside => a * b,
        Binary::Div => a / b,
        Binary::Pow => scalar(a).pow(b).to_vec()[0],
        Binary::Product => {
            return Err(ScriptError::new(at, format!("expected two tensors for `@`, got {a} and {b}")));
        }
    };
    Ok(Value::Number(found))
}

/// An expression as it is named in a message.
pub(crate) fn short(expr: &Expr) -> String {
    let text = expr.to_string();
    if text.chars().count() <= 40 {
        return text;
    }
    text.chars().take(39).chain(['\u{2026}']).collect()
}
