//! A manager interface that is listened to, over a connection that breaks.
use crate::ami::{case, is_cdr, packets, told, written};
use crate::harness::{Feed, config};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::channel;
use std::time::{Duration, SystemTime};
use tollwatch_cdr::{Decoder, Format, Zone};
use tollwatch_detect::Engine;
use tollwatch_simulate::{Kind, Random, write_ami};
use tollwatch_source::{Ami, AmiFault, AmiLogin, AmiOptions, SourceError};

const END: &[u8] = b"Event: UserEvent\r\nUserEvent: the end\r\n\r\n";

/// The channels that are up, as a list tells of them.
#[derive(Default)]
struct Open(BTreeMap<String, BTreeMap<&'static str, String>>);

fn value(packet: &str, key: &str) -> String {
    let line = packet.split("\r\n").find_map(|line| line.strip_prefix(key)?.strip_prefix(": "));
    line.unwrap_or_default().to_owned()
}

impl Open {
    fn hear(&mut self, packet: &str) {
        let id = value(packet, "Uniqueid");
        if packet.starts_with("Event: Hangup") {
            self.0.remove(&id);
            return;
        }
        let channel = self.0.entry(id).or_default();
        for key in ["Channel", "ChannelState", "Context", "Exten", "Uniqueid", "Linkedid", "AccountCode"] {
            channel.insert(key, value(packet, key));
        }
        if packet.starts_with("Event: Newexten") {
            channel.insert("Application", value(packet, "Application"));
            channel.insert("ApplicationData", value(packet, "AppData"));
        }
    }

    fn list(&self) -> String {
        let mut text = "Response: Success\r\nActionID: tollwatch-list\r\nEventList: start\r\n\r\n".to_owned();
        // In no order that helps.
        for channel in self.0.values().rev() {
            text.push_str("Event: CoreShowChannel\r\n");
            for (key, value) in channel {
                text.push_str(&format!("{key}: {value}\r\n"));
            }
            text.push_str("\r\n");
        }
        text + &format!("Event: CoreShowChannelsComplete\r\nListItems: {}\r\n\r\n", self.0.len())
    }
}

/// What the client says up to an empty line.
fn action(wire: &mut TcpStream) -> Option<String> {
    let mut text = Vec::new();
    while !text.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        wire.read_exact(&mut byte).ok()?;
        text.push(byte[0]);
    }
    String::from_utf8(text).ok()
}

fn greet(wire: &mut TcpStream, open: &Open) -> Option<()> {
    wire.write_all(b"Asterisk Call Manager/9.0.0\r\n").ok()?;
    assert!(action(wire)?.starts_with("Action: Challenge\r\n"));
    wire.write_all(b"Response: Success\r\nChallenge: 840415273\r\n\r\n").ok()?;
    let login = action(wire)?;
    // The hash of the challenge and the secret, and nowhere the secret.
    assert!(
        login.contains("Key: d7994fd8cd10e2224514d095d0fd3f7b\r\n") && !login.contains("s3cret"),
        "{login}"
    );
    wire.write_all(b"Response: Success\r\nMessage: Authentication accepted\r\n\r\n").ok()?;
    assert!(action(wire)?.starts_with("Action: CoreShowChannels\r\n"));
    wire.write_all(open.list().as_bytes()).ok()
}

/// Plays a stream at speed. The connection breaks at random, in the middle of a packet, and some packets are lost then;
/// but never a whole call, nor its answer and its end. Returns how often it broke, and how many packets were lost.
fn play(listener: &TcpListener, stream: &[u8], seed: u64) -> (usize, usize) {
    let mut all = Vec::new();
    packets(stream, |packet| {
        all.push(String::from_utf8(packet.to_vec()).unwrap());
        true
    });
    let mut random = Random::new(seed);
    let (mut open, mut next, mut breaks, mut lost) = (Open::default(), 0, 0, 0);
    loop {
        let (mut wire, _) = listener.accept().unwrap();
        greet(&mut wire, &open).unwrap();
        let until = (next + 20 + (random.next_u64() % 200) as usize).min(all.len());
        for packet in &all[next..until] {
            open.hear(packet);
            wire.write_all(packet.as_bytes()).unwrap();
        }
        next = until;
        if next == all.len() {
            wire.write_all(END).unwrap();
            // Until the other side has heard it.
            let _ = wire.read(&mut [0]);
            return (breaks, lost);
        }
        wire.write_all(&all[next].as_bytes()[..30]).unwrap();
        breaks += 1;
        let mut touched: Vec<String> = Vec::new();
        for _ in 0..random.next_u64() % 40 {
            let Some(packet) = all.get(next) else { break };
            let id = value(packet, "Uniqueid");
            if packet.starts_with("Event: Hangup") && touched.contains(&id) {
                break;
            }
            touched.push(id);
            open.hear(packet);
            next += 1;
            lost += 1;
        }
    }
}

fn options(listener: &TcpListener) -> AmiOptions {
    AmiOptions {
        address: listener.local_addr().unwrap().to_string(),
        username: "tollwatch".to_owned(),
        secret: Box::new(|| Ok("s3cret".to_owned())),
        login: AmiLogin::Challenge,
        // The times of the stream tell how far it is from the PBX's.
        clock: || SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000),
        first_wait: Duration::from_millis(5),
    }
}

#[test]
fn a_connection_that_breaks_gives_the_incidents_of_one_that_does_not() {
    for (kind, seed) in [(Kind::Burst, 1), (Kind::ForwardPumping, 2), (Kind::LongCalls, 3)] {
        let case = case(kind);
        let stream = packets(&written(|out| write_ami(&case, out)), |packet| {
            packet.starts_with(b"Event: ") && !is_cdr(packet)
        });
        let format = Format::parse("asterisk_ami").unwrap();
        let zone = Zone::parse("Asia/Tokyo").unwrap();
        let mut expected = Engine::new(config("Asia/Tokyo").settings);
        crate::harness::feed(&mut expected, "default", format, &stream, 8_192, 64);
        expected.finish();

        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut interface = Ami::listen(options(&listener));
        let server = std::thread::spawn(move || play(&listener, &stream, seed));
        let mut engine = Engine::new(config("Asia/Tokyo").settings);
        let mut decoder = Decoder::new(format, zone);
        let tenant = engine.tenant("default");
        let (_nobody, nothing) = channel::<()>();
        let (mut is_over, mut faults) = (false, 0);
        for _ in 0..60_000 {
            match interface.poll(SystemTime::UNIX_EPOCH) {
                Ok(Some(chunk)) => {
                    is_over |= chunk.bytes.windows(END.len()).any(|bytes| bytes == END);
                    let mut sink =
                        Feed { engine: &mut engine, tenant, records: 0, rejected: 0, flush_every: 64 };
                    let used = decoder.decode(chunk.bytes, false, &mut sink);
                    assert_eq!(sink.rejected, 0);
                    interface.consume(used);
                }
                Ok(None) if is_over => break,
                Ok(None) => {}
                Err(SourceError::Ami { source: AmiFault::Ended(_), .. }) => faults += 1,
                Err(error) => panic!("{error:?}"),
            }
            let _ = nothing.recv_timeout(Duration::from_millis(1));
        }
        assert!(is_over, "the end was heard");
        let connections = interface.counters().reopened;
        drop(interface);
        let (breaks, lost) = server.join().unwrap();
        println!("{kind:?}: {breaks} breaks, {lost} packets lost, {faults} looks without a connection");
        assert!(breaks > 3 && lost > 20 && connections as usize == breaks, "{breaks} {lost} {connections}");
        engine.finish();
        assert_eq!(engine.counters().outbound, expected.counters().outbound, "{kind:?}");
        // Which call was the first to be told of depends on what was heard late.
        let without_calls = |engine: &Engine| -> BTreeSet<String> {
            told(engine).iter().filter_map(|line| Some(line.rsplit_once(" [")?.0.to_owned())).collect()
        };
        let (found, expected) = (without_calls(&engine), without_calls(&expected));
        assert!(
            !expected.is_empty() && found == expected,
            "{kind:?}: {:#?}",
            crate::ami::differing(&found, &expected)
        );
    }
}

#[test]
fn an_interface_that_refuses_is_told_without_the_secret() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut interface = Ami::listen(options(&listener));
    let server = std::thread::spawn(move || {
        let (mut wire, _) = listener.accept().unwrap();
        wire.write_all(b"Asterisk Call Manager/9.0.0\r\n").unwrap();
        action(&mut wire).unwrap();
        wire.write_all(b"Response: Success\r\nChallenge: 1\r\n\r\n").unwrap();
        action(&mut wire).unwrap();
        wire.write_all(b"Response: Error\r\nMessage: Authentication failed\r\n\r\n").unwrap();
        let _ = wire.read(&mut [0]);
    });
    let (_nobody, nothing) = channel::<()>();
    let mut told = None;
    for _ in 0..10_000 {
        match interface.poll(SystemTime::UNIX_EPOCH) {
            Err(error) => {
                told = Some(format!("{error}: {error:?}"));
                break;
            }
            Ok(_) => drop(nothing.recv_timeout(Duration::from_millis(1))),
        }
    }
    server.join().unwrap();
    let told = told.unwrap();
    assert!(told.contains("Authentication failed") && !told.contains("s3cret"), "{told}");
    assert!(!format!("{interface:?}").contains("s3cret"));
}
