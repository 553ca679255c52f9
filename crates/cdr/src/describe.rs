//! What an operator must know of a format: where the PBX writes it, how it is switched on, what it does not show.
use crate::Format;

/// A text in the languages of the product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text {
    /// English.
    pub english: &'static str,
    /// Japanese.
    pub japanese: &'static str,
}

/// A configuration file of the PBX, and the lines to put into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The file's path.
    pub file: &'static str,
    /// Its lines.
    pub lines: &'static str,
}

/// A format described for operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Description {
    /// The format.
    pub format: Format,
    /// What is read.
    pub reads: Text,
    /// Where the PBX puts it, by default.
    pub path: &'static str,
    /// What to configure in the PBX.
    pub settings: &'static [Setting],
    /// What else to do or to know when switching it on.
    pub switch_on: Text,
    /// What cannot be seen in it.
    pub blind_to: Text,
}

impl Format {
    /// The format, described for operators.
    pub const fn describe(self) -> &'static Description {
        match self {
            Self::AsteriskCdrCsv => &CDR_CSV,
            Self::AsteriskCdrCustom => &CDR_CUSTOM,
            Self::AsteriskCelCsv => &CEL_CSV,
        }
    }
}

const CDR_CSV: Description = Description {
    format: Format::AsteriskCdrCsv,
    reads: Text {
        english: "Call detail records that Asterisk's cdr_csv module writes when a call ends, 16 to 21 columns.",
        japanese: "Asterisk の cdr_csv モジュールが通話終了時に書き出す通話明細 (CDR)。16〜21 列。",
    },
    path: "/var/log/asterisk/cdr-csv/Master.csv",
    settings: &[Setting {
        file: "/etc/asterisk/cdr.conf",
        lines: "[general]\nenable=yes\nunanswered=yes\n\n[csv]\nusegmtime=yes\nloguniqueid=yes\nloguserfield=no\nnewcdrcolumns=yes\naccountlogs=no",
    }],
    switch_on: Text {
        english: "Then `module reload cdr_csv.so`. With usegmtime=yes the zone is UTC, without it the PBX's own. \
                  Read Master.csv alone: the files per account code repeat its rows.",
        japanese: "設定後に `module reload cdr_csv.so` を実行します。usegmtime=yes なら時刻は UTC、指定しなければ PBX の現地時刻です。\
                   アカウント別ファイルは同じ行の写しなので、Master.csv だけを読ませてください。",
    },
    blind_to: Text {
        english: "Calls under way; calls of rows longer than 1,024 bytes, which Asterisk drops; calls that the dialplan \
                  keeps out of the CDRs (NoCDR); the address a call came from; who transferred a call. Without \
                  loguniqueid, two identical rows count as one.",
        japanese: "通話中の呼。1,024 バイトを超える行 (Asterisk が書かずに捨てます)。ダイヤルプランで記録を止めた呼 (NoCDR)。\
                   発信元の IP アドレス。転送した内線。loguniqueid がないと、全く同じ 2 行は 1 件と数えます。",
    },
};

const CDR_CUSTOM: Description = Description {
    format: Format::AsteriskCdrCustom,
    reads: Text {
        english: "Call detail records by the usual mapping of Asterisk's cdr_custom module, 17 columns or more.",
        japanese: "Asterisk の cdr_custom モジュールが標準のマッピングで書き出す通話明細 (CDR)。17 列以上。",
    },
    path: "/var/log/asterisk/cdr-custom/Master.csv",
    settings: &[Setting {
        file: "/etc/asterisk/cdr_custom.conf",
        lines: "[mappings]\nMaster.csv => ${CSV_QUOTE(${CDR(clid)})},${CSV_QUOTE(${CDR(src)})},${CSV_QUOTE(${CDR(dst)})},\
                ${CSV_QUOTE(${CDR(dcontext)})},${CSV_QUOTE(${CDR(channel)})},${CSV_QUOTE(${CDR(dstchannel)})},\
                ${CSV_QUOTE(${CDR(lastapp)})},${CSV_QUOTE(${CDR(lastdata)})},${CSV_QUOTE(${CDR(start)})},\
                ${CSV_QUOTE(${CDR(answer)})},${CSV_QUOTE(${CDR(end)})},${CSV_QUOTE(${CDR(duration)})},\
                ${CSV_QUOTE(${CDR(billsec)})},${CSV_QUOTE(${CDR(disposition)})},${CSV_QUOTE(${CDR(amaflags)})},\
                ${CSV_QUOTE(${CDR(accountcode)})},${CSV_QUOTE(${CDR(uniqueid)})},${CSV_QUOTE(${CDR(userfield)})},\
                ${CDR(sequence)}",
    }],
    switch_on: Text {
        english: "Then `module reload cdr_custom.so`. Times are the PBX's local ones. Further columns may follow.",
        japanese: "設定後に `module reload cdr_custom.so` を実行します。時刻は PBX の現地時刻です。後ろに列を足しても構いません。",
    },
    blind_to: Text {
        english: "Calls under way; calls that the dialplan keeps out of the CDRs (NoCDR); the address a call came from; \
                  who transferred a call. Asterisk cuts rows at 1,023 bytes: such a row is read if the cut is behind \
                  the unique id, and rejected otherwise.",
        japanese: "通話中の呼。ダイヤルプランで記録を止めた呼 (NoCDR)。発信元の IP アドレス。転送した内線。\
                   Asterisk は行を 1,023 バイトで切ります。uniqueid より後ろで切れた行は読み、それより前なら拒否として数えます。",
    },
};

const CEL_CSV: Description = Description {
    format: Format::AsteriskCelCsv,
    reads: Text {
        english: "Channel events that Asterisk's cel_custom module writes while calls are under way, 20 columns.",
        japanese: "Asterisk の cel_custom モジュールが通話中に書き出すチャネルイベント (CEL)。20 列。",
    },
    path: "/var/log/asterisk/cel-custom/Master.csv",
    settings: &[
        Setting {
            file: "/etc/asterisk/cel.conf",
            lines: "[general]\nenable=yes\napps=dial,queue,followme,retrydial,page,originate\n\
                    events=CHAN_START,CHAN_END,ANSWER,HANGUP,APP_START,APP_END,BLINDTRANSFER,ATTENDEDTRANSFER,FORWARD,PICKUP,BRIDGE_ENTER,LINKEDID_END",
        },
        Setting {
            file: "/etc/asterisk/cel_custom.conf",
            lines: "[mappings]\nMaster.csv => ${CSV_QUOTE(${eventtype})},${CSV_QUOTE(${eventtime})},${CSV_QUOTE(${CALLERID(name)})},\
                    ${CSV_QUOTE(${CALLERID(num)})},${CSV_QUOTE(${CALLERID(ANI)})},${CSV_QUOTE(${CALLERID(RDNIS)})},\
                    ${CSV_QUOTE(${CALLERID(DNID)})},${CSV_QUOTE(${CHANNEL(exten)})},${CSV_QUOTE(${CHANNEL(context)})},\
                    ${CSV_QUOTE(${CHANNEL(channame)})},${CSV_QUOTE(${CHANNEL(appname)})},${CSV_QUOTE(${CHANNEL(appdata)})},\
                    ${CSV_QUOTE(${CHANNEL(amaflags)})},${CSV_QUOTE(${CHANNEL(accountcode)})},${CSV_QUOTE(${CHANNEL(uniqueid)})},\
                    ${CSV_QUOTE(${CHANNEL(linkedid)})},${CSV_QUOTE(${BRIDGEPEER})},${CSV_QUOTE(${CHANNEL(userfield)})},\
                    ${CSV_QUOTE(${userdeftype})},${CSV_QUOTE(${eventextra})}",
        },
    ],
    switch_on: Text {
        english: "Then `module reload cel` and `module reload cel_custom.so`. Leave dateformat unset: times are then \
                  seconds since 1970 and need no zone; `%F %T` is read too, in the source's zone.",
        japanese: "設定後に `module reload cel` と `module reload cel_custom.so` を実行します。dateformat は指定しないでください。\
                   時刻が 1970 年からの秒数になり、タイムゾーンが要りません。`%F %T` も、設定されたタイムゾーンで読みます。",
    },
    blind_to: Text {
        english: "Billed seconds, which only the CDRs have; the address a call came from; calls begun before the file was.",
        japanese: "課金秒数 (CDR にだけあります)。発信元の IP アドレス。ファイルの最初の行より前に始まった呼。",
    },
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mappings_have_the_columns_that_the_decoders_read() {
        for (format, columns) in [(Format::AsteriskCdrCustom, 19), (Format::AsteriskCelCsv, 20)] {
            let mapping =
                format.describe().settings.iter().find(|setting| setting.lines.contains("=>")).unwrap();
            assert_eq!(mapping.lines.split(',').count(), columns, "{format}");
            assert!(!mapping.lines.contains(' ') || mapping.lines.matches(' ').count() == 2, "{format}");
        }
    }

    #[test]
    fn every_format_is_described_under_its_own_name() {
        for format in Format::ALL {
            let description = format.describe();
            assert_eq!(description.format, format);
            for text in [description.reads, description.switch_on, description.blind_to] {
                assert!(text.english.is_ascii() && !text.japanese.is_ascii(), "{format}: {}", text.english);
                assert!(!text.english.contains("  ") && !text.japanese.contains("  "), "{format}");
            }
        }
    }
}
