//! Which windows are counted.
use crate::{Traits, window::WindowSpec};

/// The windows of one kind of key, made ready for counting: those of one length begin at the same call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WindowSpecs {
    specs: Vec<WindowSpec>,
    /// By length, each once.
    lengths: Vec<Length>,
    /// By spec: the place of its length among them.
    length_of: Vec<usize>,
}

/// The windows of one length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Length {
    pub(crate) seconds: i64,
    /// Index and traits of each, ascending.
    pub(crate) specs: Vec<(usize, Traits)>,
}

impl WindowSpecs {
    /// No windows.
    pub const NONE: Self = Self { specs: Vec::new(), lengths: Vec::new(), length_of: Vec::new() };

    /// These windows; what is shown of them goes by their index.
    pub fn new(specs: Vec<WindowSpec>) -> Self {
        let mut new = Self { specs, ..Self::NONE };
        for (index, spec) in new.specs.iter().enumerate() {
            let known = new.lengths.iter().position(|length| length.seconds == spec.seconds);
            let place = known.unwrap_or(new.lengths.len());
            if known.is_none() {
                new.lengths.push(Length { seconds: spec.seconds, specs: Vec::new() });
            }
            if let Some(length) = new.lengths.get_mut(place) {
                length.specs.push((index, spec.traits));
            }
            new.length_of.push(place);
        }
        new
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.specs.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.specs.is_empty()
    }

    /// The windows by their index.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, &WindowSpec)> {
        self.specs.iter().enumerate()
    }

    pub(crate) fn lengths(&self) -> &[Length] {
        &self.lengths
    }

    /// The place of a window's length among all lengths.
    pub(crate) fn length_of(&self, index: usize) -> usize {
        self.length_of.get(index).copied().unwrap_or_default()
    }
}
