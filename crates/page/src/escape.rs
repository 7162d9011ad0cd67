//! Texts of others, as they may stand in a page.

/// A text between tags or in an attribute.
pub(crate) fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // No character of a page; a browser would put this in its place.
            '\0' => out.push('\u{fffd}'),
            _ => out.push(letter),
        }
    }
    out
}

/// JSON inside a `script` element: nothing in it ends the element, opens a comment or is a line's end of
/// JavaScript. What is replaced stands only inside the texts of JSON, where the other form means the same.
pub(crate) fn json(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 64);
    for letter in text.chars() {
        match letter {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(letter)));
            }
            _ => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOSTILE: &str =
        r#"(?s)([a-z ]|<|>|&|"|'|/|</script>|<!--|-->|]]>|\x00|\u{2028}|\u{2029}|\\){0,40}"#;

    /// What a browser reads in the place of an escaped text.
    fn read(text: &str) -> String {
        let pairs = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
        pairs.iter().fold(text.to_string(), |text, (from, to)| text.replace(from, to))
    }

    proptest! {
        #[test]
        fn a_text_opens_no_tag_and_reads_the_same(text in HOSTILE) {
            let escaped = html(&text);
            prop_assert!(!escaped.contains(['<', '>', '"', '\'']));
            prop_assert_eq!(read(&escaped), text.replace('\0', "\u{fffd}"));
        }

        #[test]
        fn json_ends_no_element_and_means_the_same(key in HOSTILE, value in HOSTILE) {
            let given = serde_json::json!({ key: [value] });
            let escaped = json(&given.to_string());
            let is_harmful = |letter| "<>&\u{2028}\u{2029}".contains(letter);
            prop_assert!(!escaped.contains(is_harmful));
            prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&escaped).unwrap(), given);
        }
    }
}
