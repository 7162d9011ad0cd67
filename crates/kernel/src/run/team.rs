//! Threads that share the loops of one operation.
//!
//! A step of a recurrence is a matter of microseconds, and handing work to a sleeping thread takes longer
//! than that. So helpers wait spinning for a while after a job, because within a sequence the next one
//! follows at once, and sleep only then. A job is cut into parts, which whoever is free takes one by one;
//! the caller takes them too and never waits for a helper that has not come. How many parts there are
//! depends on the number of threads and on whether helpers are awake, but no sum is cut where they are, so
//! the result is the same for any number of threads.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use crate::run::panics::{Payload, discard};

/// Work of fewer nanoseconds than this is not cut.
const LEAST_NANOSECONDS: usize = 3_000;
/// [`LEAST_NANOSECONDS`], or 1 while some thread [shares all](share_all).
static LEAST: AtomicUsize = AtomicUsize::new(LEAST_NANOSECONDS);
/// Work of fewer nanoseconds than this does not wake a helper that sleeps.
const WAKES: usize = 40_000;
/// How many parts a thread gets at most: some, so that one that comes late finds something left to do.
const PARTS: usize = 4;
/// How long a helper waits spinning for the next job.
const LINGER: Duration = Duration::from_micros(400);
/// Looks at the board before a waiting thread lets others run.
const LOOKS: usize = 2_000;

/// What is done for each part of a job.
type Work<'w> = &'w (dyn Fn(usize) + Sync + 'w);

/// What everybody sees of the job at hand.
struct Board {
    /// The job's number, the next part to take, the number of parts.
    ticket: AtomicU64,
    work: AtomicPtr<Work<'static>>,
    done: AtomicUsize,
    /// The first panic of the job's parts, which its caller goes on with.
    panic: Mutex<Option<Payload>>,
    /// How many helpers have been started.
    helpers: AtomicUsize,
    asleep: Mutex<()>,
    sleepers: AtomicUsize,
    wake: Condvar,
    /// Held by the caller whose job this is.
    turn: Mutex<()>,
}

/// The bits of a ticket for a part's number, and for the number of parts.
const BITS: u32 = 12;
const MASK: u64 = (1 << BITS) - 1;

static BOARD: Board = Board {
    ticket: AtomicU64::new(0),
    work: AtomicPtr::new(std::ptr::null_mut()),
    done: AtomicUsize::new(0),
    panic: Mutex::new(None),
    helpers: AtomicUsize::new(0),
    asleep: Mutex::new(()),
    sleepers: AtomicUsize::new(0),
    wake: Condvar::new(),
    turn: Mutex::new(()),
};

/// The number asked for; 0 before anybody asked.
static THREADS: AtomicUsize = AtomicUsize::new(0);

/// How many threads an operation may use (`torch.get_num_threads`): what [`set_num_threads`] or else the
/// environment variable `WENGERT_NUM_THREADS` says, or as many as the machine runs at once.
pub fn num_threads() -> usize {
    match THREADS.load(Ordering::Relaxed) {
        0 => first_num_threads(),
        threads => threads,
    }
}

#[cold]
fn first_num_threads() -> usize {
    let asked = std::env::var("WENGERT_NUM_THREADS").ok().and_then(|text| text.parse().ok());
    let threads = asked.filter(|&asked| asked > 0);
    let threads =
        threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, std::num::NonZero::get));
    set_num_threads(threads);
    num_threads()
}

/// Sets how many threads an operation may use, in the whole process (`torch.set_num_threads`). Long loops
/// and large products are cut into parts; results are the same, bit for bit, for any number.
///
/// Of several threads that compute at the same time, one has the helpers; the others go on alone.
///
/// # Panics
/// If `threads` is 0.
///
/// ```
/// use wengert_core::{num_threads, set_num_threads};
/// set_num_threads(2);
/// assert_eq!(num_threads(), 2);
/// ```
pub fn set_num_threads(threads: usize) {
    assert!(threads > 0, "set_num_threads: expected at least 1 thread, got 0");
    THREADS.store(threads.min(MASK as usize / PARTS), Ordering::Relaxed);
}

/// How many parts work of about `nanoseconds` is worth now.
#[inline]
pub fn parts_worth(nanoseconds: usize) -> usize {
    if nanoseconds < 2 * LEAST.load(Ordering::Relaxed) { 1 } else { parts_of_long(nanoseconds) }
}

fn parts_of_long(nanoseconds: usize) -> usize {
    let threads = num_threads();
    let least = LEAST.load(Ordering::Relaxed);
    let idle = BOARD.helpers.load(Ordering::Relaxed) == BOARD.sleepers.load(Ordering::Relaxed);
    if threads == 1 || (idle && least > 1 && nanoseconds < WAKES) {
        return 1;
    }
    cut(nanoseconds / least, threads)
}

/// Runs `f` while all threads of the process cut whatever can be cut, however short; gives its result and how
/// many jobs were shared meanwhile. A test of small values sees so what several threads do. It takes longer.
///
/// ```
/// use wengert_kernel::run::team::{parts_worth, set_num_threads, share, share_all};
/// set_num_threads(2);
/// let (parts, jobs) = share_all(|| {
///     let parts = parts_worth(10);
///     share(parts, |_| ());
///     parts
/// });
/// assert!(parts > 1 && jobs > 0 && parts_worth(10) == 1);
/// ```
pub fn share_all<R>(f: impl FnOnce() -> R) -> (R, u64) {
    /// How many threads are inside.
    static INSIDE: AtomicUsize = AtomicUsize::new(0);
    struct Leave;
    impl Drop for Leave {
        fn drop(&mut self) {
            if INSIDE.fetch_sub(1, Ordering::Relaxed) == 1 {
                LEAST.store(LEAST_NANOSECONDS, Ordering::Relaxed);
            }
        }
    }
    INSIDE.fetch_add(1, Ordering::Relaxed);
    let _leave = Leave;
    LEAST.store(1, Ordering::Relaxed);
    let jobs = || BOARD.ticket.load(Ordering::Relaxed) >> (2 * BITS);
    let before = jobs();
    let result = f();
    (result, jobs() - before)
}

/// As many parts for each thread, unless the work is too short even for one, which is `most`.
fn cut(most: usize, threads: usize) -> usize {
    if most < threads { most } else { threads * (most / threads).min(PARTS) }
}

/// Calls `work` with each number below `parts`, on this thread and those of the team. Where several threads
/// shared it, all parts are done before the first panic of one of them goes on.
pub fn share(parts: usize, work: impl Fn(usize) + Sync) {
    let Some(turn) = (if parts > 1 { turn() } else { None }) else {
        return (0..parts).for_each(work);
    };
    let panic = BOARD.share(parts, &work);
    drop(turn);
    if let Some(panic) = panic {
        resume_unwind(panic);
    }
}

/// The right to the helpers, unless another caller has it.
fn turn() -> Option<MutexGuard<'static, ()>> {
    match BOARD.turn.try_lock() {
        Ok(turn) => Some(turn),
        Err(TryLockError::Poisoned(turn)) => Some(turn.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

/// `total * part / parts`, also where the product is too large for a number.
#[inline(always)]
pub fn share_of(total: usize, part: usize, parts: usize) -> usize {
    match total.checked_mul(part) {
        Some(product) => product / parts,
        None => (total as u128 * part as u128 / parts as u128) as usize,
    }
}

/// The `part`-th of `parts` nearly equal ranges of `total`.
#[inline]
pub fn range(part: usize, parts: usize, total: usize) -> std::ops::Range<usize> {
    let start = |part: usize| share_of(total, part, parts);
    start(part)..start(part + 1)
}

fn lock<V>(mutex: &Mutex<V>) -> MutexGuard<'_, V> {
    // What is behind these locks is sound after a panic elsewhere.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Board {
    /// One job, by the caller whose turn it is; gives the first panic. It must not unwind itself while
    /// helpers see `work`.
    fn share(&'static self, parts: usize, work: Work<'_>) -> Option<Payload> {
        assert!(parts as u64 <= MASK, "a job of at most {MASK} parts, got {parts}");
        self.hire();
        // The helpers see `work` until all parts are done, which is waited for here.
        self.work.store(std::ptr::from_ref(&work).cast_mut().cast(), Ordering::Relaxed);
        self.done.store(0, Ordering::Relaxed);
        let number = (self.ticket.load(Ordering::Relaxed) >> (2 * BITS)).wrapping_add(1);
        self.ticket.store(number << (2 * BITS) | parts as u64, Ordering::Release);
        if self.sleepers.load(Ordering::Relaxed) > 0 {
            drop(lock(&self.asleep));
            self.wake.notify_all();
        }
        self.take_parts();
        let mut looks = 0;
        while self.done.load(Ordering::Acquire) < parts {
            wait(&mut looks);
        }
        lock(&self.panic).take()
    }

    /// Takes parts of the job at hand as long as there are any; gives how many it took. It does not unwind,
    /// whatever users' code does.
    fn take_parts(&self) -> usize {
        let mut taken = 0;
        while let Some(part) = self.take() {
            // SAFETY: the job's caller does not go on before this part is done, so its work is still there.
            let work = unsafe { *self.work.load(Ordering::Relaxed) };
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| work(part))) {
                self.keep_first(panic);
            }
            self.done.fetch_add(1, Ordering::Release);
            taken += 1;
        }
        taken
    }

    #[cold]
    fn keep_first(&self, panic: Payload) {
        let mut first = lock(&self.panic);
        if first.is_none() {
            *first = Some(panic);
        } else {
            drop(first);
            discard(panic);
        }
    }

    /// The number of a part that nobody else takes. The ticket names the job, so a thread that was held up
    /// takes none of another.
    fn take(&self) -> Option<usize> {
        let mut ticket = self.ticket.load(Ordering::Acquire);
        loop {
            let (next, parts) = (ticket >> BITS & MASK, ticket & MASK);
            if next >= parts {
                return None;
            }
            let taken = ticket + (1 << BITS);
            match self.ticket.compare_exchange_weak(ticket, taken, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Some(next as usize),
                Err(now) => ticket = now,
            }
        }
    }

    /// As many helpers as are wanted.
    fn hire(&'static self) {
        let helpers = self.helpers.load(Ordering::Relaxed);
        for place in helpers..num_threads() - 1 {
            let thread = std::thread::Builder::new().name(format!("wengert-{}", place + 1));
            if thread.spawn(move || self.help(place)).is_err() {
                // Without it the others do its share.
                return;
            }
            self.helpers.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The life of the helper at `place`.
    fn help(&self, place: usize) {
        let (mut since, mut looks) = (Instant::now(), 0);
        loop {
            let ticket = self.ticket.load(Ordering::Relaxed);
            if place + 1 < num_threads() && self.take_parts() > 0 {
                (since, looks) = (Instant::now(), 0);
                continue;
            }
            wait(&mut looks);
            if looks.is_multiple_of(64) && since.elapsed() > LINGER {
                self.sleep(ticket);
                (since, looks) = (Instant::now(), 0);
            }
        }
    }

    /// Sleeps until there is another job than that of `ticket`.
    fn sleep(&self, ticket: u64) {
        let job = |ticket: u64| ticket >> (2 * BITS);
        let mut asleep = lock(&self.asleep);
        self.sleepers.fetch_add(1, Ordering::Relaxed);
        while job(self.ticket.load(Ordering::Relaxed)) == job(ticket) {
            asleep = self.wake.wait(asleep).unwrap_or_else(PoisonError::into_inner);
        }
        self.sleepers.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A moment's wait, that lets others run if it has taken long.
#[inline]
fn wait(looks: &mut usize) {
    *looks += 1;
    if *looks < LOOKS { std::hint::spin_loop() } else { std::thread::yield_now() }
}

#[cfg(test)]
mod tests;
