//! Slack, by an incoming webhook.
use super::Delivery;
use super::http::{Request, Sender};
use super::url::RawSecretUrl;
use crate::config::Building;
use crate::outcome::Outcome;
use crate::text::Message;
use reqwest::Url;
use serde_json::{Value, json};
use tollwatch_detect::Problem;

/// The longest text of a section, in characters; Slack takes 3,000.
const LONGEST_SECTION: usize = 2900;
/// Slack takes 50 blocks, of which the subject is one.
const MOST_SECTIONS: usize = 49;

#[derive(Debug)]
pub(crate) struct Slack {
    url: Url,
    sender: Sender,
}

impl Slack {
    pub(super) fn build(raw: &RawSecretUrl, building: &Building<'_>) -> Result<Self, Problem> {
        let (url, secrets) = raw.read(building)?;
        Ok(Self { url, sender: Sender::build(building, secrets)? })
    }

    pub(super) async fn deliver(&self, delivery: &Delivery<'_>) -> Outcome {
        self.sender.send(Request::json(&self.url, &body(delivery.message)), delivery.now).await
    }
}

fn body(message: &Message) -> Value {
    let subject = escaped(&message.subject);
    let section = |text: &str| {
        // Verbatim: names of channels and people in it are not looked for.
        json!({ "type": "section", "text": { "type": "mrkdwn", "text": text, "verbatim": true } })
    };
    let mut blocks = vec![section(&format!("*{subject}*"))];
    blocks.extend(sections(&message.body).iter().map(|text| section(text)));
    json!({ "text": subject, "blocks": blocks })
}

/// `&`, `<` and `>` are what makes links, mentions and calls to whole channels.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The text in pieces that Slack takes, cut between lines where there are any, and never inside an escaped character.
fn sections(text: &str) -> Vec<String> {
    let mut sections = vec![String::new()];
    let mut length = 0;
    let pieces = text.split_inclusive('\n').flat_map(|line| {
        if line.len() * 5 < LONGEST_SECTION {
            vec![line.to_owned()]
        } else {
            line.chars().map(String::from).collect()
        }
    });
    for piece in pieces {
        let piece = escaped(&piece);
        let of_piece = piece.chars().count();
        if length + of_piece > LONGEST_SECTION {
            sections.push(String::new());
            length = 0;
        }
        length += of_piece;
        if let Some(section) = sections.last_mut() {
            section.push_str(&piece);
        }
    }
    // Slack refuses a section without text.
    sections.retain(|section| !section.trim().is_empty());
    sections.truncate(MOST_SECTIONS);
    sections
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nobody_can_write_a_link_or_call_a_channel() {
        let hostile = Message { subject: "<!channel> & co".to_owned(), body: "<https://x|bank>".to_owned() };
        let body = body(&hostile);
        assert_eq!(body["text"], "&lt;!channel&gt; &amp; co");
        assert_eq!(body["blocks"][1]["text"]["text"], "&lt;https://x|bank&gt;");
    }

    proptest! {
        #[test]
        fn sections_are_what_slack_takes_and_say_the_text(text in "([a-z&<>日]{0,40}\n?){0,400}|[<>&a]{0,9000}") {
            let sections = sections(&text);
            prop_assert!(sections.len() <= 50);
            prop_assert!(sections.iter().all(|section| section.chars().count() <= 3000));
            let said: String = sections.concat();
            let said = said.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
            let without_spaces = |text: &str| text.replace(char::is_whitespace, "");
            prop_assert_eq!(without_spaces(&said), without_spaces(&text));
        }
    }
}
