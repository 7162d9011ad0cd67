//! One file of many: style, script and data in their places.

use crate::escape;

const SKELETON: &str = include_str!("page/page.html");
const EDITOR: &str = include_str!("page/editor.html");
const DARK: &str = include_str!("page/dark.css");
const STYLES: [&str; 4] = [
    include_str!("page/base.css"),
    include_str!("page/panes.css"),
    include_str!("page/step.css"),
    include_str!("page/playground.css"),
];

/// The modules that both pages have, each behind those that it imports.
const SHARED: [&str; 14] = [
    include_str!("page/text.js"),
    include_str!("page/dom.js"),
    include_str!("page/walk.js"),
    include_str!("page/words.js"),
    include_str!("page/value.js"),
    include_str!("page/edit.js"),
    include_str!("page/back.js"),
    include_str!("page/stage.js"),
    include_str!("page/program.js"),
    include_str!("page/graph.js"),
    include_str!("page/transport.js"),
    include_str!("page/engine.js"),
    include_str!("page/check.js"),
    include_str!("page/page.js"),
];
const WALK: [&str; 1] = [include_str!("page/main.js")];
const PLAYGROUND: [&str; 3] =
    [include_str!("page/examples.js"), include_str!("page/editor.js"), include_str!("page/playground.js")];

/// Which of the pages.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    /// The walk through a tape.
    Walk,
    /// A program in a field, and the walk through its tape.
    Playground,
}

/// A page, whose script reads `data`, which is JSON.
pub(crate) fn page(kind: Kind, title: &str, data: &str) -> String {
    let title = escape::html(title);
    let data = escape::json(data);
    let (name, editor, own) = match kind {
        Kind::Walk => ("walk", "", &WALK[..]),
        Kind::Playground => ("playground", EDITOR, &PLAYGROUND[..]),
    };
    let style = filled(&STYLES.concat(), |_| DARK);
    let script = script(own);
    filled(SKELETON, |place| match place {
        "title" => &title,
        "kind" => name,
        "style" => &style,
        "editor" => editor,
        "data" => &data,
        "script" => &script,
        _ => unreachable!("the frame has no place {place}"),
    })
}

/// A text with its places, `{{name}}`, filled; what goes in is not looked through for places.
fn filled<'t>(text: &str, filling: impl Fn(&str) -> &'t str) -> String {
    let mut parts = text.split("{{");
    let mut out = parts.next().unwrap_or_default().to_string();
    for part in parts {
        let (place, rest) = part.split_once("}}").expect("a place ends");
        out.push_str(filling(place));
        out.push_str(rest);
    }
    out
}

/// The modules as one: without what they import from each other, since all is at hand.
fn script(own: &[&str]) -> String {
    let lines = SHARED.iter().chain(own).flat_map(|module| module.lines());
    let lines = lines.filter(|line| !line.starts_with("import "));
    lines.map(|line| line.strip_prefix("export ").unwrap_or(line).to_string() + "\n").collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOSTILE: [&str; 9] =
        ["</script>", "<script>", "<img src=x>", "<!--", "{{data}}", "\"", "'", "&", "a"];
    const TAGS: [&str; 4] = ["<script", "</script", "<img", "<!--"];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn no_text_becomes_a_part_of_the_page(
            parts in proptest::collection::vec(
                prop::sample::select(HOSTILE.to_vec()),
                0..12,
            )
        ) {
            let text = parts.concat();
            let data = serde_json::json!({ &text: &text }).to_string();
            for kind in [Kind::Walk, Kind::Playground] {
                let count = |page: &str| TAGS.map(|tag| page.matches(tag).count());
                prop_assert_eq!(count(&page(kind, &text, &data)), count(&page(kind, "", "{}")));
            }
        }
    }

    #[test]
    fn what_goes_in_is_not_filled_again() {
        assert_eq!(filled("a{{x}}b{{y}}", |place| if place == "x" { "{{y}}" } else { "2" }), "a{{y}}b2");
    }

    #[test]
    fn a_page_has_all_its_parts_and_asks_for_nothing() {
        for kind in [Kind::Walk, Kind::Playground] {
            let page = page(kind, "a <b> \"c\"", "{\"scene\":\"</script>\"}");
            assert!(page.contains("<title>a &lt;b&gt; &quot;c&quot;</title>"));
            assert!(page.contains("\\u003c/script\\u003e") && !page.contains("{{"));
            assert!(!page.contains("\nimport ") && !page.contains("\nexport "));
            assert!(!page.contains("src=\"") && !page.contains("@import") && !page.contains("url("));
            assert_eq!(page.contains("id=\"text\""), kind == Kind::Playground);
        }
    }

    #[test]
    fn styles_are_whole() {
        for style in STYLES.iter().chain([&DARK]) {
            let ends = |line: &str| line.is_empty() || line.ends_with(['{', '}', ';', ',', '/', '%']);
            assert_eq!(style.lines().find(|line| !ends(line)), None);
            assert_eq!(style.matches('{').count(), style.matches('}').count());
        }
    }

    #[test]
    fn modules_import_only_what_stands_before_them_and_no_name_is_twice() {
        for own in [&WALK[..], &PLAYGROUND[..]] {
            let mut names: Vec<&str> = Vec::new();
            for module in SHARED.iter().chain(own) {
                for line in module.lines().filter(|line| line.starts_with("import ")) {
                    let list = line.split(['{', '}']).nth(1).expect("names in braces");
                    let missing = list.split(',').map(str::trim).find(|name| !names.contains(name));
                    assert_eq!(missing, None, "{line}: it is not there yet");
                }
                names.extend(module.lines().filter_map(declared));
            }
            let twice = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name));
            assert_eq!(twice, None);
        }
    }

    /// The name that a line at the outermost level declares.
    fn declared(line: &str) -> Option<&str> {
        let line = line.strip_prefix("export ").unwrap_or(line);
        let kinds = ["const ", "let ", "async function ", "function ", "class "];
        let rest = kinds.iter().find_map(|kind| line.strip_prefix(kind))?;
        rest.split(|letter: char| !letter.is_alphanumeric() && letter != '_').next()
    }
}
