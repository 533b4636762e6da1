//! What does only time show? The life of a silence, retention, garbage, and what
//! survives a restart. All else is in the contract suite.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::matcher::{MatchOperator, Matcher, Matchers};

/// 2026-01-08T21:00:00.5Z and so many seconds.
fn at(seconds: f64) -> DateTime<Utc> {
    let start = DateTime::from_timestamp_millis(1_767_906_000_500).unwrap();
    start + Duration::from_secs_f64(seconds)
}

fn server() -> MemoryAlertmanager {
    MemoryAlertmanager::new(Settings::default(), at(0.0))
}

fn posted(start: f64, end: f64) -> PostedSilence {
    PostedSilence {
        id: None,
        matchers: Matchers::new(vec![Matcher {
            name: "env".to_owned(),
            operator: MatchOperator::Equal,
            value: "prod".to_owned(),
        }]),
        starts_at: at(start).fixed_offset(),
        ends_at: at(end).fixed_offset(),
        created_by: "someone".to_owned(),
        comment: "why".to_owned(),
        annotations: BTreeMap::new(),
    }
}

fn state(server: &mut MemoryAlertmanager, id: &SilenceId, now: f64) -> Option<SilenceState> {
    let now = at(now);
    server.get(id, now).map(|silence| silence.state(now))
}

const HOUR: f64 = 3600.0;
const DAY: f64 = 24.0 * HOUR;
/// More than the interval between two collections of garbage.
const MAINTENANCE: f64 = 901.0;

#[test]
fn a_silence_is_active_from_its_start_until_before_its_end() {
    let mut server = server();
    let id = server.post(posted(10.0, 20.0), at(0.0)).unwrap();
    for (now, expected) in [
        (9.999_999, SilenceState::Pending),
        (10.0, SilenceState::Active),
        (19.999_999, SilenceState::Active),
        (20.0, SilenceState::Expired),
    ] {
        assert_eq!(state(&mut server, &id, now), Some(expected), "{now}");
    }
}

#[test]
fn an_expired_silence_stays_for_the_retention_and_until_maintenance() {
    let mut server = server();
    let id = server.post(posted(0.0, HOUR), at(0.0)).unwrap();
    let kept_until = HOUR + 5.0 * DAY;
    let just_before = kept_until - 1.0;
    assert_eq!(
        state(&mut server, &id, just_before),
        Some(SilenceState::Expired)
    );
    // The last maintenance was a second before.
    assert!(state(&mut server, &id, kept_until + 1.0).is_some());
    assert_eq!(state(&mut server, &id, just_before + MAINTENANCE), None);
    assert_eq!(
        server.delete(&id, at(kept_until + MAINTENANCE)),
        Err(UnknownSilence)
    );
}

#[test]
fn every_write_stamps_the_retention_anew() {
    let mut server = server();
    let expired = server.post(posted(0.0, 30.0 * DAY), at(0.0)).unwrap();
    let extended = server.post(posted(0.0, HOUR), at(0.0)).unwrap();
    server.delete(&expired, at(HOUR / 2.0)).unwrap();
    let longer = PostedSilence {
        id: Some(extended.clone()),
        ..posted(0.0, 10.0 * DAY)
    };
    assert_eq!(server.post(longer, at(HOUR / 2.0)), Ok(extended.clone()));
    assert_eq!(state(&mut server, &expired, 5.0 * DAY + HOUR), None);
    assert_eq!(
        state(&mut server, &extended, 5.0 * DAY + 2.0 * HOUR),
        Some(SilenceState::Active),
        "the moment of forgetting that it had first no longer counts"
    );
    assert_eq!(state(&mut server, &extended, 15.0 * DAY + HOUR), None);
}

#[test]
fn forgotten_silences_make_room() {
    let settings = Settings {
        max_silences: Some(1),
        retention: Duration::from_mins(1),
        ..Settings::default()
    };
    let mut server = MemoryAlertmanager::new(settings, at(0.0));
    let id = server.post(posted(0.0, HOUR), at(0.0)).unwrap();
    server.delete(&id, at(1.0)).unwrap();
    let full = Err(PostError::TooMany { held: 1, limit: 1 });
    assert_eq!(server.post(posted(0.0, HOUR), at(62.0)), full);
    assert!(server.post(posted(0.0, HOUR), at(MAINTENANCE)).is_ok());
}

#[test]
fn a_write_in_the_same_instant_counts() {
    let mut server = server();
    let id = server.post(posted(0.0, HOUR), at(0.0)).unwrap();
    let update = PostedSilence {
        id: Some(id.clone()),
        comment: "other".to_owned(),
        ..posted(0.0, HOUR)
    };
    assert_eq!(server.post(update, at(0.0)), Ok(id.clone()));
    assert_eq!(server.get(&id, at(0.0)).unwrap().comment, "other");
    server.delete(&id, at(0.0)).unwrap();
    assert_eq!(state(&mut server, &id, 0.0), Some(SilenceState::Expired));
}

#[test]
fn a_restart_goes_back_to_what_was_saved() {
    let mut server = server();
    let kept = server.post(posted(0.0, DAY), at(0.0)).unwrap();
    let saved = server.save();
    server.delete(&kept, at(1.0)).unwrap();
    let lost = server.post(posted(0.0, DAY), at(2.0)).unwrap();

    server.restore(saved, at(3.0));
    assert_eq!(state(&mut server, &kept, 3.0), Some(SilenceState::Active));
    assert_eq!(state(&mut server, &lost, 3.0), None);
    let next = server.post(posted(0.0, DAY), at(4.0)).unwrap();
    assert!(next != kept && next != lost, "no id comes twice");

    server.restore(SavedState::default(), at(5.0));
    assert!(server.list(&[], at(5.0)).is_empty());
}

#[test]
fn a_peer_brings_a_forgotten_silence_back() {
    let mut server = server();
    let id = server.post(posted(0.0, 30.0 * DAY), at(0.0)).unwrap();
    let ghost = server.get(&id, at(0.0)).unwrap().clone();
    server.delete(&id, at(1.0)).unwrap();
    server.merge(ghost.clone(), at(2.0));
    assert_eq!(
        state(&mut server, &id, 2.0),
        Some(SilenceState::Expired),
        "what was written last wins"
    );
    assert_eq!(state(&mut server, &id, 6.0 * DAY), None);
    server.merge(ghost.clone(), at(6.0 * DAY));
    assert_eq!(
        state(&mut server, &id, 6.0 * DAY),
        Some(SilenceState::Active)
    );
    // Once it would be forgotten anyway, nobody takes it in.
    assert_eq!(state(&mut server, &id, 36.0 * DAY), None);
    server.merge(ghost, at(36.0 * DAY));
    assert_eq!(state(&mut server, &id, 36.0 * DAY), None);
}

#[test]
fn requests_are_counted_and_the_doings_of_others_are_not() {
    let mut server = server();
    let id = server.post(posted(0.0, HOUR), at(0.0)).unwrap();
    let other = server.put(posted(0.0, HOUR), at(0.0)).unwrap();
    server.expire(&other, at(0.0)).unwrap();
    assert!(server.post(posted(1.0, 1.0), at(0.0)).is_err());
    server.list(&[], at(0.0));
    server.delete(&id, at(0.0)).unwrap();
    let expected = RequestCounts {
        lists: 1,
        posts: 2,
        deletes: 1,
        ..RequestCounts::default()
    };
    assert_eq!(server.counts(), expected);
}

#[test]
fn fifty_thousand_silences_are_no_burden() {
    let mut server = server();
    let ids: Vec<SilenceId> = (0..50_000)
        .map(|second| {
            let end = 1.0 + f64::from(50_000 - second);
            server.post(posted(0.0, end), at(0.0)).unwrap()
        })
        .collect();
    let distinct: BTreeSet<_> = ids.iter().collect();
    assert_eq!(distinct.len(), ids.len());
    let listed = server.list(&[], at(0.0));
    assert!(
        listed
            .iter()
            .map(|silence| &silence.id)
            .eq(ids.iter().rev())
    );
}
