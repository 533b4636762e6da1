//! Has a declaration been the same for a while? What its files said at several
//! times, held against what it says now.

use std::collections::BTreeSet;

use super::{Declaration, Declarations};
use crate::name::SilenceName;
use crate::snapshot::Snapshot;
use crate::zone::ZoneDatabase;

impl Declarations {
    /// The declarations that each of `states` declares as they are now. They are
    /// what some of the files said at several times, the newest first, and stand
    /// alone: what refers to a name in a file that they lack is not the same.
    ///
    /// Times at which its file was broken are passed over: it went on then as its
    /// newest readable version, which is among the older states. Each state costs
    /// the reading of its files; the caller bounds how many there are.
    #[must_use]
    pub fn unchanged_through(
        &self,
        states: &[Snapshot],
        zones: &ZoneDatabase,
    ) -> BTreeSet<SilenceName> {
        let all = self.silences.iter().map(AsRef::as_ref);
        let mut same: Vec<&Declaration> = all.collect();
        let mut read = Self::default();
        for state in states {
            read = read.read_after(state, zones);
            same.retain(|declaration| match read.get(&declaration.name) {
                Some(then) => then.declares_the_same(declaration),
                // It went on as what its file said before, which is looked at next.
                None => read.broken.iter().any(|file| {
                    file.path == declaration.source || file.mentions(&declaration.name)
                }),
            });
        }
        // At first it must have been declared.
        same.into_iter()
            .filter(|declaration| read.get(&declaration.name).is_some())
            .map(|declaration| declaration.name.clone())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::{Revision, SnapshotFile};

    fn snapshot(files: &[(&str, &str)]) -> Snapshot {
        Snapshot {
            revision: Revision::Commit("0".repeat(40)),
            files: files
                .iter()
                .map(|(path, text)| SnapshotFile {
                    path: (*path).to_owned(),
                    content: Ok(text.as_bytes().to_vec()),
                })
                .collect(),
            skipped: Vec::new(),
        }
    }

    fn entry(name: &str, schedule: &str) -> String {
        format!("  - {{name: {name}, comment: c, matchers: [a=b], schedule: {schedule}}}\n")
    }

    fn file(entries: &[(&str, &str)]) -> String {
        entries.iter().fold(
            "owner: o\nsilences:\n".to_owned(),
            |text, (name, schedule)| text + &entry(name, schedule),
        )
    }

    /// The names that are the same in all states, of which the first is the present.
    fn same(states: &[&[(&str, &str)]]) -> Vec<String> {
        let zones = ZoneDatabase::bundled();
        let states: Vec<Snapshot> = states.iter().map(|files| snapshot(files)).collect();
        let now = Declarations::read(&states[0], &zones);
        let same = now.unchanged_through(&states, &zones);
        same.iter().map(ToString::to_string).collect()
    }

    fn state(text: &str) -> [(&str, &str); 1] {
        [("a.yaml", text)]
    }

    const YEAR: &str = "{starts_at: 2026-01-01T00:00:00Z, ends_at: 2027-01-01T00:00:00Z}";

    #[test]
    fn what_was_changed_or_absent_in_between_is_not_the_same() {
        let now = file(&[("one", "always"), ("two", YEAR), ("three", YEAR)]);
        let between = file(&[("two", YEAR), ("three", "always"), ("one", "always")]);
        let absent = file(&[("one", "always"), ("three", YEAR)]);
        assert_eq!(
            same(&[&state(&now), &state(&between), &state(&now)]),
            ["one", "two"]
        );
        assert_eq!(
            same(&[&state(&now), &state(&absent), &state(&now)]),
            ["one", "three"]
        );
        assert_eq!(same(&[&state(&now), &[], &state(&now)]), [""; 0]);
    }

    #[test]
    fn what_moved_to_another_file_is_the_same() {
        let text = file(&[("one", "always")]);
        assert_eq!(same(&[&[("a.yaml", &text)], &[("b.yaml", &text)]]), ["one"]);
    }

    #[test]
    fn a_definition_that_changed_changes_what_refers_to_it() {
        let names = |end: &str| {
            format!(
                "time_intervals:\n  - name: nights\n    time_intervals: [{{times: [{{start_time: '00:00', end_time: '{end}'}}], location: UTC}}]\n"
            )
        };
        let user = file(&[("one", "{time_interval: nights}"), ("two", "always")]);
        let (six, seven) = (names("06:00"), names("07:00"));
        let with = |names| [("a.yaml", user.as_str()), ("names.yaml", names)];
        let unrelated = format!("# unrelated\n{six}");
        assert_eq!(same(&[&with(&six), &with(&unrelated)]), ["one", "two"]);
        assert_eq!(same(&[&with(&six), &with(&seven)]), ["two"]);
        // Without the definition nothing can be said of the whole file.
        let alone = [("a.yaml", user.as_str())];
        assert_eq!(same(&[&with(&six), &alone]), [""; 0]);
    }

    #[test]
    fn what_stands_in_for_a_broken_file_is_compared_from_then_on() {
        let zones = ZoneDatabase::bundled();
        let text = file(&[("one", "always")]);
        let broken = snapshot(&[("a.yaml", "silences: [")]);
        let good = snapshot(&[("a.yaml", &text)]);
        let mut now = Declarations::read(&broken, &zones);
        let earlier = super::super::EarlierVersion {
            path: "a.yaml".to_owned(),
            content: text.into_bytes(),
            revision: good.revision.clone(),
        };
        now.recover(&broken, &[earlier], &zones);
        let count = |states: &[Snapshot]| now.unchanged_through(states, &zones).len();
        assert_eq!(count(&[broken.clone(), good.clone()]), 1);
        assert_eq!(count(&[good.clone(), broken.clone(), good.clone()]), 1);
        assert_eq!(count(&[broken.clone(), good, broken.clone()]), 0);
        assert_eq!(count(&[broken]), 0);
    }
}
