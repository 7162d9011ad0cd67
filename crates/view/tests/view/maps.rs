//! Heat maps and norms.

use wengert_core::{Tape, Tensor, Variable, record};
use wengert_view::{Colours, HeatMap, View, parameter_norms, step_norms};

use crate::lstm;

#[test]
fn a_map_shows_sign_size_and_what_is_no_number() {
    let matrix = Tensor::from([[4.0f64, 2.0, 0.001, 0.0], [-4.0, -2.0, f64::NAN, f64::INFINITY]]);
    let map = HeatMap::of(&matrix).title("w");
    let plain = map.to_terminal(Colours::Plain);
    assert_eq!(plain, "w: [2, 4], from -4 to 4; 2 elements not finite\n#+-.\n@o??\n");
    let coloured = map.to_terminal(Colours::Ansi);
    assert_eq!(coloured.lines().count(), 2, "two rows in a line of half blocks");
    let svg = map.to_svg();
    assert_eq!(svg.matches("<rect x=").count(), 8);
    for colour in ["#b2182b", "#2166ac", "#f7f7f7", "#c026d3"] {
        assert!(svg.contains(colour), "{colour}:\n{svg}");
    }
}

#[test]
fn large_maps_are_reduced_and_small_ones_are_whole() {
    let large = Tensor::from_fn([300, 1000], |i| if i == 299_999 { -1.0f32 } else { 0.01 });
    let text = HeatMap::of(&large).at_most(10, 20).to_terminal(Colours::Plain);
    let lines: Vec<&str> = text.lines().skip(1).collect();
    assert_eq!((lines.len(), lines[0].chars().count()), (10, 20));
    assert!(lines[9].ends_with('@') && lines[0].ends_with('-'), "{text}");
    let one = HeatMap::of(&Tensor::scalar(2.0f64)).to_terminal(Colours::Plain);
    assert_eq!(one, "[], from 2 to 2\n#\n");
    assert_eq!(HeatMap::of(&Tensor::<f32>::zeros([2])).to_terminal(Colours::Plain), "[2], from 0 to 0\n..\n");
    for empty in [Tensor::<f32>::zeros([0, 3]), Tensor::zeros([3, 0])] {
        let map = HeatMap::of(&empty);
        assert!(map.to_terminal(Colours::Ansi).contains("has no elements"));
        assert!(map.to_svg().contains("has no elements"));
    }
}

#[test]
fn norms_are_those_of_the_gradients() {
    let (tape, lstm) = lstm(6);
    let chart = parameter_norms(&tape);
    assert_eq!(chart.bars().len(), 8);
    for (name, norm) in chart.bars() {
        assert!(
            ["weight_ih", "weight_hh", "bias_ih", "bias_hh"].iter().any(|known| name.contains(known)),
            "{name}"
        );
        assert!(norm.unwrap() > 0.0);
    }
    drop(lstm);
    assert_eq!(step_norms(&tape, "l1", "LstmGates").bars().len(), 6);
}

/// Halved at each step, a state's gradient vanishes by a factor that is known.
#[test]
fn vanishing_and_exploding_are_seen() {
    for (factor, falls) in [(0.1f64, true), (10.0, false)] {
        let x = Variable::new(Tensor::from([1.0f64, 1.0])).requires_grad_(true);
        let loss = record(|| (0..10).fold(x.clone(), |h, _| h * factor).sum());
        loss.backward().unwrap();
        let tape = Tape::of(&loss);
        let chart = step_norms(&tape, "", "MulScalar");
        for (step, (name, norm)) in chart.bars().iter().enumerate() {
            let expected = 2f64.sqrt() * factor.powi(9 - step as i32);
            assert_eq!(*name, step.to_string());
            assert!((norm.unwrap() - expected).abs() < 1e-9 * expected);
        }
        let text = chart.to_terminal();
        let lengths: Vec<usize> = text.lines().skip(1).map(|line| line.matches('#').count()).collect();
        assert!(
            lengths.windows(2).all(|pair| if falls { pair[0] < pair[1] } else { pair[0] > pair[1] }),
            "{text}"
        );
        assert_eq!(chart.to_svg().matches("<circle").count(), 10);
        assert!(tape.to_svg().contains("|grad|"));
    }
}
