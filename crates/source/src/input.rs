//! One source of bytes, unpacked.
use crate::SourceError;
use flate2::bufread::MultiGzDecoder;
use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// How a source is packed; told by its first bytes, whatever its name says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// As it is.
    Plain,
    /// RFC 1952, any number of members.
    Gzip,
    /// RFC 8878, any number of frames.
    Zstandard,
}

impl Compression {
    pub(crate) fn of(head: &[u8]) -> Self {
        match head {
            // RFC 1952 §2.3.1: two magic bytes, then method 8 (deflate), the only one there is.
            [0x1f, 0x8b, 8, ..] => Self::Gzip,
            // RFC 8878 §3.1.1 and, for a file that begins with a skippable frame, §3.1.2.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstandard,
            _ => Self::Plain,
        }
    }
}

/// Compressed bytes are read in pieces of this size.
const PACKED_BUFFER: usize = 128 * 1024;
/// The longest magic number.
pub(crate) const HEAD: usize = 4;

enum Raw {
    File(io::Take<File>),
    Stream(Box<dyn Read + Send>),
}

/// The bytes as they lie there, counted.
struct Counted {
    raw: Raw,
    read: u64,
}

impl Read for Counted {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = match &mut self.raw {
            Raw::File(file) => file.read(into),
            Raw::Stream(stream) => stream.read(into),
        }?;
        self.read += read as u64;
        Ok(read)
    }
}

enum Unpacker {
    Plain(Counted),
    Gzip(Box<MultiGzDecoder<BufReader<Counted>>>),
    Zstandard(Box<zstd::Decoder<'static, BufReader<Counted>>>),
}

/// An open source: a file, packed or plain, or standard input. Reading it gives the unpacked bytes.
pub struct Input {
    path: PathBuf,
    length: Option<u64>,
    live: bool,
    unpacker: Unpacker,
}

impl std::fmt::Debug for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Input")
            .field("path", &self.path)
            .field("compression", &self.compression())
            .field("length", &self.length)
            .field("position", &self.position())
            .finish_non_exhaustive()
    }
}

impl Input {
    /// Opens `path`, or standard input if it is `-`, and looks at the first bytes to see how it is packed.
    ///
    /// # Errors
    /// The file cannot be opened or read, or is a directory. Waits for the first four bytes of a pipe.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, SourceError> {
        let path = path.as_ref();
        if path == Path::new("-") {
            return Self::from_reader(path, io::stdin());
        }
        let open = |source| SourceError::Open { path: path.to_owned(), source };
        let file = File::open(path).map_err(open)?;
        let metadata = file.metadata().map_err(open)?;
        if metadata.is_dir() {
            return Err(SourceError::Directory { path: path.to_owned() });
        }
        if !metadata.is_file() {
            return Self::from_reader(path, file);
        }
        // No limit: what is appended while the file is read is read too.
        Self::from_file(path, file, 0..u64::MAX)
    }

    /// Reads `bytes` of an open file, as far as it has them; what stands there tells how it is packed.
    pub(crate) fn from_file(path: &Path, mut file: File, bytes: Range<u64>) -> Result<Self, SourceError> {
        let open = |source| SourceError::Open { path: path.to_owned(), source };
        let length = file.metadata().map_err(open)?.len().min(bytes.end).saturating_sub(bytes.start);
        file.seek(SeekFrom::Start(bytes.start)).map_err(open)?;
        let compression = Compression::of(&head(path, &mut file)?);
        // Back to the beginning, so that the reads of a large plain file stay aligned.
        file.seek(SeekFrom::Start(bytes.start)).map_err(open)?;
        let part = file.take(bytes.end.saturating_sub(bytes.start));
        Self::unpack(path, compression, Raw::File(part), Some(length))
    }

    /// Reads from `reader`, packed or plain; `path` is only its name. What arrives is handed out at once, in
    /// whatever pieces the reader gives.
    ///
    /// # Errors
    /// The first bytes cannot be read.
    pub fn from_reader(
        path: impl AsRef<Path>,
        mut reader: impl Read + Send + 'static,
    ) -> Result<Self, SourceError> {
        let path = path.as_ref();
        let head = head(path, &mut reader)?;
        let compression = Compression::of(&head);
        Self::unpack(path, compression, Raw::Stream(Box::new(Cursor::new(head).chain(reader))), None)
    }

    fn unpack(
        path: &Path,
        compression: Compression,
        raw: Raw,
        length: Option<u64>,
    ) -> Result<Self, SourceError> {
        let live = matches!(raw, Raw::Stream(_));
        let counted = Counted { raw, read: 0 };
        let packed = |counted| BufReader::with_capacity(PACKED_BUFFER, counted);
        let unpacker = match compression {
            Compression::Plain => Unpacker::Plain(counted),
            Compression::Gzip => Unpacker::Gzip(Box::new(MultiGzDecoder::new(packed(counted)))),
            Compression::Zstandard => Unpacker::Zstandard(Box::new(
                zstd::Decoder::with_buffer(packed(counted))
                    .map_err(|source| SourceError::Open { path: path.to_owned(), source })?,
            )),
        };
        Ok(Self { path: path.to_owned(), length, live, unpacker })
    }

    /// The path it was opened by.
    pub fn path(&self) -> &Path {
        &self.path
    }
    /// How it is packed.
    pub fn compression(&self) -> Compression {
        match self.unpacker {
            Unpacker::Plain(_) => Compression::Plain,
            Unpacker::Gzip(_) => Compression::Gzip,
            Unpacker::Zstandard(_) => Compression::Zstandard,
        }
    }
    /// Length of the file when it was opened, in bytes as it lies there; none for a pipe.
    pub fn size_hint(&self) -> Option<u64> {
        self.length
    }
    /// Bytes of the file read so far, as it lies there. Against [`Input::size_hint`] this is the progress.
    pub fn position(&self) -> u64 {
        match &self.unpacker {
            Unpacker::Plain(counted) => counted.read,
            Unpacker::Gzip(decoder) => decoder.get_ref().get_ref().read,
            Unpacker::Zstandard(decoder) => decoder.get_ref().get_ref().read,
        }
    }
    /// What arrives must be handed out at once, since more may not come for hours.
    pub(crate) fn is_live(&self) -> bool {
        self.live
    }

    /// Reads unpacked bytes; 0 at the end.
    ///
    /// # Errors
    /// See [`SourceError`]. Whatever was handed out before is good.
    pub fn read(&mut self, into: &mut [u8]) -> Result<usize, SourceError> {
        loop {
            let read = match &mut self.unpacker {
                Unpacker::Plain(reader) => reader.read(into),
                Unpacker::Gzip(reader) => reader.read(into),
                Unpacker::Zstandard(reader) => reader.read(into),
            };
            match read {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.failure(error)),
                Ok(read) => return Ok(read),
            }
        }
    }

    fn failure(&self, source: io::Error) -> SourceError {
        let (path, at) = (self.path.clone(), self.position());
        let packed = self.compression() != Compression::Plain;
        match source.kind() {
            io::ErrorKind::UnexpectedEof if packed => SourceError::Truncated { path, at },
            // The system's own errors carry its number; what the unpackers say does not.
            _ if packed && source.raw_os_error().is_none() => SourceError::Damaged { path, at, source },
            _ => SourceError::Read { path, at, source },
        }
    }
}

fn head(path: &Path, reader: &mut impl Read) -> Result<Vec<u8>, SourceError> {
    let mut head = Vec::with_capacity(HEAD);
    match reader.by_ref().take(HEAD as u64).read_to_end(&mut head) {
        Ok(_) => Ok(head),
        Err(source) => Err(SourceError::Read { path: path.to_owned(), at: head.len() as u64, source }),
    }
}
