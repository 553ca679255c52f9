//! Which application of the dialplan each channel is in. An event says what a channel begins, and none what ends.
use crate::asterisk::cel::{CelRow, places_calls};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Channels kept; the oldest goes first. As many as the tracker keeps.
const CHANNELS_MAX: usize = 32 * 1024;
/// Bytes kept of any field, as the tracker does.
const FIELD_MAX: usize = 256;

type Bytes = Box<[u8]>;

fn keep(field: &[u8]) -> Bytes {
    field.get(..FIELD_MAX).unwrap_or(field).into()
}

/// What a channel does, and where.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Application {
    pub(super) name: Bytes,
    pub(super) data: Bytes,
    pub(super) extension: Bytes,
    pub(super) context: Bytes,
}

/// What an event of the dialplan tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The channel was sent elsewhere, and is in what it was in.
    Moved,
    /// An application begins. If the one before placed calls, it ends.
    Begun(Option<Application>),
}

/// The applications of the open channels, by unique id.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Saved", into = "Saved")]
pub(super) struct Applications {
    by_unique_id: BTreeMap<Bytes, Application>,
    none: Application,
}

impl Applications {
    pub(super) fn of(&self, unique_id: &[u8]) -> &Application {
        self.by_unique_id.get(&*keep(unique_id)).unwrap_or(&self.none)
    }

    pub(super) fn forget(&mut self, unique_id: &[u8]) {
        self.by_unique_id.remove(&*keep(unique_id));
    }

    /// Takes in that the channel of `row` is in the row's application now.
    pub(super) fn step(&mut self, row: &CelRow<'_>) -> Step {
        let now = Application {
            name: keep(row.application),
            data: keep(row.data),
            extension: keep(row.extension),
            context: keep(row.context),
        };
        let elsewhere = |before: &Application| {
            (&before.name, &before.data) == (&now.name, &now.data)
                && (&before.extension, &before.context) != (&now.extension, &now.context)
        };
        let moved = self.by_unique_id.get(&*keep(row.unique_id)).is_some_and(elsewhere);
        let before = self.by_unique_id.insert(keep(row.unique_id), now);
        while self.by_unique_id.len() > CHANNELS_MAX {
            self.by_unique_id.pop_first();
        }
        if moved { Step::Moved } else { Step::Begun(before.filter(|before| places_calls(&before.name))) }
    }
}

/// What a snapshot holds of [`Applications`].
#[derive(Serialize, Deserialize)]
struct Saved(Vec<(Bytes, Application)>);

impl From<Applications> for Saved {
    fn from(applications: Applications) -> Self {
        Self(applications.by_unique_id.into_iter().collect())
    }
}

impl From<Saved> for Applications {
    fn from(saved: Saved) -> Self {
        Self { by_unique_id: saved.0.into_iter().collect(), none: Application::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_sent_elsewhere_is_not_in_a_new_application() {
        let mut applications = Applications::default();
        let mut step = |application: &'static str, data: &'static str, extension: &'static str| {
            applications.step(&CelRow {
                application: application.as_bytes(),
                data: data.as_bytes(),
                extension: extension.as_bytes(),
                unique_id: b"1.1",
                ..CelRow::default()
            })
        };
        assert_eq!(step("Set", "A=1", "102"), Step::Begun(None));
        assert_eq!(step("Dial", "PJSIP/102", "102"), Step::Begun(None));
        assert_eq!(step("Dial", "PJSIP/102", "00224"), Step::Moved);
        let Step::Begun(Some(before)) = step("Dial", "PJSIP/00224@trunk", "00224") else { panic!() };
        assert_eq!((&*before.data, &*before.extension), (&b"PJSIP/102"[..], &b"00224"[..]));
        assert!(matches!(step("Dial", "PJSIP/00224@trunk", "00224"), Step::Begun(Some(_))), "dialled again");
        assert!(matches!(step("Hangup", "", "00224"), Step::Begun(Some(_))));
        assert_eq!(step("NoOp", "", "h"), Step::Begun(None));
    }
}
