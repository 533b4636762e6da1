//! What is refused, in Alertmanager's words?

/// Why a posted silence was refused. The text is Alertmanager's.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PostError {
    /// An empty or negative interval.
    #[error("Failed to create silence: start time must be before end time")]
    StartNotBeforeEnd,
    /// Over before it begins.
    #[error("Failed to create silence: end time can't be in the past")]
    EndInPast,
    /// The id is not one of this server.
    #[error("silence not found")]
    NotFound,
    /// A matcher is wrong, or all match the empty text.
    #[error("{0}")]
    Invalid(String),
    /// No room for another.
    #[error("exceeded maximum number of silences: {held} (limit: {limit})")]
    TooMany {
        /// How many there are, expired ones included.
        held: usize,
        /// How many there may be.
        limit: usize,
    },
    /// The silence is too big.
    #[error("silence exceeded maximum size: {size} bytes (limit: {limit} bytes)")]
    TooBig {
        /// Of its protobuf message.
        size: usize,
        /// How large it may be.
        limit: usize,
    },
    /// The end, or the retention after it, is beyond what old protobuf stores.
    #[error("timestamp: &types.Timestamp{{Seconds: {0},\nNanos: 0,\n}} after 10000-01-01")]
    AfterYear9999(i64),
}

/// No silence has this id.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("silence not found")]
pub struct UnknownSilence;
