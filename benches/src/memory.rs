//! What the process holds in memory, in MiB, where the system tells (Linux).

/// The resident set now.
pub fn resident() -> Option<f64> {
    status("VmRSS")
}

/// The largest resident set since the process began, or since [`reset_peak`].
pub fn peak() -> Option<f64> {
    status("VmHWM")
}

/// Starts the peak anew from what is resident now; where that is not possible it stays.
pub fn reset_peak() {
    // The system may forbid it, and then the peak is that of the whole process: still true where each is
    // measured in its own.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

fn status(name: &str) -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    line.split_whitespace().next()?.parse::<f64>().ok().map(|kib| kib / 1024.0)
}
