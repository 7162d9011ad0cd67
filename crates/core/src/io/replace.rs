//! Files that are replaced whole.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{Error, ErrorKind, Result, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Puts `bytes` in the place of the file at `path`, by way of one beside it.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let path = &followed(path)?;
    let permissions = match fs::metadata(path) {
        Ok(old) if old.is_file() => Some(old.permissions()),
        Ok(_) => return Err(Error::other("is not a regular file")),
        Err(_) => None,
    };
    remove_left(path);
    let (mut file, beside) = create_beside(path, permissions.is_some())?;
    let written = permissions
        .map_or(Ok(()), |permissions| file.set_permissions(permissions))
        .and_then(|()| file.write_all(bytes))
        .and_then(|()| file.sync_all());
    // Where it may be, it stays open, and with that locked, until it has its name.
    #[cfg(not(unix))]
    drop(file);
    written.and_then(|()| fs::rename(&beside, path)).inspect_err(|_| {
        // Nothing is left behind; if even that fails, the first error is the one to tell.
        let _ = fs::remove_file(&beside);
    })?;
    sync_folder(path);
    Ok(())
}

/// The file's path that the links at `path` lead to, whether there is a file or not.
fn followed(path: &Path) -> Result<PathBuf> {
    const LINKS: usize = 40;
    let mut at = path.to_path_buf();
    for _ in 0..LINKS {
        match fs::read_link(&at) {
            Ok(next) => at = at.parent().unwrap_or(Path::new("")).join(next),
            Err(_) => {
                file_name(&at)?;
                return Ok(at);
            }
        }
    }
    Err(Error::other(format!("more than {LINKS} symbolic links")))
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Has the new name survive a loss of power. The file is there by now, so nothing that fails here is an
/// error.
fn sync_folder(path: &Path) {
    if cfg!(unix) {
        let _ = File::open(folder(path)).and_then(|folder| folder.sync_all());
    }
}

fn file_name(path: &Path) -> Result<&OsStr> {
    path.file_name().ok_or_else(|| Error::other("the path names no file"))
}

/// A new file in the same folder, locked while it is open; its name is nobody else's, neither another
/// thread's nor left over from a crash. Nobody else may read it before it has the permissions of the one
/// that it replaces.
fn create_beside(path: &Path, replaces: bool) -> Result<(File, PathBuf)> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let name = file_name(path)?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    if replaces {
        private(&mut options);
    }
    loop {
        let mut name = name.to_os_string();
        name.push(format!(".{}-{}.part", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
        let beside = path.with_file_name(name);
        match options.open(&beside) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
            Ok(file) => {
                // Says that its process lives to those who don't see it. Not every file system has locks.
                let _ = file.try_lock();
                return Ok((file, beside));
            }
        }
    }
}

#[cfg(unix)]
fn private(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(0o600);
}

#[cfg(not(unix))]
fn private(_: &mut OpenOptions) {}

/// Removes what processes that died while they saved to `path` left beside it. It is no error if that
/// fails.
fn remove_left(path: &Path) {
    if let Some(name) = path.file_name() {
        remove_left_in(folder(path), |other| other == name.as_encoded_bytes());
    }
}

/// Removes what processes that died while they saved left in a folder of files whose names `is_one`, in
/// bytes, knows: for those who save under ever new names. It is no error if that fails.
pub fn remove_left_in(folder: &Path, is_one: impl Fn(&[u8]) -> bool) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let left = |(name, process)| is_one(name) && !is_running(process);
        let left = part(entry.file_name().as_encoded_bytes()).is_some_and(left);
        // A process elsewhere that shares the folder is not seen, but holds its lock.
        if left && entry.file_type().is_ok_and(|kind| kind.is_file()) && !is_locked(&entry.path()) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// The name of the file beside which `entry` is, and the process that it belongs to, if it has such a name as
/// [`create_beside`] gives.
fn part(entry: &[u8]) -> Option<(&[u8], u32)> {
    let rest = entry.strip_suffix(b".part")?;
    let dot = rest.iter().rposition(|&byte| byte == b'.')?;
    let (process, number) = std::str::from_utf8(&rest[dot + 1..]).ok()?.split_once('-')?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(process) || !digits(number) {
        return None;
    }
    Some((&rest[..dot], process.parse().ok()?))
}

/// Whether there is such a process; where the system does not show them, only its lock tells.
fn is_running(process: u32) -> bool {
    process == std::process::id() || Path::new("/proc").join(process.to_string()).exists()
}

/// Whether a file is locked, or can't be asked.
fn is_locked(path: &Path) -> bool {
    let file = OpenOptions::new().write(true).open(path);
    !file.is_ok_and(|file| file.try_lock().is_ok())
}

#[cfg(test)]
mod tests;
