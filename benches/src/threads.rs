//! How many threads an operation may use.

/// Sets it for this process.
///
/// # Errors
/// If it is 0.
pub fn set(count: usize) -> Result<(), String> {
    if count == 0 {
        return Err("expected at least 1 thread, got 0".to_string());
    }
    wengert::set_num_threads(count);
    Ok(())
}
