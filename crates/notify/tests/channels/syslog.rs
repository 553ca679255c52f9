//! Syslog by everything that it can go over.
use crate::{about_calls, deliver, noon, of_kind};
use std::time::Duration;
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, UdpSocket, UnixDatagram};
use tollwatch_detect::AlertReasonV1::{Escalated, Opened};
use tollwatch_notify::{Notifier, Outcome};

pub(crate) fn syslog(address: &str) -> Notifier {
    of_kind("syslog", &format!("address = \"{address}\"\nhostname = \"pbx\"\ntimeout = \"5s\""), &[])
}

/// One datagram, within a time that none needs on this machine.
pub(crate) async fn datagram(socket: &UdpSocket) -> Vec<u8> {
    let mut bytes = vec![0; 65_536];
    let length =
        tokio::time::timeout(Duration::from_secs(30), socket.recv(&mut bytes)).await.unwrap().unwrap();
    bytes.truncate(length);
    bytes
}

/// All that one connection says.
pub(crate) async fn connection(listener: TcpListener) -> Vec<u8> {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    bytes
}

#[tokio::test]
async fn a_datagram_is_one_message_of_rfc_5424() {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let notifier = syslog(&format!("udp://{}", socket.local_addr().unwrap()));
    for (reason, priority) in [(Opened, 84), (Escalated, 82)] {
        assert_eq!(deliver(&notifier, reason, noon()).await, Outcome::Delivered);
        let message = String::from_utf8(datagram(&socket).await).unwrap();
        let word = reason.word();
        let head = format!("<{priority}>1 2026-03-08T12:00:00.000Z pbx tollwatch - {word} - [");
        assert!(message.starts_with(&head), "{message}");
        let (alert, _) = about_calls(reason);
        assert!(message.ends_with(&format!("alert={}", alert.alert_id)), "{message}");
    }
}

#[tokio::test]
async fn a_stream_counts_the_bytes_of_each_message() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let notifier = syslog(&format!("tcp://{}", listener.local_addr().unwrap()));
    let peer = tokio::spawn(connection(listener));
    assert_eq!(deliver(&notifier, Opened, noon()).await, Outcome::Delivered);
    let said = String::from_utf8(peer.await.unwrap()).unwrap();
    let (length, message) = said.split_once(' ').unwrap();
    assert_eq!(length.parse::<usize>().unwrap(), message.len());
    assert!(message.starts_with("<84>1 "), "{message}");
    // The listener is gone now.
    let outcome = deliver(&notifier, Opened, noon()).await;
    assert!(matches!(outcome, Outcome::Retry { after: None, .. }), "{outcome:?}");
}

#[tokio::test]
async fn a_socket_of_this_machine_takes_messages_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let notifier = syslog(&format!("unix://{}", path.display()));
    let outcome = deliver(&notifier, Opened, noon()).await;
    assert!(matches!(outcome, Outcome::Retry { .. }), "{outcome:?}");
    let socket = UnixDatagram::bind(&path).unwrap();
    assert_eq!(deliver(&notifier, Opened, noon()).await, Outcome::Delivered);
    let mut bytes = [0; 4096];
    let length = socket.recv(&mut bytes).await.unwrap();
    assert!(bytes[..length].starts_with(b"<84>1 "));
}
