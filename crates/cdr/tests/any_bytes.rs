//! Any bytes, any cut.
#![allow(clippy::indexing_slicing, reason = "test code")]
#[path = "common/check.rs"]
#[allow(clippy::naive_bytecount, reason = "test code")]
mod check;
use check::any_bytes_are_accounted_for_however_they_are_cut as check;
use proptest::prelude::*;
use tollwatch_cdr::Format;

fn format() -> impl Strategy<Value = Format> {
    proptest::sample::select(Format::all().to_vec())
}

/// Rows of all formats, whole and cut off, among pieces that put quotes out of step.
fn rows() -> impl Strategy<Value = Vec<u8>> {
    const ROWS: [&str; 21] = [
        "\"Doe, \"J\"\",\"1001\",\"0035679000001\",\"default\",\"2026-03-08 03:00:18\",\"\",\"2026-03-08 03:00:22\",\"4\",\"0\",\"USER_BUSY\",\"d80e22e0-4c15-11ea-97a0-9dd79410affb\",\"\",\"1001\",\"PCMU\",\"PCMU\"\n",
        "\"cdrRecordType\",\"dateTimeOrigination\",\"callingPartyNumber\",\"finalCalledPartyNumber\",\"dateTimeConnect\",\"dateTimeDisconnect\",\"duration\",\"lastRedirectDn\"\nINTEGER,INTEGER,VARCHAR(50),VARCHAR(50),INTEGER,INTEGER,INTEGER,VARCHAR(50)\n",
        "1,1772938818,\"201\",\"90022465550015\",1772938820,1772938850,30,\"202\"\n",
        "1772938850,42,1,2,\"9364550F D96211E2\",\"0022465550015\",\"\",\"*03:00:18.734 UTC Sun Mar 8 2026\",\"\",\"*03:00:20.264 JST Sun Mar 8 2026\",\".03:00:50.584 GMT+9 Sun Mar 8 2026\",\"10  \",\"normal call clearing (16)\",\"originate\",0,\"\",283,45280,273,43680,\"\",\"201\",\"0022465550015\",\"TWC\"\n",
        "calldate,clid,src,dst,dcontext,channel,dstchannel,lastapp,lastdata,duration,billsec,disposition,amaflags,accountcode,uniqueid,userfield\n",
        "2017-09-04 14:19:38,\"User 5\" <109>,109,112,from-internal,SIP/109-000000d0,SIP/112-000000d1,VoiceMail,\"112@default,b\",9,4,ANSWERED,3,,1504531178.240,\n",
        "calldate;src;dst;duration;billsec;disposition\r",
        "2/3/26 9:05;1001;0355550100;9;4;ANSWERED\r",
        "{\"src\":\"101\",\"dst\":\"203\",\"channel\":\"PJSIP/101-00000000\",\"start\":1795574159.398542,\"answer\":0.0,\"end\":1795574164,\"duration\":5,\"billsec\":0,\"clid\":\"\\\"S\\\" <101>\",\"uniqueid\":\"1.1\"}\n",
        "{\"type\":\"cdr\",\"started_at\":1795574159,\"ended_at\":\"2026-11-25T12:00:00+09:00\",\"outcome\":\"busy\",\"dialled\":\"010\"}\n",
        "17, Al, Ex, 0650, 90, 11, 16, inbound, 3e30, 192.0.2.1, 1327521966, 1327521966, 1327521966, 12960, 12960, G722, G722\n",
        "44650355212,32650781232,\"ANSWER\",25,12,1,2011-04-04 11:12:11\n",
        "\"\",\"105\",\"0355550100\",\"from-internal\",\"\"\"A\"\" <105>\",\"PJSIP/105-00000006\",\"PJSIP/trunk-00000007\",\"Dial\",\"PJSIP/0355550100@trunk,12\",\"2025-11-02 01:30:18\",,\"2025-11-02 01:00:22\",3,0,\"NO ANSWER\",\"DOCUMENTATION\"\n",
        "\"\"\"A\"\" <105>\",\"105\",\"0355550100\",\"from-internal\",\"PJSIP/105-00000006\",\"Local/1@x-00000007;1\",\"Dial\",\"PJSIP/102,12\",\"2026-03-08 02:00:18\",\"2026-03-08 03:00:19\",\"2026-03-08 03:00:22\",\"3\",\"2.5\",\"ANSWERED\",\"DOCUMENTATION\",\"\",\"1772906418.4\",\"user\nfield\",2\n",
        "\"CHAN_START\",\"1772906414.030799\",\"A\",\"105\",\"105\",\"\",\"0355550100\",\"0355550100\",\"from-internal\",\"PJSIP/105-00000006\",\"\",\"\",\"3\",\"\",\"1772906414.0\",\"1772906414.0\",\"\",\"\",\"\",\"\"\n",
        "\"APP_START\",\"2026-03-08 03:00:19\",\"A\",\"105\",\"105\",\"\",\"0355550100\",\"0355550100\",\"from-internal\",\"PJSIP/105-00000006\",\"Dial\",\"PJSIP/1@trunk\",\"3\",\"\",\"1772906414.0\",\"1772906414.0\",\"\",\"\",\"\",\"{\"\"a\"\":1}\"\r\n",
        "accountcode,src,dst,dcontext,clid,channel,dstchannel,lastapp,lastdata,start,answer,end,duration,billsec,disposition,amaflags\n",
        "Received: 1772906414.5\r\nEvent: Newchannel\r\nChannel: PJSIP/105-1\r\nExten: 00224\r\nUniqueid: 1772906414.1\r\nLinkedid: 1772906414.1\r\n\r\nEvent: Newexten\r\nChannel: PJSIP/105-1\r\nExten: 00224\r\nUniqueid: 1772906414.1\r\nLinkedid: 1772906414.1\r\nApplication: Dial\r\nAppData: PJSIP/00224@trunk\r\n\r\n",
        "Event: Newchannel\r\nTimestamp: 1772906415.25\r\nChannel: PJSIP/trunk-2\r\nExten: s\r\nUniqueid: 1772906414.2\r\nLinkedid: 1772906414.1\r\n\r\nEvent: Newstate\r\nChannelState: 6\r\nChannel: PJSIP/trunk-2\r\nUniqueid: 1772906414.2\r\nLinkedid: 1772906414.1\r\n\r\n",
        "Asterisk Call Manager/9.0.0\r\nEvent: CoreShowChannel\r\nChannel: PJSIP/trunk-2\r\nChannelState: 6\r\nUniqueid: 1772906414.2\r\nLinkedid: 1772906414.1\r\n\r\nEvent: CoreShowChannelsComplete\r\n\r\nEvent: Hangup\r\nChannel: PJSIP/trunk-2\r\nUniqueid: 1772906414.2\r\nLinkedid: 1772906414.1\r\n\r\n",
        "Response: Follows\r\nx\r\n\r\n--END COMMAND--\r\n\r\nEvent: Cdr\r\nSource: 105\r\nDestination: 00224\r\nChannel: PJSIP/105-1\r\nDestinationChannel: PJSIP/trunk-2\r\nStartTime: 2026-03-08 03:00:18\r\nEndTime: 2026-03-08 03:00:22\r\nDuration: 4\r\nBillableSeconds: 0\r\nUniqueID: 1772906414.1\r\n\r\n",
    ];
    let cut = (0..ROWS.len(), any::<prop::sample::Index>()).prop_map(|(row, end)| {
        let bytes = ROWS[row].as_bytes();
        [&bytes[..end.index(bytes.len())], b"\n"].concat()
    });
    let noise = prop_oneof![
        Just(b"\n".to_vec()),
        Just(b"\"".to_vec()),
        Just(b"\"\n".to_vec()),
        Just(b"\xef\xbb\xbf".to_vec()),
        Just(b"\xff\xfe".to_vec()),
        Just(vec![0; 3]),
        Just(vec![0; 70_000]),
        Just(b"\n\0\n\0".to_vec()),
        Just(vec![b'x'; 70_000]),
        Just(b"a,b\n".repeat(17_000)),
        proptest::collection::vec(any::<u8>(), 0..40),
    ];
    let whole = (0..ROWS.len()).prop_map(|row| ROWS[row].as_bytes().to_vec());
    let piece = prop_oneof![6 => whole, 3 => cut, 1 => noise];
    (proptest::collection::vec(piece, 0..24), prop::bool::weighted(0.1)).prop_map(|(pieces, returns)| {
        let mut input = pieces.concat();
        input.iter_mut().filter(|byte| returns && **byte == b'\n').for_each(|byte| *byte = b'\r');
        input
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn rows_and_rubbish_are_accounted_for_however_they_are_cut(
        format in format(),
        input in rows(),
        cuts in proptest::collection::vec(prop_oneof![1usize..400, 1usize..100_000], 1..8),
    ) {
        check(format, &input, &cuts);
    }

    #[test]
    fn bytes_are_accounted_for_however_they_are_cut(
        format in format(),
        input in proptest::collection::vec(prop_oneof![Just(b'"'), Just(b','), Just(b'\n'), any::<u8>()], 0..2000),
        cuts in proptest::collection::vec(1usize..300, 1..8),
    ) {
        check(format, &input, &cuts);
    }
}
