//! Averages of parameters over the steps.

use wengert_core::__private::or_refused;
use wengert_core::{Error, Float, Parameter, Result, Stateful, Tensor, TensorMap};

use crate::state_dict::{CURRENT, VERSION, keys};

/// Under which name the number of updates stands, as PyTorch calls it.
const UPDATES: &str = "n_averaged";

/// Averages of parameters over the steps, to evaluate with (`torch.optim.swa_utils.AveragedModel`).
///
/// By decay `d` (exponential moving average): `a = d a + (1 - d) p`; evenly (stochastic weight averaging,
/// Izmailov et al. 2018): `a = a + (p - a) / (n + 1)` at the `n`-th update after the first one. The first
/// update takes the values as they are.
///
/// ```
/// use wengert_core::{Parameter, Tensor};
/// use wengert_optim::Averaged;
/// let w = Parameter::new(Tensor::from([0.0f32]));
/// let mut averaged = Averaged::ema([w.clone()], 0.5)?;
/// for value in [1.0f32, 2.0] {
///     w.set_value(Tensor::from([value]))?;
///     averaged.update()?;
/// }
/// averaged.swap()?;
/// assert_eq!(w.item()?, 1.5, "to evaluate");
/// averaged.swap()?;
/// assert_eq!(w.item()?, 2.0, "to train on");
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "ExponentialMovingAverage")]
#[derive(Clone, Debug)]
#[doc(alias = "AveragedModel")]
#[doc(alias = "EMA")]
#[doc(alias = "SWA")]
pub struct Averaged<T: Float = f32> {
    parameters: Vec<Parameter<T>>,
    /// What the parameters do not hold now: the averages, or swapped the values.
    kept: Vec<Tensor<T>>,
    /// None: evenly.
    decay: Option<f64>,
    updates: u64,
    is_swapped: bool,
}

impl<T: Float> Averaged<T> {
    /// Moving averages that forget: each update leaves `decay` of what was before.
    ///
    /// # Errors
    /// If the decay is outside [0, 1].
    #[doc(alias = "get_ema_multi_avg_fn")]
    pub fn ema(parameters: impl IntoIterator<Item = Parameter<T>>, decay: f64) -> Result<Self> {
        if !(0.0..=1.0).contains(&decay) {
            return Err(Error::argument("Averaged", "decay", "in [0, 1]", decay));
        }
        Ok(Self::new(parameters, Some(decay)))
    }

    /// Means in which each update counts the same.
    #[doc(alias = "get_swa_multi_avg_fn")]
    pub fn swa(parameters: impl IntoIterator<Item = Parameter<T>>) -> Self {
        Self::new(parameters, None)
    }

    fn new(parameters: impl IntoIterator<Item = Parameter<T>>, decay: Option<f64>) -> Self {
        let mut seen = std::collections::HashSet::new();
        let parameters: Vec<_> = parameters.into_iter().filter(|p| seen.insert(p.id())).collect();
        let kept = parameters.iter().map(|parameter| parameter.value()).collect();
        Averaged { parameters, kept, decay, updates: 0, is_swapped: false }
    }

    /// How many updates there were.
    pub fn updates(&self) -> u64 {
        self.updates
    }

    /// Whether the parameters hold the averages now.
    pub fn is_swapped(&self) -> bool {
        self.is_swapped
    }

    /// Takes the parameters' values into the averages.
    ///
    /// # Errors
    /// If the parameters hold the averages, or an average that somebody else holds, such as a saved state,
    /// needs memory of its own and there is none; then nothing has changed.
    pub fn update(&mut self) -> Result<()> {
        if self.is_swapped {
            return Err(Error::argument("Averaged::update", "parameters", "swapped back", "the averages"));
        }
        let taken = match self.decay {
            _ if self.updates == 0 => 1.0,
            Some(decay) => 1.0 - decay,
            None => 1.0 / (self.updates + 1) as f64,
        };
        match taken {
            // Not by way of the old ones, which may not be finite.
            1.0 => self.kept = self.parameters.iter().map(|parameter| parameter.value()).collect(),
            _ => self.draw_near(taken)?,
        }
        self.updates += 1;
        Ok(())
    }

    /// Moves each average a part of the way to its parameter's value.
    fn draw_near(&mut self, part: f64) -> Result<()> {
        let part = T::from_f64(part);
        // All memory comes before anything changes.
        let values = or_refused("Averaged::update", || Ok(self.set_apart()))?;
        for (average, value) in self.kept.iter_mut().zip(&values) {
            let value = value.as_slice().expect("contiguous");
            average.data_mut()?.iter_mut().zip(value).for_each(|(a, p)| *a = *a + (*p - *a) * part);
        }
        Ok(())
    }

    /// Gives each average that is not alone in its storage one of its own; gives the parameters' values.
    fn set_apart(&mut self) -> Vec<Tensor<T>> {
        for average in &mut self.kept {
            if average.data_mut().is_err() {
                *average = average.copy();
            }
        }
        self.parameters.iter().map(|parameter| parameter.value().contiguous()).collect()
    }

    /// Exchanges the parameters' values and their averages: once to evaluate, once more to go on training.
    ///
    /// # Errors
    /// If a parameter stands for a computed value; then nothing has changed.
    pub fn swap(&mut self) -> Result<()> {
        if self.parameters.iter().any(Parameter::is_computed) {
            return Err(Error::argument(
                "Averaged::swap",
                "parameters",
                "ones that can be set",
                "a computed one",
            ));
        }
        for (kept, parameter) in self.kept.iter_mut().zip(&self.parameters) {
            let value = std::mem::replace(kept, parameter.value());
            parameter.set_value(value)?;
        }
        self.is_swapped = !self.is_swapped;
        Ok(())
    }

    /// `version`, `n_averaged`, and `average.KEY` for each parameter, where the key is its name, or its
    /// number if it has none or shares it.
    pub fn state_dict(&self) -> TensorMap {
        let mut map = TensorMap::new();
        map.insert_number(VERSION, CURRENT);
        map.insert_number(UPDATES, self.updates as f64);
        for (entry, average) in self.entries(true).into_iter().zip(self.averages()) {
            map.insert(entry, average);
        }
        map
    }

    /// Takes over averages of the same parameters, which must hold their own values. Those with names may
    /// stand in any order. A state without a version, in which the parameters went by number, is read as
    /// well.
    ///
    /// # Errors
    /// [`Error::Mismatch`] lists what is missing, unexpected or of another shape; [`Error::Argument`] if the
    /// parameters hold the averages, or for another version. Then nothing has changed.
    pub fn load_state_dict(&mut self, map: &TensorMap) -> Result<()> {
        if self.is_swapped {
            let expected = "swapped back";
            return Err(Error::argument("Averaged::load_state_dict", "parameters", expected, "the averages"));
        }
        let by_name = map.get(VERSION).is_some();
        let entries = self.entries(by_name);
        let fixed = [VERSION, UPDATES].into_iter().filter(|&name| by_name || name != VERSION);
        map.check_names(fixed.chain(entries.iter().map(String::as_str)))?;
        if by_name && map.number(VERSION)? != CURRENT {
            let got = map.number(VERSION)?;
            return Err(Error::argument("Averaged", "the saved state's version", CURRENT, got));
        }
        let (mut averages, mut misshapen) = (Vec::new(), Vec::new());
        for (entry, parameter) in entries.iter().zip(&self.parameters) {
            let average = map.tensor::<T>(entry)?;
            if average.shape() != parameter.shape() {
                let (expected, got) = (parameter.shape(), average.shape());
                misshapen.push(format!("{entry} expected {expected:?}, got {got:?}"));
            }
            averages.push(average);
        }
        if !misshapen.is_empty() {
            return Err(Error::Mismatch { missing: Vec::new(), unexpected: Vec::new(), misshapen });
        }
        self.updates = map.number(UPDATES)? as u64;
        self.kept = averages;
        Ok(())
    }

    fn averages(&self) -> impl Iterator<Item = Tensor<T>> + '_ {
        let pairs = self.kept.iter().zip(&self.parameters);
        pairs.map(|(kept, parameter)| if self.is_swapped { parameter.value() } else { kept.clone() })
    }

    /// Under which name each average stands.
    fn entries(&self, by_name: bool) -> Vec<String> {
        let keys = match by_name {
            true => keys(&self.parameters.iter().collect::<Vec<_>>()),
            false => (0..self.parameters.len()).map(|n| n.to_string()).collect(),
        };
        keys.iter().map(|key| format!("average.{key}")).collect()
    }
}

impl<T: Float> Stateful for Averaged<T> {
    fn state_dict(&self) -> TensorMap {
        Averaged::state_dict(self)
    }

    fn load_state_dict(&mut self, map: &TensorMap) -> Result<()> {
        Averaged::load_state_dict(self, map)
    }
}
