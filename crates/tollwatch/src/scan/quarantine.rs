//! Rejected records, kept as the operator's evidence: every byte, with place and reason, one JSON object a line.
use crate::language::Language;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use schemars::JsonSchema;
use serde::Serialize;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use tollwatch_cdr::{Format, Rejected};

/// A record that could not be read, as `scan --quarantine` writes it. The bytes of all lines of one file, in
/// their order, are what was rejected of it, and nothing else.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct QuarantinedV1<'a> {
    /// The file it was read from, as it was given.
    pub file: String,
    /// Line of its first byte, from 1.
    pub line: u64,
    /// Offset of its first byte, from 0; in the unpacked file.
    pub byte: u64,
    /// Format the file was read in.
    pub format: &'a str,
    /// The field that is at fault; null if the record as a whole is.
    pub field: Option<QuarantinedFieldV1<'a>>,
    /// Why it could not be read.
    pub reason: String,
    /// What may be done about it, in the configured language.
    pub hint: &'a str,
    /// The record as it stood, line end included, if it is UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<&'a str>,
    /// The record as it stood, if it is not UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes_base64: Option<String>,
}

/// A field of a record.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct QuarantinedFieldV1<'a> {
    /// Counted from 1.
    pub number: usize,
    /// Its name in the PBX's manual.
    pub name: &'a str,
}

/// Where rejected records are kept.
#[derive(Debug)]
pub struct Quarantine {
    path: PathBuf,
    out: BufWriter<File>,
    language: Language,
    records: u64,
    bytes: u64,
    error: Option<io::Error>,
}

impl Quarantine {
    /// Records will go into `file`, which was opened at `path`.
    pub fn new(path: &Path, file: File, language: Language) -> Self {
        Self { path: path.to_owned(), out: BufWriter::new(file), language, records: 0, bytes: 0, error: None }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many records it holds.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Bytes of the records that it was given, about.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Everything is written; the first error if not.
    pub fn finish(&mut self) -> io::Result<()> {
        self.error.take().map_or(Ok(()), Err)?;
        self.out.flush()
    }

    pub(super) fn keep(&mut self, file: &Path, format: Format, rejected: &Rejected<'_>) {
        if self.error.is_some() {
            return;
        }
        let hint = rejected.reason.hint();
        let text = std::str::from_utf8(rejected.bytes).ok();
        let line = QuarantinedV1 {
            file: file.display().to_string(),
            line: rejected.place.line,
            byte: rejected.place.byte,
            format: format.name(),
            field: rejected.field.map(|(number, name)| QuarantinedFieldV1 { number, name }),
            reason: rejected.reason.to_string(),
            hint: self.language.pick(hint.english, hint.japanese),
            bytes: text,
            bytes_base64: text.is_none().then(|| BASE64_STANDARD.encode(rejected.bytes)),
        };
        // Whole, so that a full disk does not leave a piece of it before the next.
        let line = serde_json::to_vec(&line).map_err(io::Error::from);
        match line.and_then(|line| self.out.write_all(&[&line[..], b"\n"].concat())) {
            Ok(()) => {
                self.records += 1;
                self.bytes += rejected.bytes.len() as u64;
            }
            Err(error) => self.error = Some(error),
        }
    }
}
