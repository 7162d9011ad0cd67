//! A run is resumed by modules of the same settings only.

use wengert_core::{Float, Parameter, Result, Tensor, TensorMap, Variable};
use wengert_nn::*;
use wengert_train::Kept;

type Made = Box<dyn Module<Element = f32>>;

fn boxed(module: impl Module<Element = f32> + 'static) -> Made {
    Box::new(module)
}

fn saved(module: &Made) -> TensorMap {
    Kept::new().module("model", &**module).to_map().unwrap()
}

fn resumed(module: &Made, map: &TensorMap) -> Result<()> {
    Kept::new().module("model", &**module).restore(map)
}

/// A module of one's own, which says what it keeps.
struct Model {
    rnn: Rnn,
    drop: Option<Dropout>,
    heads: Vec<LeakyRelu>,
    width: usize,
}
module!(Model { rnn, drop, heads } keep { width } settings wide);

impl Model {
    fn wide(&self) -> String {
        format!("width={}", self.width)
    }

    fn of(nonlinearity: Nonlinearity, p: f64, slope: f64, width: usize) -> Made {
        boxed(Model {
            rnn: Rnn::builder(2, 3).nonlinearity(nonlinearity).build().unwrap(),
            drop: Some(Dropout::new(p).unwrap()),
            heads: vec![LeakyRelu::new(), LeakyRelu::new().negative_slope(slope)],
            width,
        })
    }
}

/// A cell with a module in it that has a setting, another one in each layer.
#[derive(Clone)]
struct Leaky<T: Float = f32> {
    decay: Parameter<T>,
    drop: Dropout<T>,
}
cell!(Leaky<T> { decay, drop });

impl<T: Float> Cell for Leaky<T> {
    type State = Variable<T>;

    fn input_size(&self) -> usize {
        self.decay.numel()
    }

    fn output_size(&self) -> usize {
        self.decay.numel()
    }

    fn zero_state(&self, batch: usize) -> Variable<T> {
        Tensor::zeros([batch, self.decay.numel()]).into()
    }

    fn step(&self, x: &Variable<T>, h: &Variable<T>) -> (Variable<T>, Variable<T>) {
        let h = &self.decay * h + x;
        (h.clone(), h)
    }
}

fn leaky(ps: [f64; 2]) -> Made {
    let cell = move |place: Place| {
        let decay = Parameter::new(Tensor::ones([2]));
        Ok(Leaky { decay, drop: Dropout::new(ps[place.layer])? })
    };
    boxed(Recurrent::of_places(2, cell).num_layers(2).build().unwrap())
}

/// A layer of cells that differ.
fn mixed(nonlinearities: [Nonlinearity; 2]) -> Made {
    let cell = move |place: Place| Ok(RnnCell::new(3, 3)?.nonlinearity(nonlinearities[place.layer]));
    boxed(Recurrent::of_places(3, cell).num_layers(2).build().unwrap())
}

/// Modules that differ in one setting, and what the refusal says of the first and the second one.
fn pairs() -> Result<Vec<(Made, Made, &'static str)>> {
    let conv = || Conv1d::builder(2, 2, 3);
    let (lstm, gru) = (|| Lstm::builder(2, 3).num_layers(2), || Gru::builder(3, 3));
    let relu = Nonlinearity::Relu;
    let stack = |p| Stack::new(Gru::new(2, 3)?, Gru::new(3, 3)?)?.dropout(p);
    let normed = |dilation| WeightNorm::new(conv().dilation(dilation).build()?, &["weight"]);
    Ok(vec![
        (
            boxed(Rnn::new(2, 3)?),
            boxed(Rnn::builder(2, 3).nonlinearity(relu).build()?),
            "settings: RNN(2, 3, nonlinearity=relu) here, and RNN(2, 3) in the checkpoint",
        ),
        (
            boxed(lstm().dropout(0.5).build()?),
            boxed(lstm().dropout(0.25).build()?),
            "settings: LSTM(2, 3, num_layers=2, dropout=0.25), LSTMCell(3, 3) here, and LSTM(2, 3, \
             num_layers=2, dropout=0.5), LSTMCell(3, 3) in the checkpoint",
        ),
        (boxed(lstm().batch_first(true).build()?), boxed(lstm().build()?), "batch_first=True"),
        (boxed(lstm().bidirectional(true).build()?), boxed(lstm().build()?), "bidirectional=True"),
        (
            boxed(lstm().proj_size(1).build()?),
            boxed(lstm().proj_size(2).build()?),
            "LSTM(2, 3, proj_size=2, num_layers=2)",
        ),
        (
            boxed(gru().bidirectional(true).merge(Merge::Sum).build()?),
            boxed(gru().bidirectional(true).build()?),
            "merge=sum",
        ),
        (boxed(gru().residual(true).build()?), boxed(gru().build()?), "residual=True"),
        (boxed(gru().zoneout(0.1).build()?), boxed(gru().build()?), "zoneout=0.1"),
        (
            boxed(gru().weight_dropout(["weight_hh"], 0.5).build()?),
            boxed(gru().weight_dropout(["weight_ih"], 0.5).build()?),
            "weight_dropout=0.5), weight_ih dropped",
        ),
        (boxed(stack(0.0)?), boxed(stack(0.5)?), "settings: dropout=0.5 here, and dropout=0 in"),
        (boxed(RnnCell::new(2, 3)?), boxed(RnnCell::new(2, 3)?.nonlinearity(relu)), "RNNCell(2, 3, nonlin"),
        (
            leaky([0.5, 0.25]),
            leaky([0.25, 0.5]),
            "drop.settings: Dropout(p=0.25, inplace=False), Dropout(p=0.5",
        ),
        (
            mixed([relu, relu]),
            mixed([relu, Nonlinearity::Tanh]),
            "RNN(3, 3, num_layers=2, nonlinearity=relu), RNNCell(3, 3) here",
        ),
        (boxed(LayerNorm::new([3])), boxed(LayerNorm::new([3]).eps(1e-3)), "eps=0.001"),
        (boxed(RmsNorm::new([3])), boxed(RmsNorm::new([3]).eps(1e-3)), "eps=0.001"),
        (boxed(BatchNorm1d::new(3)?), boxed(BatchNorm1d::new(3)?.momentum(0.5)), "momentum=0.5"),
        (boxed(Embedding::new(3, 2)?), boxed(Embedding::with_padding(3, 2, 1)?), "padding_idx=1"),
        (boxed(conv().build()?), boxed(conv().dilation(2).build()?), "dilation=(2,)"),
        (boxed(conv().build()?), boxed(conv().padding(1).build()?), "padding=(1,)"),
        (boxed(conv().build()?), boxed(conv().stride(2).build()?), "stride=(2,)"),
        (boxed(normed(1)?), boxed(normed(2)?), "dilation=(2,)"),
        (boxed(Dropout::new(0.5)?), boxed(Dropout::new(0.25)?), "Dropout(p=0.25"),
        (boxed(LeakyRelu::new()), boxed(LeakyRelu::new().negative_slope(0.1)), "negative_slope=0.1"),
        (boxed(Gelu::new()), boxed(Gelu::tanh()), "approximate='tanh'"),
        (boxed(Glu::new()), boxed(Glu::new().dim(0)), "GLU(dim=0)"),
        (boxed(Softmax::new(0)), boxed(Softmax::new(1)), "Softmax(dim=1)"),
        (boxed(Rrelu::new()), boxed(Rrelu::with_bounds(0.1, 0.2)?), "lower=0.1"),
        (
            boxed(Sequential::new((Linear::new(1, 1)?, Dropout::new(0.5)?))),
            boxed(Sequential::new((Linear::new(1, 1)?, Dropout::new(0.25)?))),
            "part `model`: 1.settings: Dropout(p=0.25",
        ),
        (
            Model::of(relu, 0.5, 0.1, 2),
            Model::of(relu, 0.5, 0.1, 3),
            "settings: width=3 here, and width=2 in",
        ),
        (
            Model::of(Nonlinearity::Tanh, 0.5, 0.1, 2),
            Model::of(relu, 0.5, 0.1, 2),
            "part `model`: rnn.settings: RNN(2, 3, nonlinearity=relu) here, and RNN(2, 3) in the checkpoint",
        ),
        (Model::of(relu, 0.5, 0.1, 2), Model::of(relu, 0.2, 0.1, 2), "drop.settings: Dropout(p=0.2"),
        (Model::of(relu, 0.5, 0.1, 2), Model::of(relu, 0.5, 0.2, 2), "heads.1.settings: LeakyReLU("),
    ])
}

#[test]
fn a_module_of_another_setting_is_refused_by_what_differs() {
    for (one, other, says) in pairs().unwrap() {
        let map = TensorMap::from_bytes(&saved(&one).to_bytes().unwrap()).unwrap();
        resumed(&one, &map).unwrap();
        let error = resumed(&other, &map).unwrap_err().to_string();
        assert!(error.starts_with("part `model`: ") && error.contains(says), "{says}: {error}");
        resumed(&other, &saved(&other)).unwrap();
    }
}

/// The map as it was saved before there were settings.
pub fn without_settings(map: &TensorMap) -> TensorMap {
    let mut before: TensorMap = map.iter().map(|(name, value)| (name.to_string(), value.clone())).collect();
    for (key, text) in map.notes().filter(|(key, _)| !key.ends_with(".settings")) {
        before.set_note(key, text);
    }
    before
}

#[test]
fn a_module_that_was_saved_without_settings_is_resumed_by_one_of_any() {
    let (one, other, _) = pairs().unwrap().swap_remove(0);
    let saved = saved(&one);
    let before = without_settings(&saved);
    assert_eq!(before.notes().count() + 1, saved.notes().count());
    resumed(&other, &before).unwrap();
}
