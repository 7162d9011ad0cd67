//! The pages that memory consists of.

/// Bytes from which on large pages are asked for: some of them fit in.
const MANY_BYTES: usize = 4 << 20;

/// Asks the system for large pages (2 MiB on x86-64) under memory that nobody has touched yet, if it is
/// many of the usual ones.
///
/// A step back through a long sequence reads tens of megabytes once. With pages of 4 KiB there are more of
/// them than the processor remembers, and it stops fetching ahead at the end of each. Where the system has
/// no such pages, nothing happens.
pub(crate) fn ask_for_large(start: *mut u8, bytes: usize) {
    #[cfg(all(target_os = "linux", not(miri)))]
    if bytes >= MANY_BYTES {
        const PAGE: usize = 4096;
        let skipped = start.addr().next_multiple_of(PAGE) - start.addr();
        let whole = (bytes - skipped) / PAGE * PAGE;
        // SAFETY: the range lies inside the caller's memory, and the advice changes no contents. It may be
        // refused.
        unsafe { libc::madvise(start.add(skipped).cast(), whole, libc::MADV_HUGEPAGE) };
    }
    #[cfg(not(all(target_os = "linux", not(miri))))]
    let _ = (start, bytes, MANY_BYTES);
}
