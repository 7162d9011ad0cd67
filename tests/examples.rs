//! Every example runs, briefly.

use std::path::Path;

use clap::Parser;
use wengert::train::Stop;

#[path = "../examples/airline.rs"]
mod airline;
#[path = "../examples/attention_decoder.rs"]
mod attention_decoder;
#[path = "../examples/char_rnn/main.rs"]
mod char_rnn;
#[path = "../examples/check_cell.rs"]
mod check_cell;
#[path = "../examples/check_derivative.rs"]
mod check_derivative;
#[path = "../examples/custom_op.rs"]
mod custom_op;
#[path = "../examples/forecast.rs"]
mod forecast;
#[path = "../examples/hypernetwork.rs"]
mod hypernetwork;
#[path = "../examples/maml.rs"]
mod maml;
#[path = "../examples/mixture_density.rs"]
mod mixture_density;
#[path = "../examples/names/main.rs"]
mod names;
#[path = "../examples/peephole.rs"]
mod peephole;
#[path = "../examples/rnn_tour.rs"]
mod rnn_tour;
#[path = "../examples/slstm.rs"]
mod slstm;
#[path = "../examples/streaming.rs"]
mod streaming;
#[path = "../examples/time_gaps.rs"]
mod time_gaps;
#[path = "../examples/walk.rs"]
mod walk;

#[test]
fn rnn_tour_runs() {
    assert!(rnn_tour::run().unwrap().is_finite());
}

#[test]
fn custom_op_runs_and_its_derivatives_are_those_of_differences() {
    assert!(custom_op::run().unwrap() < 1e-8);
}

#[test]
fn check_cell_finds_the_mistake_and_says_what_its_document_shows() {
    let [right, mistaken] = check_cell::run();
    right.unwrap();
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../check/README.md");
    let document = std::fs::read_to_string(document).unwrap();
    let text = mistaken.unwrap_err();
    // The last line names the test that it runs in.
    let (report, _) = text.split_once("PROPTEST_RNG_SEED").unwrap();
    assert!(document.contains(report), "{text}");
}

#[test]
fn check_derivative_finds_the_mistake_in_a_jacobian() {
    let [likelihood, rotation, pendulum, mistaken] = check_derivative::run();
    [likelihood, rotation, pendulum].into_iter().for_each(Result::unwrap);
    let text = mistaken.unwrap_err();
    assert!(text.contains("the derivative of output [") && text.contains(" in "), "{text}");
}

/// How many random cases a cell is checked at: more in a deep run.
fn cases() -> u32 {
    if std::env::var_os("WENGERT_DEEP_CASES").is_some() { 256 } else { 40 }
}

#[test]
fn cells_of_the_literature_have_right_derivatives() {
    slstm::check(cases()).unwrap();
    time_gaps::check(cases()).unwrap();
}

#[test]
fn a_cell_that_sees_the_gaps_errs_less_than_one_that_does_not() {
    let [with, without] = time_gaps::run(80).unwrap();
    assert!(with < 0.5 * without, "{with} with the gaps, {without} without");
}

#[test]
fn walk_writes_the_page_of_a_cell_and_the_playground() {
    let folder = tempfile::tempdir().unwrap();
    assert!(walk::run(folder.path()).unwrap() > 40);
    for (name, words) in [("lstm.html", "An LSTM cell"), ("playground.html", "Playground")] {
        let text = std::fs::read_to_string(folder.path().join(name)).unwrap();
        assert!(text.starts_with("<!doctype html>") && text.contains(words), "{name}");
    }
}

#[test]
fn peephole_has_right_derivatives_and_learns_to_tell_time() {
    peephole::check(cases()).unwrap();
    let right = peephole::run(200).unwrap();
    assert!(right > 0.9, "{right}");
}

#[test]
fn slstm_learns_parity_and_keeps_it_beyond_the_length_it_was_trained_on() {
    let right = slstm::run(60).unwrap();
    assert!(right > 0.9, "{right}");
}

#[test]
fn hypernetwork_writes_an_rnn_for_each_boolean_function() {
    let right = hypernetwork::run(60).unwrap();
    assert!(right >= 60, "{right} of 64");
}

#[test]
fn maml_finds_weights_from_which_one_step_is_enough() {
    let [before, after] = maml::run(100).unwrap();
    assert!(after < 0.5 * before, "{before} before, {after} after");
}

#[test]
fn attention_decoder_reverses_strings() {
    let [greedy, beam] = attention_decoder::run(400).unwrap();
    assert!(greedy > 0.8 && beam > 0.8, "{greedy} greedily, {beam} by the beam");
}

#[test]
fn mixture_density_learns_both_jumps() {
    let [loss, near] = mixture_density::run(200).unwrap();
    assert!(loss < 0.1 && near > 0.9, "loss {loss}, {near} of the jumps");
}

#[test]
fn forecast_beats_the_naive_one_and_its_interval_holds() {
    let folder = tempfile::tempdir().unwrap();
    let [network, naive] = forecast::run(5, folder.path()).unwrap();
    assert!(network[0] < 0.9 * naive[0], "pinball loss {} of the network, {} naive", network[0], naive[0]);
    assert!((0.65..0.95).contains(&network[1]), "{} in the interval", network[1]);
    // A second run in the same folder finds its own best.
    assert_eq!(forecast::run(5, folder.path()).unwrap(), [network, naive]);
}

#[test]
fn airline_learns_and_draws_what_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("airline.svg");
    let arguments =
        ["airline", "--hundreds", "2", "--seeds", "2", "--seed", "0", "--output", output.to_str().unwrap()];
    let losses = airline::run(&airline::Options::parse_from(arguments)).unwrap();
    assert!(losses.len() == 2 && losses[1] < 0.005, "{losses:?}");
    let picture = std::fs::read_to_string(output).unwrap();
    assert!(picture.contains("24 months ahead") && picture.matches("<polyline").count() >= 4);
}

#[test]
fn names_learns_the_languages_built_in_and_those_of_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("names.svg");
    let options = |more: &[&str]| {
        let all = ["names", "--output", output.to_str().unwrap(), "--hidden", "32"];
        names::Options::parse_from(all.iter().chain(more))
    };
    let [found, _] = names::run(&options(&["--epochs", "25"])).unwrap();
    assert!(found > 0.5, "{found} of 6 languages");
    assert!(std::fs::read_to_string(&output).unwrap().contains("Japanese"));

    let data = folder.path().join("data");
    let path = data.to_str().unwrap();
    let of_folder = || names::run(&options(&["--epochs", "10", "--batch", "8", "--data", path]));
    assert!(of_folder().unwrap_err().to_string().contains("data"));
    std::fs::create_dir(&data).unwrap();
    assert!(of_folder().unwrap_err().to_string().contains("at least 2, got 0"));
    for (language, letters) in [("Low", ["a", "b"]), ("High", ["y", "z"])] {
        let names = (0..64).map(|n| (0..6).map(|bit| letters[n >> bit & 1]).collect::<String>() + "\n");
        std::fs::write(data.join(language).with_extension("txt"), names.collect::<String>()).unwrap();
    }
    assert_eq!(of_folder().unwrap(), [1.0, 1.0]);
}

#[test]
fn streaming_stopped_again_and_again_ends_with_the_bytes_of_one_run() {
    let run = |folder: &Path, steps: usize, stop: &Stop| {
        let (folder, steps) = (folder.to_str().unwrap(), steps.to_string());
        let arguments = ["streaming", "--hidden", "4", "--window", "5", "--checkpoints", folder, "--steps"];
        let options = streaming::Options::parse_from(arguments.into_iter().chain([steps.as_str()]));
        streaming::run(&options, stop).unwrap()
    };
    let (whole, parts) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    assert_eq!(run(whole.path(), 203, &Stop::new()), 203);
    for steps in [5, 10, 100] {
        assert_eq!(run(parts.path(), steps, &Stop::new()), steps);
        // Something else happens on this thread in between.
        wengert::manual_seed(99);
    }
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let stop = Stop::new().when(move || asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) >= 7);
    let stopped = run(parts.path(), 203, &stop);
    assert!((105..203).contains(&stopped) && stopped % 5 == 0, "the window that is begun is finished");
    run(parts.path(), 203, &Stop::new());
    let bytes = |folder: &Path| {
        let latest = wengert::train::Checkpoints::new(folder).unwrap().latest().unwrap().unwrap();
        std::fs::read(latest.path).unwrap()
    };
    assert_eq!(bytes(whole.path()), bytes(parts.path()));
}

/// Options for a small network on a small text.
fn options(output: &Path, more: &[&str]) -> char_rnn::Options {
    let text = output.join("text");
    std::fs::write(&text, "abracadabra, hocus pocus; ".repeat(80)).unwrap();
    let path = |path: &Path| path.display().to_string();
    let mut all: Vec<String> =
        ["char_rnn", "--quiet", "--hidden", "16", "--embedding", "8"].map(String::from).to_vec();
    all.extend(["--batch", "4", "--sequence", "16", "--text"].map(String::from));
    all.extend([path(&text), "--output".to_string(), path(output)]);
    all.extend(more.iter().map(|more| more.to_string()));
    char_rnn::Options::parse_from(all)
}

fn run(options: &char_rnn::Options) -> f64 {
    char_rnn::run(options, &Stop::new()).unwrap()
}

#[test]
fn char_rnn_learns_with_every_cell() {
    for cell in ["rnn", "lstm", "gru"] {
        let folder = tempfile::tempdir().unwrap();
        let loss = run(&options(
            folder.path(),
            &["--cell", cell, "--steps", "150", "--epochs", "99", "--learning-rate", "0.02"],
        ));
        assert!(loss < 1.5, "{cell} ends at {loss} nats");
        assert!(folder.path().join("loss.svg").exists());
    }
}

#[test]
fn char_rnn_resumed_goes_on_bit_for_bit() {
    let (whole, parts) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let with_steps =
        |steps| ["--steps", steps, "--dropout", "0.2", "--epochs", "99", "--learning-rate", "0.01"];
    run(&options(whole.path(), &with_steps("50")));
    run(&options(parts.path(), &with_steps("23")));
    let saved = parts.path().join("checkpoint.safetensors");
    // Something else happens on this thread in between.
    wengert::manual_seed(99);
    let resume = ["--steps", "50", "--resume", saved.to_str().unwrap()];
    run(&options(parts.path(), &resume));
    let load = |folder: &Path| wengert::TensorMap::load(folder.join("checkpoint.safetensors")).unwrap();
    let (whole, parts) = (load(whole.path()), load(parts.path()));
    for name in whole.names() {
        assert_eq!(whole.get(name), parts.get(name), "{name}");
    }
}

#[test]
fn char_rnn_interrupted_saves_and_refuses_what_does_not_fit() {
    let folder = tempfile::tempdir().unwrap();
    let stop = Stop::new();
    stop.request();
    char_rnn::run(&options(folder.path(), &["--epochs", "99"]), &stop).unwrap();
    let saved = folder.path().join("checkpoint.safetensors");
    let map = wengert::TensorMap::load(&saved).unwrap();
    assert_eq!(map.number("step.count").unwrap(), 1.0);

    let resume = |file: &Path| {
        char_rnn::run(&options(folder.path(), &["--resume", file.to_str().unwrap()]), &Stop::new())
    };
    let cut = folder.path().join("cut");
    let bytes = std::fs::read(&saved).unwrap();
    std::fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    assert!(resume(&cut).unwrap_err().to_string().contains("damaged"));
    std::fs::write(&cut, [7u8; 100]).unwrap();
    assert!(resume(&cut).unwrap_err().to_string().contains("damaged"));

    // Numbers that no network could be made of are refused before one is.
    let mut generator = vec![0u8; 56];
    generator[0] = 1;
    let numbers: [wengert::AnyTensor; 6] =
        [-1.0, 0.0, 0.5, 1e300, 1e15, f64::NAN].map(|number| wengert::Tensor::scalar(number).into());
    let sizes = ["option.layers", "option.hidden", "option.embedding"].map(|name| (name, &numbers[..]));
    let others = ["option.sequence", "option.batch"].map(|name| (name, &numbers[..3]));
    let wrong: [wengert::AnyTensor; 2] =
        [wengert::Tensor::from([1.0f32]).into(), wengert::AnyTensor::Bytes(generator)];
    let tensors = ["step.count", "training.points", "state.0", "generator", "model.head.bias"];
    let tensors = tensors.map(|name| (name, &wrong[..]));
    for (name, entries) in sizes.into_iter().chain(others).chain(tensors) {
        for entry in entries {
            let mut changed = map.clone();
            changed.insert(name, entry.clone());
            changed.save(&cut).unwrap();
            assert!(resume(&cut).is_err(), "{name}: {entry:?}");
        }
    }
}

#[test]
fn char_rnn_refuses_to_go_on_with_another_text_of_the_same_characters() {
    let folder = tempfile::tempdir().unwrap();
    run(&options(folder.path(), &["--steps", "5"]));
    let saved = folder.path().join("checkpoint.safetensors");
    let resumed = options(folder.path(), &["--steps", "9", "--resume", saved.to_str().unwrap()]);
    let other = "abracadabra, hocus pocus; ".repeat(79) + "abracadabra; hocus pocus, ";
    std::fs::write(folder.path().join("text"), other).unwrap();
    let error = char_rnn::run(&resumed, &Stop::new()).unwrap_err().to_string();
    assert!(error.contains("part `text`: is \"2080 bytes, "), "{error}");
}

#[test]
fn char_rnn_writes_from_a_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    run(&options(folder.path(), &["--steps", "5"]));
    let saved = folder.path().join("checkpoint.safetensors");
    let sample = ["--sample", "30", "--prompt", "abra", "--resume", saved.to_str().unwrap()];
    assert!(run(&options(folder.path(), &sample)).is_finite());
}
