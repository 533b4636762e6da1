//! Is the environment what it was meant to be? Variables that look like ours
//! and are not.

use std::collections::BTreeSet;

use crate::nearest::nearest;

/// What our variables begin with.
const PREFIX: &str = "SILENCED_";

/// A line for every unknown variable of ours.
pub(super) fn warnings() -> Vec<String> {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    warnings_about(names, &known())
}

/// The variables of all flags of all commands.
fn known() -> BTreeSet<String> {
    let command = super::command();
    let commands = std::iter::once(&command).chain(command.get_subcommands());
    commands
        .flat_map(clap::Command::get_arguments)
        .filter_map(|argument| Some(argument.get_env()?.to_str()?.to_owned()))
        .collect()
}

fn warnings_about(
    names: impl IntoIterator<Item = String>,
    known: &BTreeSet<String>,
) -> Vec<String> {
    let unknown: BTreeSet<String> = names
        .into_iter()
        .filter(|name| name.starts_with(PREFIX) && !known.contains(name))
        .collect();
    let (of_services, unknown): (Vec<_>, Vec<_>) = unknown
        .into_iter()
        .partition(|name| is_service_variable(name));
    let mut warnings: Vec<String> = unknown
        .iter()
        .map(|name| {
            // The prefix is no part of the resemblance.
            let known = known.iter().filter_map(|known| known.strip_prefix(PREFIX));
            match nearest(name.trim_start_matches(PREFIX), known).first() {
                Some(nearest) => format!(
                    "the environment variable {name} is unknown and has no effect; \
                     did you mean {PREFIX}{nearest}?"
                ),
                None => {
                    format!("the environment variable {name} is unknown and has no effect")
                }
            }
        })
        .collect();
    if let Some(first) = of_services.first() {
        warnings.push(format!(
            "ignoring {first} and other variables that Kubernetes sets for a Service of this name; \
             set `enableServiceLinks: false` in the pod"
        ));
    }
    warnings
}

/// Whether Kubernetes sets such a variable: for a Service called `silenced`,
/// or `silenced-` and something, `..._SERVICE_HOST`, `..._SERVICE_PORT`,
/// `..._SERVICE_PORT_HTTP`, `..._PORT` and `..._PORT_8080_TCP_ADDR`.
fn is_service_variable(name: &str) -> bool {
    let parts: Vec<&str> = name.split('_').skip(1).collect();
    let has = |pair: [&str; 2]| parts.windows(2).any(|found| found == pair);
    let numbered_port = parts.windows(3).any(|found| {
        let [port, number, protocol] = found else {
            return false;
        };
        *port == "PORT"
            && number.bytes().all(|byte| byte.is_ascii_digit())
            && ["TCP", "UDP", "SCTP"].contains(protocol)
    });
    parts.last() == Some(&"PORT")
        || has(["SERVICE", "HOST"])
        || has(["SERVICE", "PORT"])
        || numbered_port
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warnings_of(names: &[&str]) -> Vec<String> {
        warnings_about(names.iter().map(|name| (*name).to_owned()), &known())
    }

    #[test]
    fn a_misspelt_variable_brings_its_nearest() {
        assert_eq!(
            warnings_of(&[
                "SILENCED_INTERVALL",
                "SILENCED_ZEBRA",
                "PATH",
                "SILENCED_INTERVAL"
            ]),
            [
                "the environment variable SILENCED_INTERVALL is unknown and has no effect; \
                 did you mean SILENCED_INTERVAL?",
                "the environment variable SILENCED_ZEBRA is unknown and has no effect",
            ]
        );
    }

    #[test]
    fn the_variables_of_services_are_one_warning() {
        let warnings = warnings_of(&[
            "SILENCED_PORT",
            "SILENCED_SERVICE_HOST",
            "SILENCED_SERVICE_PORT",
            "SILENCED_SERVICE_PORT_HTTP",
            "SILENCED_PORT_8080_TCP",
            "SILENCED_PORT_8080_TCP_ADDR",
            "SILENCED_DEMO_SERVICE_HOST",
        ]);
        assert_eq!(
            warnings,
            [
                "ignoring SILENCED_DEMO_SERVICE_HOST and other variables that Kubernetes sets for \
                 a Service of this name; set `enableServiceLinks: false` in the pod"
            ]
        );
    }

    #[test]
    fn every_flag_has_its_variable_and_none_is_one_of_kubernetes() {
        let command = crate::cli::command();
        let commands = std::iter::once(&command).chain(command.get_subcommands());
        let mut flags = 0;
        for argument in commands.flat_map(clap::Command::get_arguments) {
            let Some(flag) = argument
                .get_long()
                .filter(|flag| !["help", "version"].contains(flag))
            else {
                continue;
            };
            let expected = format!("{PREFIX}{}", flag.to_uppercase().replace('-', "_"));
            assert_eq!(
                argument.get_env().and_then(|name| name.to_str()),
                Some(expected.as_str())
            );
            assert!(!is_service_variable(&expected), "{expected}");
            flags += 1;
        }
        assert!(flags > 15, "only {flags} flags");
    }
}
