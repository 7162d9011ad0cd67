//! What a program is made of, and how it is printed.

use std::fmt;

use super::error::Place;

/// An expression, and where it stands: an operator, a function's name, a bracket.
#[derive(Clone, Debug)]
pub(crate) struct Expr {
    pub(crate) kind: ExprKind,
    pub(crate) at: Place,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ExprKind {
    Number(f64),
    Name(String),
    /// Numbers in brackets.
    List(Vec<Expr>),
    Neg(Box<Expr>),
    Transposed(Box<Expr>),
    Binary(Binary, Box<Expr>, Box<Expr>),
    Call(String, Vec<Argument>),
    Index(Box<Expr>, Vec<Index>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binary {
    Add,
    Sub,
    Mul,
    Div,
    /// `@`, a matrix product.
    Product,
    /// What stands beside each other: a matrix product, or a multiple if one is a number.
    Beside,
    Pow,
}

/// An argument of a function, which may have a name.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Argument {
    pub(crate) name: Option<String>,
    pub(crate) value: Expr,
}

/// What is taken of an axis.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Index {
    /// One entry; the axis goes.
    At(Expr),
    /// From one entry up to another; from the first, or to the last.
    Range(Option<Expr>, Option<Expr>),
}

#[derive(Clone, Debug)]
pub(crate) struct Statement {
    pub(crate) kind: StatementKind,
    pub(crate) at: Place,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum StatementKind {
    /// A leaf of a shape, and what it begins with.
    Leaf {
        name: String,
        shape: Vec<Expr>,
        constant: bool,
        init: Expr,
    },
    Assign {
        name: String,
        value: Expr,
    },
    For {
        name: Option<String>,
        from: Expr,
        to: Expr,
        body: Vec<Statement>,
    },
}

/// Where something stands makes no difference.
impl PartialEq for Expr {
    fn eq(&self, other: &Self) -> bool {
        match (&self.kind, &other.kind) {
            (ExprKind::Number(a), ExprKind::Number(b)) => a.to_bits() == b.to_bits(),
            (a, b) => a == b,
        }
    }
}

impl PartialEq for Statement {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

impl Binary {
    pub(crate) fn sign(self) -> &'static str {
        match self {
            Binary::Add => " + ",
            Binary::Sub => " - ",
            Binary::Mul => " * ",
            Binary::Div => " / ",
            Binary::Product => " @ ",
            Binary::Beside => " ",
            Binary::Pow => "^",
        }
    }

    /// How tightly it holds its operands together.
    fn tightness(self) -> u8 {
        match self {
            Binary::Add | Binary::Sub => 1,
            Binary::Mul | Binary::Div | Binary::Product => 2,
            Binary::Beside => 4,
            Binary::Pow => 5,
        }
    }
}

/// An operand, in brackets where it would not hold together.
struct Inside<'e>(&'e Expr, u8);

impl Expr {
    fn tightness(&self) -> u8 {
        match &self.kind {
            ExprKind::Binary(binary, ..) => binary.tightness(),
            ExprKind::Neg(_) => 3,
            _ => 6,
        }
    }
}

impl fmt::Display for Inside<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.tightness() < self.1 { write!(f, "({})", self.0) } else { self.0.fmt(f) }
    }
}

/// Several with commas between.
struct Listed<'l, T>(&'l [T]);

impl<T: fmt::Display> fmt::Display for Listed<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, part) in self.0.iter().enumerate() {
            if place > 0 {
                f.write_str(", ")?;
            }
            part.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ExprKind::Number(value) => write!(f, "{value:?}"),
            ExprKind::Name(name) => f.write_str(name),
            ExprKind::List(parts) => write!(f, "[{}]", Listed(parts)),
            ExprKind::Neg(value) => write!(f, "-{}", Inside(value, 3)),
            ExprKind::Transposed(value) => write!(f, "{}'", Inside(value, 6)),
            ExprKind::Binary(Binary::Pow, base, exponent) => {
                let negative = matches!(exponent.kind, ExprKind::Neg(_));
                write!(f, "{}^{}", Inside(base, 6), Inside(exponent, if negative { 3 } else { 5 }))
            }
            ExprKind::Binary(binary, left, right) => {
                let own = binary.tightness();
                write!(f, "{}{}{}", Inside(left, own), binary.sign(), Inside(right, own + 1))
            }
            ExprKind::Call(name, arguments) => write!(f, "{name}({})", Listed(arguments)),
            ExprKind::Index(value, indices) => write!(f, "{}[{}]", Inside(value, 6), Listed(indices)),
        }
    }
}

impl fmt::Display for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name}={}", self.value),
            None => self.value.fmt(f),
        }
    }
}

impl fmt::Display for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Index::At(value) => value.fmt(f),
            Index::Range(from, to) => {
                if let Some(from) = from {
                    from.fmt(f)?;
                }
                f.write_str("..")?;
                to.as_ref().map_or(Ok(()), |to| to.fmt(f))
            }
        }
    }
}

impl Statement {
    fn print(&self, indent: usize, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:indent$}", "")?;
        match &self.kind {
            StatementKind::Leaf { name, shape, constant, init } => {
                let constant = if *constant { "const " } else { "" };
                writeln!(f, "{constant}{name}: [{}] = {init}", Listed(shape))
            }
            StatementKind::Assign { name, value } => writeln!(f, "{name} = {value}"),
            StatementKind::For { name, from, to, body } => {
                match name {
                    Some(name) => writeln!(f, "for {name} in {from}..{to}:")?,
                    None => writeln!(f, "repeat {to}:")?,
                }
                body.iter().try_for_each(|statement| statement.print(indent + 4, f))
            }
        }
    }
}

impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.print(0, f)
    }
}
