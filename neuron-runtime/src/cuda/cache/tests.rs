use super::*;

const IMAGE: &[u8] = b"\x7fELF and what follows";

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

fn entry(folder: &tempfile::TempDir) -> Entry {
    Entry::new(folder.path(), "NVRTC 13.0\n--fmad=false\nsource".to_owned())
}

/// An entry that was written, and its bytes.
fn written(folder: &tempfile::TempDir) -> (Entry, Vec<u8>) {
    let entry = entry(folder);
    entry.write(IMAGE).expect("a folder that can be written");
    let bytes = std::fs::read(&entry.place).expect("an entry");
    (entry, bytes)
}

#[test]
fn what_was_written_is_read() {
    let folder = folder();
    let (entry, _) = written(&folder);
    assert_eq!(entry.read().as_deref(), Some(IMAGE));
    entry.write(b"\x7fELF of a later compiler").expect("a folder that can be written");
    assert_eq!(entry.read().as_deref(), Some(&b"\x7fELF of a later compiler"[..]));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left behind");
}

#[test]
fn an_entry_cut_anywhere_is_missing_and_replaced() {
    let folder = folder();
    let (entry, bytes) = written(&folder);
    for length in 0..bytes.len() {
        std::fs::write(&entry.place, &bytes[..length]).unwrap();
        assert_eq!(entry.read(), None, "{length} of {} bytes", bytes.len());
    }
    std::fs::write(&entry.place, [&bytes[..], &[0]].concat()).unwrap();
    assert_eq!(entry.read(), None, "a byte more");
    entry.write(IMAGE).unwrap();
    assert_eq!(entry.read().as_deref(), Some(IMAGE));
}

#[test]
fn an_entry_damaged_anywhere_is_missing() {
    let folder = folder();
    let (entry, bytes) = written(&folder);
    for place in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[place] ^= 0x10;
        std::fs::write(&entry.place, damaged).unwrap();
        assert_eq!(entry.read(), None, "byte {place}");
    }
}

/// As if the hash of two keys were the same.
#[test]
fn an_entry_of_something_else_is_missing() {
    let folder = folder();
    let (entry, _) = written(&folder);
    for key in ["NVRTC 13.1\n--fmad=false\nsource", "NVRTC 13.0\n--fmad=false\nsource and more"] {
        let other = Entry { key: key.to_owned(), place: entry.place.clone() };
        assert_eq!(other.read(), None);
    }
    let other = Entry::new(folder.path(), "NVRTC 13.0\n--fmad=true\nsource".to_owned());
    assert_ne!(other.place, entry.place);
}

#[test]
fn a_folder_that_cannot_be_made_is_an_error_and_nothing_is_read() {
    let folder = folder();
    let file = folder.path().join("file");
    std::fs::write(&file, []).unwrap();
    let entry = Entry::new(&file.join("neurons"), "key".to_owned());
    entry.write(IMAGE).expect_err("a folder in a file");
    assert_eq!(entry.read(), None);
}

/// Writers of one entry, with images of their own, and a reader that never sees a part of one or of two.
#[test]
fn readers_see_whole_entries() {
    let folder = folder();
    let images: [Vec<u8>; 2] = [vec![1; 100_000], vec![2; 70_000]];
    entry(&folder).write(&images[0]).unwrap();
    std::thread::scope(|threads| {
        let writers: Vec<_> = images
            .iter()
            .map(|image| {
                let entry = entry(&folder);
                threads.spawn(move || (0..50).for_each(|_| entry.write(image).expect("a write")))
            })
            .collect();
        let entry = entry(&folder);
        while !writers.iter().all(std::thread::ScopedJoinHandle::is_finished) {
            let image = entry.read().expect("an entry that verifies");
            assert!(images.contains(&image));
        }
    });
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left behind");
}

#[cfg(target_os = "linux")]
#[test]
fn others_can_neither_read_nor_write() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = folder();
    let directory = folder.path().join("cache/neurons");
    let entry = Entry::new(&directory, "key".to_owned());
    entry.write(IMAGE).unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&directory), mode(&entry.place)), (0o700, 0o600));

    // Written by others, perhaps.
    std::fs::set_permissions(&entry.place, PermissionsExt::from_mode(0o666)).unwrap();
    assert_eq!(entry.read(), None);

    // A link is not followed, but replaced.
    let elsewhere = folder.path().join("elsewhere");
    std::fs::rename(&entry.place, &elsewhere).unwrap();
    std::fs::set_permissions(&elsewhere, PermissionsExt::from_mode(0o600)).unwrap();
    symlink(&elsewhere, &entry.place).unwrap();
    assert_eq!(entry.read(), None);
    let before = std::fs::read(&elsewhere).unwrap();
    entry.write(b"\x7fELF").unwrap();
    assert_eq!(std::fs::read(&elsewhere).unwrap(), before);
    assert_eq!(entry.read().as_deref(), Some(&b"\x7fELF"[..]));
}

#[cfg(unix)]
#[test]
fn empty_and_relative_variables_are_no_places() {
    let place = |variables: &[(&str, &str)]| {
        let variable = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value))
        };
        directory(&variable)
    };
    let home = ("HOME", "/home/me");
    assert_eq!(place(&[]), None);
    assert_eq!(place(&[home]), Some("/home/me/.cache/neurons".into()));
    assert_eq!(place(&[home, ("XDG_CACHE_HOME", "/cache")]), Some("/cache/neurons".into()));
    assert_eq!(place(&[home, ("XDG_CACHE_HOME", "")]), Some("/home/me/.cache/neurons".into()));
    assert_eq!(place(&[home, ("XDG_CACHE_HOME", "cache")]), Some("/home/me/.cache/neurons".into()));
    assert_eq!(place(&[("HOME", "")]), None);
    assert_eq!(place(&[("HOME", "me")]), None);
    assert_eq!(place(&[home, ("NEURON_CACHE", "/kernels")]), Some("/kernels".into()));
    assert_eq!(place(&[home, ("NEURON_CACHE", "")]), Some("/home/me/.cache/neurons".into()));
    let current = std::env::current_dir().unwrap();
    assert_eq!(place(&[home, ("NEURON_CACHE", "kernels")]), Some(current.join("kernels")));
}
