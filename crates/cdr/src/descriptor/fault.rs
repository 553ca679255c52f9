//! What is wrong with a descriptor.
use std::fmt;

/// One fault, with its place and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescriptorFault {
    /// Where, as a path of keys (`fields.started_at.column`).
    pub place: String,
    /// What is wrong.
    pub what: String,
    /// What to write instead.
    pub hint: String,
}

impl fmt::Display for DescriptorFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.place.is_empty() {
            write!(f, "{}: ", self.place)?;
        }
        f.write_str(&self.what)?;
        if self.hint.is_empty() { Ok(()) } else { write!(f, " ({})", self.hint) }
    }
}

/// A descriptor that cannot be used: all that is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct DescriptorError {
    /// The faults, in the order of the file's parts.
    pub faults: Vec<DescriptorFault>,
}

impl DescriptorError {
    /// Not TOML, or TOML with keys or types that no descriptor has. The parser stops at the first.
    pub(super) fn unreadable(error: &toml::de::Error) -> Self {
        let what = error.to_string().trim_end().to_owned();
        Self { faults: vec![DescriptorFault { place: String::new(), what, hint: String::new() }] }
    }
}

impl fmt::Display for DescriptorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, fault) in self.faults.iter().enumerate() {
            if number > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{fault}")?;
        }
        Ok(())
    }
}
