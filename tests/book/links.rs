//! Links between chapters, and to files of the repository.

use crate::{chapters, pages, read, root};

/// Where the repository's files are read on the web: `repository` of the workspace, and the branch.
fn repository() -> String {
    let manifest = read(root().join("Cargo.toml"));
    let line = manifest.lines().find_map(|line| line.strip_prefix("repository = "));
    format!("{}/blob/main/", line.unwrap().trim_matches('"'))
}

/// The targets of the links in a text, but for those in blocks.
fn targets(text: &str) -> Vec<&str> {
    let outside = text.split("```").step_by(2);
    let links = outside.flat_map(|text| text.split("](").skip(1));
    links.map(|rest| rest.split(')').next().unwrap_or_default()).collect()
}

/// A heading as browsers are sent to it.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase();
    let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// Whether a text has the heading that an anchor names; every text has its beginning.
fn has(text: &str, wanted: &str) -> bool {
    let outside = text.split("```").step_by(2).flat_map(str::lines);
    let mut headings = outside.filter(|line| line.starts_with('#'));
    wanted.is_empty() || headings.any(|line| anchor(line.trim_start_matches('#')) == wanted)
}

/// What is wrong with a link in the chapter of this name.
fn dead(chapter: &str, target: &str) -> Option<String> {
    let (place, anchor) = target.split_once('#').unwrap_or((target, ""));
    let path = match place.strip_prefix(&repository()) {
        Some(path) => root().join(path),
        None if place.contains("://") || pages::is_one(place) => return None,
        None if place.is_empty() => chapters::folder().join(chapter),
        None => chapters::folder().join(place),
    };
    let is_markdown = path.extension().is_some_and(|extension| extension == "md");
    let leads = path.exists() && (!is_markdown || has(&read(&path), anchor));
    (!leads).then(|| format!("{chapter} links to {target}"))
}

#[test]
fn no_link_is_dead() {
    let all = chapters::all();
    let dead: Vec<String> = all
        .iter()
        .flat_map(|(name, text)| targets(text).into_iter().filter_map(move |target| dead(name, target)))
        .collect();
    assert!(dead.is_empty(), "{}", dead.join("\n"));
}

#[test]
fn every_chapter_is_in_the_summary_and_every_include_is_there() {
    let summary = read(chapters::folder().join("SUMMARY.md"));
    for (name, text) in chapters::all() {
        assert!(name == "SUMMARY.md" || targets(&summary).contains(&&*name), "{name} is not in the summary");
        let included = text.lines().filter_map(chapters::include);
        // What is generated another test looks after, which may be writing it.
        let others = included.filter(|path| !path.starts_with("generated/"));
        let missing: Vec<&str> = others.filter(|path| !chapters::folder().join(path).exists()).collect();
        assert!(missing.is_empty(), "{name} includes {missing:?}");
    }
}

#[test]
fn dead_links_are_found() {
    let target = |path: &str| repository() + path;
    for right in ["SUMMARY.md", "#summary", &target("README.md"), "https://example.org/x", "pages/cell.html"]
    {
        assert_eq!(dead("SUMMARY.md", right), None);
    }
    for wrong in
        ["nowhere.md", "SUMMARY.md#elsewhere", "#elsewhere", &target("docs/nowhere.md"), "pages/nowhere.html"]
    {
        assert!(dead("SUMMARY.md", wrong).is_some(), "{wrong}");
    }
    assert_eq!(targets("[a](b.md) and [c](d)\n```text\n[x](y)\n```\n[e](f#g)"), ["b.md", "d", "f#g"]);
    assert_eq!(anchor("The `plain` sweep, once"), "the-plain-sweep-once");
}
