//! From tokens to statements.

use std::collections::HashSet;

use super::error::{Place, Result, ScriptError};
use super::functions::{is_constant, is_function};
use super::lexer::{Kind, Token, Tokens, lines};
use super::syntax::{Argument, Binary, Expr, ExprKind, Index, Statement, StatementKind};
use crate::limits::MOST_DEPTH;

/// Words that are no names.
const KEYWORDS: [&str; 4] = ["for", "in", "repeat", "const"];

/// The statements of a program.
pub(crate) fn parse(text: &str) -> Result<Vec<Statement>> {
    let lines = lines(text)?;
    let mut names = HashSet::new();
    let mut next = 0;
    let found = block(&lines, &mut next, lines.first().map_or(0, |line| line.indent), 0, &mut names)?;
    match lines.get(next) {
        None => Ok(found),
        Some(line) => Err(misplaced(line)),
    }
}

fn misplaced(line: &Tokens) -> ScriptError {
    ScriptError::new(line.tokens[0].at, "expected a line as far in as those before, got another indentation")
}

/// Statements that are `indent` columns in.
fn block(
    lines: &[Tokens],
    next: &mut usize,
    indent: usize,
    depth: usize,
    names: &mut HashSet<String>,
) -> Result<Vec<Statement>> {
    let mut found = Vec::new();
    while let Some(line) = lines.get(*next).filter(|line| line.indent >= indent) {
        if line.indent > indent {
            return Err(misplaced(line));
        }
        *next += 1;
        let mut parser = Parser { line, at: 0, depth, names };
        let mut statement = parser.statement()?;
        if let StatementKind::For { body, .. } = &mut statement.kind
            && body.is_empty()
        {
            let inner = lines.get(*next).map_or(0, |line| line.indent);
            if inner <= indent {
                return Err(ScriptError::new(
                    line.end,
                    "expected the lines of the loop, further in, got none",
                ));
            }
            if depth >= MOST_DEPTH {
                let message = format!("expected loops at most {MOST_DEPTH} deep, got more");
                return Err(ScriptError::new(statement.at, message));
            }
            *body = block(lines, next, inner, depth + 1, names)?;
        }
        found.push(statement);
    }
    Ok(found)
}

/// One line's parser.
struct Parser<'l> {
    line: &'l Tokens,
    at: usize,
    depth: usize,
    /// What has been given a value so far.
    names: &'l mut HashSet<String>,
}

impl Parser<'_> {
    fn token(&self, ahead: usize) -> Option<&Token> {
        self.line.tokens.get(self.at + ahead)
    }

    fn place(&self) -> Place {
        self.token(0).map_or(self.line.end, |token| token.at)
    }

    fn is_sign(&self, ahead: usize, sign: &str) -> bool {
        matches!(self.token(ahead), Some(Token { kind: Kind::Sign(found), .. }) if *found == sign)
    }

    fn word(&self, ahead: usize) -> Option<&str> {
        match self.token(ahead) {
            Some(Token { kind: Kind::Name(name), .. }) => Some(name),
            _ => None,
        }
    }

    fn take(&mut self, sign: &str) -> bool {
        let is_next = self.is_sign(0, sign);
        self.at += usize::from(is_next);
        is_next
    }

    fn wrong<T>(&self, expected: &str) -> Result<T> {
        let got = self.token(0).map_or("the end of the line".to_string(), |token| token.kind.text());
        Err(ScriptError::new(self.place(), format!("expected {expected}, got {got}")))
    }

    fn expect(&mut self, sign: &str) -> Result<()> {
        if self.take(sign) { Ok(()) } else { self.wrong(&format!("`{sign}`")) }
    }

    /// A name to be given a value.
    fn new_name(&mut self) -> Result<String> {
        let Some(name) = self.word(0).map(str::to_string) else { return self.wrong("a name") };
        let refused = |what: &str| {
            let message = format!("expected a name of your own, got `{name}`, which is {what}");
            Err(ScriptError::new(self.place(), message))
        };
        if KEYWORDS.contains(&&*name) {
            return refused("a word of the language");
        }
        if is_function(&name) {
            return refused("a function");
        }
        self.at += 1;
        Ok(name)
    }

    fn statement(&mut self) -> Result<Statement> {
        let at = self.place();
        let kind = match self.word(0) {
            Some("for" | "repeat") => self.repeated()?,
            Some("const") => {
                self.at += 1;
                let name = self.new_name()?;
                self.leaf(name, true)?
            }
            _ => {
                let name = self.new_name()?;
                if self.is_sign(0, ":") {
                    self.leaf(name, false)?
                } else if self.take("=") {
                    let value = self.expression()?;
                    self.names.insert(name.clone());
                    StatementKind::Assign { name, value }
                } else {
                    return self.wrong("`=` and a value, or `:` and a shape");
                }
            }
        };
        if self.token(0).is_some() {
            return self.wrong("an operator or the end of the line");
        }
        Ok(Statement { kind, at })
    }

    /// `: [2, 3] = normal` behind a name.
    fn leaf(&mut self, name: String, constant: bool) -> Result<StatementKind> {
        self.expect(":")?;
        if !self.take("[") {
            return self.wrong("a shape, as in `W: [2, 3] = normal`");
        }
        let mut shape = Vec::new();
        while !self.take("]") {
            shape.push(self.expression()?);
            if !self.take(",") && !self.is_sign(0, "]") {
                return self.wrong("`,` or `]`");
            }
        }
        self.expect("=")?;
        let init = self.expression()?;
        self.names.insert(name.clone());
        Ok(StatementKind::Leaf { name, shape, constant, init })
    }

    /// `for t in 0..T:` or `repeat T:`, and what stands on the same line.
    fn repeated(&mut self) -> Result<StatementKind> {
        let has_name = self.word(0) == Some("for");
        self.at += 1;
        let name = if has_name { Some(self.new_name()?) } else { None };
        if has_name && self.word(0) != Some("in") {
            return self.wrong("`in`");
        }
        self.at += usize::from(has_name);
        let at = self.place();
        let first = self.expression()?;
        let (from, to) = if has_name {
            if !self.take("..") {
                return self.wrong("`..` and where the steps end, as in `0..T`");
            }
            (first, self.expression()?)
        } else {
            (Expr { kind: ExprKind::Number(0.0), at }, first)
        };
        self.names.extend(name.clone());
        let is_marked = self.take(":");
        let body = if is_marked && self.token(0).is_some() { vec![self.statement()?] } else { Vec::new() };
        Ok(StatementKind::For { name, from, to, body })
    }

    fn nested<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.depth += 1;
        if self.depth > 2 * MOST_DEPTH {
            let message = "expected an expression that is less deeply nested".to_string();
            return Err(ScriptError::new(self.place(), message));
        }
        let found = inner(self);
        self.depth -= 1;
        found
    }

    fn expression(&mut self) -> Result<Expr> {
        self.nested(|parser| {
            let signs = [("+", Binary::Add), ("-", Binary::Sub)];
            parser.chain(&signs, |parser| {
                let signs = [("*", Binary::Mul), ("/", Binary::Div), ("@", Binary::Product)];
                parser.chain(&signs, Self::negated)
            })
        })
    }

    /// Operands with signs between, from the left.
    fn chain(
        &mut self,
        signs: &[(&str, Binary)],
        operand: impl Fn(&mut Self) -> Result<Expr>,
    ) -> Result<Expr> {
        let mut left = operand(self)?;
        let mut length = 0;
        loop {
            let at = self.place();
            let Some((_, binary)) = signs.iter().find(|(sign, _)| self.is_sign(0, sign)) else {
                return Ok(left);
            };
            self.at += 1;
            length += 1;
            self.not_longer(length, at)?;
            let right = operand(self)?;
            left = Expr { kind: ExprKind::Binary(*binary, Box::new(left), Box::new(right)), at };
        }
    }

    /// What is chained is nested as well.
    fn not_longer(&self, length: usize, at: Place) -> Result<()> {
        if length <= 8 * MOST_DEPTH {
            return Ok(());
        }
        let message = format!("expected at most {} operands in a row, got more", 8 * MOST_DEPTH);
        Err(ScriptError::new(at, message))
    }

    fn negated(&mut self) -> Result<Expr> {
        let at = self.place();
        if self.take("-") {
            let value = self.nested(Self::negated)?;
            return Ok(Expr { kind: ExprKind::Neg(Box::new(value)), at });
        }
        let mut left = self.power()?;
        let mut length = 0;
        while self.begins_operand() {
            let at = left.at;
            length += 1;
            self.not_longer(length, at)?;
            let right = self.power()?;
            left = Expr { kind: ExprKind::Binary(Binary::Beside, Box::new(left), Box::new(right)), at };
        }
        Ok(left)
    }

    /// Whether what comes can stand beside what was.
    fn begins_operand(&self) -> bool {
        match self.token(0).map(|token| &token.kind) {
            Some(Kind::Number(_) | Kind::Sign("(" | "[")) => true,
            Some(Kind::Name(name)) => !KEYWORDS.contains(&&**name),
            _ => false,
        }
    }

    fn power(&mut self) -> Result<Expr> {
        let base = self.postfixed()?;
        let at = self.place();
        if self.take("\u{b2}") {
            let two = Expr { kind: ExprKind::Number(2.0), at };
            return Ok(Expr { kind: ExprKind::Binary(Binary::Pow, Box::new(base), Box::new(two)), at });
        }
        if !self.take("^") {
            return Ok(base);
        }
        let exponent = self.nested(Self::exponent)?;
        Ok(Expr { kind: ExprKind::Binary(Binary::Pow, Box::new(base), Box::new(exponent)), at })
    }

    fn exponent(&mut self) -> Result<Expr> {
        let at = self.place();
        if self.take("-") {
            let value = self.nested(Self::exponent)?;
            return Ok(Expr { kind: ExprKind::Neg(Box::new(value)), at });
        }
        self.power()
    }

    fn postfixed(&mut self) -> Result<Expr> {
        let mut value = self.primary()?;
        let mut length = 0;
        loop {
            let at = self.place();
            let adjacent = self.token(0).is_some_and(|token| !token.spaced);
            if adjacent && self.take("'") {
                value = Expr { kind: ExprKind::Transposed(Box::new(value)), at };
            } else if adjacent && self.take("[") {
                value = Expr { kind: ExprKind::Index(Box::new(value), self.indices()?), at };
            } else {
                return Ok(value);
            }
            length += 1;
            self.not_longer(length, at)?;
        }
    }

    fn indices(&mut self) -> Result<Vec<Index>> {
        let mut found = Vec::new();
        loop {
            let ends = |parser: &Self| parser.is_sign(0, ",") || parser.is_sign(0, "]");
            let from =
                if self.is_sign(0, "..") || self.is_sign(0, ":") { None } else { Some(self.expression()?) };
            let is_range = self.take("..") || self.take(":");
            found.push(match from {
                Some(at) if !is_range => Index::At(at),
                from => Index::Range(from, if ends(self) { None } else { Some(self.expression()?) }),
            });
            if self.take("]") {
                return Ok(found);
            }
            if !self.take(",") {
                return self.wrong("`,` or `]`");
            }
        }
    }

    fn primary(&mut self) -> Result<Expr> {
        let at = self.place();
        let Some(token) = self.token(0).cloned() else { return self.wrong("a value") };
        match token.kind {
            Kind::Number(value) => {
                self.at += 1;
                Ok(Expr { kind: ExprKind::Number(value), at })
            }
            Kind::Name(name) if !KEYWORDS.contains(&&*name) => {
                self.at += 1;
                self.named(name, at)
            }
            Kind::Sign("(") => {
                self.at += 1;
                let value = self.expression()?;
                if self.take(")") { Ok(value) } else { self.wrong("an operator or `)`") }
            }
            Kind::Sign("[") => {
                self.at += 1;
                self.list(at)
            }
            _ => self.wrong("a value"),
        }
    }

    fn list(&mut self, at: Place) -> Result<Expr> {
        let mut parts = Vec::new();
        while !self.take("]") {
            parts.push(self.expression()?);
            if !self.take(",") && !self.is_sign(0, "]") {
                return self.wrong("`,` or `]`");
            }
        }
        Ok(Expr { kind: ExprKind::List(parts), at })
    }

    /// A variable, or a function and its arguments: in brackets, or the shape of a constant.
    fn named(&mut self, name: String, at: Place) -> Result<Expr> {
        let adjacent = self.token(0).is_some_and(|token| !token.spaced);
        let calls = is_function(&name) || adjacent && !self.names.contains(&name);
        if is_constant(&name) && self.is_sign(0, "[") {
            self.at += 1;
            let shape = self.place();
            let value = self.list(shape)?;
            return Ok(Expr { kind: ExprKind::Call(name, vec![Argument { name: None, value }]), at });
        }
        if !(calls && self.take("(")) {
            return Ok(Expr { kind: ExprKind::Name(name), at });
        }
        let mut arguments = Vec::new();
        while !self.take(")") {
            let keyword = self.word(0).filter(|_| self.is_sign(1, "=")).map(str::to_string);
            self.at += if keyword.is_some() { 2 } else { 0 };
            arguments.push(Argument { name: keyword, value: self.expression()? });
            if !self.take(",") && !self.is_sign(0, ")") {
                return self.wrong("`,` or `)`");
            }
        }
        Ok(Expr { kind: ExprKind::Call(name, arguments), at })
    }
}
