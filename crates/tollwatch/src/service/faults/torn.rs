//! The service is cut off in the middle of a write, at each in turn, and the disk has a part of that one.
use super::disk::Disk;
use super::house::{House, Told, assert_same, pieces, undisturbed};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tollwatch_store::StorageBackend;

const SECTOR: u64 = 512;

/// A disk that is cut off in its `left + 1`th write.
#[derive(Debug, Clone)]
struct Torn {
    disk: Disk,
    left: Arc<AtomicUsize>,
    is_cut: Arc<AtomicBool>,
}

impl Torn {
    fn lives(&self) -> io::Result<()> {
        if self.is_cut.load(Ordering::SeqCst) { Err(io::ErrorKind::NotConnected.into()) } else { Ok(()) }
    }
}

impl StorageBackend for Torn {
    fn len(&self) -> io::Result<u64> {
        self.lives()?;
        self.disk.len()
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.lives()?;
        self.disk.read(offset, out)
    }
    fn set_len(&self, length: u64) -> io::Result<()> {
        self.lives()?;
        self.disk.set_len(length)
    }
    fn sync_data(&self) -> io::Result<()> {
        self.lives()?;
        self.disk.sync_data()
    }
    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.lives()?;
        let left = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if left.is_ok() {
            return self.disk.write(offset, data);
        }
        self.is_cut.store(true, Ordering::SeqCst);
        // Up to some sector in the middle of it.
        let middle = (offset + data.len() as u64 / 2) / SECTOR * SECTOR;
        let done = middle.saturating_sub(offset) as usize;
        self.disk.write(offset, &data[..done])?;
        self.lives()
    }
}

/// Cuts the service off in its `good + 1`th write, and starts it again. `false` if there were not so many.
fn cut(pieces: &[Vec<u8>], expected: &Told, good: usize) -> bool {
    let disk = Disk::default();
    let mut house = House::new();
    drop(house.start(disk.clone()).unwrap());
    let torn = Torn { disk, left: Arc::new(AtomicUsize::new(good)), is_cut: Arc::default() };
    let is_cut = || torn.is_cut.load(Ordering::SeqCst);
    let mut rest = pieces;
    if let Ok(mut runner) = house.start(torn.clone()) {
        while let [piece, after @ ..] = rest {
            rest = after;
            house.append(piece);
            // Until nothing comes any more, or it is cut off: then it is not given one more turn.
            for _ in 0..12 {
                if is_cut() || house.turn(&mut runner).unwrap() == super::super::runner::Then::End {
                    break;
                }
            }
            if is_cut() {
                break;
            }
        }
    }
    let was_cut = is_cut();
    // A process that is killed leaves everything that it wrote, a power cut what was synced.
    let image = if good.is_multiple_of(2) { torn.disk.image() } else { torn.disk.durable() };
    let mut runner = house.start(Disk::of(image)).unwrap();
    house.settle(&mut runner);
    for piece in rest {
        house.append(piece);
        house.settle(&mut runner);
    }
    assert_same(&house.told(), expected, &format!("cut off in write {good}"));
    was_cut
}

#[test]
fn a_service_cut_off_in_any_write_tells_people_the_same_after_its_next_start() {
    let pieces = pieces(3);
    let expected = undisturbed(&pieces).pop().unwrap();
    let mut cuts = 0;
    while cut(&pieces, &expected, cuts) {
        cuts += 1;
    }
    assert!(cuts > 50, "only {cuts} writes");
}
