//! One connection to a manager interface, without the connection: what came in, what is to go out.
use md5::{Digest as _, Md5};
use std::fmt::Write as _;

/// What is asked for. Channel events, where in the dialplan channels are, and call records.
const EVENTS: &str = "call,dialplan,cdr";
/// No packet is longer.
const PACKET_MAX: usize = 64 * 1024;
/// After so many silent seconds the other side is asked whether it is there, and after twice as many it is not.
const SILENT_TICKS: u32 = 30;
const BANNER: &[u8] = b"Asterisk Call Manager/";
const LIST: &str = "tollwatch-list";

/// Why a connection came to nothing. Never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AmiFault {
    /// The name is not known, or nobody listens there.
    #[error("cannot connect: {0}; is the address right, and `enabled = yes` in manager.conf?")]
    Connect(String),
    /// The connection ended.
    #[error("the connection ended: {0}")]
    Ended(String),
    /// Nothing came, and no answer to a ping.
    #[error("no answer to a ping within {SILENT_TICKS} s")]
    Silent,
    /// Something else listens there.
    #[error("what answers is no Asterisk manager interface")]
    NotAmi,
    /// The secret could not be read.
    #[error("no secret: {0}")]
    Secret(String),
    /// User or secret are wrong, or the address is not permitted.
    #[error("login refused ({0}); see the user's secret and `permit` in manager.conf")]
    Refused(String),
    /// Calls that are up already cannot be learned.
    #[error("channels may not be listed ({0}); give the user `write = reporting` in manager.conf")]
    MayNotList(String),
}

/// How a session logs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AmiLogin {
    /// The secret itself stays here: its hash with a challenge is sent.
    Challenge,
    /// The secret is sent. For interfaces that know no challenge.
    Plain,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Banner,
    Challenged,
    LoggingIn,
    Up,
}

/// A session that has begun with a connection.
#[derive(Debug)]
pub(super) struct Session<'a> {
    username: &'a str,
    secret: &'a str,
    login: AmiLogin,
    stage: Stage,
    received: Vec<u8>,
    silent_ticks: u32,
}

impl<'a> Session<'a> {
    pub(super) fn new(username: &'a str, secret: &'a str, login: AmiLogin) -> Self {
        Self { username, secret, login, stage: Stage::Banner, received: Vec::new(), silent_ticks: 0 }
    }

    pub(super) fn is_up(&self) -> bool {
        self.stage == Stage::Up
    }

    /// Takes in `bytes`, received at `at` (microseconds since 1970 UTC). Puts what is to be sent into `send`, and whole
    /// packets of events, each with its time, into `stream`.
    pub(super) fn receive(
        &mut self,
        bytes: &[u8],
        at: i64,
        send: &mut Vec<u8>,
        stream: &mut Vec<u8>,
    ) -> Result<(), AmiFault> {
        self.silent_ticks = 0;
        self.received.extend_from_slice(bytes);
        let received = std::mem::take(&mut self.received);
        let mut rest = &*received;
        while let Some(packet) = self.packet(&mut rest) {
            self.take(packet, at, send, stream)?;
        }
        if rest.len() > PACKET_MAX {
            return Err(AmiFault::NotAmi);
        }
        self.received = rest.to_vec();
        Ok(())
    }

    /// A second has passed in which nothing came.
    pub(super) fn tick(&mut self, send: &mut Vec<u8>) -> Result<(), AmiFault> {
        self.silent_ticks += 1;
        if self.silent_ticks == SILENT_TICKS && self.is_up() {
            action(send, "Ping", &[("ActionID", "tollwatch-ping")]);
        }
        if self.silent_ticks >= 2 * SILENT_TICKS { Err(AmiFault::Silent) } else { Ok(()) }
    }

    /// The next whole packet, with the empty line that ends it; the banner is a line.
    fn packet<'b>(&self, rest: &mut &'b [u8]) -> Option<&'b [u8]> {
        let end: &[u8] = if self.stage == Stage::Banner { b"\r\n" } else { b"\r\n\r\n" };
        let at = rest.windows(end.len()).position(|bytes| bytes == end)?;
        let (packet, behind) = rest.split_at_checked(at + end.len())?;
        *rest = behind;
        Some(packet)
    }

    fn take(
        &mut self,
        packet: &[u8],
        at: i64,
        send: &mut Vec<u8>,
        stream: &mut Vec<u8>,
    ) -> Result<(), AmiFault> {
        let succeeded = value(packet, "Response").as_deref() == Some("Success");
        let message = || value(packet, "Message").unwrap_or_default();
        match self.stage {
            Stage::Banner if packet.starts_with(BANNER) => match self.login {
                AmiLogin::Challenge => {
                    action(send, "Challenge", &[("AuthType", "MD5"), ("ActionID", "tollwatch-challenge")]);
                    self.stage = Stage::Challenged;
                }
                AmiLogin::Plain => {
                    self.log_in(send, &[("Secret", self.secret)]);
                }
            },
            Stage::Banner => return Err(AmiFault::NotAmi),
            // Nothing is of interest before there is an answer.
            Stage::Challenged | Stage::LoggingIn if !packet.starts_with(b"Response:") => {}
            Stage::Challenged | Stage::LoggingIn if !succeeded => return Err(AmiFault::Refused(message())),
            Stage::Challenged => {
                let challenge = value(packet, "Challenge").unwrap_or_default();
                let key = hashed(&challenge, self.secret);
                self.log_in(send, &[("AuthType", "MD5"), ("Key", &key)]);
            }
            Stage::LoggingIn => {
                self.stage = Stage::Up;
                action(send, "CoreShowChannels", &[("ActionID", LIST)]);
            }
            Stage::Up => {
                let is_refused = packet.starts_with(b"Response: Error");
                if is_refused && value(packet, "ActionID").as_deref() == Some(LIST) {
                    return Err(AmiFault::MayNotList(message()));
                }
                let time =
                    format!("Received: {}.{:06}\r\n", at.div_euclid(1_000_000), at.rem_euclid(1_000_000));
                stream.extend_from_slice(time.as_bytes());
                stream.extend_from_slice(packet);
            }
        }
        Ok(())
    }

    fn log_in(&mut self, send: &mut Vec<u8>, proof: &[(&str, &str)]) {
        let mut lines = vec![("Username", self.username)];
        lines.extend_from_slice(proof);
        lines.extend([("Events", EVENTS), ("ActionID", "tollwatch-login")]);
        action(send, "Login", &lines);
        self.stage = Stage::LoggingIn;
    }
}

fn action(send: &mut Vec<u8>, name: &str, lines: &[(&str, &str)]) {
    for (key, value) in std::iter::once(&("Action", name)).chain(lines) {
        send.extend_from_slice(format!("{key}: {value}\r\n").as_bytes());
    }
    send.extend_from_slice(b"\r\n");
}

/// A value of a packet, shortened: it may be shown to people.
fn value(packet: &[u8], key: &str) -> Option<String> {
    let text = String::from_utf8_lossy(packet);
    let mut lines = text.split("\r\n").filter_map(|line| line.split_once(':'));
    let (_, value) = lines.find(|(name, _)| name.eq_ignore_ascii_case(key))?;
    Some(value.trim().chars().filter(|letter| !letter.is_control()).take(200).collect())
}

fn hashed(challenge: &str, secret: &str) -> String {
    let digest = Md5::new().chain_update(challenge).chain_update(secret).finalize();
    digest.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything that is sent and streamed when these packets come, byte by byte.
    fn run(login: AmiLogin, packets: &[&str]) -> (Result<(), AmiFault>, String, String) {
        let mut session = Session::new("tollwatch", "s3cret", login);
        let (mut send, mut stream) = (Vec::new(), Vec::new());
        let mut done = Ok(());
        for byte in packets.concat().as_bytes() {
            done = done.and_then(|()| session.receive(&[*byte], 1_500_000, &mut send, &mut stream));
        }
        (done, String::from_utf8(send).unwrap(), String::from_utf8(stream).unwrap())
    }

    const HELLO: &str = "Asterisk Call Manager/9.0.0\r\n";
    const CHALLENGE: &str = "Response: Success\r\nChallenge: 840415273\r\n\r\n";
    const WELCOME: &str = "Response: Success\r\nMessage: Authentication accepted\r\n\r\n";

    #[test]
    fn the_secret_never_leaves_where_a_challenge_is_answered() {
        let (done, sent, stream) =
            run(AmiLogin::Challenge, &[HELLO, CHALLENGE, WELCOME, "Event: A\r\n\r\nEv"]);
        assert_eq!(done, Ok(()));
        assert!(!sent.contains("s3cret"), "{sent}");
        // echo -n 840415273s3cret | md5sum
        assert!(sent.contains("Key: d7994fd8cd10e2224514d095d0fd3f7b\r\n"), "{sent}");
        assert!(sent.contains("Events: call,dialplan,cdr\r\n"), "{sent}");
        assert!(sent.ends_with("Action: CoreShowChannels\r\nActionID: tollwatch-list\r\n\r\n"), "{sent}");
        assert_eq!(stream, "Received: 1.500000\r\nEvent: A\r\n\r\n");
    }

    #[test]
    fn a_plain_login_is_sent_only_where_it_is_asked_for() {
        let (done, sent, _) = run(AmiLogin::Plain, &[HELLO, WELCOME]);
        assert_eq!(done, Ok(()));
        assert!(sent.contains("Secret: s3cret\r\n") && !sent.contains("AuthType"), "{sent}");
        let refused = "Response: Error\r\nMessage: Authentication failed\r\n\r\n";
        let (done, sent, _) = run(AmiLogin::Challenge, &[HELLO, refused]);
        assert_eq!(done, Err(AmiFault::Refused("Authentication failed".to_owned())));
        assert!(!sent.contains("s3cret"), "no way back to a plain one");
    }

    #[test]
    fn what_is_no_manager_interface_and_a_list_that_is_refused_are_faults() {
        assert_eq!(run(AmiLogin::Challenge, &["SSH-2.0-OpenSSH_9.2\r\n"]).0, Err(AmiFault::NotAmi));
        let refused = "Response: Error\r\nActionID: tollwatch-list\r\nMessage: Permission denied\r\n\r\n";
        let (done, ..) = run(AmiLogin::Challenge, &[HELLO, CHALLENGE, WELCOME, refused]);
        assert_eq!(done, Err(AmiFault::MayNotList("Permission denied".to_owned())));
    }

    #[test]
    fn a_silent_interface_is_asked_once_and_then_given_up() {
        let mut session = Session::new("a", "b", AmiLogin::Plain);
        let (mut send, mut stream) = (Vec::new(), Vec::new());
        session.receive(format!("{HELLO}{WELCOME}").as_bytes(), 0, &mut send, &mut stream).unwrap();
        send.clear();
        let ticks = (1..).take_while(|_| session.tick(&mut send).is_ok()).count();
        assert_eq!(ticks, 59);
        assert_eq!(send, b"Action: Ping\r\nActionID: tollwatch-ping\r\n\r\n");
    }
}
