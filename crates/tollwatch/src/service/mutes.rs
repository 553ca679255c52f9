//! What is to be kept back for a while, by a person's word.
use super::clock;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tollwatch_detect::{Problem, stable_name};
use tollwatch_http::{MuteRequestV1, MuteV1, Refusal};
use tollwatch_notify::{Matchers, Mute};

/// So many mutes are kept at a time; more are a mistake.
const MOST: usize = 1_000;

/// The mutes in force. Part of the checkpoint.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Mutes(Vec<Kept>);

#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    wire: MuteV1,
    until: DateTime<Utc>,
}

impl Mutes {
    /// Makes a mute.
    pub(super) fn add(&mut self, request: MuteRequestV1, now: DateTime<Utc>) -> Result<MuteV1, Refusal> {
        let until = DateTime::parse_from_rfc3339(&request.until).ok().map(|until| until.with_timezone(&Utc));
        let Some(until) = until.filter(|until| *until > now) else {
            let hint = "an RFC 3339 time that lies ahead, such as 2026-12-01T08:00:00+09:00";
            let problem = Problem::new("until".to_owned(), format!("`{}` does not", request.until), hint);
            return Err(Refusal::Unusable(vec![problem]));
        };
        if self.0.len() >= MOST {
            return Err(Refusal::Conflict(format!("there are {MOST} mutes already")));
        }
        let MuteRequestV1 { tenant, extension, rule, reason, by, .. } = request;
        let created_at = clock::text(now);
        let mut wire = MuteV1 {
            mute_id: String::new(),
            tenant,
            extension,
            rule,
            until: clock::text(until),
            reason,
            by,
            created_at,
        };
        wire.mute_id = self.name(&wire);
        self.0.push(Kept { wire: wire.clone(), until });
        Ok(wire)
    }

    /// Ends a mute; whether there was one.
    pub(super) fn remove(&mut self, id: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|kept| kept.wire.mute_id != id);
        self.0.len() < before
    }

    /// Lets go of those that have ended; whether there were any.
    pub(super) fn expire(&mut self, now: DateTime<Utc>) -> bool {
        let before = self.0.len();
        self.0.retain(|kept| kept.until > now);
        self.0.len() < before
    }

    /// For the API.
    pub(super) fn wire(&self) -> Vec<MuteV1> {
        self.0.iter().map(|kept| kept.wire.clone()).collect()
    }

    /// For the router.
    pub(super) fn for_routing(&self) -> Vec<Mute> {
        self.0
            .iter()
            .map(|kept| {
                let wire = &kept.wire;
                // A name is meant, and not a pattern.
                let name = |name: &Option<String>| name.as_deref().map(glob::Pattern::escape);
                Mute {
                    matchers: Matchers {
                        incident_id: None,
                        tenant: name(&wire.tenant),
                        rule: name(&wire.rule),
                        scope: wire.extension.as_ref().map(|_| "extension".to_owned()),
                        value: name(&wire.extension),
                    },
                    until: kept.until,
                    reason: wire.reason.clone(),
                }
            })
            .collect()
    }

    fn name(&self, mute: &MuteV1) -> String {
        let said = serde_json::to_string(mute).unwrap_or_default();
        stable_name("mut", 8, &[&said, &self.0.len().to_string()])
    }
}
