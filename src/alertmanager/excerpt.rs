//! How is a foreign text shown to people? Cut short and made harmless: what a
//! server answers ends up in logs and terminals, where it must not give orders.

/// Enough for every message that Alertmanager writes, short enough for a log line.
const LONGEST: usize = 200;

/// At most the first 200 characters of `text` on one line: runs of white space
/// become one space, and control and direction-changing characters are escaped.
pub(super) fn excerpt(text: &str) -> String {
    let mut shown = String::new();
    let mut room = LONGEST;
    let mut words = text.split_whitespace();
    while let Some(word) = words.next() {
        for character in word.chars() {
            if room == 0 {
                shown.push('…');
                return shown;
            }
            room -= 1;
            if is_harmful(character) {
                shown.extend(character.escape_unicode());
            } else {
                shown.push(character);
            }
        }
        if room > 0 && words.clone().next().is_some() {
            shown.push(' ');
            room -= 1;
        }
    }
    shown
}

/// The title of a web page: proxies answer with pages whose markup says nothing.
pub(super) fn page_title(text: &str) -> Option<&str> {
    let lower = text.to_ascii_lowercase();
    let page = lower.trim_start();
    if !page.starts_with("<!doctype html") && !page.starts_with("<html") {
        return None;
    }
    let tag = lower.find("<title")?;
    let start = tag + lower.get(tag..)?.find('>')? + 1;
    let end = start + lower.get(start..)?.find("</title")?;
    text.get(start..end)
        .filter(|title| !title.trim().is_empty())
}

/// Control characters, and those that hide text or reverse its direction.
fn is_harmful(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stays_on_one_line_and_gives_the_terminal_no_orders() {
        assert_eq!(
            excerpt("  one\r\n\ttwo \u{1b}[31mred\u{202e}  "),
            "one two \\u{1b}[31mred\\u{202e}"
        );
    }

    #[test]
    fn a_page_is_told_by_its_title() {
        for (text, title) in [
            (
                "<html>\n<head><TITLE>502 Bad Gateway</title>",
                Some("502 Bad Gateway"),
            ),
            (
                "<!DOCTYPE html><title lang=en>Ünicode</title>",
                Some("Ünicode"),
            ),
            ("<html><title> </title>", None),
            ("<html><title>endless", None),
            ("<html>no title</html>", None),
            ("no page <title>x</title>", None),
            ("", None),
        ] {
            assert_eq!(page_title(text), title, "{text}");
        }
    }

    #[test]
    fn it_is_cut_between_characters_and_says_so() {
        assert_eq!(excerpt(&"ü".repeat(200)), "ü".repeat(200));
        assert_eq!(excerpt(&"ü".repeat(201)), format!("{}…", "ü".repeat(200)));
        assert_eq!(excerpt(&"ü ".repeat(201)), format!("{}…", "ü ".repeat(100)));
    }
}
