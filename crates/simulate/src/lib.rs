//! Seeded, labelled telephone traffic with attacks in it, as the files a real Asterisk would have written.
//!
//! A [`Case`] is the traffic of one PBX and the truth about it: made by [`japan_2015`] or by a [`Scenario`], written by
//! [`write_cdr_csv`], [`write_cel_csv`], [`write_ami`], [`write_incident_labels`] and [`write_call_labels`]. A seed gives the same bytes on
//! every machine: integers only, a generator of its own, no clock, no hash map.
//!
//! Every number dialled is fictional; the module `numbers` says how far that can be guaranteed.

mod ami;
mod attack;
mod call;
mod case;
mod cdr_csv;
mod cel_csv;
mod innocent;
mod japan_2015;
mod kind;
mod labels;
mod numbers;
mod office;
mod random;
mod scenario;
mod switch;
mod tables;

pub use ami::write_ami;
pub use call::{Call, HOUR, Incident, MINUTE, Outcome, Route, SECOND, Side};
pub use case::{Case, LabelledCall};
pub use cdr_csv::write_cdr_csv;
pub use cel_csv::write_cel_csv;
pub use japan_2015::{JAPAN_2015_CALLS, japan_2015};
pub use kind::Kind;
pub use labels::{write_call_labels, write_incident_labels};
pub use numbers::ALLOW_LISTED_FAX;
pub use office::{Extension, Office, ordinary_talk};
pub use random::Random;
pub use scenario::{Scenario, ScenarioError};
