//! Text that goes into other languages, and numbers as one reads them.

use std::fmt::Write as _;

/// A name on one line: what cannot be seen, and what would break the line, is written out.
pub(crate) fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        // Beside control characters: marks that turn the direction of what is around them, and what XML has
        // no place for.
        let is_hidden = c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
            || matches!(c, '\u{feff}' | '\u{fffe}' | '\u{ffff}');
        if is_hidden { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out
}

/// A text inside XML, between marks or as an attribute's value.
pub(crate) fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in visible(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// A text as a quoted name of DOT, in which lines are centred.
pub(crate) fn dot(lines: &[String]) -> String {
    let escape = |line: &String| visible(line).replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", lines.iter().map(escape).collect::<Vec<_>>().join("\\n"))
}

/// At most this many characters, without those in the middle if there are more.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    let text = visible(text);
    let count = text.chars().count();
    if count <= most {
        return text;
    }
    let (front, back) = (most / 2, most - most / 2 - 1);
    let head: String = text.chars().take(front).collect();
    let tail: String = text.chars().skip(count - back).collect();
    format!("{head}\u{2026}{tail}")
}

/// The columns that a text takes in a font of fixed width: two for what is not of the first scripts.
pub(crate) fn columns(text: &str) -> usize {
    text.chars().map(|c| if c < '\u{1100}' || c == '\u{2026}' || c == '\u{d7}' { 1 } else { 2 }).sum()
}

/// A number with four digits that count.
pub(crate) fn number(value: f64) -> String {
    if !value.is_finite() {
        return match value {
            f64::INFINITY => "inf".to_string(),
            f64::NEG_INFINITY => "-inf".to_string(),
            _ => "nan".to_string(),
        };
    }
    if value == 0.0 {
        return "0".to_string();
    }
    // Rounded first: 9999.6 has one digit more than it seems.
    let written = format!("{value:.3e}");
    let (digits, exponent) = written.split_once('e').unwrap_or((&written, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if !(-4..6).contains(&exponent) {
        return format!("{}e{exponent}", trimmed(digits));
    }
    let rounded: f64 = written.parse().unwrap_or(value);
    trimmed(&format!("{rounded:.*}", (3 - exponent).max(0) as usize)).to_string()
}

fn trimmed(digits: &str) -> &str {
    if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits }
}

/// A shape as it is printed.
pub(crate) fn shape(extents: &[usize]) -> String {
    format!("{extents:?}")
}

/// `1 step`, `2 steps`.
pub(crate) fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// A number for a picture: a tenth of a pixel is enough.
pub(crate) fn pixel(value: f64) -> String {
    let mut out = String::new();
    let _ = write!(out, "{value:.1}");
    match out.strip_suffix(".0") {
        Some(whole) => whole.to_string(),
        None => out,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_four_digits_that_count() {
        let cases = [
            (0.0, "0"),
            (-0.0, "0"),
            (1.0, "1"),
            (2.5, "2.5"),
            (1.0 / 3.0, "0.3333"),
            (-1234.567, "-1235"),
            (9999.6, "10000"),
            (123456.0, "123500"),
            (1e6, "1e6"),
            (1.5e-7, "1.5e-7"),
            (0.00012345, "0.0001234"),
            (f64::NAN, "nan"),
            (f64::NEG_INFINITY, "-inf"),
        ];
        for (value, text) in cases {
            assert_eq!(number(value), text, "{value}");
        }
    }

    #[test]
    fn texts_are_escaped_and_cut() {
        assert_eq!(visible("a\nb\u{1}"), "a\\nb\\u{1}");
        assert_eq!(xml("<a href=\"b\">&'\n"), "&lt;a href=&quot;b&quot;&gt;&amp;&#39;\\n");
        assert_eq!(dot(&["a\"b".into(), "c\\\nd".into()]), "\"a\\\"b\\nc\\\\\\\\nd\"");
        assert_eq!((shortened("abcdefgh", 5), shortened("abc", 5)), ("ab\u{2026}gh".into(), "abc".into()));
        assert_eq!((columns("ab\u{2026}"), columns("\u{6f22}")), (3, 2));
    }
}
