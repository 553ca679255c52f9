//! What an operator must know of a format: where the PBX writes it, how it is switched on, what it does not show.

/// A text in the languages of the product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// English.
    pub english: String,
    /// Japanese.
    pub japanese: String,
}

/// A configuration file of the PBX, and the lines to put into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The file's path.
    pub file: String,
    /// Its lines.
    pub lines: String,
}

/// A format described for operators, as its descriptor does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// What is read.
    pub reads: Text,
    /// Where the PBX puts it, by default.
    pub path: String,
    /// What to configure in the PBX.
    pub settings: Vec<Setting>,
    /// What else to do or to know when switching it on.
    pub switch_on: Text,
    /// What cannot be seen in it.
    pub blind_to: Text,
}
