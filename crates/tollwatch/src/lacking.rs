//! Rules that need something of the records that their format does not carry: somebody who relies on them should know.
use crate::Language;
use std::collections::{BTreeMap, BTreeSet};
use tollwatch_cdr::{Carries, Format};
use tollwatch_detect::{Measure, Rule, ScopeKind};
use tollwatch_stats::Traits;

/// What a rule needs of records beyond numbers, times and durations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Need {
    /// The account that is billed.
    Accounts,
    /// The network address a call came from.
    SourceAddresses,
    /// The trunk.
    Trunks,
    /// Codes that the PBX took itself.
    Codes,
    /// That a call has begun; without it a rule speaks when the call is over.
    Starts,
}

impl Need {
    const ALL: [Self; 5] = [Self::Accounts, Self::SourceAddresses, Self::Trunks, Self::Codes, Self::Starts];

    fn is_of(self, rule: &Rule) -> bool {
        match self {
            Self::Accounts => rule.scope == ScopeKind::Account,
            Self::SourceAddresses => rule.scope == ScopeKind::SourceAddress,
            Self::Trunks => rule.scope == ScopeKind::Trunk,
            Self::Codes => rule.traits.has(Traits::FORWARDING_CODE),
            Self::Starts => matches!(rule.measure, Measure::ConcurrentCalls | Measure::LongestCall),
        }
    }

    fn is_met(self, carries: Carries) -> bool {
        match self {
            Self::Accounts => carries.accounts,
            Self::SourceAddresses => carries.source_addresses,
            Self::Trunks => carries.trunks,
            Self::Codes => carries.codes,
            Self::Starts => carries.starts,
        }
    }
}

/// Something that rules need and the records of a PBX lack.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub(crate) struct Lack {
    need: Need,
    rules: Vec<String>,
    formats: BTreeSet<&'static str>,
}

/// What the rules of each tenant need and none of its PBX's sources carries: records and live events of one PBX make up
/// for one another. `rules` gives a tenant's.
pub(crate) fn of<'a>(
    sources: impl IntoIterator<Item = (&'a str, u16, Format, Carries)>,
    rules: impl Fn(&str) -> &'a [Rule],
) -> Vec<Lack> {
    let mut systems: BTreeMap<(&str, u16), (Carries, BTreeSet<&'static str>)> = BTreeMap::new();
    for (tenant, system, format, carries) in sources {
        let (all, formats) = systems.entry((tenant, system)).or_default();
        *all = all.or(carries);
        formats.insert(format.name());
    }
    let mut lacks = BTreeSet::new();
    for ((tenant, _), (carries, formats)) in systems {
        for need in Need::ALL.into_iter().filter(|need| !need.is_met(carries)) {
            let needing = rules(tenant).iter().filter(|rule| need.is_of(rule));
            let rules: Vec<String> = needing.map(|rule| rule.name.clone()).collect();
            if !rules.is_empty() {
                lacks.insert(Lack { need, rules, formats: formats.clone() });
            }
        }
    }
    lacks.into_iter().collect()
}

impl Lack {
    /// For people, in a sentence.
    pub(crate) fn in_words(&self, language: Language) -> String {
        let formats = self.formats.iter().copied().collect::<Vec<_>>().join(", ");
        let rules = self.rules.join(", ");
        let (english, japanese) = match self.need {
            Need::Starts => {
                return match language {
                    Language::English => format!(
                        "{rules}: only once a call is over, since {formats} carries no call starts (live events do, \
                         such as asterisk_cel_csv)"
                    ),
                    Language::Japanese => format!(
                        "{rules}: {formats} に通話開始の記録がないため、通話が終わってから判定します \
                         (asterisk_cel_csv などの通話イベントがあれば通話中に判定できます)"
                    ),
                };
            }
            Need::Accounts => ("accounts", "課金アカウント"),
            Need::SourceAddresses => ("source addresses", "発信元アドレス"),
            Need::Trunks => ("trunks", "経路 (トランク)"),
            Need::Codes => ("codes dialled", "ダイヤルされた特番 (転送設定など)"),
        };
        match language {
            Language::English => {
                format!("{rules}: never, since this needs {english}, which {formats} does not carry")
            }
            Language::Japanese => {
                format!("{rules}: 判定に必要な{japanese}が {formats} にないため、作動しません")
            }
        }
    }
}
