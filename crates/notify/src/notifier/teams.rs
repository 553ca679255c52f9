//! Microsoft Teams, by a webhook of Workflows: an Adaptive Card 1.4.
use super::Delivery;
use super::http::{Request, Sender};
use super::url::RawSecretUrl;
use crate::config::Building;
use crate::outcome::Outcome;
use crate::text::{Message, clean};
use reqwest::Url;
use serde_json::{Value, json};
use tollwatch_detect::{Problem, Severity};

/// Teams takes 28 KB.
const MOST_BYTES: usize = 28 * 1024;

#[derive(Debug)]
pub(crate) struct Teams {
    url: Url,
    sender: Sender,
}

impl Teams {
    pub(super) fn build(raw: &RawSecretUrl, building: &Building<'_>) -> Result<Self, Problem> {
        let (url, secrets) = raw.read(building)?;
        Ok(Self { url, sender: Sender::build(building, secrets)? })
    }

    pub(super) async fn deliver(&self, delivery: &Delivery<'_>) -> Outcome {
        let body = body(delivery.message, delivery.alert.severity);
        self.sender.send(Request::json(&self.url, &body), delivery.now).await
    }
}

/// The card, with as much of the text as Teams takes.
fn body(message: &Message, severity: Severity) -> Value {
    let mut bytes = message.body.len();
    loop {
        let card = card(&message.subject, clean::bytes(&message.body, bytes), severity);
        if bytes == 0 || card.to_string().len() <= MOST_BYTES {
            return card;
        }
        bytes = bytes * 3 / 4;
    }
}

/// Runs of text, not blocks of text: Teams reads Markdown in the latter, and a name could be a link.
fn card(subject: &str, body: &str, severity: Severity) -> Value {
    let color = match severity {
        Severity::Warning => "warning",
        Severity::Critical => "attention",
    };
    let head =
        json!({ "type": "TextRun", "text": subject, "weight": "bolder", "size": "large", "color": color });
    let mut blocks = vec![json!({ "type": "RichTextBlock", "inlines": [head] })];
    let mut spacing = "medium";
    for line in body.lines() {
        if line.is_empty() {
            spacing = "medium";
            continue;
        }
        let font = if line.starts_with("   ") { "monospace" } else { "default" };
        let run = json!({ "type": "TextRun", "text": line, "fontType": font });
        blocks.push(json!({ "type": "RichTextBlock", "spacing": spacing, "inlines": [run] }));
        spacing = "none";
    }
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "msteams": { "width": "Full" },
                "body": blocks,
            },
        }],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_card_is_no_larger_than_teams_takes_and_has_no_markdown(text in "([\"\\\\a日\n]{0,80}\n?){0,300}") {
            let message = Message { subject: "[x](https://x)".to_owned(), body: text };
            let body = body(&message, Severity::Critical);
            prop_assert!(body.to_string().len() <= 28 * 1024);
            let blocks = body["attachments"][0]["content"]["body"].as_array().unwrap();
            prop_assert!(blocks.iter().all(|block| block["type"] == "RichTextBlock"));
        }
    }
}
