//! What a training step asks of the system allocator once it has run some times.
#![allow(unsafe_code, reason = "an allocator is an unsafe trait; this one counts and passes on")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use wengert::{recorded_nodes, set_num_threads};
use wengert_bench::workloads;

/// Bytes above which an allocation counts as a large one.
const LARGE: usize = 4096;

struct Counting;

static LARGE_ONES: AtomicUsize = AtomicUsize::new(0);
static SMALL_ONES: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let counter = if layout.size() > LARGE { &LARGE_ONES } else { &SMALL_ONES };
        counter.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Large allocations, small ones and recorded operations of the first run that `holds`, or of the last of
/// some: in any of them a helper may take a part of some product for the first time, and needs memory to
/// pack it in.
fn of_a_run(run: &mut dyn FnMut(), holds: impl Fn([usize; 3]) -> bool) -> [usize; 3] {
    run();
    let mut counts = counted(run);
    for _ in 0..6 {
        if holds(counts) {
            break;
        }
        counts = counted(run);
    }
    counts
}

fn counted(run: &mut dyn FnMut()) -> [usize; 3] {
    let now = || {
        [LARGE_ONES.load(Ordering::Relaxed), SMALL_ONES.load(Ordering::Relaxed), recorded_nodes() as usize]
    };
    let before = now();
    run();
    let after = now();
    std::array::from_fn(|i| after[i] - before[i])
}

/// How many large allocations a run may make: none, but over a thousand steps, whose inputs and outputs are
/// listed.
fn allowed(name: &str) -> usize {
    if name == "S6" { 10 } else { 0 }
}

/// The one test of this program, since it counts for the whole process.
#[test]
fn a_training_step_allocates_next_to_nothing() {
    for threads in [1, 2] {
        set_num_threads(threads);
        for name in ["S1", "S2", "S3", "S4", "S5", "S6", "S7"] {
            for mut workload in workloads::of(name).unwrap() {
                let few = |[large, small, operations]: [usize; 3]| {
                    large <= allowed(name) && (workload.variant == "f" || small < 2 * operations)
                };
                let [large, small, operations] = of_a_run(&mut workload.run, few);
                let what = format!("{name} {}, {threads} threads", workload.variant);
                assert!(large <= allowed(name), "{what}: {large} allocations over {LARGE} bytes");
                if workload.variant == "f" {
                    assert_eq!(operations, 0, "{what} records");
                } else {
                    assert!(operations > 8, "{what}: {operations} operations");
                    assert!(small < 2 * operations, "{what}: {small} small ones, {operations} operations");
                }
            }
        }
    }
}
