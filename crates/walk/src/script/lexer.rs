//! A program's text as tokens, line by line.

use super::error::{Place, Result, ScriptError};
use crate::limits::{MOST_DEPTH, MOST_SOURCE, MOST_STATEMENTS};

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    Number(f64),
    Name(String),
    /// An operator or a bracket, by its plain form.
    Sign(&'static str),
}

/// A token.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) at: Place,
    /// Whether there is a blank before it.
    pub(crate) spaced: bool,
}

/// A line that is not empty.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tokens {
    pub(crate) indent: usize,
    pub(crate) tokens: Vec<Token>,
    /// Behind the last token.
    pub(crate) end: Place,
}

impl Kind {
    /// As it is named in a message.
    pub(crate) fn text(&self) -> String {
        match self {
            Kind::Number(value) => format!("`{value}`"),
            Kind::Name(name) => format!("`{name}`"),
            Kind::Sign(sign) => format!("`{sign}`"),
        }
    }
}

/// Signs of two characters first; beside each what it stands for.
const SIGNS: [(&str, &str); 24] = [
    ("..", ".."),
    ("**", "^"),
    ("+", "+"),
    ("-", "-"),
    ("\u{2212}", "-"),
    ("*", "*"),
    ("\u{2299}", "*"),
    ("\u{d7}", "*"),
    ("/", "/"),
    ("@", "@"),
    ("\u{b7}", "@"),
    ("\u{22c5}", "@"),
    ("^", "^"),
    ("'", "'"),
    ("\u{1d40}", "'"),
    ("\u{2032}", "'"),
    ("=", "="),
    ("~", "="),
    ("\u{2190}", "="),
    (",", ","),
    (":", ":"),
    ("\u{b2}", "\u{b2}"),
    ("(", "("),
    (")", ")"),
];
const BRACKETS: [(&str, &str); 2] = [("[", "["), ("]", "]")];

/// The lines of a program. Inside brackets a line goes on on the next one; `#` begins a comment.
pub(crate) fn lines(text: &str) -> Result<Vec<Tokens>> {
    let count = text.chars().count();
    if count > MOST_SOURCE {
        let message = format!("expected a program of at most {MOST_SOURCE} characters, got {count}");
        return Err(ScriptError::new(Place { line: 1, column: 1 }, message));
    }
    let mut found: Vec<Tokens> = Vec::new();
    let mut open: Vec<Place> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let mut lexer = Lexer { chars: line.chars().collect(), at: 0, line: number + 1 };
        let indent = lexer.blanks();
        let mut tokens = Vec::new();
        let mut spaced = true;
        while let Some(token) = lexer.token(spaced)? {
            match token.kind {
                Kind::Sign("(" | "[") => open.push(token.at),
                Kind::Sign(")" | "]") => drop(open.pop()),
                _ => {}
            }
            if open.len() > MOST_DEPTH {
                let message = format!("expected brackets at most {MOST_DEPTH} deep, got more");
                return Err(ScriptError::new(token.at, message));
            }
            tokens.push(token);
            spaced = lexer.blanks() > 0;
        }
        let end = lexer.place();
        match found.last_mut().filter(|last| is_open(last)) {
            Some(last) => {
                last.tokens.extend(tokens);
                last.end = end;
            }
            None if tokens.is_empty() => {}
            None => found.push(Tokens { indent, tokens, end }),
        }
        if found.len() > MOST_STATEMENTS {
            let message = format!("expected a program of at most {MOST_STATEMENTS} lines, got more");
            return Err(ScriptError::new(Place { line: number + 1, column: 1 }, message));
        }
    }
    Ok(found)
}

/// Whether brackets of a line are still open at its end.
fn is_open(line: &Tokens) -> bool {
    let mut depth = 0i64;
    for token in &line.tokens {
        match token.kind {
            Kind::Sign("(" | "[") => depth += 1,
            Kind::Sign(")" | "]") => depth -= 1,
            _ => {}
        }
    }
    depth > 0
}

struct Lexer {
    chars: Vec<char>,
    at: usize,
    line: usize,
}

impl Lexer {
    fn place(&self) -> Place {
        Place { line: self.line, column: self.at + 1 }
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    /// How many columns of blanks there are.
    fn blanks(&mut self) -> usize {
        let mut columns = 0;
        while let Some(c) = self.peek(0).filter(|c| c.is_whitespace()) {
            columns += if c == '\t' { 4 } else { 1 };
            self.at += 1;
        }
        columns
    }

    fn token(&mut self, spaced: bool) -> Result<Option<Token>> {
        let at = self.place();
        let Some(first) = self.peek(0).filter(|c| *c != '#') else { return Ok(None) };
        let kind = if first.is_ascii_digit() || first == '.' && self.digit(1) {
            self.number(at)?
        } else if first.is_alphabetic() && !is_sign(first) || first == '_' {
            self.name()
        } else {
            self.sign(at)?
        };
        Ok(Some(Token { kind, at, spaced }))
    }

    fn digit(&self, ahead: usize) -> bool {
        self.peek(ahead).is_some_and(|c| c.is_ascii_digit())
    }

    fn digits(&mut self, text: &mut String) {
        while let Some(c) = self.peek(0).filter(|c| c.is_ascii_digit() || *c == '_') {
            if c != '_' {
                text.push(c);
            }
            self.at += 1;
        }
    }

    fn number(&mut self, at: Place) -> Result<Kind> {
        let mut text = String::new();
        self.digits(&mut text);
        // Two dots are a range.
        if self.peek(0) == Some('.') && self.peek(1) != Some('.') {
            text.push('.');
            self.at += 1;
            self.digits(&mut text);
        }
        let sign = usize::from(matches!(self.peek(1), Some('+' | '-')));
        if matches!(self.peek(0), Some('e' | 'E')) && self.digit(1 + sign) {
            text.extend(&self.chars[self.at..self.at + 1 + sign]);
            self.at += 1 + sign;
            self.digits(&mut text);
        }
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(Kind::Number(value)),
            _ => Err(ScriptError::new(at, format!("expected a number of an f64's range, got `{text}`"))),
        }
    }

    fn name(&mut self) -> Kind {
        let mut name = String::new();
        while let Some(c) = self.peek(0).filter(|c| (c.is_alphanumeric() || *c == '_') && !is_sign(*c)) {
            name.push(c);
            self.at += 1;
        }
        Kind::Name(if name == "\u{3c3}" { "sigmoid".to_string() } else { name })
    }

    fn sign(&mut self, at: Place) -> Result<Kind> {
        let starts = |sign: &str| sign.chars().enumerate().all(|(ahead, c)| self.peek(ahead) == Some(c));
        match SIGNS.iter().chain(&BRACKETS).find(|(sign, _)| starts(sign)) {
            Some((sign, plain)) => {
                self.at += sign.chars().count();
                Ok(Kind::Sign(plain))
            }
            None => {
                let got = self.chars[self.at];
                Err(ScriptError::new(at, format!("expected a name, a number or a sign, got `{got}`")))
            }
        }
    }
}

/// Whether a character that counts as a letter or digit is a sign here.
fn is_sign(c: char) -> bool {
    matches!(c, '\u{1d40}' | '\u{b2}')
}
