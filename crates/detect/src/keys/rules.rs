//! The keys under other rules.
use super::{KeyId, Keys, Moment};
use crate::counters::Counters;
use crate::engine::Alert;
use crate::key::Output;
use crate::reconfigure::Renaming;
use crate::settings::Settings;

impl Keys {
    /// Goes on under other rules.
    pub(crate) fn reconfigure(
        &mut self,
        to: &Renaming<'_>,
        moment: Moment,
        settings: &Settings,
        counters: &mut Counters,
        alerts: &mut Vec<Alert>,
    ) {
        self.storms.rename(to);
        for incident in &mut self.over {
            to.rows.calls_by_row(&mut incident.destinations);
            incident.rule = to.rule(incident.rule);
        }
        let mut ids: Vec<KeyId> = self.slots.keys().copied().collect();
        ids.sort_unstable();
        for id in ids {
            if self.slots.get(&id).is_none_or(|slot| slot.state.is_none()) {
                continue;
            }
            let mut out = Output::default();
            self.with_key(id, moment, settings, |key, view| {
                key.reconfigure(to, moment.clock, view, &mut out);
                true
            });
            for incident in &out.resolved {
                let alert = Alert::of_the_end(incident.clone(), moment.clock);
                self.storms.take(alert, settings, counters, alerts);
            }
            self.keep(out.resolved, settings, counters);
        }
    }
}
