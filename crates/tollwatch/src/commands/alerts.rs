//! `tollwatch alerts`: what was not delivered yet. A running service is asked; of one that is stopped the state is read.
use super::asking::Asking;
use crate::cli::{
    AlertsArgs, AlertsCommand, AlertsListArgs, AlertsRetryArgs, DeliveryStateArg, Output, ServiceArgs,
};
use crate::config::Config;
use crate::language::Language;
use crate::service::{StoppedService, age_seconds};
use std::io::Write as _;
use std::process::ExitCode;
use tollwatch_http::{
    Asked, DeliveriesV1, DeliveryFilter, DeliveryState, DeliveryV1, RetriedV1, RetryDeliveriesV1,
};
use tollwatch_store::StoreError;

/// Exit status where there was nothing to send again.
const NOTHING: u8 = 1;
/// So many are shown; of more, their number.
const MOST: usize = 1_000;
/// One request names so many.
const MOST_IDS: usize = 100;

pub(crate) fn run(arguments: &AlertsArgs) -> anyhow::Result<ExitCode> {
    match &arguments.command {
        AlertsCommand::List(arguments) => list(arguments),
        AlertsCommand::Retry(arguments) => retry(arguments),
    }
}

fn list(arguments: &AlertsListArgs) -> anyhow::Result<ExitCode> {
    let config = match super::config(&arguments.service.config()) {
        Ok(config) => config,
        Err(code) => return Ok(code),
    };
    let state = arguments.state.map(|state| match state {
        DeliveryStateArg::Pending => DeliveryState::Pending,
        DeliveryStateArg::Dead => DeliveryState::Dead,
    });
    let filter = DeliveryFilter { state, notifier: arguments.notifier.clone(), limit: MOST };
    let found = match reach(&arguments.service, &config)? {
        Reached::Running(asking) => {
            let state = filter.state.map(|state| format!("&state={}", state.word()));
            let notifier = filter.notifier.as_ref().map(|name| format!("&notifier={}", encoded(name)));
            let path = format!(
                "/api/v1/deliveries?limit={MOST}{}{}",
                state.unwrap_or_default(),
                notifier.unwrap_or_default()
            );
            asking.wait(asking.client.get::<DeliveriesV1>(&path))?
        }
        Reached::Stopped(mut stopped) => stopped.deliveries(&filter)?,
    };
    let mut out = std::io::stdout().lock();
    match arguments.service.output {
        Output::Json => {
            serde_json::to_writer_pretty(&mut out, &found)?;
            writeln!(out)?;
        }
        Output::Table => {
            for line in table(&found, config.language) {
                writeln!(out, "{line}")?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn retry(arguments: &AlertsRetryArgs) -> anyhow::Result<ExitCode> {
    let config = match super::config(&arguments.service.config()) {
        Ok(config) => config,
        Err(code) => return Ok(code),
    };
    let request = RetryDeliveriesV1 {
        alert_ids: (!arguments.ids.is_empty()).then(|| arguments.ids.clone()),
        notifier: arguments.notifier.clone(),
        all: arguments.all,
    };
    let language = config.language;
    let (retried, then) = match reach(&arguments.service, &config)? {
        Reached::Running(asking) => {
            let mut retried = 0;
            for request in in_parts(&request) {
                let asked = asking.client.post::<RetriedV1>("/api/v1/deliveries/retry", &request);
                retried += asking.wait(asked)?.retried;
            }
            (retried, language.pick("sent again now", "直ちに再送します"))
        }
        Reached::Stopped(mut stopped) => {
            let then =
                language.pick("sent again when the service is started", "サービスの起動後に再送します");
            (stopped.retry(&request)?, then)
        }
    };
    let mut out = std::io::stdout().lock();
    if arguments.service.output == Output::Json {
        serde_json::to_writer(&mut out, &RetriedV1 { retried })?;
        writeln!(out)?;
    } else if retried == 0 {
        let nothing = language.pick(
            "nothing of that has failed: `tollwatch alerts list` shows what there is",
            "該当する配信失敗はありません。`tollwatch alerts list` で確認してください",
        );
        writeln!(out, "{nothing}")?;
    } else {
        writeln!(out, "{retried}: {then}")?;
    }
    Ok(if retried == 0 { ExitCode::from(NOTHING) } else { ExitCode::SUCCESS })
}

/// The same in requests of as many ids as one may have.
fn in_parts(request: &RetryDeliveriesV1) -> Vec<RetryDeliveriesV1> {
    match &request.alert_ids {
        None => vec![request.clone()],
        Some(ids) => ids
            .chunks(MOST_IDS)
            .map(|ids| RetryDeliveriesV1 { alert_ids: Some(ids.to_vec()), ..request.clone() })
            .collect(),
    }
}

/// Where the answer comes from.
enum Reached {
    Running(Asking),
    Stopped(StoppedService),
}

fn reach(arguments: &ServiceArgs, config: &Config) -> anyhow::Result<Reached> {
    let language = config.language;
    let state = &config.service.state;
    let mut unheard = None;
    if let Some(asking) = Asking::new(arguments, config)? {
        // Whether anybody listens, before anything is asked of them.
        match asking.wait(asking.client.get::<serde_json::Value>("/readyz?verbose")) {
            Err(Asked::NotThere { url, .. }) => unheard = Some(url),
            // One that is not ready, or does not let us in, says so to the question itself.
            _ => return Ok(Reached::Running(asking)),
        }
    }
    let listens = match &unheard {
        Some(url) => format!("{}: {url}", language.pick("no service listens", "サービスが応答しません")),
        None => language.pick("`http.enabled` is off", "`http.enabled` が無効です").to_owned(),
    };
    match StoppedService::open(state) {
        Ok(Some(stopped)) => Ok(Reached::Stopped(stopped)),
        Ok(None) => anyhow::bail!(
            "{listens}; {}: {}",
            language.pick(
                "and there is no state in this folder: is it the configuration that the service runs on?",
                "状態フォルダーにも何もありません。サービスと同じ設定ファイルか確認してください",
            ),
            state.display()
        ),
        Err(error @ StoreError::InUse { .. }) => {
            let hint = language.pick(
                "the service runs; enable [http], or give --at with the address it listens on, or stop it",
                "サービスは動作中です。[http] を有効にするか、--at で待ち受けアドレスを指定するか、停止してください",
            );
            Err(anyhow::Error::new(error).context(format!("{listens}; {hint}")))
        }
        Err(error) => {
            let hint = language.pick(
                "is this run as the user of the service, such as by `sudo -u tollwatch`?",
                "サービスの実行ユーザーで実行してください (例: `sudo -u tollwatch`)",
            );
            Err(anyhow::Error::new(error).context(format!("{listens}; {hint}")))
        }
    }
}

/// A name as it may stand in a query.
fn encoded(name: &str) -> String {
    use std::fmt::Write as _;
    name.bytes().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
}

fn table(found: &DeliveriesV1, language: Language) -> Vec<String> {
    if found.deliveries.is_empty() {
        let nothing = language.pick(
            "everything was delivered: nothing waits, nothing was given up",
            "未配信のアラートはありません",
        );
        return vec![nothing.to_owned()];
    }
    let head = match language {
        Language::English => ["ALERT", "INCIDENT", "NOTIFIER", "STATE", "TRIES", "AGE", "LAST ERROR"],
        Language::Japanese => ["アラート", "インシデント", "通知先", "状態", "試行", "経過", "最後のエラー"],
    };
    let mut rows = vec![head.map(str::to_owned)];
    rows.extend(found.deliveries.iter().map(|delivery| cells(delivery, language)));
    let mut lines = aligned(&rows);
    if found.not_shown > 0 {
        lines.push(language.and_more(usize::try_from(found.not_shown).unwrap_or(usize::MAX)));
    }
    lines
}

fn cells(delivery: &DeliveryV1, language: Language) -> [String; 7] {
    let state = match delivery.state {
        DeliveryState::Pending => language.pick("pending", "再送待ち"),
        DeliveryState::Dead => language.pick("dead", "断念"),
    };
    [
        delivery.alert_id.clone(),
        delivery.incident_id.clone(),
        delivery.notifier.clone(),
        state.to_owned(),
        delivery.attempts.to_string(),
        age_seconds(&delivery.since).map_or_else(String::new, |seconds| age(seconds, language)),
        delivery.last_error.clone().unwrap_or_default(),
    ]
}

fn age(seconds: i64, language: Language) -> String {
    let (number, english, japanese) = match seconds {
        0..120 => (seconds, "s", "秒"),
        120..7_200 => (seconds / 60, "min", "分"),
        7_200..172_800 => (seconds / 3_600, "h", "時間"),
        _ => (seconds / 86_400, "d", "日"),
    };
    format!("{number} {}", language.pick(english, japanese))
}

/// Columns as wide as what stands in them; the last one as it is.
pub(super) fn aligned<const N: usize>(rows: &[[String; N]]) -> Vec<String> {
    let widths: Vec<usize> = (0..N)
        .map(|column| {
            rows.iter().filter_map(|row| row.get(column)).map(|cell| width(cell)).max().unwrap_or(0)
        })
        .collect();
    let line = |row: &[String; N]| {
        let mut line = String::new();
        for (cell, widest) in row.iter().zip(&widths) {
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', widest - width(cell) + 2));
        }
        line.trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

/// Places on a terminal: Japanese characters take two.
fn width(text: &str) -> usize {
    text.chars().map(|character| if u32::from(character) >= 0x1100 { 2 } else { 1 }).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_below_one_another_in_both_scripts() {
        let rows = [["通知先", "x"], ["pager", "y"]].map(|row| row.map(str::to_owned));
        assert_eq!(aligned(&rows), ["通知先  x", "pager   y"]);
    }

    #[test]
    fn ages_are_told_in_the_unit_that_fits() {
        let told = |seconds| age(seconds, Language::English);
        assert_eq!(
            [told(0), told(119), told(120), told(7_200), told(172_800)],
            ["0 s", "119 s", "2 min", "2 h", "2 d"]
        );
    }

    #[test]
    fn a_name_cannot_break_out_of_its_place_in_a_query() {
        assert_eq!(encoded("on_call-1"), "on_call-1");
        assert_eq!(encoded("a&state=dead 山"), "a%26state%3Ddead%20%E5%B1%B1");
    }
}
