//! Averages of parameters over the steps.

use wengert_core::__private::or_refused;
use wengert_core::{Error, Float, Parameter, Result, Stateful, Tensor, TensorMap};

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
    /// If the parameters hold the averages, or there is no memory for the new ones beside the old; then
    /// nothing has changed.
    pub fn update(&mut self) -> Result<()> {
        if self.is_swapped {
            return Err(Error::argument("Averaged::update", "parameters", "swapped back", "the averages"));
        }
        let taken = match self.decay {
            _ if self.updates == 0 => 1.0,
            Some(decay) => 1.0 - decay,
            None => 1.0 / (self.updates + 1) as f64,
        };
        let mut next = Vec::with_capacity(self.kept.len());
        for (average, parameter) in self.kept.iter().zip(&self.parameters) {
            let value = parameter.value();
            // Not by way of the old one, which may not be finite.
            next.push(match taken {
                1.0 => value,
                _ => or_refused("Averaged::update", || Ok(average + &(&(&value - average) * taken)))?,
            });
        }
        self.kept = next;
        self.updates += 1;
        Ok(())
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

    /// The averages, by place: `n_averaged`, and `average.N` for each parameter.
    pub fn state_dict(&self) -> TensorMap {
        let mut map = TensorMap::new();
        map.insert_number("n_averaged", self.updates as f64);
        for (i, (kept, parameter)) in self.kept.iter().zip(&self.parameters).enumerate() {
            let average = if self.is_swapped { parameter.value() } else { kept.clone() };
            map.insert(format!("average.{i}"), average);
        }
        map
    }

    /// Takes over averages of the same parameters in the same order, which must hold their own values.
    ///
    /// # Errors
    /// [`Error::Mismatch`] lists what is missing, unexpected or of another shape; [`Error::Argument`] if the
    /// parameters hold the averages. Then nothing has changed.
    pub fn load_state_dict(&mut self, map: &TensorMap) -> Result<()> {
        if self.is_swapped {
            let expected = "swapped back";
            return Err(Error::argument("Averaged::load_state_dict", "parameters", expected, "the averages"));
        }
        map.check_names(self.state_dict().names())?;
        let (mut averages, mut misshapen) = (Vec::new(), Vec::new());
        for (i, parameter) in self.parameters.iter().enumerate() {
            let average = map.tensor::<T>(&format!("average.{i}"))?;
            if average.shape() != parameter.shape() {
                let (expected, got) = (parameter.shape(), average.shape());
                misshapen.push(format!("average.{i} expected {expected:?}, got {got:?}"));
            }
            averages.push(average);
        }
        if !misshapen.is_empty() {
            return Err(Error::Mismatch { missing: Vec::new(), unexpected: Vec::new(), misshapen });
        }
        self.updates = map.number("n_averaged")? as u64;
        self.kept = averages;
        Ok(())
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
