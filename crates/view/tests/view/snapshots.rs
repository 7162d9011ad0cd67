//! What pictures and words of three tapes look like. `WENGERT_WRITE=1` writes the files anew.

use std::fs;
use std::path::Path;

use wengert_core::Tape;
use wengert_nn::Module;
use wengert_view::{Colours, HeatMap, View, parameter_norms, step_norms};

use crate::{cell, lstm, scalar};

fn compare(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots").join(name);
    if std::env::var_os("WENGERT_WRITE").is_some() {
        fs::write(&path, text).unwrap();
        return;
    }
    let expected = fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    let differs = expected.lines().zip(text.lines()).position(|(a, b)| a != b);
    let differs = differs.unwrap_or(expected.lines().count().min(text.lines().count()));
    let line = |text: &str| text.lines().nth(differs).unwrap_or("the end").to_string();
    assert!(
        expected == text,
        "{name}, line {}:\n  expected {}\n  got      {}\nWENGERT_WRITE=1 writes it anew",
        differs + 1,
        line(&expected),
        line(text)
    );
}

fn compare_all(name: &str, tape: &Tape) {
    compare(&format!("{name}.listing.txt"), &tape.to_string());
    compare(&format!("{name}.dot"), &tape.graph().gradients(true).to_dot());
    compare(&format!("{name}.svg"), &tape.to_svg());
    compare(&format!("{name}.explain.txt"), &tape.explain());
}

#[test]
fn a_scalar_expression() {
    let (tape, leaves) = scalar();
    compare_all("scalar", &tape);
    compare("scalar.gradients.svg", &tape.graph().gradients(true).to_svg());
    drop(leaves);
}

#[test]
fn a_cell() {
    compare_all("cell", &cell().0);
}

#[test]
fn an_lstm_of_two_layers() {
    let (tape, lstm) = lstm(4);
    compare_all("lstm", &tape);
    compare("lstm.norms.svg", &parameter_norms(&tape).to_svg());
    compare("lstm.steps.svg", &step_norms(&tape, "l1", "LstmGates").to_svg());
    compare("lstm.steps.txt", &step_norms(&tape, "l1", "LstmGates").to_terminal());
    let weight = lstm.parameter("weight_hh_l1").unwrap().grad().unwrap();
    let map = HeatMap::of(&weight.value()).title("gradient of weight_hh_l1");
    compare("lstm.heat.svg", &map.to_svg());
    compare("lstm.heat.txt", &map.to_terminal(Colours::Plain));
}
