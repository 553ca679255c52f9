//! What differs for single tenants.
use super::{RawConfig, TenantConfig, dial_plan};
use std::collections::BTreeSet;
use std::sync::Arc;
use tollwatch_detect::{Detection, Problem, RawAllowed, RawRule, Settings};
use tollwatch_numbering::{Destinations, DialPlan, RateDeck};

/// What the engine runs on for one tenant.
#[derive(Clone, Debug)]
pub struct TenantSettings {
    /// The tenant.
    pub name: String,
    /// What is its own, and what is everybody's.
    pub settings: Settings,
    /// Its zone is its own.
    pub has_zone: bool,
}

/// The settings of each tenant that has something of its own. Faults that the common configuration has too are named
/// there.
pub(super) fn settings(
    raw: &RawConfig,
    common: &Detection<'_>,
    plan: &DialPlan,
    destinations: &Arc<Destinations>,
    deck: &Arc<RateDeck>,
    problems: &mut Vec<Problem>,
) -> Vec<TenantSettings> {
    let mut names = BTreeSet::new();
    let mut all = Vec::new();
    for (index, tenant) in raw.tenants.iter().enumerate() {
        let place = format!("tenants[{index}]");
        if tenant.name.is_empty() || !names.insert(&tenant.name) {
            problems.push(Problem::new(
                format!("{place}.name"),
                format!("`{}` is empty or taken already", tenant.name),
                "each tenant has one table",
            ));
        }
        for name in &tenant.disabled_rules {
            if !raw.rules.iter().any(|rule| rule.name == *name) {
                problems.push(Problem::new(
                    format!("{place}.disabled_rules"),
                    format!("there is no rule `{name}`"),
                    "the name of a common rule",
                ));
            }
        }
        let own_plan = tenant.dial_plan.clone();
        let own_plan = own_plan.map(|raw| dial_plan(&format!("{place}.dial_plan"), raw, problems));
        let rules = merged_rules(&raw.rules, tenant);
        let allow: Vec<RawAllowed> = raw.allow.iter().chain(&tenant.allow).cloned().collect();
        let home = tenant.dial_plan.as_ref().map(|plan| plan.country.to_ascii_uppercase());
        let detection = Detection {
            home_country: home.as_deref().unwrap_or(common.home_country),
            business_hours: tenant.business_hours.as_ref().unwrap_or(common.business_hours),
            timezone: tenant.timezone.as_deref().unwrap_or(common.timezone),
            allow: &allow,
            rules: &rules.iter().map(|(rule, _)| rule.clone()).collect::<Vec<_>>(),
            ..common.clone()
        };
        let plan = own_plan.flatten().unwrap_or_else(|| plan.clone());
        let settings =
            Settings::new(&detection, plan, Arc::clone(destinations), Arc::clone(deck), &raw.rates.currency);
        match settings {
            Ok(settings) => {
                let has_zone = tenant.timezone.is_some();
                all.push(TenantSettings { name: tenant.name.clone(), settings, has_zone });
            }
            Err(found) => problems.extend(found.into_iter().filter_map(|problem| {
                let place = place_in(&problem.place, tenant, &rules, raw.allow.len())?;
                Some(Problem { place: format!("tenants[{index}].{place}"), ..problem })
            })),
        }
    }
    all
}

/// The common rules with the tenant's in their place or behind them, each with its index among the tenant's own.
fn merged_rules(common: &[RawRule], tenant: &TenantConfig) -> Vec<(RawRule, Option<usize>)> {
    let own = |name: &str| tenant.rules.iter().position(|rule| rule.name == name);
    let common_rules = common.iter().map(|rule| {
        let disabled = tenant.disabled_rules.contains(&rule.name);
        match own(&rule.name).and_then(|index| Some((tenant.rules.get(index)?.clone(), index))) {
            Some((rule, index)) => (rule, Some(index)),
            None => (RawRule { enabled: rule.enabled && !disabled, ..rule.clone() }, None),
        }
    });
    let is_new = |rule: &&RawRule| !common.iter().any(|other| other.name == rule.name);
    let own_rules = tenant.rules.iter().filter(is_new).map(|rule| (rule.clone(), own(&rule.name)));
    common_rules.chain(own_rules).collect()
}

/// Where a fault stands among the tenant's own keys; none if it is the common configuration's.
fn place_in(
    place: &str,
    tenant: &TenantConfig,
    rules: &[(RawRule, Option<usize>)],
    common_allowed: usize,
) -> Option<String> {
    let indexed = |key: &str| -> Option<(usize, &str)> {
        let (index, rest) = place.strip_prefix(key)?.split_once(']')?;
        Some((index.parse().ok()?, rest))
    };
    if let Some((index, rest)) = indexed("rules[") {
        let own = rules.get(index)?.1?;
        return Some(format!("rules[{own}]{rest}"));
    }
    if let Some((index, rest)) = indexed("allow[") {
        return Some(format!("allow[{}]{rest}", index.checked_sub(common_allowed)?));
    }
    if place == "site.timezone" {
        return tenant.timezone.as_ref().map(|_| "timezone".to_owned());
    }
    (place.starts_with("business_hours") && tenant.business_hours.is_some()).then(|| place.to_owned())
}
