//! Recipes for recurrent layers.

use wengert_core::__private::{or_refused, vec_of};
use wengert_core::{Error, Number, Parameter, Result, Tensor};

use super::structured::scaled_eye;
use super::{constant, normal, orthogonal};
use crate::cell_with::CellWith;
use crate::module::Module;
use crate::recurrent::Recurrent;
use crate::repr::layer_name;

/// The parameters of this name of all cells.
fn of_cells<C: CellWith>(rnn: &Recurrent<C>, name: &str) -> Result<Vec<Parameter<C::Element>>> {
    rnn.cells().iter().map(|cell| cell.parameter(name)).collect()
}

/// The first of these gates that the cells have.
fn gate_of<C: CellWith>(rnn: &Recurrent<C>, wanted: &[&'static str]) -> Result<&'static str> {
    let gates = rnn.cells()[0].gates();
    let found = wanted.iter().find(|wanted| gates.contains(wanted));
    found.copied().ok_or_else(|| {
        let expected = format!("a list with {}", wanted.join(" or "));
        Error::argument(layer_name::<C>(), "gates", expected, format!("[{}]", gates.join(", ")))
    })
}

/// Sets the bias of the forget gates to `value`, in all layers and directions: at first more is kept (Gers et
/// al. 2000; Jozefowicz et al. 2015, who recommend 1). The rows of `bias_ih` are set to `value` and those of
/// `bias_hh`, which is added, to 0.
///
/// # Errors
/// If the cells have no gate called forget, or no biases; then nothing has changed.
///
/// ```
/// use wengert_nn::{init, Lstm, Module};
/// let lstm = Lstm::new(3, 2)?;
/// init::forget_gate_bias(&lstm, 1.0)?;
/// assert_eq!(lstm.parameter("bias_ih_l0")?.to_vec()[2..4], [1.0, 1.0]);
/// assert_eq!(lstm.parameter("bias_hh_l0")?.to_vec()[2..4], [0.0, 0.0]);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "unit_forget_bias")]
pub fn forget_gate_bias<C: CellWith>(rnn: &Recurrent<C>, value: f64) -> Result<()> {
    let forget = gate_of(rnn, &["forget"])?;
    set_bias(rnn, forget, |rows| rows.fill(C::Element::from_f64(value)))
}

/// Sets the rows of one gate of `bias_ih`, and those of `bias_hh` to zero.
fn set_bias<C: CellWith>(
    rnn: &Recurrent<C>,
    gate: &str,
    change: impl FnMut(&mut [C::Element]),
) -> Result<()> {
    // Both are there before one is changed.
    of_cells(rnn, "bias_hh")?;
    of_cells(rnn, "bias_ih")?;
    rnn.set_gate("bias_hh", gate, |rows| rows.fill(C::Element::from_f64(0.0)))?;
    rnn.set_gate("bias_ih", gate, change)
}

/// Draws the biases of the gates that keep the state such that units forget over `1` to `longest - 1` steps
/// (chrono initialisation; Tallec and Ollivier 2018, arXiv 1804.11188): `b = ln U(1, longest - 1)` for an
/// LSTM's forget gate and the negative for its input gate, or for a GRU's update gate. `bias_hh` is 0 there.
///
/// # Errors
/// If `longest`, the number of steps over which something is to be remembered, is not above 2, the cells have
/// neither a forget nor an update gate, or no biases, or there is no memory for what is drawn; then nothing
/// has changed.
///
/// ```
/// use wengert_nn::{init, Lstm, Module};
/// let lstm = Lstm::new(3, 2)?;
/// init::chrono(&lstm, 100.0)?;
/// let bias = lstm.parameter("bias_ih_l0")?.to_vec();
/// assert!(bias[2..4].iter().all(|b| (0.0..99f32.ln()).contains(b)));
/// assert_eq!(bias[..2], [-bias[2], -bias[3]]);
/// # Ok::<(), wengert_core::Error>(())
/// ```
pub fn chrono<C: CellWith>(rnn: &Recurrent<C>, longest: f64) -> Result<()> {
    if !(longest > 2.0 && longest.is_finite()) {
        return Err(Error::argument("chrono", "longest", "more than 2 steps", longest));
    }
    let keep = gate_of(rnn, &["forget", "update"])?;
    let open = if keep == "forget" { Some(gate_of(rnn, &["input"])?) } else { None };
    let units = |bias: &Parameter<C::Element>| bias.numel() / rnn.cells()[0].gates().len();
    let units: usize = of_cells(rnn, "bias_ih")?.iter().map(units).sum();
    let times = or_refused("chrono", || Ok(Tensor::<f64>::uniform([units], 1.0, longest - 1.0).to_vec()))?;
    for (gate, sign) in [(Some(keep), 1.0), (open, -1.0)] {
        let Some(gate) = gate else { continue };
        let mut times = times.iter();
        let mut next = || times.next().expect("one for each unit").ln();
        set_bias(rnn, gate, |rows| {
            rows.iter_mut().for_each(|row| *row = C::Element::from_f64(sign * next()));
        })?;
    }
    Ok(())
}

/// Starts an RNN of rectifiers at the identity (Le, Jaitly and Hinton 2015, arXiv 1504.00941): `weight_hh` is
/// `scale` times the identity, biases are 0, `weight_ih` is drawn from N(0, 0.001^2). The scale is 1, or less
/// for a shorter memory.
///
/// # Errors
/// If the cells have gates, or no `weight_hh` and `weight_ih`; then nothing has changed.
///
/// ```
/// use wengert_nn::{init, Module, Nonlinearity, Rnn};
/// let rnn = Rnn::builder(3, 2).nonlinearity(Nonlinearity::Relu).build()?;
/// init::identity_rnn(&rnn, 1.0)?;
/// assert_eq!(rnn.parameter("weight_hh_l0")?.to_vec(), [1.0, 0.0, 0.0, 1.0]);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "IRNN")]
pub fn identity_rnn<C: CellWith>(rnn: &Recurrent<C>, scale: f64) -> Result<()> {
    let gates = rnn.cells()[0].gates();
    if !gates.is_empty() {
        let got = gates.join(", ");
        return Err(Error::argument("identity_rnn", "the cell", "without gates", got));
    }
    let (inputs, states) = (of_cells(rnn, "weight_ih")?, of_cells(rnn, "weight_hh")?);
    states.iter().try_for_each(|weight| scaled_eye("identity_rnn", weight, scale))?;
    inputs.iter().try_for_each(|weight| normal(weight, 0.0, 0.001))?;
    let all = rnn.named_parameters().into_iter();
    let biases = all.filter(|(name, _)| name.starts_with("bias_ih") || name.starts_with("bias_hh"));
    biases.map(|(_, bias)| bias).try_for_each(|bias| constant(&bias, 0.0))
}

/// Draws the recurrent weights orthogonal, times `gain`, gate by gate: each gate's rows of `weight_hh` are a
/// matrix of their own (Saxe et al. 2013, arXiv 1312.6120), where [`orthogonal`] would see one tall matrix.
///
/// # Errors
/// If the cells have no `weight_hh`, or there is no memory for the new values.
///
/// ```
/// use wengert_nn::{init, Gru, Module};
/// let gru = Gru::new(3, 4)?;
/// init::orthogonal_gates(&gru, 1.0)?;
/// let first = gru.parameter("weight_hh_l0")?.narrow(0, 0, 4);
/// let product = first.matmul(&first.t()).to_vec();
/// assert!((product[0] - 1.0).abs() < 1e-5 && product[1].abs() < 1e-5);
/// # Ok::<(), wengert_core::Error>(())
/// ```
pub fn orthogonal_gates<C: CellWith>(rnn: &Recurrent<C>, gain: f64) -> Result<()> {
    let gates = rnn.cells()[0].gates().len().max(1);
    for weight in of_cells(rnn, "weight_hh")? {
        let (rows, columns) = (weight.shape()[0] / gates, weight.shape()[1]);
        let all = or_refused("orthogonal_gates", || {
            let mut all = vec_of(weight.numel());
            for _ in 0..gates {
                let gate = Parameter::new(Tensor::<C::Element>::zeros([rows, columns]));
                orthogonal(&gate, gain)?;
                all.extend(gate.to_vec());
            }
            Tensor::from_vec(all, weight.shape())
        })?;
        weight.set_value(all)?;
    }
    Ok(())
}
