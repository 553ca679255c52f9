//! The interface over packets of its own.
use crate::{CallEventKind, Decoder, Format, Place, Record, Rejected, Sink, Zone};

#[derive(Debug, Default, PartialEq)]
struct Told {
    lines: Vec<String>,
    passed_over: usize,
    rejected: Vec<String>,
}

impl Sink for Told {
    fn record(&mut self, _: Place, record: &Record<'_>) {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        self.lines.push(match record {
            Record::Cdr(cdr) => {
                format!("{} record of {} for {} s", cdr.ended_at, text(cdr.target.id), cdr.billable_seconds)
            }
            Record::CallEvent(event) => {
                let what = match event.kind {
                    CallEventKind::Started { origin, dialled, sent, .. } => {
                        format!("started by {} for {} sent {}", text(origin.id), text(dialled), text(sent))
                    }
                    CallEventKind::CodeDialled { dialled, .. } => format!("code {}", text(dialled)),
                    CallEventKind::Answered => "answered".to_owned(),
                    CallEventKind::Diverted { by } => format!("diverted by {}", text(by)),
                    CallEventKind::Ended { outcome } => format!("ended {outcome:?}"),
                };
                format!("{} {} {what}", event.at, text(event.target.id))
            }
        });
    }
    fn passed_over(&mut self, _: Place) {
        self.passed_over += 1;
    }
    fn rejected(&mut self, rejected: &Rejected<'_>) {
        self.rejected.push(format!("{} {:?} {}", rejected.place.line, rejected.field, rejected.reason));
    }
}

fn told(stream: &str) -> Told {
    let mut told = Told::default();
    let mut decoder = Decoder::new(Format::parse("asterisk_ami").unwrap(), Zone::UTC);
    decoder.decode(stream.as_bytes(), true, &mut told);
    told
}

/// Packets of these lines, as the interface ends them.
fn stream(packets: &[&str]) -> String {
    packets.iter().flat_map(|packet| [packet.replace(" | ", "\r\n"), "\r\n\r\n".to_owned()]).collect()
}

/// 105 calls a trunk: the caller's channel and its Dial, 5 s before the called one.
const CALLER: &str = "Event: Newchannel | Channel: PJSIP/105-1 | ChannelState: 4 | Context: from-internal | Exten: 0102246555 | Uniqueid: 1772906400.1 | Linkedid: 1772906400.1";
const DIAL: &str = "Event: Newexten | Channel: PJSIP/105-1 | Context: from-internal | Exten: 0102246555 | Uniqueid: 1772906400.1 | Linkedid: 1772906400.1 | Application: Dial | AppData: PJSIP/0102246555@trunk,12";
const CALLED: &str = "Event: Newchannel | Channel: PJSIP/trunk-2 | ChannelState: 0 | Context: from-trunk | Exten: s | Uniqueid: 1772906405.2 | Linkedid: 1772906400.1";
const UP: &str = "Event: Newstate | Channel: PJSIP/trunk-2 | ChannelState: 6 | Context: from-trunk | Exten: 0102246555 | Uniqueid: 1772906405.2 | Linkedid: 1772906400.1";
const GONE: &str =
    "Event: Hangup | Channel: PJSIP/trunk-2 | Uniqueid: 1772906405.2 | Linkedid: 1772906400.1 | Cause: 16";
const LISTED_CALLER: &str = "Event: CoreShowChannel | Channel: PJSIP/105-1 | ChannelState: 6 | Context: from-internal | Exten: 0102246555 | Uniqueid: 1772906400.1 | Linkedid: 1772906400.1 | Application: Dial | ApplicationData: PJSIP/0102246555@trunk,12";
const LISTED_CALLED: &str = "Event: CoreShowChannel | Channel: PJSIP/trunk-2 | ChannelState: 6 | Context: from-trunk | Exten: | Uniqueid: 1772906405.2 | Linkedid: 1772906400.1 | Application: AppDial | ApplicationData: (Outgoing Line)";

#[test]
fn a_call_is_told_as_it_goes_with_the_times_of_receipt() {
    let stream = stream(&[
        &format!("Received: 1772906400.5 | {CALLER}"),
        DIAL,
        &format!("Received: 1772906405.25 | {CALLED}"),
        "Event: DialBegin | Uniqueid: 1772906400.1",
        &format!("Received: 1772906407 | {UP}"),
        &format!("Received: 1772906460 | {GONE}"),
    ]);
    let told = told(&format!("Asterisk Call Manager/9.0.0\r\nResponse: Success\r\n\r\n{stream}"));
    assert_eq!(
        told.lines,
        [
            "2026-03-07T18:00:05.250000Z PJSIP/trunk-2 started by PJSIP/105-1 for 0102246555 sent 0102246555",
            "2026-03-07T18:00:07Z PJSIP/trunk-2 answered",
            "2026-03-07T18:01:00Z PJSIP/trunk-2 ended Answered",
        ]
    );
    assert_eq!((told.passed_over, told.rejected.len()), (5, 0));
}

#[test]
fn without_any_time_the_ids_of_new_channels_tell_it() {
    let told = told(&stream(&[CALLER, DIAL, CALLED, UP, GONE]));
    let times: Vec<_> = told.lines.iter().map(|line| &line[11..20]).collect();
    assert_eq!(times, ["18:00:05Z"; 3]);
}

#[test]
fn what_began_and_ended_while_nobody_listened_is_caught_up_with() {
    // Both channels are up when the list comes, whatever order it has.
    let complete = "Received: 1772906420 | Event: CoreShowChannelsComplete | ListItems: 2";
    let mut packets = vec![LISTED_CALLED, LISTED_CALLER, complete];
    let expected = [
        "2026-03-07T18:00:05Z PJSIP/trunk-2 started by PJSIP/105-1 for 0102246555 sent 0102246555",
        "2026-03-07T18:00:05Z PJSIP/trunk-2 answered",
    ];
    assert_eq!(told(&stream(&packets)).lines, expected);
    // Told again, or begun a second time by an event that came behind the list: nothing new.
    let late = format!("{CALLED} | Timestamp: 1772906420");
    packets.extend([&*late, LISTED_CALLED, LISTED_CALLER, complete]);
    assert_eq!(told(&stream(&packets)).lines, expected);
    // A list that is not whole ends nothing; one without the channel does.
    packets.extend(["Event: CoreShowChannelsComplete | ListItems: 2"]);
    assert_eq!(told(&stream(&packets)).lines, expected);
    packets.extend(["Received: 1772906480 | Event: CoreShowChannelsComplete | ListItems: 0"]);
    let over = told(&stream(&packets)).lines;
    assert_eq!(over[2..], ["2026-03-07T18:01:20Z PJSIP/trunk-2 ended Answered"]);
    packets.push(GONE);
    assert_eq!(told(&stream(&packets)).lines.len(), 3, "it was over already");
    // Answered while nobody listened.
    let packets = [CALLER, DIAL, CALLED, LISTED_CALLER, LISTED_CALLED, complete];
    let lines = told(&stream(&packets)).lines;
    assert_eq!(lines[1..], ["2026-03-07T18:00:20Z PJSIP/trunk-2 answered"]);
}

#[test]
fn call_records_are_read_and_each_packet_is_accounted_for() {
    let cdr = "Event: Cdr | Source: 105 | Destination: 0102246555 | DestinationContext: from-internal | Channel: PJSIP/105-1 | DestinationChannel: PJSIP/trunk-2 | LastApplication: Dial | LastData: PJSIP/0102246555@trunk | StartTime: 2026-03-07 18:00:00 | AnswerTime: 2026-03-07 18:00:07 | EndTime: 2026-03-07 18:01:00 | Duration: 60 | BillableSeconds: 53 | Disposition: ANSWERED | UniqueID: 1772906400.1 | UserField: a\nUniqueID: 7\n | Sequence: 4";
    let packets = stream(&[
        cdr,
        &cdr.replace("53", "x"),
        &cdr.replace("18:01:00", "tomorrow"),
        "Response: Goodbye",
        "Event: VarSet | Uniqueid: none",
        "Event: Newchannel | Channel: PJSIP/1-1 | Uniqueid: 1772906400.1",
        "Event: Hangup | Timestamp: now | Channel: PJSIP/1-1 | Uniqueid: 1.1 | Linkedid: 1.1",
        "no colon",
        "Received: 1772906420",
    ]);
    let told = told(&format!("{packets}Event: Hangup\r\nChannel: P"));
    assert_eq!(told.lines, ["2026-03-07T18:01:00Z record of PJSIP/trunk-2 for 53 s"]);
    assert_eq!(told.passed_over, 3);
    let reasons: Vec<_> = told.rejected.iter().map(|line| line.split_once(' ').unwrap().1).collect();
    assert_eq!(reasons.len(), 6, "{reasons:?}");
    assert_eq!(
        reasons[2..],
        [
            "None the event has no Linkedid",
            "Some((2, \"Timestamp\")) not a time",
            "None not a record of this format",
            "None cut off by the end of the input",
        ]
    );
}

#[test]
fn what_a_command_prints_is_one_packet_with_its_empty_lines() {
    let printed =
        "Response: Follows\r\nPrivilege: Command\r\nfirst\r\n\r\nEvent: Hangup\r\n--END COMMAND--\r\n\r\n";
    let told = told(&format!("{printed}{}", stream(&["Event: FullyBooted"])));
    assert_eq!(told, Told { passed_over: 2, ..Told::default() });
}

#[test]
fn a_packet_that_a_new_connection_cuts_off_loses_only_itself() {
    let banner = "Asterisk Call Manager/9.0.0\r\n";
    let told = told(&format!(
        "{banner}{}Event: Hangup\r\nUniq\r\n{banner}{}",
        stream(&[CALLER]),
        stream(&[DIAL, CALLED])
    ));
    assert_eq!((told.lines.len(), told.rejected.len(), told.passed_over), (1, 1, 4));
}

#[test]
fn a_packet_longer_than_any_is_rejected_and_reading_goes_on_behind_it() {
    let long = format!("Event: Hangup | Uniqueid: {}", "1".repeat(3 * Decoder::RECORD_MAX));
    let told = told(&stream(&[CALLER, DIAL, &long, CALLED]));
    assert_eq!((told.lines.len(), told.rejected.len(), told.passed_over), (1, 4, 2));
}
