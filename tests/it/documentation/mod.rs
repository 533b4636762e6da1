//! Does the documentation say what the program does? Its examples are read, its
//! tables are computed, and the names in it are those of the program.

mod declarations;
mod operations;

use std::collections::BTreeSet;
use std::fs;

use crate::support::tool::root;

/// A document of the repository.
fn document(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// The code blocks of that language, each with the line on which it begins.
fn blocks(document: &str, language: &str) -> Vec<(usize, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(usize, &str, String)> = None;
    for (number, line) in (1..).zip(document.lines()) {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(language)) => open = Some((number + 1, language, String::new())),
            (None, None) => {}
            (Some(_), Some(_)) => {
                let (begin, of, text) = open.take().unwrap();
                if of == language {
                    blocks.push((begin, text));
                }
            }
            (Some((_, _, text)), None) => {
                text.push_str(line);
                text.push('\n');
            }
        }
    }
    assert!(open.is_none(), "a code block has no end");
    blocks
}

/// What stands in backticks in the text, outside of code blocks.
fn quoted(document: &str) -> BTreeSet<String> {
    let mut quoted = BTreeSet::new();
    let mut in_block = false;
    for line in document.lines() {
        if line.starts_with("```") {
            in_block = !in_block;
        } else if !in_block {
            quoted.extend(line.split('`').skip(1).step_by(2).map(str::to_owned));
        }
    }
    quoted
}

/// What GitHub makes of a heading.
fn anchor(heading: &str) -> String {
    let kept: String = heading
        .to_lowercase()
        .chars()
        .filter(|character| character.is_alphanumeric() || matches!(character, ' ' | '-' | '_'))
        .collect();
    kept.replace(' ', "-")
}

#[test]
fn links_lead_somewhere() {
    for path in ["README.md", "docs/declarations.md", "docs/operations.md"] {
        let document = document(path);
        let directory = root().join(path).parent().unwrap().to_owned();
        let anchors: BTreeSet<String> = document
            .lines()
            .filter(|line| line.starts_with('#'))
            .map(|line| anchor(line.trim_start_matches('#').trim()))
            .collect();
        let links: Vec<&str> = document
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
            .collect();
        assert!(links.len() > 4, "{path}: {links:?}");
        for link in links {
            let leads = match link.strip_prefix('#') {
                Some(anchor) => anchors.contains(anchor),
                None => directory.join(link).exists(),
            };
            assert!(leads, "{path}: {link}");
        }
    }
}
