//! A disk in memory that knows what has been made durable, fails when told, and remembers what was done to it.
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tollwatch_store::StorageBackend;

/// What was done to a disk, in order.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    Write(u64, Vec<u8>),
    SetLength(u64),
    Sync,
    /// The caller was told that its commit of this number is durable.
    Acknowledged(usize),
}

/// Which call a fault hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    Length,
    Read,
    Write,
    SetLength,
    Sync,
}

pub(crate) const CALLS: [Call; 5] = [Call::Length, Call::Read, Call::Write, Call::SetLength, Call::Sync];

#[derive(Debug, Default)]
struct Inner {
    /// What a read sees.
    seen: Vec<u8>,
    /// What a power cut leaves for certain.
    durable: Vec<u8>,
    /// What may or may not have reached the disk since the last sync.
    unsynced: Vec<Event>,
    trace: Vec<Event>,
    traced: bool,
    /// The call that fails, how many like it go well before, and how.
    fault: Option<(Call, usize, ErrorKind)>,
    room: Option<u64>,
    pub(crate) written: u64,
}

/// A handle on a disk. Clones are handles on the same one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Disk(Arc<Mutex<Inner>>);

/// Does a write or a change of the length to an image.
pub(crate) fn apply(image: &mut Vec<u8>, event: &Event) {
    match event {
        Event::Write(offset, data) => {
            let (start, end) = (*offset as usize, *offset as usize + data.len());
            if image.len() < end {
                image.resize(end, 0);
            }
            image[start..end].copy_from_slice(data);
        }
        Event::SetLength(length) => image.resize(*length as usize, 0),
        Event::Sync | Event::Acknowledged(_) => {}
    }
}

impl Disk {
    pub(crate) fn of(image: Vec<u8>) -> Self {
        Self(Arc::new(Mutex::new(Inner { durable: image.clone(), seen: image, ..Inner::default() })))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is on the disk if all that was written reached it.
    pub(crate) fn image(&self) -> Vec<u8> {
        self.inner().seen.clone()
    }

    /// What is on the disk after a power cut, if nothing unsynced reached it.
    pub(crate) fn durable(&self) -> Vec<u8> {
        self.inner().durable.clone()
    }

    pub(crate) fn written(&self) -> u64 {
        self.inner().written
    }

    /// From now on everything is remembered.
    pub(crate) fn trace(&self) {
        self.inner().traced = true;
    }

    pub(crate) fn traced(&self) -> Vec<Event> {
        self.inner().trace.clone()
    }

    pub(crate) fn acknowledge(&self, commit: usize) {
        self.inner().trace.push(Event::Acknowledged(commit));
    }

    /// The call that comes after `good` calls like it fails once.
    pub(crate) fn fail(&self, call: Call, good: usize, kind: ErrorKind) {
        self.inner().fault = Some((call, good, kind));
    }

    /// Takes a fault back; whether it was still to come.
    pub(crate) fn heal(&self) -> bool {
        self.inner().fault.take().is_some()
    }

    /// The disk holds so many bytes and no more.
    pub(crate) fn limit(&self, room: Option<u64>) {
        self.inner().room = room;
    }

    pub(crate) fn flip(&self, bit: usize) {
        let mut inner = self.inner();
        inner.seen[bit / 8] ^= 1 << (bit % 8);
        inner.durable[bit / 8] ^= 1 << (bit % 8);
    }
}

impl Inner {
    /// Fails if it is this call's turn.
    fn enter(&mut self, call: Call) -> io::Result<()> {
        let Some((at, good, kind)) = &mut self.fault else { return Ok(()) };
        if *at != call {
            return Ok(());
        }
        if *good > 0 {
            *good -= 1;
            return Ok(());
        }
        let kind = *kind;
        self.fault = None;
        if call == Call::Sync {
            // As Linux does it: what failed to be written counts as written, and is not tried again.
            self.unsynced.clear();
        }
        Err(kind.into())
    }

    fn room_for(&self, end: u64) -> io::Result<()> {
        match self.room {
            Some(room) if end > room => Err(ErrorKind::StorageFull.into()),
            _ => Ok(()),
        }
    }

    fn change(&mut self, event: Event) {
        apply(&mut self.seen, &event);
        if self.traced {
            self.trace.push(event.clone());
        }
        self.unsynced.push(event);
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        let mut inner = self.inner();
        inner.enter(Call::Length)?;
        Ok(inner.seen.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let mut inner = self.inner();
        inner.enter(Call::Read)?;
        let end = usize::try_from(offset).ok().and_then(|start| start.checked_add(out.len()));
        let found = end.and_then(|end| inner.seen.get(offset as usize..end));
        out.copy_from_slice(found.ok_or(ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        let mut inner = self.inner();
        inner.enter(Call::SetLength)?;
        inner.room_for(length)?;
        inner.change(Event::SetLength(length));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut inner = self.inner();
        inner.enter(Call::Sync)?;
        for event in std::mem::take(&mut inner.unsynced) {
            apply(&mut inner.durable, &event);
        }
        if inner.traced {
            inner.trace.push(Event::Sync);
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut inner = self.inner();
        inner.enter(Call::Write)?;
        inner.room_for(offset + data.len() as u64)?;
        inner.written += data.len() as u64;
        inner.change(Event::Write(offset, data.to_vec()));
        Ok(())
    }
}
