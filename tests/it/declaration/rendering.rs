//! How do findings look in each of the three forms?

use expect_test::expect;
use silenced::declaration::render::{Validation, github, text};
use silenced::declaration::{Diagnostic, Severity};

use super::read;

fn awkward() -> Diagnostic {
    Diagnostic {
        severity: Severity::Warning,
        code: "unknown-key",
        file: "a,b:c%.yaml".to_owned(),
        line: 12,
        column: 3,
        message: "100% of\r\n\u{1b}[31mthis".to_owned(),
        hint: Some("a: b, c".to_owned()),
        snippet: Some("\té: \u{202e}x".to_owned()),
    }
}

#[test]
fn for_people() {
    let declarations = read(&[("a.yaml", "silence: []\n")]);
    let found = &declarations.diagnostics[0];
    expect![[r#"
        a.yaml:1:1: error[unknown-key]: unknown key `silence` in a file
         1 | silence: []
           | ^
           hint: did you mean `silences`?
    "#]]
    .assert_eq(&text(found, false));
    expect![[r#""\u{1b}[1ma.yaml:1:1:\u{1b}[0m \u{1b}[1;31merror[unknown-key]\u{1b}[0m: \u{1b}[1munknown key `silence` in a file\u{1b}[0m\n\u{1b}[2m 1 |\u{1b}[0m silence: []\n\u{1b}[2m   |\u{1b}[0m \u{1b}[1;31m^\u{1b}[0m\n   hint: did you mean `silences`?\n""#]].assert_eq(&format!("{:?}", text(found, true)));
    // Nothing in a file can move the cursor, colour the terminal or turn a line round.
    expect![[r#"
        a,b:c%.yaml:12:3: warning[unknown-key]: 100% of���[31mthis
         12 |  é: �x
            |   ^
           hint: a: b, c
    "#]]
    .assert_eq(&text(&awkward(), false));
}

#[test]
fn a_long_line_is_shown_around_the_caret() {
    let line = format!("silences: [{}x]\n", "  ".repeat(70));
    let declarations = read(&[("a.yaml", &line)]);
    expect![[r#"
        a.yaml:1:152: error[wrong-type]: expected a declaration, but found the text `x`
         1 |                                                   x]
           |                                                   ^
    "#]]
    .assert_eq(&text(&declarations.diagnostics[0], false));
}

#[test]
fn for_programs() {
    let declarations = read(&[("a.yaml", "silence: []\n")]);
    let validation = Validation::new(&declarations, &declarations.diagnostics);
    expect![[r#"
        {
          "files": 1,
          "silences": 0,
          "diagnostics": [
            {
              "severity": "error",
              "code": "unknown-key",
              "file": "a.yaml",
              "line": 1,
              "column": 1,
              "message": "unknown key `silence` in a file",
              "hint": "did you mean `silences`?"
            }
          ]
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&validation).unwrap());
}

#[test]
fn for_github() {
    let declarations = read(&[("a.yaml", "silence: []\n")]);
    expect![[r#"
        ::error file=silences/a.yaml,line=1,col=1,title=unknown-key::unknown key `silence` in a file%0Ahint: did you mean `silences`?
    "#]].assert_eq(&github(&declarations.diagnostics[0], "silences/"));
    expect![[r#"
        ::warning file=a%2Cb%3Ac%25.yaml,line=12,col=3,title=unknown-key::100%25 of%0D%0A�[31mthis%0Ahint: a: b, c
    "#]].assert_eq(&github(&awkward(), "."));
}
