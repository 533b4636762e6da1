//! Is it the same as before? A short, stable fingerprint of bytes.

/// FNV-1a, 64 bits: the same on every platform and in every release, unlike
/// the standard library's hasher.
///
/// It is no cryptographic hash and need not be one: it answers "did this
/// change?" for people and names directories in our own cache. Whoever could
/// craft a collision can already write the declarations themselves.
pub(super) struct Digest(u64);

impl Digest {
    pub(super) fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    /// Adds a field. Its length goes in first, so that bytes cannot move from
    /// one field to the next unseen.
    pub(super) fn field(mut self, bytes: &[u8]) -> Self {
        let length = (bytes.len() as u64).to_le_bytes();
        for byte in length.iter().chain(bytes) {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        self
    }

    /// Sixteen hexadecimal digits.
    pub(super) fn finish(self) -> String {
        format!("{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Digest;

    #[test]
    fn fields_do_not_run_into_each_other() {
        assert_ne!(
            Digest::new().field(b"ab").field(b"c").finish(),
            Digest::new().field(b"a").field(b"bc").finish()
        );
        assert_eq!(Digest::new().finish(), "cbf29ce484222325");
    }
}
