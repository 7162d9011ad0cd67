//! What a part of a run can be.

use std::marker::PhantomData;

use wengert_core::{
    AnyTensor, Error, Float, Generator, GeneratorState, Result, StateReader, Stateful, Tensor, TensorMap,
    generator_state, set_generator_state,
};
use wengert_nn::__private::{settings_of, types_of};
use wengert_nn::{Module, Persist, State};
use wengert_optim::Optimizer;
use wengert_optim::schedule::Schedule;

use crate::state::numbers;

pub(super) trait Part {
    /// What kind of thing it is: only the same is loaded.
    fn kind(&self) -> String;

    /// Whether a part that was saved as of this kind may be loaded.
    fn accepts(&self, saved: &str) -> bool {
        self.kind() == saved
    }

    fn save(&self) -> TensorMap;

    /// Refuses what loading would take over though it says that something is another.
    fn check(&self, _: &TensorMap) -> Result<()> {
        Ok(())
    }

    /// Nothing has changed if it refuses.
    fn load(&mut self, map: &TensorMap) -> Result<()>;
}

pub(super) struct OfModule<'a, M: ?Sized>(pub &'a M);

impl<M: Module + ?Sized> Part for OfModule<'_, M> {
    /// The types of the module and of those in it.
    fn kind(&self) -> String {
        types_of(self.0)
    }

    /// Modules were saved without their types before.
    fn accepts(&self, saved: &str) -> bool {
        saved == "a module" || self.kind() == saved
    }

    fn save(&self) -> TensorMap {
        let mut map = self.0.state_dict();
        for (path, settings) in settings_of(self.0) {
            map.set_note(path + SETTINGS, settings);
        }
        map
    }

    /// What was saved without settings, as all modules were before, has the same ones.
    fn check(&self, map: &TensorMap) -> Result<()> {
        for (path, own) in settings_of(self.0) {
            let path = path + SETTINGS;
            match map.note(&path) {
                Some(saved) if saved != own => {
                    let reason = format!("{own} here, and {saved} in the checkpoint");
                    return Err(Error::file(path.trim_start_matches('.').as_ref(), reason));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn load(&mut self, map: &TensorMap) -> Result<()> {
        self.0.load_state_dict(map)
    }
}

/// Behind a module's path, the key of the note that has its settings.
const SETTINGS: &str = ".settings";

pub(super) struct OfOptimizer<'a, O: ?Sized, T>(pub &'a mut O, pub PhantomData<T>);

impl<T: Float, O: Optimizer<T> + ?Sized> Part for OfOptimizer<'_, O, T> {
    fn kind(&self) -> String {
        without_paths(self.0.type_name())
    }

    fn save(&self) -> TensorMap {
        self.0.state_dict()
    }

    fn load(&mut self, map: &TensorMap) -> Result<()> {
        self.0.load_state_dict(map)
    }
}

/// A type's name without the paths of modules, which say nothing of what it is.
fn without_paths(name: &str) -> String {
    let mut short = String::new();
    for piece in name.split_inclusive(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')) {
        short += piece.rsplit("::").next().unwrap_or(piece);
    }
    short
}

pub(super) struct OfSchedule<'a, S: ?Sized>(pub &'a mut S);

impl<S: Schedule + ?Sized> OfSchedule<'_, S> {
    /// Whether the rate depends on what was observed, so that its numbers change in a run.
    fn observes(&self) -> bool {
        let mut other = self.0.boxed();
        [1.0, 2.0].into_iter().for_each(|metric| other.observe(metric));
        let (seen, own) = (other.state_dict(), self.0.state_dict());
        seen.names().chain(own.names()).any(|name| !same(seen.get(name), own.get(name)))
    }
}

impl<S: Schedule + ?Sized> Part for OfSchedule<'_, S> {
    /// The names of the schedule and of those that it is made of, as it prints them.
    fn kind(&self) -> String {
        let text = self.0.to_string();
        let heads = text.split('(').map(|head| head.rsplit(|c: char| !c.is_alphanumeric()).next());
        let heads: Vec<&str> = heads.flatten().filter(|head| !head.is_empty()).collect();
        match heads[..] {
            [] => text,
            _ => heads.join(" of "),
        }
    }

    fn save(&self) -> TensorMap {
        self.0.state_dict()
    }

    fn check(&self, map: &TensorMap) -> Result<()> {
        let own = self.0.settings();
        // One that learns and does not say so has no settings that are known.
        let is_known = self.0.depends_on_metric() || !self.observes();
        let differs = |name: &&str| map.get(name).is_some_and(|saved| !same(own.get(name), Some(saved)));
        let Some(name) = own.names().find(differs).filter(|_| is_known) else { return Ok(()) };
        let show = |map: &TensorMap| match map.get(name).map(AnyTensor::cast::<f64>) {
            Some(value) => value.to_vec().iter().map(f64::to_string).collect::<Vec<_>>().join(" "),
            None => String::new(),
        };
        let expected = format!("the same ({name} is {} here)", show(&own));
        Err(Error::argument("schedule", "its numbers", expected, format!("{name} {}", show(map))))
    }

    fn load(&mut self, map: &TensorMap) -> Result<()> {
        self.0.load_state_dict(map)
    }
}

/// Whether entries are the same, where NaN is NaN.
fn same(a: Option<&AnyTensor>, b: Option<&AnyTensor>) -> bool {
    let bits =
        |entry: &AnyTensor| entry.cast::<f64>().to_vec().into_iter().map(f64::to_bits).collect::<Vec<_>>();
    a.map(bits) == b.map(bits)
}

const STATE: &str = "state";

fn saved_state(state: &GeneratorState) -> TensorMap {
    let mut map = TensorMap::new();
    map.insert(STATE, AnyTensor::Bytes(state.to_bytes().to_vec()));
    map
}

/// The generator of this thread.
pub(super) struct Threads;

impl Part for Threads {
    fn kind(&self) -> String {
        "a generator".to_string()
    }

    fn save(&self) -> TensorMap {
        saved_state(&generator_state())
    }

    fn load(&mut self, map: &TensorMap) -> Result<()> {
        set_generator_state(&GeneratorState::from_bytes(map.bytes(STATE)?)?);
        Ok(())
    }
}

pub(super) struct Own<'a>(pub &'a mut Generator);

impl Part for Own<'_> {
    fn kind(&self) -> String {
        "a generator".to_string()
    }

    fn save(&self) -> TensorMap {
        saved_state(&self.0.state())
    }

    fn load(&mut self, map: &TensorMap) -> Result<()> {
        *self.0 = Generator::restore(&GeneratorState::from_bytes(map.bytes(STATE)?)?);
        Ok(())
    }
}

pub(super) struct Carried<'a, S>(pub &'a mut S);

impl<S: State> Part for Carried<'_, S> {
    fn kind(&self) -> String {
        "a carried state".to_string()
    }

    fn save(&self) -> TensorMap {
        let mut map = TensorMap::new();
        for (i, part) in self.0.variables().iter().enumerate() {
            map.insert(i.to_string(), part.value());
        }
        map
    }

    fn load(&mut self, map: &TensorMap) -> Result<()> {
        let own = self.save();
        let name = |i: &usize| map.get(&i.to_string()).is_none();
        let missing: Vec<String> = (0..own.len()).filter(name).map(|i| i.to_string()).collect();
        let other = |name: &&str| own.get(name).is_none();
        let unexpected: Vec<String> = map.names().filter(other).map(str::to_string).collect();
        let shape = |map: &TensorMap, name: &str| map.get(name).map(AnyTensor::shape).unwrap_or_default();
        let differs = |name: &&str| map.get(name).is_some() && shape(map, name) != shape(&own, name);
        let text =
            |name: &str| format!("{name} expected {:?}, got {:?}", shape(&own, name), shape(map, name));
        let misshapen: Vec<String> = own.names().filter(differs).map(text).collect();
        if !(missing.is_empty() && unexpected.is_empty() && misshapen.is_empty()) {
            return Err(Error::Mismatch { missing, unexpected, misshapen });
        }
        let parts = (0..own.len()).map(|i| map.tensor(&i.to_string()));
        let parts: Vec<Tensor<S::Element>> = parts.collect::<Result<_>>()?;
        let mut parts = parts.into_iter();
        *self.0 = self.0.map(|_| parts.next().expect("one for each part").into());
        Ok(())
    }
}

pub(super) struct Of<'a, S: ?Sized>(pub &'a mut S);

impl<S: Stateful + ?Sized> Part for Of<'_, S> {
    fn kind(&self) -> String {
        "a state".to_string()
    }

    fn save(&self) -> TensorMap {
        self.0.state_dict()
    }

    fn load(&mut self, map: &TensorMap) -> Result<()> {
        self.0.load_state_dict(map)
    }
}

pub(super) struct Count<'a>(pub &'a mut usize);

impl Part for Count<'_> {
    fn kind(&self) -> String {
        "a count".to_string()
    }

    fn save(&self) -> TensorMap {
        numbers([("count", *self.0 as f64)])
    }

    fn load(&mut self, map: &TensorMap) -> Result<()> {
        let mut reader = StateReader::new("count", map);
        let count = reader.whole("count");
        reader.finish()?;
        *self.0 = count as usize;
        Ok(())
    }
}

/// A text that must not change.
pub(super) struct Same(pub String);

impl Part for Same {
    fn kind(&self) -> String {
        format!("{:?}", self.0)
    }

    fn save(&self) -> TensorMap {
        TensorMap::new()
    }

    fn load(&mut self, _: &TensorMap) -> Result<()> {
        Ok(())
    }
}
