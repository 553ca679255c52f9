//! Everything that is not plain digits: URIs, separators, feature codes, names, and what attackers send.

use super::DialPlan;
use crate::called::{Called, CalledClass, Certainty, Form, ReadingForm};

impl DialPlan {
    pub(super) fn read_text(&self, text: &[u8], form: Form) -> Called {
        let _ = (text, form);
        Called::without_number(CalledClass::Unknown, ReadingForm::Unreadable, Certainty::Guess)
    }
}
