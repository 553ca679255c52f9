//! The `tollwatch` command.
fn main() {}
