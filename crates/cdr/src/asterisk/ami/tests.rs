//! The interface over packets of its own.
