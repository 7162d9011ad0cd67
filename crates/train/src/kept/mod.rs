//! All that a run keeps, as one list that is saved and loaded.

mod part;

#[cfg(feature = "safetensors")]
use std::path::Path;

use wengert_core::__private::or_refused;
use wengert_core::{Error, Float, Generator, Result, Stateful, TensorMap};
use wengert_nn::{Module, State};
use wengert_optim::Optimizer;
use wengert_optim::schedule::Schedule;

use part::{Carried, Count, Of, OfModule, OfOptimizer, OfSchedule, Own, Part, Threads};

const RESTORE: &str = "Kept::restore";

/// Under which name the state of the thread's generator stands.
const GENERATOR: &str = "generator";

/// The parts of a run, borrowed by name: saved together, and loaded all or none.
///
/// Write the list once, in a function of the run, and it serves both ways. The state of this thread's
/// generator is always among the parts, as `generator`. In the map an entry of a part stands as
/// `PART.ENTRY`.
///
/// Refused on loading, by an error that names the part and what differs: parts that are missing or were
/// not asked for, a module, an optimizer or a schedule of another kind, a module of other
/// [settings](Module::settings), another value of [`Kept::same`], and whatever a part's own loading refuses.
/// Then every part is as it was. The options of an optimizer and what a schedule has learnt from what it
/// observed are taken over; the numbers that a schedule was declared with have to be the same.
///
/// Not told apart are what no type, shape, setting or number says: a field behind `keep` in a module of one's
/// own that has no settings, the function of a [`LambdaLr`](wengert_optim::schedule::LambdaLr) or a
/// [`MultiplicativeLr`](wengert_optim::schedule::MultiplicativeLr), a dataset. They are kept by a text that
/// says them, `same("warm-up", "1 / (1 + step)")`, a fingerprint.
///
/// ```
/// use wengert_core::TensorMap;
/// use wengert_nn::{Linear, Module};
/// use wengert_optim::Adam;
/// use wengert_train::{Kept, Mean, Metric};
///
/// struct Run { model: Linear, adam: Adam, loss: Mean, step: usize }
/// impl Run {
///     fn new() -> wengert_core::Result<Self> {
///         let model = Linear::new(2, 1)?;
///         Ok(Run { adam: Adam::new(model.parameters(), 0.1)?, model, loss: Mean::new(), step: 0 })
///     }
///     fn kept(&mut self) -> Kept<'_> {
///         Kept::new()
///             .module("model", &self.model)
///             .optimizer("adam", &mut self.adam)
///             .part("loss", &mut self.loss)
///             .count("step", &mut self.step)
///             .same("data", "the first thousand")
///     }
/// }
/// let mut run = Run::new()?;
/// (run.step, _) = (7, run.loss.add(0.5, 1.0)?);
/// let bytes = run.kept().to_map()?.to_bytes()?;
///
/// let mut later = Run::new()?;
/// later.kept().restore(&TensorMap::from_bytes(&bytes)?)?;
/// assert_eq!((later.step, later.loss.value()), (7, 0.5));
/// assert_eq!(later.model.weight.to_vec(), run.model.weight.to_vec());
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "BackupAndRestore")]
#[derive(Default)]
pub struct Kept<'a> {
    parts: Vec<(String, Box<dyn Part + 'a>)>,
}

impl<'a> Kept<'a> {
    /// A list of this thread's generator alone.
    pub fn new() -> Self {
        Kept::default().with(GENERATOR, Threads)
    }

    fn with(mut self, name: &str, part: impl Part + 'a) -> Self {
        self.parts.push((name.to_string(), Box::new(part)));
        self
    }

    /// Adds the parameters and buffers of a module. When it is loaded, the module and those in it have to be
    /// of the same types, and of the same [settings](Module::settings) as far as those were saved.
    ///
    /// ```
    /// use wengert_nn::{Linear, Nonlinearity, Relu, Rnn, Sequential, Tanh};
    /// use wengert_train::Kept;
    /// let (tanh, relu) = (Sequential::new((Linear::new(1, 1)?, Tanh::new())), Relu::new());
    /// let saved = Kept::new().module("model", &tanh).to_map()?;
    /// let other = Sequential::new((Linear::new(1, 1)?, relu));
    /// let error = Kept::new().module("model", &other).restore(&saved).unwrap_err();
    /// assert_eq!(error.to_string(), "part `model`: is Sequential of 0: Linear, 1: Relu here, \
    ///     and Sequential of 0: Linear, 1: Tanh in the checkpoint");
    ///
    /// let rnn = |f| Rnn::builder(2, 3).nonlinearity(f).build();
    /// let (tanh, relu) = (rnn(Nonlinearity::Tanh)?, rnn(Nonlinearity::Relu)?);
    /// let saved = Kept::new().module("rnn", &tanh).to_map()?;
    /// let error = Kept::new().module("rnn", &relu).restore(&saved).unwrap_err();
    /// assert_eq!(error.to_string(), "part `rnn`: settings: RNN(2, 3, nonlinearity=relu) here, \
    ///     and RNN(2, 3) in the checkpoint");
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[must_use]
    pub fn module<M: Module + ?Sized>(self, name: &str, module: &'a M) -> Self {
        self.with(name, OfModule(module))
    }

    /// Adds the options and states of an optimizer, which has to be of the same kind when it is loaded.
    #[must_use]
    pub fn optimizer<T: Float, O: Optimizer<T> + ?Sized>(self, name: &str, optimizer: &'a mut O) -> Self {
        self.with(name, OfOptimizer(optimizer, std::marker::PhantomData))
    }

    /// Adds a schedule. When it is loaded, it has to be of the same kind and declared with the same numbers
    /// ([`Schedule::settings`]); what it learns from what it observes is taken over.
    #[must_use]
    pub fn schedule<S: Schedule + ?Sized>(self, name: &str, schedule: &'a mut S) -> Self {
        self.with(name, OfSchedule(schedule))
    }

    /// Adds a generator of one's own.
    #[must_use]
    pub fn generator(self, name: &str, generator: &'a mut Generator) -> Self {
        self.with(name, Own(generator))
    }

    /// Adds a recurrent state that is carried on; when it is loaded, `state` has to be of the same shapes.
    #[must_use]
    pub fn state<S: State>(self, name: &str, state: &'a mut S) -> Self {
        self.with(name, Carried(state))
    }

    /// Adds whatever is [`Stateful`]: a metric, a loader's position, an
    /// [`EarlyStopping`](crate::EarlyStopping).
    #[must_use]
    pub fn part<S: Stateful + ?Sized>(self, name: &str, part: &'a mut S) -> Self {
        self.with(name, Of(part))
    }

    /// Adds a number that counts, such as the steps done, below 2^53.
    #[must_use]
    pub fn count(self, name: &str, count: &'a mut usize) -> Self {
        self.with(name, Count(count))
    }

    /// Adds a text that has to be the same when it is loaded: what a dataset is known by, a setting.
    #[must_use]
    pub fn same(self, name: &str, text: impl ToString) -> Self {
        self.with(name, part::Same(text.to_string()))
    }

    /// All parts in one map.
    ///
    /// # Errors
    /// If a name is empty, has a point in it, or stands for two parts; if there is no memory for what a part
    /// saves.
    pub fn to_map(&self) -> Result<TensorMap> {
        self.check_names()?;
        or_refused("Kept::to_map", || {
            let mut map = TensorMap::new();
            for (name, part) in &self.parts {
                let saved = part.save();
                map.insert_all(&format!("{name}."), &saved);
                saved.notes().for_each(|(key, text)| map.set_note(format!("{name}.{key}"), text));
                map.set_note(kind_key(name), part.kind());
            }
            Ok(map)
        })
    }

    /// Loads all parts from a map that [`Kept::to_map`] gave, or none.
    ///
    /// # Errors
    /// [`Error::File`] names the part that refused and what differs, or [`Error::Memory`] if there is none to
    /// keep what the parts are meanwhile; then nothing has changed.
    ///
    /// ```
    /// use wengert_nn::Linear;
    /// use wengert_train::Kept;
    /// let saved = Kept::new().module("model", &Linear::new(2, 1)?).to_map()?;
    /// let error = Kept::new().module("model", &Linear::new(3, 1)?).restore(&saved).unwrap_err();
    /// assert_eq!(error.to_string(), "part `model`: the values do not fit, nothing was changed
    ///   of another shape: weight expected [1, 3], got [1, 2]");
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub fn restore(&mut self, map: &TensorMap) -> Result<()> {
        self.check_names()?;
        self.check_parts(map)?;
        let saved = || Ok(self.parts.iter().map(|(_, part)| part.save()).collect());
        let before: Vec<TensorMap> = or_refused(RESTORE, saved)?;
        for at in 0..self.parts.len() {
            let (name, part) = &mut self.parts[at];
            let saved = own(map, name);
            let loaded = or_refused(RESTORE, || part.check(&saved).and_then(|()| part.load(&saved)));
            if let Err(error) = loaded {
                let refusal = Error::of_file(part_of(name).as_ref(), error);
                return Err(self.put_back(&before[..at], refusal));
            }
        }
        Ok(())
    }

    /// Loads the parts before one that refused from what they were.
    fn put_back(&mut self, before: &[TensorMap], refusal: Error) -> Error {
        for ((name, part), saved) in self.parts.iter_mut().zip(before).rev() {
            if let Err(error) = or_refused(RESTORE, || part.load(saved)) {
                let reason = format!("{refusal}; and `{name}` could not be put back: {error}");
                return Error::file("checkpoint".as_ref(), reason);
            }
        }
        refusal
    }

    /// Writes all parts to one file, beside `path` and then renamed.
    ///
    /// # Errors
    /// If it can't be written, or a name is no name; then what was at `path` is untouched.
    #[cfg(feature = "safetensors")]
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        self.to_map()?.save(path)
    }

    /// Loads all parts from a file, or none.
    ///
    /// # Errors
    /// If the file can't be read or is damaged, or [`Kept::restore`] refuses what it holds; then nothing has
    /// changed.
    #[cfg(feature = "safetensors")]
    pub fn load(&mut self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        self.restore(&TensorMap::load(path)?).map_err(|error| Error::of_file(path, error))
    }

    fn check_names(&self) -> Result<()> {
        for (at, (name, _)) in self.parts.iter().enumerate() {
            if name.is_empty() || name.contains('.') {
                let expected = "a name without a point";
                return Err(Error::argument("Kept", "a part's name", expected, format!("{name:?}")));
            }
            if self.parts[..at].iter().any(|(other, _)| other == name) {
                return Err(Error::argument(
                    "Kept",
                    "a part's name",
                    "given once",
                    format!("`{name}` twice"),
                ));
            }
        }
        Ok(())
    }

    /// Refuses a map of other parts, or of parts of another kind.
    fn check_parts(&self, map: &TensorMap) -> Result<()> {
        let saved: Vec<&str> = map.notes().filter_map(|(key, _)| key.strip_suffix(KIND)).collect();
        let own = |name: &str| self.parts.iter().any(|(own, _)| own == name);
        let names = self.parts.iter().map(|(name, _)| name.as_str());
        let missing: Vec<String> = names.filter(|name| !saved.contains(name)).map(part_of).collect();
        let others = saved.iter().copied().filter(|name| !own(name)).map(part_of);
        let is_stray = |entry: &&str| part_in(entry).is_none_or(|part| !saved.contains(&part));
        let stray = map.names().filter(is_stray).map(str::to_string);
        let unexpected: Vec<String> = others.chain(stray).collect();
        if !(missing.is_empty() && unexpected.is_empty()) {
            return Err(Error::Mismatch { missing, unexpected, misshapen: Vec::new() });
        }
        for (name, part) in &self.parts {
            let (kind, saved) = (part.kind(), map.note(&kind_key(name)).unwrap_or_default());
            if !part.accepts(saved) {
                let reason = format!("is {kind} here, and {saved} in the checkpoint");
                return Err(Error::file(part_of(name).as_ref(), reason));
            }
        }
        Ok(())
    }
}

/// Behind a part's name, the key of the note that says what kind it is.
const KIND: &str = ".kind of part";

fn kind_key(name: &str) -> String {
    format!("{name}{KIND}")
}

fn part_of(name: &str) -> String {
    format!("part `{name}`")
}

/// The name of the part that an entry is of.
fn part_in(entry: &str) -> Option<&str> {
    entry.split_once('.').map(|(part, _)| part)
}

/// The entries and notes of a part.
fn own(map: &TensorMap, name: &str) -> TensorMap {
    let prefix = format!("{name}.");
    let mut own = map.prefixed(&prefix);
    for (key, text) in map.notes().filter(|(key, _)| !key.ends_with(KIND)) {
        key.strip_prefix(&prefix).into_iter().for_each(|key| own.set_note(key, text));
    }
    own
}
