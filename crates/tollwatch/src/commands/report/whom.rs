//! Whom an incident is about, and what to do about it, in words.
use super::plain;
use crate::language::Language;
use tollwatch_detect::{Incident, Scope, ScopeKind};

/// So many extensions are named of a case that has several.
const MOST_EXTENSIONS: usize = 20;

/// Names the key. Accounts are shown in part only: some PBXs write pass codes there.
pub(super) fn name(incident: &Incident, language: Language) -> String {
    let Scope { kind, value } = &incident.scope;
    let value = plain(value);
    let extensions = incident.extensions.len();
    match (kind, language) {
        (ScopeKind::Extension, Language::English) => format!("extension {value}"),
        (ScopeKind::Extension, Language::Japanese) => format!("内線 {value}"),
        (ScopeKind::Unattributed, Language::English) if value.is_empty() => {
            "unattributed (neither extension nor trunk known)".to_owned()
        }
        (ScopeKind::Unattributed, Language::Japanese) if value.is_empty() => {
            "発信元不明（内線・外線とも不明）".to_owned()
        }
        (ScopeKind::Unattributed, Language::English) => {
            format!("trunk {value} (unattributed: no extension known)")
        }
        (ScopeKind::Unattributed, Language::Japanese) => format!("外線 {value}（内線不明）"),
        (ScopeKind::Tenant, Language::English) => format!("{extensions} extensions of {value}"),
        (ScopeKind::Tenant, Language::Japanese) => format!("{value} の {extensions} 内線"),
        (ScopeKind::Trunk, Language::English) => format!("trunk {value}, {extensions} extensions"),
        (ScopeKind::Trunk, Language::Japanese) => format!("外線 {value}、{extensions} 内線"),
        (ScopeKind::CalledNumber, Language::English) => {
            format!("called number +{}, {extensions} extensions", hidden(&value, 4))
        }
        (ScopeKind::CalledNumber, Language::Japanese) => {
            format!("着信先 +{}、{extensions} 内線", hidden(&value, 4))
        }
        (ScopeKind::CalledRange, Language::English) => {
            format!("called range +{value}xxxx, {extensions} extensions")
        }
        (ScopeKind::CalledRange, Language::Japanese) => {
            format!("着信番号帯 +{value}xxxx、{extensions} 内線")
        }
        (ScopeKind::Country, Language::English) => format!("country {value}, {extensions} extensions"),
        (ScopeKind::Country, Language::Japanese) => format!("国 {value}、{extensions} 内線"),
        (ScopeKind::SourceAddress, Language::English) => {
            format!("source address {value}, {extensions} extensions")
        }
        (ScopeKind::SourceAddress, Language::Japanese) => {
            format!("発信元アドレス {value}、{extensions} 内線")
        }
        (ScopeKind::Account, Language::English) => {
            format!("account {}, {extensions} extensions", hidden(&value, value.chars().count()))
        }
        (ScopeKind::Account, Language::Japanese) => {
            format!("アカウント {}、{extensions} 内線", hidden(&value, value.chars().count()))
        }
    }
}

/// The extensions that took part, for whoever has to change their passwords.
pub(super) fn extensions(incident: &Incident, language: Language) -> String {
    let names: Vec<String> =
        incident.extensions.iter().take(MOST_EXTENSIONS).map(|name| plain(name)).collect();
    let all = incident.extensions.len();
    let more =
        if all > names.len() { format!(", {}", language.and_more(all - names.len())) } else { String::new() };
    format!("{}: {}{more}", language.pick("extensions", "内線"), names.join(", "))
}

/// The text with its last characters hidden.
fn hidden(text: &str, last: usize) -> String {
    let shown = text.chars().count().saturating_sub(last);
    text.chars().enumerate().map(|(at, char)| if at < shown { char } else { '*' }).collect()
}

/// What stops the loss, for somebody who has just been woken.
pub(super) fn what_to_do(scope: &Scope, language: Language) -> &'static str {
    match (scope.kind, language) {
        (ScopeKind::Extension, Language::English) => {
            "now: hang up its calls, change its SIP password, take its call forwarding off, \
             bar calls abroad at the PBX and at your carrier"
        }
        (ScopeKind::Unattributed, Language::English) => {
            "now: hang up its calls, bar calls abroad at the PBX and at your carrier, \
             look for DISA, call forwarding and originated calls"
        }
        (_, Language::English) => {
            "now: bar calls abroad at the PBX and at your carrier, hang up the calls, \
             change the SIP passwords of these extensions"
        }
        (ScopeKind::Extension, Language::Japanese) => {
            "対処: 通話を切断し、この内線の SIP パスワードを変更し、転送設定を解除し、PBX と通信事業者の両方で国際発信を止めてください"
        }
        (ScopeKind::Unattributed, Language::Japanese) => {
            "対処: 通話を切断し、PBX と通信事業者の両方で国際発信を止め、DISA・転送・自動発信の設定を確認してください"
        }
        (_, Language::Japanese) => {
            "対処: PBX と通信事業者の両方で国際発信を止め、通話を切断し、該当する内線の SIP パスワードを変更してください"
        }
    }
}
