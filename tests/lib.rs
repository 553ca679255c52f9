//! Nothing here: the tests of the whole are one binary, `main.rs`.
