//! Recurrent layers and cells.

use wengert::nn::{
    CellFactory, PackOptions, PadOptions, RecurrentBuilder, pack_padded_sequence, pad_packed_sequence,
};
use wengert::prelude::*;

use crate::case::{Arguments, Case, Failure, Named};

/// A case of the kind `recurrent`.
pub fn layer<T: Float>(case: &Case) -> Result<(), Failure> {
    let form = case.text("form")?;
    if !["padded", "unbatched", "packed"].contains(&form) {
        return Err(Failure::Unsupported(format!("form {form}")));
    }
    let arguments = case.arguments();
    arguments.refuse_others(&[
        "input_size",
        "hidden_size",
        "num_layers",
        "bias",
        "batch_first",
        "bidirectional",
        "nonlinearity",
        "proj_size",
    ])?;
    let (input, hidden) = (arguments.size("input_size")?, arguments.size("hidden_size")?);
    match case.text("module")? {
        "RNN" => {
            let builder = Rnn::builder(input, hidden).nonlinearity(nonlinearity(&arguments)?);
            let rnn = configured(builder.bias(arguments.flag("bias")), &arguments)?;
            run_layer::<T, _>(case, &rnn.build()?.cast())
        }
        "LSTM" => {
            let builder = Lstm::builder(input, hidden).proj_size(arguments.size("proj_size").unwrap_or(0));
            let lstm = configured(builder.bias(arguments.flag("bias")), &arguments)?;
            run_layer::<T, _>(case, &lstm.build()?.cast())
        }
        "GRU" => {
            let builder = Gru::builder(input, hidden);
            let gru = configured(builder.bias(arguments.flag("bias")), &arguments)?;
            run_layer::<T, _>(case, &gru.build()?.cast())
        }
        other => Err(Failure::Unsupported(format!("module {other}"))),
    }
}

fn configured<F: CellFactory>(
    builder: RecurrentBuilder<F>,
    arguments: &Arguments<'_>,
) -> Result<RecurrentBuilder<F>, Failure> {
    let layers = arguments.size("num_layers")?;
    let batch_first = arguments.flag("batch_first");
    Ok(builder.num_layers(layers).batch_first(batch_first).bidirectional(arguments.flag("bidirectional")))
}

fn nonlinearity(arguments: &Arguments<'_>) -> Result<Nonlinearity, Failure> {
    match arguments.text("nonlinearity") {
        None | Some("tanh") => Ok(Nonlinearity::Tanh),
        Some("relu") => Ok(Nonlinearity::Relu),
        Some(other) => Err(Failure::Unsupported(format!("nonlinearity {other}"))),
    }
}

fn run_layer<T: Float, C: Cell<Element = T>>(case: &Case, layer: &Recurrent<C>) -> Result<(), Failure> {
    let leaves = leaves(case, layer)?;
    let state = state(&leaves, &layer.zero_state(1));
    let (input, state) = (&leaves["input"], state.as_ref());
    let (output, state) = match case.sizes("lengths") {
        None => layer.forward(input, state)?,
        Some(lengths) => {
            let packed = pack_padded_sequence(
                input,
                &lengths,
                PackOptions::default().batch_first(layer.is_batch_first()).enforce_sorted(false),
            )?;
            let (output, state) = layer.forward_packed(&packed, state)?;
            (
                pad_packed_sequence(&output, PadOptions::default().batch_first(layer.is_batch_first()))?.0,
                state,
            )
        }
    };
    let mut outputs = named(&state, ["h_n", "c_n"]);
    outputs.insert("output".to_string(), output);
    case.judge(&leaves, &outputs)
}

/// A case of the kind `cell`.
pub fn cell<T: Float>(case: &Case) -> Result<(), Failure> {
    let arguments = case.arguments();
    arguments.refuse_others(&["input_size", "hidden_size", "bias", "nonlinearity"])?;
    let (input, hidden) = (arguments.size("input_size")?, arguments.size("hidden_size")?);
    let bias = arguments.flag("bias");
    match case.text("module")? {
        "RNNCell" => {
            let cell =
                if bias { RnnCell::new(input, hidden)? } else { RnnCell::without_bias(input, hidden)? };
            let cell = cell.nonlinearity(nonlinearity(&arguments)?);
            run_cell::<T, _>(case, &cell.cast())
        }
        "LSTMCell" => run_cell::<T, _>(
            case,
            &if bias { LstmCell::new(input, hidden) } else { LstmCell::without_bias(input, hidden) }?.cast(),
        ),
        "GRUCell" => run_cell::<T, _>(
            case,
            &if bias { GruCell::new(input, hidden) } else { GruCell::without_bias(input, hidden) }?.cast(),
        ),
        other => Err(Failure::Unsupported(format!("module {other}"))),
    }
}

fn run_cell<T: Float, C: Cell<Element = T>>(case: &Case, cell: &C) -> Result<(), Failure> {
    let leaves = leaves(case, cell)?;
    let (_, state) = cell.forward(&leaves["input"], state(&leaves, &cell.zero_state(1)).as_ref())?;
    case.judge(&leaves, &named(&state, ["h", "c"]))
}

/// The case's leaves, the module's parameters with PyTorch's values among them.
fn leaves<T: Float, M: Module<Element = T>>(case: &Case, module: &M) -> Result<Named<T>, Failure> {
    module.load_state_dict(&case.parameters())?;
    let mut leaves = case.leaves()?;
    for (name, parameter) in module.named_parameters() {
        leaves.insert(format!("param.{name}"), Variable::clone(&parameter));
    }
    Ok(leaves)
}

/// The given state, if there is one, in the form of `like`.
fn state<S: State>(leaves: &Named<S::Element>, like: &S) -> Option<S> {
    let mut names = ["h0", "c0"].into_iter();
    leaves
        .contains_key("h0")
        .then(|| like.map(|_| leaves[names.next().expect("a state has two parts at most")].clone()))
}

fn named<S: State>(state: &S, names: [&str; 2]) -> Named<S::Element> {
    names.into_iter().map(str::to_string).zip(state.variables()).collect()
}
