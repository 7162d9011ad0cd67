//! What is replaced, and what is left beside it.

mod dead;

use super::*;
use dead::dead;

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_name_that_is_taken_is_neither_used_nor_removed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("map");
    let (_, first) = create_beside(&path, false).unwrap();
    // The next names that this process would take, as long as other tests don't take them first.
    let number: u64 = first.to_str().unwrap().rsplit(['-', '.']).nth(1).unwrap().parse().unwrap();
    for next in number + 1..number + 40 {
        fs::write(folder.path().join(format!("map.{}-{next}.part", std::process::id())), "stale").unwrap();
    }
    replace(&path, b"new").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"new");
    assert_eq!(names(folder.path()).len(), 41);
}

#[test]
fn only_what_a_dead_process_left_of_the_same_file_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("map");
    let (dead, alive) = (dead(), std::process::id());
    let removed = [format!("map.{dead}-0.part"), format!("map.{dead}-17.part")];
    let mut kept = vec![
        format!("map.{alive}-9999999.part"),
        format!("other.{dead}-0.part"),
        format!("map.{dead}-0.part.part"),
        format!("map.{dead}-.part"),
        format!("map.-{dead}.part"),
        format!("map.+{dead}-0.part"),
        format!("map.{dead}.part"),
        format!("map.{dead}-0"),
        format!("map{dead}-0.part"),
        format!("map.x.{dead}-0.part"),
        format!("map.{}-0.part", u64::MAX),
    ];
    for name in removed.iter().chain(&kept) {
        fs::write(folder.path().join(name), "half").unwrap();
    }
    let locked = format!("map.{dead}-1.part");
    fs::write(folder.path().join(&locked), "another machine's").unwrap();
    let holder = File::open(folder.path().join(&locked)).unwrap();
    holder.try_lock().unwrap();
    fs::create_dir(folder.path().join(format!("map.{dead}-2.part"))).unwrap();
    kept.extend([locked, format!("map.{dead}-2.part"), "map".to_string()]);
    kept.sort();
    replace(&path, b"new").unwrap();
    assert_eq!(names(folder.path()), kept);
    drop(holder);
    replace(&path, b"new").unwrap();
    assert_eq!(names(folder.path()).len(), kept.len() - 1);
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn a_file_that_is_replaced_hands_on_its_mode() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("map");
        for wanted in [0o600, 0o640, 0o666, 0o444, 0o755] {
            fs::write(&path, "old").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(wanted)).unwrap();
            replace(&path, b"new").unwrap();
            assert_eq!((fs::read(&path).unwrap(), mode(&path)), (b"new".to_vec(), wanted));
            fs::remove_file(&path).unwrap();
        }
        // A new one has that of any new file.
        let other = folder.path().join("other");
        fs::write(&other, "").unwrap();
        replace(&path, b"new").unwrap();
        assert_eq!(mode(&path), mode(&other));
    }

    #[test]
    fn what_lies_beside_a_private_file_is_private_from_the_start() {
        let folder = tempfile::tempdir().unwrap();
        let (file, _) = create_beside(&folder.path().join("map"), true).unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o077, 0);
    }

    #[test]
    fn a_link_stays_and_what_it_leads_to_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("inner");
        fs::create_dir(&inner).unwrap();
        let (target, link, second) = (inner.join("target"), folder.path().join("link"), inner.join("second"));
        symlink("inner/second", &link).unwrap();
        symlink("target", &second).unwrap();
        // There is nothing at its end yet, then something.
        for content in [b"first", b"newer"] {
            replace(&link, content).unwrap();
            assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
            assert!(fs::symlink_metadata(&second).unwrap().is_symlink());
            assert_eq!(fs::read(&target).unwrap(), content);
        }
        assert_eq!(names(folder.path()), ["inner", "link"]);
        assert_eq!(names(&inner), ["second", "target"]);
        // What was left beside the target goes, too.
        let left = inner.join(format!("target.{}-3.part", dead()));
        fs::write(&left, "half").unwrap();
        replace(&link, b"again").unwrap();
        assert!(!left.exists());
    }

    #[test]
    fn links_in_a_circle_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (a, b) = (folder.path().join("a"), folder.path().join("b"));
        symlink(&a, &b).unwrap();
        symlink(&b, &a).unwrap();
        assert!(replace(&a, b"new").unwrap_err().to_string().contains("symbolic links"));
        assert_eq!(names(folder.path()), ["a", "b"]);
    }

    #[test]
    fn a_path_without_a_folder_is_in_the_current_one() {
        assert_eq!(folder(Path::new("map")), Path::new("."));
        assert_eq!(fs::metadata(folder(Path::new("map"))).unwrap().ino(), fs::metadata(".").unwrap().ino());
    }
}
