//! What becomes of silences whose file is fine and refers to one that is broken?
//! They go on, with the names as they were.

use std::time::Duration;

use silenced::plan::HoldCause;
use silenced::reconcile::{Outcome, Pass};

use crate::support::passes::{holds, plan, scheduled, writes};
use crate::support::world::World;

const CALENDARS: &str = r#"
time_intervals:
  - name: nights
    time_intervals:
      - {times: [{start_time: "22:00", end_time: "24:00"}], location: UTC}
"#;

/// The same with an exception that stands elsewhere.
const EXCEPTING: &str = r#"
time_intervals:
  - name: nights
    time_intervals:
      - {times: [{start_time: "22:00", end_time: "24:00"}], location: UTC, except_dates: [holidays]}
"#;

const HOLIDAYS: &str = "dates:\n  holidays: [2026-01-06]\n";

const TEAMS: [&str; 3] = ["red", "green", "blue"];

fn team(name: &str) -> String {
    scheduled("{time_interval: nights}").replace("high-latency", name)
}

/// In step, with a file for each team.
async fn in_step(definitions: &[(&str, &str)], has_history: bool) -> World {
    let mut world = World::at("2026-01-04T23:00:00Z");
    world.has_history = has_history;
    world.restart();
    for (path, text) in definitions {
        world.write(path, text);
    }
    for name in TEAMS {
        world.write(&format!("teams/{name}.yaml"), &team(name));
    }
    let pass = world.sync().await;
    assert_eq!(pass.outcome(), Outcome::Converged);
    assert_eq!(writes(&pass), [(6, 0, 0, 0)]);
    world
}

/// What every team has for that pass: windows up to the horizon, told and known.
fn assert_covered(world: &World, pass: &Pass, windows: usize) {
    assert_eq!(pass.outcome(), Outcome::Failed);
    let held: Vec<_> = holds(pass);
    let all = ["blue", "green", "red"].map(|name| (name, HoldCause::Broken));
    assert_eq!(held, all);
    for name in TEAMS {
        assert_eq!(world.ids(name).len(), windows, "{}", world.show());
    }
    let horizon = world.clock.now().plus(world.settings.horizon);
    assert_eq!(pass.covered_until(), Some(horizon));
}

/// As people break a file of definitions.
fn broken(text: &str) -> [String; 4] {
    [
        text.replace("time_intervals:\n  -", "time_interval:\n  -")
            .replace("dates:\n", "date:\n"),
        text.replace("location", "place").replace("2026-01-06", "x"),
        format!("{}\n  - [", &text[..text.len() / 2]),
        "{[".to_owned(),
    ]
}

#[tokio::test(start_paused = true)]
async fn untouched_files_outlast_the_horizon_while_what_they_refer_to_is_broken() {
    let definitions = [("calendars.yaml", EXCEPTING), ("holidays.yaml", HOLIDAYS)];
    for has_history in [true, false] {
        for (path, text) in definitions {
            for broken in broken(text) {
                let mut world = in_step(&definitions, has_history).await;
                world.write(path, &broken);
                for day in 4..12 {
                    // The sixth is a holiday.
                    let windows = if day == 5 || day == 6 { 1 } else { 2 };
                    let pass = world.sync().await;
                    println!("{has_history} {path} day {day}: {broken}");
                    assert_covered(&world, &pass, windows);
                    if has_history {
                        world.restart();
                    }
                    world.write("unrelated.yaml", &format!("silences: [] # {day}"));
                    world.sleep(Duration::from_hours(24)).await;
                }
                world.write(path, text);
                let pass = world.sync().await;
                assert_eq!(pass.outcome(), Outcome::Converged);
                assert_eq!(writes(&pass), [(3, 0, 0, 0)]);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn people_are_told_which_file_and_as_of_when() {
    let mut world = in_step(&[("calendars.yaml", CALENDARS)], true).await;
    world.write("calendars.yaml", "{[");
    let pass = world.sync().await;
    let reasons = plan(&pass).holds.iter().map(|hold| hold.reason.as_str());
    expect_test::expect![[r#"
        `teams/blue.yaml` is broken by what it refers to and goes on with `calendars.yaml` as of 0000004000000000000000000000000000000000
        `teams/green.yaml` is broken by what it refers to and goes on with `calendars.yaml` as of 0000004000000000000000000000000000000000
        `teams/red.yaml` is broken by what it refers to and goes on with `calendars.yaml` as of 0000004000000000000000000000000000000000"#]].assert_eq(&reasons.collect::<Vec<_>>().join("\n"));
}

#[tokio::test(start_paused = true)]
async fn what_is_changed_meanwhile_holds_with_the_names_as_they_were() {
    for has_history in [true, false] {
        let mut world = in_step(&[("calendars.yaml", CALENDARS)], has_history).await;
        world.write("calendars.yaml", "{[");
        world.sync().await;
        world.write(
            "teams/red.yaml",
            &team("red").replace("Known", "Understood"),
        );
        let pass = world.sync().await;
        assert_eq!(writes(&pass), [(0, 2, 0, 0)]);
        assert_covered(&world, &pass, 2);
        // Broken by itself, it goes on as that.
        world.write(
            "teams/red.yaml",
            &team("red").replace("matchers", "matcher"),
        );
        let pass = world.sync().await;
        assert_eq!(writes(&pass), [(0, 0, 0, 0)]);
        assert_covered(&world, &pass, 2);
        // What is added to a good file is there at once.
        world.write("teams/pink.yaml", &team("pink"));
        assert_eq!(writes(&world.sync().await), [(2, 0, 0, 0)]);
        assert_eq!(world.ids("pink").len(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn names_that_are_gone_hold_on_for_whoever_still_refers_to_them() {
    for has_history in [true, false] {
        for case in 0..3 {
            let mut world = in_step(&[("calendars.yaml", CALENDARS)], has_history).await;
            match case {
                0 => world.delete("calendars.yaml"),
                1 => world.rename("calendars.yaml", "names.yaml", "{["),
                _ => world.write("calendars.yaml", &CALENDARS.replace("nights", "evenings")),
            }
            for day in 0..3 {
                let pass = world.sync().await;
                println!("{has_history} {case} day {day}");
                assert_eq!(pass.outcome(), Outcome::Failed);
                for name in TEAMS {
                    assert_eq!(world.ids(name).len(), 2, "{}", world.show());
                }
                world.write("unrelated.yaml", &format!("silences: [] # {day}"));
                world.sleep(Duration::from_hours(24)).await;
                if has_history {
                    world.restart();
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn good_files_have_the_last_word_on_a_name() {
    let mut world = in_step(&[("calendars.yaml", CALENDARS)], true).await;
    world.write("calendars.yaml", "{[");
    world.write("names.yaml", &CALENDARS.replace("22:00", "20:00"));
    let pass = world.sync().await;
    assert_eq!(pass.outcome(), Outcome::Failed);
    assert_eq!(holds(&pass), []);
    // The window under way keeps its start.
    let shown = world.show();
    assert_eq!(shown.matches("pending 2026-01-05T20:00:00Z").count(), 3);
}
