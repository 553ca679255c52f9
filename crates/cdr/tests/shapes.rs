//! Each shape that a format comes in, by inputs of our own.
#![allow(clippy::panic, clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]
mod common;
use common::{Calls, cdrs, cdrs_of, decode_in_blocks, decoder, define};
use tollwatch_cdr::{
    CallEventV1, CdrV1, Detection, Leg, Outcome, Party, Place, Record, Rejected, Sink, detect,
};

fn detected(text: &str) -> Option<&'static str> {
    match detect(text.as_bytes()) {
        Detection::Found { format, .. } => Some(format.name()),
        Detection::Unclear { .. } => None,
    }
}

#[test]
fn the_freepbx_export_is_read_in_its_old_and_new_widths_and_quotes() {
    let old = "calldate,clid,src,dst,dcontext,channel,dstchannel,lastapp,lastdata,duration,billsec,disposition,amaflags,accountcode,uniqueid,userfield\n\
        2026-03-08 12:00:30,\"Sato, Ken\" <109>,109,0022465550015,from-internal,SIP/109-000000d0,SIP/carrier-000000d1,Dial,\"SIP/carrier/22465550015,60,T\",30,25,ANSWERED,3,sales,1772938830.240,\n\
        2026-03-08 12:00:00,\"User 5\" <110>,110,112,from-internal,SIP/110-000000ce,,VoiceMail,\"112@default,u\",5,0,NO ANSWER,3,,1772938800.238,\n";
    assert_eq!(detected(old), Some("freepbx_export"));
    let read = cdrs_of(define("freepbx_export"), "Asia/Tokyo", old.as_bytes());
    assert_eq!((read.rows.len(), read.passed_over, read.rejected.len()), (2, 1, 0));
    let first = &read.rows[0];
    assert_eq!(
        (first.started, first.answered, first.ended),
        (1_772_938_830, Some(1_772_938_835), 1_772_938_860)
    );
    assert_eq!((first.sent.as_str(), first.account.as_str(), first.billable), ("22465550015", "sales", 25));

    let new = "calldate,clid,src,dst,dcontext,channel,dstchannel,lastapp,lastdata,duration,billsec,disposition,amaflags,accountcode,uniqueid,userfield,did,cnum,cnam,outbound_cnum,outbound_cnam,dst_cnam,recordingfile,linkedid,peeraccount,sequence\n\
        \"2026-03-08 12:00:30\",\"\"\"Sato \\\" K\"\" <109>\",0355550100,0022465550015,from-internal,PJSIP/109-000000d0,PJSIP/carrier-000000d1,Dial,\"PJSIP/22465550015@carrier,60,T\",30,25,ANSWERED,3,,1772938830.240,,,109,Sato,0355550100,,,,1772938830.239,,7\n";
    assert_eq!(detected(new), Some("freepbx_export"));
    let read = cdrs_of(define("freepbx_export"), "Asia/Tokyo", new.as_bytes());
    let first = &read.rows[0];
    assert_eq!(
        (first.origin.as_deref(), first.sent.as_str(), first.call_id.as_str()),
        (Some("109"), "22465550015", "1772938830.239"),
        "{:?}",
        read.rejected
    );
}

#[test]
fn an_export_without_channels_is_charged_to_the_extension_and_else_to_the_calling_number() {
    let text = "calldate;cnum;src;dst;duration;billsec;disposition\n2026-03-08 12:00:00;109;0355550100;0022465;30;25;ANSWERED\n2026-03-08 12:00:00;;110;0022465;30;25;ANSWERED\n";
    assert_eq!(detected(text), Some("freepbx_export"));
    let read = cdrs("freepbx_export", text);
    let origins: Vec<_> = read.rows.iter().map(|row| row.origin.as_deref()).collect();
    assert_eq!(origins, [Some("109"), Some("110")]);
}

#[test]
fn asterisks_columns_are_found_by_name_in_any_order_case_and_with_any_usual_delimiter() {
    let rows = "DST,Start,End,src,billsec,Answer,disposition,dstchannel,channel,lastapp,lastdata\n0022465,2026-03-08 12:00:00,2026-03-08 12:00:30,109,25,2026-03-08 12:00:05,ANSWERED,SIP/carrier-1a,SIP/109-1b,Dial,SIP/22465@carrier\n";
    for delimiter in [",", ";", "\t"] {
        let text = rows.replace(',', delimiter);
        assert_eq!(detected(&text), Some("asterisk_header_csv"), "{text}");
        let read = cdrs("asterisk_header_csv", &text);
        let row = &read.rows[0];
        assert_eq!((row.answered, row.ended, row.billable), (Some(1_772_971_205), 1_772_971_230, 25));
        assert_eq!(
            (row.origin.as_deref(), row.sent.as_str(), row.calling.as_str()),
            (Some("109"), "22465", "109")
        );
    }
}

#[test]
fn the_json_of_cdr_custom_says_the_same_as_its_rows() {
    let csv = "\"\"\"A\"\" <105>\",\"105\",\"0022465\",\"from-internal\",\"PJSIP/105-00000006\",\"PJSIP/trunk-00000007\",\"Dial\",\"PJSIP/0022465@trunk,12\",\"2026-03-08 03:00:18\",\"2026-03-08 03:00:19\",\"2026-03-08 03:00:22\",\"3\",\"2\",\"ANSWERED\",\"DOCUMENTATION\",\"\",\"1772938818.4\",\"\",2\n";
    let json = "{\"clid\":\"\\\"A\\\" <105>\",\"src\":\"105\",\"dst\":\"0022465\",\"dcontext\":\"from-internal\",\"channel\":\"PJSIP\\/105-00000006\",\"dstchannel\":\"PJSIP/trunk-00000007\",\"lastapp\":\"Dial\",\"lastdata\":\"PJSIP/0022465@trunk,12\",\"start\":1772938818.398542,\"answer\":1772938819.000000,\"end\":1772938822.1,\"duration\":3,\"billsec\":2,\"disposition\":\"ANSWERED\",\"accountcode\":\"\",\"uniqueid\":\"1772938818.4\",\"linkedid\":\"\",\"userfield\":\"\",\"sequence\":2}\n";
    assert_eq!((detected(csv), detected(json)), (Some("asterisk_cdr_custom"), Some("asterisk_cdr_json")));
    let one = cdrs("asterisk_cdr_custom", csv).rows.remove(0);
    let mut other = cdrs("asterisk_cdr_json", json).rows.remove(0);
    other.identity = one.identity;
    assert_eq!(one, other);
}

#[test]
fn the_imports_of_billing_systems_are_known_by_their_shape() {
    let header = "switch,callid,caller_id_number,destination_number,starting_date,duration,billsec,accountcode\n192.0.2.1,a-1,904,+34798000122,2026-03-08 12:00:00,55,50,1000\n192.0.2.1,a-2,904,+34798000122,2026-03-08 12:01:00,12,0,1000\n";
    assert_eq!(detected(header), Some("cdr_stats_csv"));
    let read = cdrs("cdr_stats_csv", header);
    assert_eq!(
        read.rows.iter().map(|row| row.outcome).collect::<Vec<_>>(),
        [Outcome::Answered, Outcome::NoAnswer]
    );

    let row = "1773500, Al, Ice, 0032135940, 90, 11, 16, outbound, 3e30-1, 192.0.2.7, 1772971200, 1772971205, 1772971290, 12960, 12960, G722, G722\n";
    let text = format!("{}{row}", row.replace("Al, Ice", "Alice"));
    assert_eq!(detected(&text), Some("cdr_stats_epoch_csv"));
    let read = cdrs("cdr_stats_epoch_csv", &text);
    let dialled: Vec<_> = read
        .rows
        .iter()
        .map(|row| (row.dialled.as_str(), row.source_address.as_str(), row.from_outside))
        .collect();
    assert_eq!(dialled, [("0032135940", "192.0.2.7", false); 2]);

    let text = "44123,32123,\"ANSWER\",25,12,1,2026-03-08 12:00:00\n44123,32123,\"BUSY\",13,12,1,2026-03-08 12:00:00\n";
    assert_eq!(detected(text), Some("voip_report_csv"));
    let read = cdrs("voip_report_csv", text);
    assert_eq!((read.rows[0].answered, read.rows[0].billable), (Some(1_772_971_213), 12));
    assert_eq!(
        (read.rows[1].answered, read.rows[1].billable, read.rows[1].outcome),
        (None, 0, Outcome::Busy)
    );
}

#[test]
fn carriage_returns_alone_end_lines_only_where_no_line_feed_is_among_the_first() {
    let text = "calldate,src,dst,duration,billsec,disposition\r2026-03-08 12:00:00,105,203,9,4,ANSWERED\r2026-03-08 12:00:00,105,204,9,4,ANSWERED";
    assert_eq!(detected(text), Some("freepbx_export"));
    let read = cdrs("freepbx_export", text);
    assert_eq!((read.rows.len(), read.passed_over), (2, 1));
    let blocks = decode_in_blocks("freepbx_export", "UTC", text.as_bytes(), &[1, 50]);
    assert_eq!((blocks.records.len(), blocks.records[1].0.line), (2, 3));
    // A caller's name with a carriage return in it does not end a row.
    let row = "\"\",\"105\",\"203\",\"c\",\"\"\"a\rb\"\" <105>\",\"SIP/105-1\",\"\",\"\",\"\",\"2026-03-08 12:00:00\",,\"2026-03-08 12:00:09\",9,0,\"BUSY\",\"\"\n";
    assert_eq!(cdrs("asterisk_cdr_csv", row).rows.len(), 1);
}

/// Writes what it takes in the canonical form.
#[derive(Default)]
struct Canonical {
    lines: String,
    records: Vec<String>,
}

impl Sink for Canonical {
    fn record(&mut self, _: Place, record: &Record<'_>) {
        let line = match record {
            Record::Cdr(cdr) => serde_json::to_string(&CdrV1::from(cdr)).unwrap(),
            Record::CallEvent(event) => serde_json::to_string(&CallEventV1::from(event)).unwrap(),
        };
        self.lines.push_str(&line);
        self.lines.push('\n');
        // What is written is given the hash of the record for a name.
        self.records.push(format!("{record:?}").replace("OfRecord(", "Given("));
    }
    fn passed_over(&mut self, _: Place) {}
    fn rejected(&mut self, rejected: &Rejected<'_>) {
        panic!("{rejected:?}");
    }
}

#[test]
fn what_is_written_in_the_canonical_form_is_read_back_as_it_was() {
    let cdr = "\"wh\",\"105\",\"9002246\",\"from-trunk\",\"\"\"S\"\" <105>\",\"PJSIP/105-00000006\",\"Local/7@x-00000007;1\",\"Dial\",\"PJSIP/102,12,T\",\"2026-03-08 03:00:18\",\"2026-03-08 03:00:19\",\"2026-03-08 03:00:22\",3,3,\"ANSWERED\",\"\",\"1.0\",\"\"\n\"\",\"105\",\"9\",\"x\",\"\",\"PJSIP/105-00000006\",\"\",\"\",\"\",\"2026-03-08 03:00:18\",,\"2026-03-08 03:00:22\",3,0,\"BUSY\",\"\",\"1.0\",\"\"\n";
    let event = |kind: &str, id: &str, channel: &str, application: &str, data: &str| {
        format!(
            "\"{kind}\",\"1772906414.030799\",\"A\",\"105\",\"\",\"\",\"\",\"0022465\",\"from-internal\",\"{channel}\",\"{application}\",\"{data}\",\"3\",\"acct\",\"{id}\",\"1772906414.0\",\"\",\"\",\"\",\"\"\n"
        )
    };
    let cel = [
        event("CHAN_START", "1772906414.0", "PJSIP/105-00000006", "", ""),
        event("APP_START", "1772906414.0", "PJSIP/105-00000006", "Dial", "PJSIP/0022465@trunk"),
        event("CHAN_START", "1772906414.1", "PJSIP/trunk-00000007", "", ""),
        event("ANSWER", "1772906414.1", "PJSIP/trunk-00000007", "", ""),
        event("HANGUP", "1772906414.1", "PJSIP/trunk-00000007", "", ""),
    ]
    .concat();
    let mut written = Canonical::default();
    decoder("asterisk_cdr_csv", "UTC").decode(cdr.as_bytes(), true, &mut written);
    decoder("asterisk_cel_csv", "UTC").decode(cel.as_bytes(), true, &mut written);
    assert_eq!(written.records.len(), 5, "{}", written.lines);
    assert_eq!(detected(&written.lines), Some("tollwatch_jsonl"));
    let mut read = Canonical::default();
    decoder("tollwatch_jsonl", "UTC").decode(written.lines.as_bytes(), true, &mut read);
    assert_eq!((read.records, read.lines), (written.records, written.lines));
}

#[test]
fn the_canonical_form_needs_little_and_ignores_what_it_does_not_know() {
    let line = "{\"type\":\"cdr\",\"started_at\":\"2026-03-08T12:00:00+09:00\",\"answered_at\":1772938805.5,\"ended_at\":1772938830,\"outcome\":\"answered\",\"extension\":\"105\",\"trunk\":\"carrier\",\"calling\":\"0355550100\",\"dialled\":\"0022465\",\"tenant\":\"north\",\"account\":\"a\",\"source_address\":\"192.0.2.7\",\"colour\":\"red\"}\n";
    let read = cdrs("tollwatch_jsonl", line);
    let row = &read.rows[0];
    assert_eq!((row.started, row.answered, row.billable), (1_772_938_800, Some(1_772_938_805), 24));
    assert_eq!(
        (row.origin.as_deref(), row.target.clone()),
        (Some("105"), Some(format!("{:?}", Party::Peer(b"carrier"))))
    );
    assert_eq!((row.account.as_str(), row.source_address.as_str()), ("a", "192.0.2.7"));
    assert_eq!(row.legs[1].len(), 16);
    for (bad, why) in [
        (line.replace("+09:00", ""), "started_at: not a time"),
        (line.replace("\"dialled\":\"0022465\",", ""), "not a record of this format"),
        (
            line.replace("1772938830", "1772938799"),
            "ended_at: start, end and duration contradict one another",
        ),
        (line.replace("\"cdr\"", "\"alert\""), "not a record of this format"),
        (
            "{\"type\":\"call_event\",\"event\":\"answered\",\"at\":1772938805,\"target\":{}}".to_owned(),
            "target.id: not a record of this format",
        ),
    ] {
        let read = cdrs("tollwatch_jsonl", &format!("{}\n", bad.trim_end()));
        assert_eq!(read.why(), [why], "{bad}");
    }
}

#[test]
fn a_live_event_names_its_leg_and_who_began_it() {
    let line = "{\"type\":\"call_event\",\"event\":\"started\",\"at\":1772938805.25,\"target\":{\"id\":\"c-1\"},\"extension\":\"105\",\"trunk\":\"carrier\",\"dialled\":\"0022465\",\"call_id\":\"k\"}\n{\"type\":\"call_event\",\"event\":\"ended\",\"at\":1772938809,\"target\":{\"id\":\"c-1\"},\"outcome\":\"busy\"}\n";
    let read: Calls = cdrs("tollwatch_jsonl", line);
    let carrier = format!("{:?}", Leg { id: b"c-1", party: Party::Peer(b"carrier") });
    assert!(read.events[0].contains(&carrier), "{}", read.events[0]);
    assert!(
        read.events[0].contains(&format!("{:?}", Party::Peer(b"105"))) && read.events[1].contains("Busy")
    );
}
