//! What is refused, and the words.

use wengert_core::{Error, Result, Stateful, Tensor, TensorMap};
use wengert_nn::{Gru, Linear, Module, Persist, Relu, Sequential, Tanh};
use wengert_optim::schedule::{CosineAnnealingLr, ReduceLrOnPlateau, Schedule, StepLr};
use wengert_optim::{Adam, AdamW, Optimizer, Sgd};
use wengert_train::*;

use crate::settings::without_settings;

fn says<T>(result: Result<T>, text: &str) {
    assert_eq!(result.map(drop).unwrap_err().to_string(), text);
}

#[test]
fn metrics() {
    let scores = Tensor::<f32>::zeros([2, 3]);
    let targets = Tensor::from([0i64, 1]);
    let mut accuracy = Accuracy::new();
    says(
        accuracy.update(&scores, &Tensor::from([0i64]), All),
        "accuracy: expected scores of shape [1] and one axis more, that of the classes, got [2, 3]",
    );
    says(
        accuracy.update(&scores, &Tensor::from([0i64, 3]), All),
        "accuracy: every class must be in 0..3 where it counts, got 3 at element 1",
    );
    says(
        accuracy.update(&scores, &targets, &Tensor::from([true; 3])),
        "update: expected a mask over the leading axes of [2], got [3]",
    );
}

#[test]
fn counts() {
    let losses = Tensor::<f32>::ones([2, 3]);
    let mut mean = Mean::new();
    says(
        mean.update(&losses, &Tensor::from([true, false, true])),
        "update: expected a mask over the leading axes of [2, 3], got [3]",
    );
    says(
        mean.update(&losses, &Tensor::from([1.0f32, -1.0])),
        "update: every weight must be finite and at least 0, got -1 at element 3",
    );
    says(
        mean.update(&losses, Lengths(&[1, 2])),
        "update: expected 3 lengths, one for each sequence, got 2 lengths",
    );
    says(mean.update(&losses, Lengths(&[1, 2, 3])), "update: every length must be at most 2, got 3");
    says(mean.add(1.0, f64::NAN), "add: weight must be finite and at least 0, got NaN");
    assert!(mean.value().is_nan(), "what was refused has been added");
}

#[test]
fn sizes_and_options() {
    says(Accuracy::top(0), "accuracy: k must be at least 1, got 0");
    says(ConfusionMatrix::new(0), "confusion matrix: classes must be from 1 to 16384, got 0");
    says(EarlyStopping::new(Mode::Min, 0), "EarlyStopping: patience must be at least 1, got 0");
    let early = || EarlyStopping::new(Mode::Min, 1).unwrap();
    says(early().min_delta(-1.0), "EarlyStopping: min_delta must be finite and at least 0, got -1");
    let mut maximizing = EarlyStopping::new(Mode::Max, 1).unwrap();
    says(
        maximizing.load_state_dict(&early().state_dict()),
        "EarlyStopping: what was saved must be 1, as it is here, got 0 for maximize",
    );
    let folder = tempfile::tempdir().unwrap();
    let checkpoints = || Checkpoints::new(folder.path()).unwrap();
    says(checkpoints().keep_last(0), "Checkpoints: keep_last must be at least 1, got 0");
    let saved = checkpoints().save(8, 0.5, &Kept::new()).unwrap();
    says(
        checkpoints().save(7, 0.5, &Kept::new()),
        &format!(
            "Checkpoints: the step must be at least 8, that of {}; resume from there, or remove it with \
             `forget_after`, got 7",
            saved.path.display()
        ),
    );
}

#[test]
fn saved_states() {
    let mut mean = Mean::new();
    says(
        mean.load_state_dict(&TensorMap::new()),
        "the values do not fit, nothing was changed\n  missing: sum, lost, weight",
    );
    let mut map = Mean::new().state_dict();
    map.insert_number("weight", -1.0);
    says(
        mean.load_state_dict(&map),
        "mean: what was saved must be a finite number of at least 0, got -1 for weight",
    );
    let four = ConfusionMatrix::new(4).unwrap().state_dict();
    says(
        ConfusionMatrix::new(3).unwrap().load_state_dict(&four),
        "the values do not fit, nothing was changed\n  of another shape: counts expected [3, 3], got \
         [4, 4]",
    );
}

#[test]
fn csv_columns() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.csv");
    let mut log = CsvLog::open(&path).unwrap();
    log.row(1, &[("loss", 1.0), ("rate", 2.0)]).unwrap();
    let says = |result: Result<()>, text: &str| says(result, &format!("{}: {text}", path.display()));
    says(log.row(2, &[("loss", 1.0)]), "expected the columns loss, rate; rate is missing");
    says(
        log.row(2, &[("loss", 1.0), ("rate", 2.0), ("norm", 1.0)]),
        "expected the columns loss, rate; norm is not among them",
    );
    says(
        log.row(2, &[("rate", 1.0), ("loss", 2.0)]),
        "expected the columns loss, rate; got them as rate, loss",
    );
    let error = log.row(1, &[("loss", 1.0), ("rate", 2.0)]).unwrap_err();
    assert_eq!(error.to_string(), "CsvLog: the step must be later than the last, 1, got 1");
    std::fs::write(&path, "time,loss\n").unwrap();
    says(CsvLog::open(&path).map(drop), "expected a header `step,..`, got `time,loss`");
}

/// What a run has, that another run is to be refused for.
struct Run {
    model: Gru,
    optimizer: Box<dyn Optimizer>,
    schedule: Box<dyn Schedule>,
    early: EarlyStopping,
}

impl Run {
    fn new(
        hidden: usize,
        optimizer: impl Fn(&Gru) -> Box<dyn Optimizer>,
        schedule: impl Schedule + 'static,
    ) -> Self {
        let model = Gru::new(2, hidden).unwrap();
        let early = EarlyStopping::new(Mode::Min, 3).unwrap();
        Run { optimizer: optimizer(&model), model, schedule: Box::new(schedule), early }
    }

    fn kept(&mut self, data: &str) -> Kept<'_> {
        Kept::new()
            .part("early", &mut self.early)
            .module("model", &self.model)
            .optimizer("optimizer", &mut *self.optimizer)
            .same("data", data)
    }

    /// All as bytes, by way of each part's own state.
    fn now(&self) -> [Vec<u8>; 4] {
        let model = self.model.state_dict();
        [model, self.optimizer.state_dict(), self.schedule.state_dict(), self.early.state_dict()]
            .map(|map| map.to_bytes().unwrap())
    }
}

fn adam(model: &Gru) -> Box<dyn Optimizer> {
    Box::new(Adam::new(model.parameters(), 0.1).unwrap())
}

fn adam_of_two(model: &Gru) -> Box<dyn Optimizer> {
    Box::new(Adam::new(model.parameters().into_iter().take(2), 0.1).unwrap())
}

fn sgd(model: &Gru) -> Box<dyn Optimizer> {
    Box::new(Sgd::new(model.parameters(), 0.1).unwrap())
}

fn step_lr() -> StepLr {
    StepLr::new(0.1, 10).unwrap()
}

#[test]
fn another_run_and_nothing_has_changed() {
    let mut saved = Run::new(3, adam, step_lr());
    saved.early.observe(0.5);
    let map = saved.kept("ours").to_map().unwrap();
    let refused = |mut other: Run, data: &str, text: &str| {
        let (before, generator) = (other.now(), wengert_core::generator_state());
        let error: Error = other.kept(data).restore(&map).unwrap_err();
        assert_eq!(error.to_string(), text);
        assert!(other.now() == before && wengert_core::generator_state() == generator, "changed by: {text}");
    };
    refused(
        Run::new(4, adam, step_lr()),
        "ours",
        "part `model`: settings: GRU(2, 4) here, and GRU(2, 3) in the checkpoint",
    );
    refused(
        Run::new(3, sgd, step_lr()),
        "ours",
        "part `optimizer`: is RuleOptimizer<SgdOptions> here, and RuleOptimizer<AdamOptions> in the \
         checkpoint",
    );
    // By then two parts are loaded.
    refused(
        Run::new(3, adam_of_two, step_lr()),
        "ours",
        "part `optimizer`: the values do not fit, nothing was changed\n  unexpected: state.bias_hh_l0.step, \
         state.bias_ih_l0.step",
    );
    refused(
        Run::new(3, adam, step_lr()),
        "theirs",
        "part `data`: is \"theirs\" here, and \"ours\" in the checkpoint",
    );
}

#[test]
fn another_kind_of_optimizer_or_schedule() {
    let model = Linear::new(1, 1).unwrap();
    let mut adam = Adam::new(model.parameters(), 0.1).unwrap();
    let mut adam_w = AdamW::new(model.parameters(), 0.1).unwrap();
    let map = Kept::new().optimizer("optimizer", &mut adam).to_map().unwrap();
    says(
        Kept::new().optimizer("optimizer", &mut adam_w).restore(&map),
        "part `optimizer`: is RuleOptimizer<AdamWOptions> here, and RuleOptimizer<AdamOptions> in the \
         checkpoint",
    );

    let (mut a, mut b): (Box<dyn Optimizer>, Box<dyn Optimizer>) = (Box::new(adam), Box::new(adam_w));
    let map = Kept::new().optimizer("optimizer", &mut *a).to_map().unwrap();
    let error = Kept::new().optimizer("optimizer", &mut *b).restore(&map).unwrap_err().to_string();
    assert!(error.contains("is RuleOptimizer<AdamWOptions> here"), "{error}");

    let (mut ten, mut twenty) = (step_lr(), StepLr::new(0.1, 20).unwrap());
    let map = Kept::new().schedule("schedule", &mut ten).to_map().unwrap();
    says(
        Kept::new().schedule("schedule", &mut twenty).restore(&map),
        "part `schedule`: schedule: its numbers must be the same (step_size is 20 here), got step_size 10",
    );
    let mut cosine = CosineAnnealingLr::new(0.1, 10).unwrap();
    says(
        Kept::new().schedule("schedule", &mut cosine).restore(&map),
        "part `schedule`: is CosineAnnealingLR here, and StepLR in the checkpoint",
    );
    // One that observes goes on with what it has seen, but only as it was declared.
    let plateau = || ReduceLrOnPlateau::new(1.0).unwrap().patience(0).unwrap();
    let mut seen = plateau();
    [1.0, 2.0].into_iter().for_each(|loss| seen.observe(loss));
    let map = Kept::new().schedule("schedule", &mut seen).to_map().unwrap();
    let mut fresh = plateau();
    Kept::new().schedule("schedule", &mut fresh).restore(&map).unwrap();
    assert_eq!(fresh.lr(0), 0.1);
    let others = [
        (plateau().factor(0.5), "factor is 0.5 here), got factor 0.1"),
        (plateau().patience(7), "patience is 7 here), got patience 0"),
        (plateau().maximize(true), "maximize is 1 here), got maximize 0"),
    ];
    for (other, text) in others {
        let mut other = other.unwrap();
        let before = other.to_string();
        let refusal = format!("part `schedule`: schedule: its numbers must be the same ({text}");
        says(Kept::new().schedule("schedule", &mut other).restore(&map), &refusal);
        assert_eq!(other.to_string(), before);
    }
}

#[test]
fn a_module_of_other_types_unless_it_was_saved_without() {
    let model = |seed| {
        wengert_core::manual_seed(seed);
        (Linear::new(2, 2).unwrap(), Linear::new(2, 2).unwrap())
    };
    let tanh = || Sequential::new((model(0).0, Tanh::new(), model(0).1));
    let relu = || Sequential::new((model(1).0, Relu::new(), model(1).1));
    let map = Kept::new().module("model", &tanh()).to_map().unwrap();
    let other = relu();
    let before = other.state_dict();
    says(
        Kept::new().module("model", &other).restore(&map),
        "part `model`: is Sequential of 0: Linear, 1: Relu, 2: Linear here, and Sequential of 0: Linear, \
         1: Tanh, 2: Linear in the checkpoint",
    );
    assert_eq!(other.state_dict(), before);
    let mut evaluated = Sequential::new((model(2).0, Tanh::new(), model(2).1));
    evaluated.eval();
    Kept::new().module("model", &evaluated).restore(&map).unwrap();
    assert_eq!(evaluated.state_dict(), tanh().state_dict());
    let mut map = without_settings(&map);
    map.set_note("model.kind of part", "a module");
    Kept::new().module("model", &other).restore(&map).unwrap();
    assert_eq!(other.state_dict(), tanh().state_dict());
}

#[test]
fn parts_that_are_missing_or_wrongly_named() {
    let (mut a, mut b) = (1, 2);
    let map = Kept::new().count("a", &mut a).to_map().unwrap();
    says(
        Kept::new().count("b", &mut b).restore(&map),
        "the values do not fit, nothing was changed\n  missing: part `b`\n  unexpected: part `a`",
    );
    let mut stray = map.clone();
    stray.insert_number("a", 1.0);
    stray.insert_number("b.loose", 1.0);
    says(
        Kept::new().count("a", &mut b).restore(&stray),
        "the values do not fit, nothing was changed\n  unexpected: a, b.loose",
    );
    says(
        Kept::new().count("a.b", &mut a).to_map(),
        "Kept: a part's name must be a name without a point, got \"a.b\"",
    );
    says(
        Kept::new().count("a", &mut a).count("a", &mut b).to_map(),
        "Kept: a part's name must be given once, got `a` twice",
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint");
    Kept::new().count("a", &mut a).save(&path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let error = Kept::new().count("a", &mut b).load(&path).unwrap_err().to_string();
    assert!(error.starts_with(&path.display().to_string()) && error.contains("damaged"), "{error}");
    assert_eq!(b, 2);
}
