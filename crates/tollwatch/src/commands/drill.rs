//! `tollwatch drill`: is everybody reached who is on call, and how long does it take?
use super::alerts::aligned;
use super::asking::{Asking, who};
use crate::cli::{DrillArgs, Output};
use crate::language::Language;
use anyhow::Context as _;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;
use tollwatch_detect::parse_duration;
use tollwatch_http::{Asked, Client, DrillNotifierV1, DrillRequestV1, DrillState, DrillV1};

/// Exit status where somebody was not reached.
const NOT_REACHED: u8 = 1;
/// So often the service is asked how far it has come.
const LOOK: Duration = Duration::from_millis(100);

pub(crate) fn run(arguments: &DrillArgs) -> anyhow::Result<ExitCode> {
    let config = match super::config(&arguments.service.config()) {
        Ok(config) => config,
        Err(code) => return Ok(code),
    };
    let language = config.language;
    let within = seconds("--within", &arguments.within, 3_600, language)?;
    let lasting = seconds("--lasting", &arguments.lasting, 86_400, language)?;
    let asking = Asking::new(&arguments.service, &config)?.context(language.pick(
        "a drill needs the API of the running service, and `http.enabled` is off",
        "訓練には実行中のサービスの API が必要ですが、`http.enabled` が無効です",
    ))?;
    let request = DrillRequestV1 { by: who(), tenant: arguments.tenant.clone(), lasting_seconds: lasting };
    let drill = asking.wait(follow(&asking.client, &request, within)).map_err(|error| match error {
        Asked::NotThere { .. } => anyhow::Error::new(error).context(language.pick(
            "a drill runs through the running service: start it with `tollwatch run -c FILE`, or say where it listens with --at",
            "訓練は実行中のサービスを通して行います。`tollwatch run -c FILE` で起動するか、--at で待ち受けアドレスを指定してください",
        )),
        error => error.into(),
    })?;
    let mut out = std::io::stdout().lock();
    match arguments.service.output {
        Output::Json => {
            serde_json::to_writer_pretty(&mut out, &drill)?;
            writeln!(out)?;
        }
        Output::Table => {
            for line in lines(&drill, &arguments.within, language) {
                writeln!(out, "{line}")?;
            }
        }
    }
    Ok(if is_good(&drill) { ExitCode::SUCCESS } else { ExitCode::from(NOT_REACHED) })
}

fn seconds(flag: &str, text: &str, most: u32, language: Language) -> anyhow::Result<u32> {
    let read = parse_duration(text).and_then(|seconds| u32::try_from(seconds).ok());
    read.filter(|seconds| (1..=most).contains(seconds)).with_context(|| {
        let what =
            language.pick("is no duration for this: such as 60s, at most", "は使えません。例: 60s。上限は");
        format!("{flag}: `{text}` {what} {most}s")
    })
}

/// Begins a drill and waits until all is delivered or given up, or the time is over.
async fn follow(client: &Client, request: &DrillRequestV1, within: u32) -> Result<DrillV1, Asked> {
    let mut drill: DrillV1 = client.post("/api/v1/drills", request).await?;
    let path = format!("/api/v1/drills/{}", drill.drill_id);
    let all = async {
        while drill.notifiers.iter().any(|notifier| notifier.state == DrillState::Waiting) {
            tokio::time::sleep(LOOK).await;
            drill = client.get(&path).await?;
        }
        Ok(())
    };
    // What still waits when the time is over was not delivered in time.
    if let Ok(done) = tokio::time::timeout(Duration::from_secs(u64::from(within)), all).await {
        done?;
    }
    Ok(drill)
}

/// Somebody was reached, and everybody who is to be at this hour.
fn is_good(drill: &DrillV1) -> bool {
    let is_at_fault = |state| matches!(state, DrillState::Waiting | DrillState::Failed | DrillState::Muted);
    drill.notifiers.iter().any(|notifier| notifier.state == DrillState::Delivered)
        && !drill.notifiers.iter().any(|notifier| is_at_fault(notifier.state))
}

fn lines(drill: &DrillV1, within: &str, language: Language) -> Vec<String> {
    let DrillV1 { drill_id, calls, tenant, .. } = drill;
    let destination = language.pick(&drill.destination_en, &drill.destination_ja);
    let mut lines = vec![match language {
        Language::English => format!(
            "DRILL {drill_id}: {calls} made-up calls to {destination}, by the rules of tenant {tenant}"
        ),
        Language::Japanese => {
            format!("訓練 {drill_id}: {destination} 宛の架空の通話 {calls} 件（テナント {tenant} のルール）")
        }
    }];
    let raised: Vec<String> = drill
        .incidents
        .iter()
        .map(|incident| format!("{} ({})", incident.rule, incident.severity.word()))
        .collect();
    lines.push(format!("  {}: {}", language.pick("raised", "検知"), raised.join(", ")));
    let rows: Vec<[String; 2]> = drill
        .notifiers
        .iter()
        .map(|notifier| [format!("  {}", notifier.notifier), said(notifier, within, language)])
        .collect();
    lines.extend(aligned(&rows));
    let ends = &drill.ends_at;
    lines.push(match (is_good(drill), language) {
        (true, Language::English) => {
            format!("Everybody was reached. The drill ends by itself at {ends}; who was called is told.")
        }
        (false, Language::English) => {
            format!("NOT everybody was reached. The drill ends by itself at {ends}; who was called is told.")
        }
        (true, Language::Japanese) => {
            format!("全員に届きました。訓練は {ends} に自動で終了し、通知先に終了を知らせます。")
        }
        (false, Language::Japanese) => {
            format!("届かなかった通知先があります。訓練は {ends} に自動で終了し、通知先に終了を知らせます。")
        }
    });
    lines
}

fn said(notifier: &DrillNotifierV1, within: &str, language: Language) -> String {
    let (alerts, tries) = (notifier.alerts, notifier.failed_attempts);
    let in_seconds = |milliseconds: Option<u64>| {
        milliseconds.map_or_else(String::new, |ms| format!("{:.2} s", ms as f64 / 1e3))
    };
    let (first, last) = (in_seconds(notifier.first_milliseconds), in_seconds(notifier.last_milliseconds));
    let why =
        notifier.last_error.as_deref().unwrap_or(language.pick("no answer yet", "まだ応答がありません"));
    match (notifier.state, language) {
        (DrillState::Delivered, Language::English) => {
            let count = if alerts == 1 { "1 alert".to_owned() } else { format!("{alerts} alerts") };
            format!("delivered {first} after the calls ({count}, the last after {last})")
        }
        (DrillState::Delivered, Language::Japanese) => {
            format!("通話から {first} で到達（アラート {alerts} 件、最後は {last}）")
        }
        (DrillState::Waiting, Language::English) => {
            format!("NOT delivered within {within}, {tries} failed attempts: {why}")
        }
        (DrillState::Waiting, Language::Japanese) => {
            format!("{within} 以内に届きませんでした（失敗 {tries} 回）: {why}")
        }
        (DrillState::Failed, Language::English) => format!("NOT delivered, refused for good: {why}"),
        (DrillState::Failed, Language::Japanese) => {
            format!("届きませんでした（受け取りを拒否されました）: {why}")
        }
        (DrillState::HeldBack, Language::English) => "held back by its quiet hours".to_owned(),
        (DrillState::HeldBack, Language::Japanese) => "通知抑制の時間帯のため保留".to_owned(),
        (DrillState::NotRouted, Language::English) => {
            "no route leads such an alert to it at this hour".to_owned()
        }
        (DrillState::NotRouted, Language::Japanese) => {
            "この時間帯にこのアラートを送る経路はありません".to_owned()
        }
        (DrillState::Muted, Language::English) => {
            "NOT told: a mute keeps it back (GET /api/v1/mutes)".to_owned()
        }
        (DrillState::Muted, Language::Japanese) => {
            "ミュート中のため通知されません (GET /api/v1/mutes)".to_owned()
        }
    }
}
