//! Memory for tests of kernels, with a page that nobody may touch right in front of it or right behind.

use std::ops::{Deref, DerefMut};

/// Elements that lie at a guard page where the system has such; elsewhere in a vector.
pub(crate) struct Guarded<T: Copy> {
    #[cfg(all(target_os = "linux", not(miri)))]
    pages: pages::Pages,
    #[cfg(all(target_os = "linux", not(miri)))]
    start: *mut T,
    #[cfg(not(all(target_os = "linux", not(miri))))]
    elements: Vec<T>,
    side: Side,
    #[cfg(all(target_os = "linux", not(miri)))]
    len: usize,
}

/// Where the guard page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Front,
    Behind,
}

/// Both.
pub(crate) const SIDES: [Side; 2] = [Side::Behind, Side::Front];

#[cfg(all(target_os = "linux", not(miri)))]
impl<T: Copy> Guarded<T> {
    /// A copy of these.
    pub(crate) fn of(elements: &[T], side: Side) -> Self {
        let (len, bytes) = (elements.len(), size_of_val(elements));
        let pages = pages::Pages::with_room(bytes);
        let start = pages.place(bytes, side).cast::<T>();
        // SAFETY: the pages have room for the elements there, and nobody else knows of them. The place is
        // aligned: at a page, or as many whole elements before one.
        unsafe { start.copy_from_nonoverlapping(elements.as_ptr(), len) };
        Guarded { pages, start, side, len }
    }
}

#[cfg(all(target_os = "linux", not(miri)))]
impl<T: Copy> Deref for Guarded<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        let _alive = &self.pages;
        // SAFETY: `of` wrote as many elements there, in pages that live as long as this.
        unsafe { std::slice::from_raw_parts(self.start, self.len) }
    }
}

#[cfg(all(target_os = "linux", not(miri)))]
impl<T: Copy> DerefMut for Guarded<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as for `deref`; `&mut self` makes the borrow exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.start, self.len) }
    }
}

#[cfg(not(all(target_os = "linux", not(miri))))]
impl<T: Copy> Guarded<T> {
    /// A copy of these.
    pub(crate) fn of(elements: &[T], side: Side) -> Self {
        Guarded { elements: elements.to_vec(), side }
    }
}

#[cfg(not(all(target_os = "linux", not(miri))))]
impl<T: Copy> Deref for Guarded<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.elements
    }
}

#[cfg(not(all(target_os = "linux", not(miri))))]
impl<T: Copy> DerefMut for Guarded<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.elements
    }
}

impl<T: Copy> Clone for Guarded<T> {
    fn clone(&self) -> Self {
        Guarded::of(self, self.side)
    }
}

#[cfg(all(target_os = "linux", not(miri)))]
mod pages {
    use super::Side;

    const PAGE: usize = 4096;

    /// Some pages between two that must not be touched.
    pub(crate) struct Pages {
        start: *mut u8,
        /// With the two.
        bytes: usize,
    }

    impl Pages {
        pub(crate) fn with_room(bytes: usize) -> Self {
            let bytes = bytes.next_multiple_of(PAGE).max(PAGE) + 2 * PAGE;
            let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
            // SAFETY: the system chooses where; nothing that is in use is replaced.
            let start = unsafe { libc::mmap(std::ptr::null_mut(), bytes, libc::PROT_NONE, kind, -1, 0) };
            assert!(start != libc::MAP_FAILED, "the system gives pages");
            let pages = Pages { start: start.cast(), bytes };
            // SAFETY: these pages lie inside what was just mapped.
            let opened = unsafe {
                let both = libc::PROT_READ | libc::PROT_WRITE;
                libc::mprotect(pages.start.add(PAGE).cast(), bytes - 2 * PAGE, both)
            };
            assert_eq!(opened, 0, "the system lets pages be used");
            pages
        }

        /// Where so many bytes begin that lie at the page on this side.
        pub(crate) fn place(&self, bytes: usize, side: Side) -> *mut u8 {
            let from = if side == Side::Front { PAGE } else { self.bytes - PAGE - bytes };
            // SAFETY: it lies inside the pages.
            unsafe { self.start.add(from) }
        }
    }

    impl Drop for Pages {
        fn drop(&mut self) {
            // SAFETY: these are the pages that were mapped, and nobody borrows from them any more.
            unsafe { libc::munmap(self.start.cast(), self.bytes) };
        }
    }
}

/// Runs the test `name` again, in a process for each lesser instruction set that this machine has.
pub(crate) fn at_lesser_levels(name: &str) {
    if std::env::var_os("WENGERT_SIMD").is_some() || cfg!(miri) {
        return;
    }
    let test = std::env::current_exe().expect("a test runs from a file");
    for level in ["avx2", "portable"] {
        let run = std::process::Command::new(&test)
            .args(["--exact", name, "--nocapture"])
            .env("WENGERT_SIMD", level)
            .output()
            .expect("a test can be started");
        let (out, err) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
        assert!(run.status.success() && out.contains("1 passed"), "{level}: {}\n{out}\n{err}", run.status);
    }
}

#[test]
#[cfg(all(target_os = "linux", not(miri)))]
fn the_byte_beyond_is_out_of_reach() {
    use std::os::unix::process::ExitStatusExt;
    const VARIABLE: &str = "WENGERT_TEST_TOUCHES";
    let memory = Guarded::of(&[1.0f32; 100], Side::Behind);
    match std::env::var(VARIABLE).as_deref() {
        // SAFETY: none, which is the point: the process is to end here.
        Ok("behind") => assert!(unsafe { memory.as_ptr().add(100).read_volatile() }.is_nan()),
        Ok(_) => {
            let front = Guarded::of(&[1.0f32; 100], Side::Front);
            // SAFETY: as above.
            assert!(unsafe { front.as_ptr().sub(1).read_volatile() }.is_nan());
        }
        Err(_) => {
            for touched in ["behind", "front"] {
                let run = std::process::Command::new(std::env::current_exe().unwrap())
                    .args(["--exact", "guarded::the_byte_beyond_is_out_of_reach"])
                    .env(VARIABLE, touched)
                    .output();
                assert_eq!(run.unwrap().status.signal(), Some(libc::SIGSEGV), "{touched}");
            }
        }
    }
}
