//! Module paths: where in a model an operation was recorded.

use std::cell::Cell;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

thread_local!(static CURRENT: Cell<u32> = const { Cell::new(0) });

/// A module inside another one.
struct Path {
    /// The number of the other one.
    outer: u32,
    name: Arc<str>,
    /// The modules inside it, by name, with their numbers; none once there are many.
    inside: Vec<(Arc<str>, u32)>,
    /// Those, once there are many.
    table: HashMap<Arc<str>, u32, BuildHasherDefault<NameHasher>>,
}

/// All paths entered so far; a node holds a path's number, its place here. The first one is outside all
/// modules.
static PATHS: Mutex<Vec<Path>> = Mutex::new(Vec::new());

/// Modules that are found sooner one after the other than in a table.
const FEW_SCOPES: usize = 16;

impl Path {
    fn new(outer: u32, name: Arc<str>) -> Self {
        Path { outer, name, inside: Vec::new(), table: HashMap::default() }
    }

    #[inline]
    fn known(&self, name: &str) -> Option<u32> {
        let few = self.inside.iter().find(|(known, _)| **known == *name).map(|(_, number)| *number);
        few.or_else(|| self.table.get(name).copied())
    }

    fn enter(&mut self, name: Arc<str>, number: u32) {
        self.inside.push((name, number));
        if self.inside.len() > FEW_SCOPES || !self.table.is_empty() {
            self.table.extend(self.inside.drain(..));
        }
    }
}

/// Names are short and no adversary's: eight bytes at once, spread.
#[derive(Default)]
struct NameHasher(u64);

impl NameHasher {
    #[inline]
    fn mix(&mut self, word: u64) {
        // The upper half of the product, too: what differs in the last letters alone must differ in the low
        // bits.
        let product = u128::from(self.0 ^ word) * 0x9E37_79B9_7F4A_7C15;
        self.0 = product as u64 ^ (product >> 64) as u64;
    }
}

impl Hasher for NameHasher {
    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }

    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        words.iter().for_each(|word| self.mix(u64::from_le_bytes(*word)));
        self.mix(rest.iter().fold(rest.len() as u64, |word, byte| word << 8 | u64::from(*byte)));
    }

    #[inline]
    fn write_u8(&mut self, _: u8) {
        // What ends a string says nothing of it.
    }
}

fn paths<R>(f: impl FnOnce(&mut Vec<Path>) -> R) -> R {
    f(&mut PATHS.lock().unwrap_or_else(PoisonError::into_inner))
}

/// A stay inside a module; what is recorded while it lives is there.
pub struct Restore(u32);

impl Drop for Restore {
    fn drop(&mut self) {
        CURRENT.set(self.0);
    }
}

/// Runs `f` with `name` appended to the module path that recorded operations carry.
///
/// ```
/// use wengert_core::{scope, Tape, Tensor, Variable};
/// let x = Variable::new(Tensor::from([1.0f32])).requires_grad_(true);
/// let y = scope("head", || scope("gate", || x.tanh()));
/// assert_eq!(Tape::of(&y).entries().last().unwrap().path, "head.gate");
/// ```
pub fn scope<R>(name: &str, f: impl FnOnce() -> R) -> R {
    let _restore = enter(name);
    f()
}

/// [`scope`] until the result is dropped.
pub fn enter(name: &str) -> Restore {
    let number = number(CURRENT.get(), name);
    Restore(CURRENT.replace(number))
}

/// The number of `name` inside a path.
fn number(outer: u32, name: &str) -> u32 {
    paths(|paths| {
        let known = paths.get(outer as usize).and_then(|outer| outer.known(name));
        known.unwrap_or_else(|| begin(paths, outer, name))
    })
}

#[cold]
fn begin(paths: &mut Vec<Path>, outer: u32, name: &str) -> u32 {
    if paths.is_empty() {
        paths.push(Path::new(0, Arc::from("")));
    }
    let (number, name) = (paths.len() as u32, Arc::<str>::from(name));
    paths[outer as usize].enter(Arc::clone(&name), number);
    paths.push(Path::new(outer, name));
    number
}

#[inline]
pub(crate) fn current() -> u32 {
    CURRENT.get()
}

/// The path as errors end a place: behind ` in `, empty outside a module.
pub(crate) fn place(number: u32) -> String {
    match path(number) {
        path if path.is_empty() => path,
        path => format!(" in {path}"),
    }
}

/// The names of a path, from the outermost on.
pub(crate) fn path(number: u32) -> String {
    let mut names = Vec::new();
    paths(|paths| {
        let mut number = number;
        while number != 0 {
            let Path { outer, name, .. } = &paths[number as usize];
            names.push(Arc::clone(name));
            number = *outer;
        }
    });
    names.reverse();
    names.join(".")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_path_keeps_its_number_and_its_names() {
        let names: Vec<String> = (0..300).map(|i| format!("scope test {i}")).collect();
        let inside = |outer: u32| names.iter().map(|name| number(outer, name)).collect::<Vec<_>>();
        let outermost = inside(0);
        let deeper = inside(outermost[7]);
        assert_eq!((inside(0), inside(outermost[7])), (outermost.clone(), deeper.clone()));
        let mut all = [outermost.clone(), deeper.clone()].concat();
        all.sort_unstable();
        all.dedup();
        assert!(all.len() == 600 && all[0] > 0, "0 is outside all modules");
        assert_eq!((path(0), path(outermost[7])), (String::new(), "scope test 7".to_string()));
        assert_eq!(path(deeper[11]), "scope test 7.scope test 11");
    }

    #[test]
    fn names_that_are_counted_have_places_of_their_own_in_a_table() {
        use std::hash::BuildHasher;
        let hasher = BuildHasherDefault::<NameHasher>::default();
        for before in ["", "layer", "block ", "encoder.layers.", "a name longer than two words of it "] {
            // A table takes a name's place from the low bits of its hash, and compares the highest seven
            // first.
            let places = (0..4096).map(|i| hasher.hash_one(format!("{before}{i}")));
            let (low, high): (HashSet<u64>, HashSet<u64>) =
                places.map(|hash| (hash % 4096, hash >> 57)).unzip();
            assert!(low.len() > 2300 && high.len() > 120, "{before}: {} places, {}", low.len(), high.len());
        }
    }
}
