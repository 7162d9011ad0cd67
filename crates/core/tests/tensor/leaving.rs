//! What happens where there is hardly any memory left.

const MIB: usize = 1 << 20;

/// Runs `work` while there is memory for so many mebibytes, in a process whose memory is limited.
pub fn leaving<R>(mebibytes: usize, work: impl FnOnce() -> R) -> R {
    let mut held: Vec<Vec<u8>> = Vec::with_capacity(1 << 16);
    let more = || {
        let mut part = Vec::new();
        part.try_reserve_exact(MIB).is_ok().then_some(part)
    };
    held.extend(std::iter::from_fn(more));
    assert!(held.len() >= mebibytes, "of {mebibytes} mebibytes there are {}", held.len());
    held.truncate(held.len() - mebibytes);
    work()
}
