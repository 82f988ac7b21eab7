use super::*;
use std::os::unix::fs::symlink;
use uuid::Uuid;

fn record() -> Record {
    Record {
        command_id: CommandId(Uuid::from_u128(1)),
        kind: "test".parse().unwrap(),
        argv: vec!["true".to_owned()],
        cwd: "/".into(),
        env: BTreeMap::new(),
        timeout: Duration::from_secs(60),
        max_output: 1 << 20,
        checks: Vec::new(),
        boot: boot(),
    }
}

fn spool() -> (tempfile::TempDir, Spool) {
    let commands = tempfile::tempdir().unwrap();
    let spool = Spool::create(commands.path(), record()).unwrap();
    (commands, spool)
}

/// Everything from `offset` on: bytes, and gaps as their sizes.
fn all(spool: &Spool, mut offset: u64) -> (Vec<u8>, Vec<(u64, u64)>) {
    let (mut bytes, mut gaps) = (Vec::new(), Vec::new());
    loop {
        match spool.next(offset).unwrap() {
            Next::Bytes(piece) => {
                offset += piece.len() as u64;
                bytes.extend(piece);
            }
            Next::Gap(size) => {
                gaps.push((offset, size));
                offset += size;
            }
            Next::Nothing => return (bytes, gaps),
        }
    }
}

#[test]
fn what_is_written_is_read_from_any_offset() {
    let (_commands, spool) = spool();
    let mut writer = Writer::new(spool.folder(), 1 << 20);
    let written: Vec<u8> = (0..300_000u32).map(|n| (n % 251) as u8).collect();
    written.chunks(7_001).for_each(|piece| writer.write(piece));
    assert_eq!(writer.total(), 300_000);
    for offset in [0, 1, 65_535, 65_536, 131_072, 299_999, 300_000] {
        assert_eq!(all(&spool, offset as u64), (written[offset..].to_vec(), vec![]), "{offset}");
    }
}

#[test]
fn what_is_stored_makes_room_and_is_never_wanted_back() {
    let (_commands, spool) = spool();
    let mut writer = Writer::new(spool.folder(), 1 << 20);
    writer.write(&vec![b'a'; 2 << 20]);
    let kept = reader::end_of_output(spool.folder()).unwrap();
    assert_eq!((kept, writer.total()), (1 << 20, 2 << 20), "the limit is kept and the rest is counted");
    assert!(!spool.store(3 << 20).unwrap(), "more than was written cannot have been stored");
    assert!(spool.store(1 << 20).unwrap());
    assert!(!spool.store(1 << 19).unwrap(), "an older word does not take it back");
    assert_eq!(spool.stored(), 1 << 20);
    while reader::end_of_output(spool.folder()).unwrap() <= 1 << 20 {
        writer.write(b"x");
    }
    let (bytes, gaps) = all(&spool, 1 << 20);
    assert_eq!(bytes, b"x", "there is room again");
    assert!(gaps.len() == 1 && gaps[0].0 == 1 << 20, "one gap, from where the room ended: {gaps:?}");
    assert_eq!(writer.total(), (1 << 20) + gaps[0].1 + 1);
}

#[test]
fn a_full_disk_makes_a_gap_and_stops_nobody() {
    let (_commands, spool) = spool();
    let mut writer = Writer::new(spool.folder(), 1 << 20);
    // A device that takes nothing, in place of the first segment.
    let first = spool.folder().join(format!("out.{:020}", 0));
    symlink("/dev/full", &first).unwrap();
    writer.write(b"lost");
    fs::remove_file(first).unwrap();
    while reader::end_of_output(spool.folder()).unwrap() == 0 {
        writer.write(b"x");
    }
    let (bytes, gaps) = all(&spool, 0);
    assert_eq!(bytes, b"x");
    assert!(gaps.len() == 1 && gaps[0].0 == 0 && gaps[0].1 >= 4, "{gaps:?}");
    assert_eq!(writer.total(), gaps[0].1 + 1);
}

#[test]
fn a_record_without_a_beginning_was_never_begun() {
    let (_commands, spool) = spool();
    let lock = spool.lock().unwrap().expect("free");
    assert_eq!(spool.standing().unwrap(), Standing::Running, "its runner is there");
    drop(lock);
    assert_eq!(spool.standing().unwrap(), Standing::NeverBegun);
}

#[test]
fn one_whose_runner_is_gone_is_ended_with_its_program() {
    use std::os::unix::process::CommandExt;
    let (_commands, spool) = spool();
    spool.begin().unwrap();
    let mut program = std::process::Command::new("sleep").arg("600").process_group(0).spawn().unwrap();
    spool.started(ProcessId::of(program.id()).unwrap()).unwrap();
    let Standing::Ended(ending) = spool.standing().unwrap() else { panic!("it has ended") };
    assert!(ending.outcome == Outcome::Failed && !ending.interrupted);
    assert!(!program.wait().unwrap().success());
    assert_eq!(spool.standing().unwrap(), Standing::Ended(ending), "it stays as it ended");
}

#[test]
fn one_from_before_the_machine_started_was_interrupted() {
    let commands = tempfile::tempdir().unwrap();
    let spool =
        Spool::create(commands.path(), Record { boot: "an earlier one".to_owned(), ..record() }).unwrap();
    spool.begin().unwrap();
    Writer::new(spool.folder(), 1 << 20).write(b"half a line");
    let Standing::Ended(ending) = spool.standing().unwrap() else { panic!("it has ended") };
    assert!(ending.interrupted);
    assert_eq!(ending.output_bytes, 11);
}
