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
    const ROWS: [&str; 5] = [
        "\"\",\"105\",\"0355550100\",\"from-internal\",\"\"\"A\"\" <105>\",\"PJSIP/105-00000006\",\"PJSIP/trunk-00000007\",\"Dial\",\"PJSIP/0355550100@trunk,12\",\"2025-11-02 01:30:18\",,\"2025-11-02 01:00:22\",3,0,\"NO ANSWER\",\"DOCUMENTATION\"\n",
        "\"\"\"A\"\" <105>\",\"105\",\"0355550100\",\"from-internal\",\"PJSIP/105-00000006\",\"Local/1@x-00000007;1\",\"Dial\",\"PJSIP/102,12\",\"2026-03-08 02:00:18\",\"2026-03-08 03:00:19\",\"2026-03-08 03:00:22\",\"3\",\"2.5\",\"ANSWERED\",\"DOCUMENTATION\",\"\",\"1772906418.4\",\"user\nfield\",2\n",
        "\"CHAN_START\",\"1772906414.030799\",\"A\",\"105\",\"105\",\"\",\"0355550100\",\"0355550100\",\"from-internal\",\"PJSIP/105-00000006\",\"\",\"\",\"3\",\"\",\"1772906414.0\",\"1772906414.0\",\"\",\"\",\"\",\"\"\n",
        "\"APP_START\",\"2026-03-08 03:00:19\",\"A\",\"105\",\"105\",\"\",\"0355550100\",\"0355550100\",\"from-internal\",\"PJSIP/105-00000006\",\"Dial\",\"PJSIP/1@trunk\",\"3\",\"\",\"1772906414.0\",\"1772906414.0\",\"\",\"\",\"\",\"{\"\"a\"\":1}\"\r\n",
        "accountcode,src,dst,dcontext,clid,channel,dstchannel,lastapp,lastdata,start,answer,end,duration,billsec,disposition,amaflags\n",
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
        Just(vec![b'x'; 70_000]),
        Just(b"a,b\n".repeat(17_000)),
        proptest::collection::vec(any::<u8>(), 0..40),
    ];
    let whole = (0..ROWS.len()).prop_map(|row| ROWS[row].as_bytes().to_vec());
    let piece = prop_oneof![6 => whole, 3 => cut, 1 => noise];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
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
