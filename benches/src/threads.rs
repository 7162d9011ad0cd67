//! How many threads an operation may use.

/// Sets it for this process.
///
/// # Errors
/// If that number is not available.
pub fn set(count: usize) -> Result<(), String> {
    match count {
        1 => Ok(()),
        _ => Err(format!("{count} threads: operations run on one thread, more are not there yet")),
    }
}
