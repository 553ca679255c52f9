//! Bits that flip, and files that are not what they should be.
use crate::disk::Disk;
use crate::history::{History, Model, Numbers, read};
use std::collections::BTreeMap;
use tollwatch_store::{Changes, Damage, Store, StoreError};

const PARTS: redb::TableDefinition<&[u8], &[u8]> = redb::TableDefinition::new("parts");

/// A disk with some history, closed or as a killed process leaves it, and what it holds.
fn filled(commits: usize, closed: bool) -> (Vec<u8>, Model) {
    let disk = Disk::default();
    let mut store = Store::open_backend(disk.clone()).unwrap();
    let mut history = History::new(5);
    for _ in 0..commits {
        store.commit(&history.next()).unwrap();
    }
    let model = read(&mut store).unwrap();
    if !closed {
        return (disk.image(), model);
    }
    drop(store);
    (disk.durable(), model)
}

fn open_and_read(disk: Disk) -> Result<Model, StoreError> {
    Store::open_backend(disk).and_then(|mut store| read(&mut store))
}

/// The damage that is named, or `None` if nothing is wrong with the state.
fn damage_or_the_state(found: Result<Model, StoreError>, expected: &Model, what: &str) -> Option<Damage> {
    match found {
        Ok(found) => {
            assert!(found == *expected, "{what} gave another state");
            None
        }
        Err(StoreError::Damaged { damage, .. }) => Some(damage),
        // A format that does not exist yet, with a checksum that fits, takes more than one bit.
        Err(error) => panic!("{what}: {error:?}"),
    }
}

#[test]
fn a_flipped_bit_is_named_or_harmless_and_never_another_state() {
    for (seed, closed) in [(11, true), (13, false)] {
        let (image, model) = filled(60, closed);
        let mut numbers = Numbers(seed);
        let first_bytes = (0..1100).chain(4096..4096 + 400);
        let first_bits = first_bytes.flat_map(|byte| (0..8).map(move |bit| byte * 8 + bit));
        let bits = image.len() as u64 * 8;
        let anywhere = std::iter::repeat_with(|| numbers.below(bits) as usize).take(4000);
        let (mut named, mut older) = (0, 0);
        for bit in first_bits.chain(anywhere) {
            let disk = Disk::of(image.clone());
            disk.flip(bit);
            let found = open_and_read(disk.clone());
            let first = damage_or_the_state(found, &model, &format!("bit {bit}"));
            named += usize::from(first.is_some());
            older += usize::from(matches!(first, Some(Damage::Older { .. })));
            // Nor when it is tried once more, by an operator who does not read messages.
            let second = damage_or_the_state(open_and_read(disk), &model, &format!("bit {bit}, second time"));
            assert_eq!(first.is_some(), second.is_some(), "bit {bit}: {first:?}, then {second:?}");
        }
        assert!(named > 500, "only {named} were found");
        // The one bit that says which of two states is the last. What is closed holds the last one twice.
        assert_eq!(older, usize::from(!closed));
    }
}

#[test]
fn a_bit_that_flips_under_a_running_store_is_named_or_written_over() {
    let mut numbers = Numbers(12);
    let (mut named, mut harmless) = (0, 0);
    for round in 0..400 {
        let disk = Disk::default();
        let mut history = History::new(round);
        let mut model = Model::default();
        let mut store = Store::open_backend(disk.clone()).unwrap();
        // Most of the state does not change.
        let mut first = Changes::default();
        for key in 0..400_u32 {
            first.parts.insert(key.to_be_bytes().to_vec(), Some(numbers.bytes(500)));
        }
        store.commit(&first).unwrap();
        model.commit(&first);
        for step in 0..6 {
            if step == 2 {
                disk.flip(numbers.below(disk.image().len() as u64 * 8) as usize);
            }
            let changes = history.next();
            store.commit(&changes).unwrap();
            model.commit(&changes);
        }
        drop(store);
        match damage_or_the_state(open_and_read(disk), &model, &format!("round {round}")) {
            Some(_) => named += 1,
            None => harmless += 1,
        }
    }
    assert!(named > 50 && harmless > 50, "{named} named, {harmless} harmless");
}

#[test]
fn a_value_that_rotted_is_named_with_its_table_and_key() {
    let (image, _) = filled(0, true);
    let disk = Disk::of(image);
    let mut store = Store::open_backend(disk.clone()).unwrap();
    let mut changes = Changes::default();
    changes.parts.insert(b"extension \x1b204".to_vec(), Some(b"forty-two calls".to_vec()));
    changes.parts.insert(b"extension 205".to_vec(), Some(vec![7; 10]));
    store.commit(&changes).unwrap();
    drop(store);
    // It rots between the check of the page and the next change of its neighbour, which gives the page a new
    // checksum: as if the library had been handed it so.
    let mut image = disk.image();
    through_the_library(&mut image, |transaction| {
        let mut table = transaction.open_table(PARTS).unwrap();
        let mut value = table.get_mut(b"extension \x1b204".as_slice()).unwrap().unwrap();
        let mut rotted = value.value().to_vec();
        rotted[0] ^= 1;
        value.insert(rotted.as_slice()).unwrap();
    });
    let error = open_and_read(Disk::of(image)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the disk is damaged: in table parts, what stands under \"extension \\x1b204\" does not agree with its \
         checksum; restore it from a backup, or move it away to start anew"
    );
}

/// Changes what is stored, with the checksums of the pages made anew.
fn through_the_library(image: &mut Vec<u8>, change: impl FnOnce(&redb::WriteTransaction)) {
    let body = Disk::of(image.split_off(4096));
    let database = redb::Database::builder().create_with_backend(body.clone()).unwrap();
    let transaction = database.begin_write().unwrap();
    change(&transaction);
    transaction.commit().unwrap();
    drop(database);
    image.extend(body.image());
}

/// Bytes that call themselves bytes and are sorted the other way round.
#[derive(Debug)]
struct Backwards;

impl redb::Value for Backwards {
    type SelfType<'a> = &'a [u8];
    type AsBytes<'a> = &'a [u8];

    fn fixed_width() -> Option<usize> {
        None
    }

    fn from_bytes<'a>(data: &'a [u8]) -> &'a [u8]
    where
        Self: 'a,
    {
        data
    }

    fn as_bytes<'a, 'b: 'a>(value: &'a &'b [u8]) -> &'a [u8] {
        value
    }

    fn type_name() -> redb::TypeName {
        <&[u8] as redb::Value>::type_name()
    }
}

impl redb::Key for Backwards {
    fn compare(one: &[u8], other: &[u8]) -> std::cmp::Ordering {
        other.cmp(one)
    }
}

#[test]
fn a_key_that_stands_where_it_is_not_looked_for_is_named() {
    let disk = Disk::default();
    let mut store = Store::open_backend(disk.clone()).unwrap();
    let mut changes = Changes::default();
    changes.parts.insert(b"204".to_vec(), Some(b"forty-two calls".to_vec()));
    changes.parts.insert(b"205".to_vec(), Some(Vec::new()));
    store.commit(&changes).unwrap();
    drop(store);
    let mut image = disk.image();
    through_the_library(&mut image, |transaction| {
        let mut entries = Vec::new();
        let mut sorted = transaction.open_table(PARTS).unwrap();
        while let Some((key, value)) = sorted.pop_first().unwrap() {
            entries.push((key.value().to_vec(), value.value().to_vec()));
        }
        drop(sorted);
        let backwards: redb::TableDefinition<Backwards, &[u8]> = redb::TableDefinition::new("parts");
        let mut backwards = transaction.open_table(backwards).unwrap();
        for (key, value) in entries {
            backwards.insert(key.as_slice(), value.as_slice()).unwrap();
        }
    });
    let error = open_and_read(Disk::of(image)).unwrap_err();
    let named = Damage::Order { table: "parts", key: "204".to_owned() };
    assert!(matches!(&error, StoreError::Damaged { damage, .. } if *damage == named), "{error:?}");
}

#[test]
fn an_older_state_in_place_of_the_last_one_is_named() {
    let disk = Disk::default();
    let mut store = Store::open_backend(disk.clone()).unwrap();
    let mut history = History::new(9);
    store.commit(&history.next()).unwrap();
    let older = disk.image();
    store.commit(&history.next()).unwrap();
    drop(store);
    let mut mixed = disk.image();
    mixed.truncate(4096);
    mixed.extend(&older[4096..]);
    let error = open_and_read(Disk::of(mixed)).unwrap_err();
    assert!(
        matches!(error, StoreError::Damaged { damage: Damage::Older { found: 1, acknowledged: 2 }, .. }),
        "{error:?}"
    );
}

#[test]
fn a_file_that_lost_its_end_or_its_beginning_is_damaged_and_never_empty() {
    let (image, _) = filled(20, true);
    let mut lengths: Vec<_> = (0..image.len()).step_by(1777).collect();
    lengths.extend([1, 511, 512, 4095, 4096, 4097, 8192, image.len() - 1]);
    for length in lengths.into_iter().filter(|length| *length > 0) {
        let error = open_and_read(Disk::of(image[..length].to_vec())).unwrap_err();
        assert!(matches!(error, StoreError::Damaged { .. }), "{length} bytes: {error:?}");
        let mut zeroed = image.clone();
        zeroed[..length].fill(0);
        let error = open_and_read(Disk::of(zeroed)).unwrap_err();
        assert!(matches!(error, StoreError::Damaged { .. }), "{length} zeros: {error:?}");
    }
    // Only the first page is left, and the rest is zeros.
    let mut zeroed = image.clone();
    zeroed[4096..].fill(0);
    assert!(matches!(open_and_read(Disk::of(zeroed)), Err(StoreError::Damaged { .. })));
}

#[test]
fn a_newer_format_is_refused_and_left_as_it_is() {
    let (mut image, _) = filled(3, true);
    image[16..20].copy_from_slice(&2_u32.to_le_bytes());
    let checksum = crc32c::crc32c(&image[..20]);
    image[20..24].copy_from_slice(&checksum.to_le_bytes());
    let disk = Disk::of(image.clone());
    let error = open_and_read(disk.clone()).unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 2, known: 1, .. }), "{error:?}");
    assert_eq!(disk.image(), image);
    assert_eq!(disk.written(), 0);
}

#[test]
fn what_is_shown_is_sorted_and_complete_for_many_keys() {
    let disk = Disk::default();
    let mut store = Store::open_backend(disk.clone()).unwrap();
    let parts: BTreeMap<_, _> = (0..20_000_u32)
        .map(|number| (number.wrapping_mul(2_654_435_761).to_le_bytes().to_vec(), Some(vec![3; 30])))
        .collect();
    store.commit(&Changes { parts: parts.clone(), ..Changes::default() }).unwrap();
    drop(store);
    let mut shown = Vec::new();
    Store::open_backend(disk).unwrap().load(|key, _| shown.push(key.to_vec())).unwrap();
    assert!(shown.iter().eq(parts.keys()));
}
