//! An item of a source, as the chapters print it.

/// What may stand in front of an item's name.
const BEFORE: [&str; 8] = ["", "pub ", "fn ", "pub fn ", "struct ", "pub struct ", "enum ", "impl "];

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// Whether a line begins the item of this name: a function, a type, the first implementation of a trait, a
/// macro that is called. A hyphen in the name stands for a blank.
fn begins(line: &str, name: &str) -> bool {
    let name = name.replace('-', " ");
    let is_rest = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
    BEFORE.iter().any(|before| {
        let rest = line.trim_start().strip_prefix(before).and_then(|line| line.strip_prefix(&*name));
        rest.is_some_and(is_rest)
    })
}

/// The item of this name with its comments and attributes, brought to the margin.
pub fn item(text: &str, name: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let at = lines.iter().position(|line| begins(line, name)).unwrap_or_else(|| panic!("no item {name}"));
    let margin = indent(lines[at]);
    let above = lines[..at].iter().rev();
    let is_comment =
        |line: &&&str| line.trim_start().starts_with("///") || line.trim_start().starts_with("#[");
    let start = at - above.take_while(is_comment).count();
    let ends = |line: &&str| indent(line) == margin && (line.ends_with('}') || line.ends_with(';'));
    let end = at + lines[at..].iter().position(ends).unwrap_or_else(|| panic!("no end of {name}"));
    let cut = |line: &&str| line.get(margin..).unwrap_or_default().to_string() + "\n";
    lines[start..=end].iter().map(cut).collect()
}

#[test]
fn an_item_is_found_with_its_comments() {
    let text = "\
impl A {
    /// One.
    #[inline]
    pub fn one(
    ) {
        two()
    }
}
cell!(A { w });
impl Two for A {
}
";
    assert_eq!(item(text, "one"), "/// One.\n#[inline]\npub fn one(\n) {\n    two()\n}\n");
    assert_eq!(item(text, "cell!"), "cell!(A { w });\n");
    assert!(item(text, "A").starts_with("impl A {\n"));
    assert_eq!(item(text, "impl-Two"), "impl Two for A {\n}\n");
}
