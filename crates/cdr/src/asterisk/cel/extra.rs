//! The `extra` column: JSON since Asterisk 12, words before.
use super::channels::Stand;
use serde::Deserialize;

/// What a row says beyond its other columns.
#[derive(Clone, Copy, Debug)]
pub(in crate::asterisk) enum Extra<'a> {
    /// The column as it is written.
    Text(&'a [u8]),
    /// The Q.850 cause of a hang-up.
    Cause(Option<i64>),
    /// A transfer.
    Transfer(&'a Transfer),
}

impl Default for Extra<'_> {
    fn default() -> Self {
        Self::Text(b"")
    }
}

impl Extra<'_> {
    pub(super) fn hangup_cause(self) -> Option<i64> {
        match self {
            Self::Text(text) => hangup_cause(text),
            Self::Cause(cause) => cause,
            Self::Transfer(_) => None,
        }
    }

    pub(super) fn transfer(self) -> Option<Transfer> {
        match self {
            Self::Text(text) => Transfer::read(text),
            Self::Cause(_) => None,
            Self::Transfer(transfer) => Some(transfer.clone()),
        }
    }
}

/// The Q.850 cause of a hang-up: `{"hangupcause":16,…}`, or `16,dialplan/builtin,` before Asterisk 12.
fn hangup_cause(extra: &[u8]) -> Option<i64> {
    #[derive(Deserialize)]
    struct Hangup {
        hangupcause: i64,
    }
    let text = String::from_utf8_lossy(extra);
    if let Ok(hangup) = serde_json::from_str::<Hangup>(&text) {
        return Some(hangup.hangupcause);
    }
    text.split(',').next()?.parse().ok()
}

/// What a transfer's row says of the parties that are left.
#[derive(Clone, Debug, Default, Deserialize)]
pub(in crate::asterisk) struct Transfer {
    /// Where the party was sent; blind transfers only.
    pub(in crate::asterisk) extension: Option<String>,
    pub(in crate::asterisk) context: Option<String>,
    #[serde(rename = "transferee_channel_name")]
    pub(in crate::asterisk) transferee: Option<String>,
    #[serde(rename = "transferee_channel_uniqueid")]
    pub(in crate::asterisk) transferee_unique_id: Option<String>,
    /// The party it was joined with; attended transfers only.
    #[serde(rename = "transfer_target_channel_name")]
    pub(in crate::asterisk) target: Option<String>,
}

impl Transfer {
    /// None where the column is no JSON; bytes that are no text lose only themselves.
    fn read(extra: &[u8]) -> Option<Self> {
        serde_json::from_str(&String::from_utf8_lossy(extra)).ok()
    }

    /// The channels left behind: what they dial from here on, and the call between them, is on account of
    /// the one who transferred.
    pub(super) fn parties(&self) -> impl Iterator<Item = &[u8]> {
        [&self.transferee, &self.target]
            .into_iter()
            .flatten()
            .filter(|name| !name.is_empty())
            .map(String::as_bytes)
    }

    /// The channel that was sent on blindly (its unique id), and where to.
    pub(super) fn onward(&self) -> Option<(&[u8], Stand)> {
        let unique_id = self.transferee_unique_id.as_ref()?;
        let context = self.context.as_deref().unwrap_or_default();
        Some((unique_id.as_bytes(), Stand::new(self.extension.as_ref()?.as_bytes(), context.as_bytes())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cause_of_a_hang_up_is_read_in_the_new_form_and_the_old() {
        assert_eq!(hangup_cause(br#"{"hangupcause":17,"hangupsource":"PJSIP/102-00000001"}"#), Some(17));
        assert_eq!(hangup_cause(b"{\"hangupsource\":\"SIP/\xff\",\"hangupcause\":34}"), Some(34));
        assert_eq!(hangup_cause(b"16,dialplan/builtin,"), Some(16));
        assert_eq!(hangup_cause(b""), None);
        assert_eq!(hangup_cause(b"{\"hangupcause\":\"16\"}"), None);
    }

    #[test]
    fn text_inside_a_value_is_no_key() {
        let extra = br#"{"extension":"1\",\"transferee_channel_name\":\"PJSIP/9-1","context":"c"}"#;
        assert_eq!(Transfer::read(extra).unwrap().parties().count(), 0);
    }
}
