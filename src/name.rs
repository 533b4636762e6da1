//! Who is meant? The names that identify things, each with its own type so
//! that one is never passed where another is meant.

use std::fmt;

/// A text that is not a valid name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} `{text}` must be 1 to 63 characters of a-z, 0-9 and `-`")]
pub struct InvalidName {
    what: &'static str,
    text: String,
}

/// The longest name: the limit of a DNS label, so that names fit everywhere.
const LONGEST: usize = 63;

fn is_name(text: &str) -> bool {
    (1..=LONGEST).contains(&text.len())
        && text
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub struct $type(Box<str>);

        impl $type {
            /// Checks the characters and the length.
            pub fn new(text: &str) -> Result<Self, InvalidName> {
                if is_name(text) {
                    Ok(Self(text.into()))
                } else {
                    Err(InvalidName { what: $what, text: text.to_owned() })
                }
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.pad(&self.0)
            }
        }

        impl std::str::FromStr for $type {
            type Err = InvalidName;

            fn from_str(text: &str) -> Result<Self, InvalidName> {
                Self::new(text)
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::new(&text).map_err(serde::de::Error::custom)
            }
        }
    };
}

name! {
    /// The id of one silenced installation. It is part of every marker, so two
    /// installations with different names never touch each other's silences.
    InstanceName, "instance"
}

name! {
    /// The name of a declaration: unique in the repository, and its identity.
    SilenceName, "silence name"
}

name! {
    /// The name of a target: one Alertmanager-compatible endpoint.
    TargetName, "target name"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_says_what_is_allowed() {
        let message = SilenceName::new("Nightly Info").map_err(|error| error.to_string());
        assert_eq!(
            message.err().as_deref(),
            Some("silence name `Nightly Info` must be 1 to 63 characters of a-z, 0-9 and `-`")
        );
        assert!(SilenceName::new("").is_err());
        assert!(SilenceName::new(&"a".repeat(63)).is_ok());
        assert!(SilenceName::new(&"a".repeat(64)).is_err());
    }
}
