//! Formats as data: what a descriptor file says, checked and turned into a plan.
mod check;
mod fault;
mod plan;
mod raw;

pub use fault::{DescriptorError, DescriptorFault};
pub(crate) use plan::{ABSENT, Choice, Columns, Layout, Numbers, Plan};
pub use raw::RawDescriptor;
pub(crate) use raw::{AnsweredBy, Dialect, Header, Quotes, ReaderKind, Shape, Unit};

/// Reads a descriptor and compiles it.
pub(crate) fn compile(text: &str) -> Result<Plan, DescriptorError> {
    let raw: RawDescriptor = toml::from_str(text).map_err(|error| DescriptorError::unreadable(&error))?;
    check::compile(&raw, text)
}
