//! Whatever becomes of a checkpoint's bytes: it is refused and nothing has changed, or it is loaded and
//! training goes on.

use wengert::optim::{AdamOptions, RmsPropOptions, Rule, RuleOptimizer, SgdOptions};
use wengert::prelude::*;
use wengert::{AnyTensor, Generator};

struct Model {
    embedding: Embedding,
    rnn: Gru,
    head: Linear,
}
module!(Model { embedding, rnn, head });

/// A small model, its output tied to its input.
fn model() -> Result<Model> {
    let embedding = Embedding::new(4, 3)?;
    let mut head = Linear::new(3, 4)?;
    head.weight = embedding.weight.clone();
    Ok(Model { embedding, rnn: Gru::new(3, 3)?, head })
}

impl Model {
    /// A gradient for each parameter but one, which stays without a step.
    fn set_grads(&self, generator: &mut Generator) {
        for parameter in self.parameters().iter().skip(1) {
            let grad = Tensor::from_fn(parameter.shape(), |_| generator.uniform(-1.0, 1.0) as f32);
            parameter.set_grad(Some(grad.into()));
        }
    }

    fn bits(&self) -> Vec<u32> {
        self.parameters().iter().flat_map(|p| p.to_vec()).map(f32::to_bits).collect()
    }
}

/// Model and optimizer, and the bytes that hold both.
struct Run<R: Rule> {
    model: Model,
    optimizer: RuleOptimizer<R>,
}

impl<R: Rule> Run<R> {
    fn new(options: R, generator: &mut Generator) -> Result<Self> {
        let model = model()?;
        let mut optimizer = RuleOptimizer::with(model.parameters(), options)?.warn_without_gradient(false);
        for _ in 0..2 {
            model.set_grads(generator);
            optimizer.step()?;
        }
        Ok(Run { model, optimizer })
    }

    fn saved(&self) -> TensorMap {
        let mut map = TensorMap::new();
        map.insert_all("model.", &self.model.state_dict());
        map.insert_all("optimizer.", &self.optimizer.state_dict());
        map.set_note("epoch", "3");
        map
    }

    /// Everything as bits.
    fn now(&self) -> (Vec<u32>, Vec<u8>) {
        (self.model.bits(), self.optimizer.state_dict().to_bytes().unwrap())
    }

    /// Loads both; what is refused changes nothing. Gives how many were accepted.
    fn load(&mut self, map: &TensorMap) -> usize {
        let mut accepted = 0;
        let before = self.now();
        match self.model.load_state_dict(&map.prefixed("model.")) {
            Ok(()) => accepted += 1,
            Err(error) => assert!(self.now() == before, "the model changed in spite of {error}"),
        }
        let before = self.now();
        match self.optimizer.load_state_dict(&map.prefixed("optimizer.")) {
            Ok(()) => accepted += 1,
            Err(error) => assert!(self.now() == before, "the optimizer changed in spite of {error}"),
        }
        accepted
    }

    /// A step, after which all can be saved and loaded.
    fn go_on(&mut self, generator: &mut Generator) {
        self.model.set_grads(generator);
        self.optimizer.step().unwrap();
        let now = self.saved().to_bytes().unwrap();
        assert_eq!(self.load(&TensorMap::from_bytes(&now).unwrap()), 2, "what was saved is refused");
        assert!(self.saved().to_bytes().unwrap() == now, "what was loaded is not what was saved");
    }
}

const NUMBERS: [f64; 14] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    2.0,
    1e300,
    -1e300,
    18446744073709551616.0,
    9007199254740992.0,
    4e38,
    f64::MIN_POSITIVE,
    f64::INFINITY,
    f64::NAN,
];

const TEXTS: [&str; 12] = [
    "0",
    "-1",
    "1e300",
    "18446744073709551615",
    "18446744073709551616",
    "9007199254740993",
    "4611686018427387905",
    "null",
    "[]",
    "\"\"",
    "{}",
    "7.5",
];

fn one_of<T: Copy>(list: &[T], generator: &mut Generator) -> T {
    list[generator.below(list.len())]
}

/// The bytes with some changed, cut, or put twice.
fn damage_bytes(bytes: &mut Vec<u8>, generator: &mut Generator) {
    let at = generator.below(bytes.len());
    match generator.below(5) {
        0 => bytes.truncate(at),
        1 => bytes.extend_from_within(at..),
        2 => drop(bytes.remove(at)),
        _ => {
            for _ in 0..=generator.below(4) {
                let at = generator.below(bytes.len());
                bytes[at] = generator.below(256) as u8;
            }
        }
    }
}

/// The bytes with another text in the place of one number or word of the header, whose length stays true.
fn damage_header(bytes: &mut Vec<u8>, generator: &mut Generator) {
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header = std::str::from_utf8(&bytes[8..8 + length]).unwrap();
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let starts: Vec<usize> = header
        .char_indices()
        .filter(|(at, c)| word(*c) && !header[..*at].ends_with(word))
        .map(|(at, _)| at)
        .collect();
    let start = one_of(&starts, generator);
    let end = start + header[start..].find(|c| !word(c)).unwrap_or(header.len() - start);
    let other = one_of(&starts, generator);
    let other_end = other + header[other..].find(|c| !word(c)).unwrap_or(header.len() - other);
    let text = match generator.below(3) {
        0 => header[other..other_end].to_string(),
        _ => one_of(&TEXTS, generator).to_string(),
    };
    let mut header = header.to_string();
    header.replace_range(start..end, &text);
    let body = bytes.split_off(8 + length);
    *bytes = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &body].concat();
}

/// A file that is whole, with one entry changed, moved, added or taken away.
fn damage_entry(map: &TensorMap, generator: &mut Generator) -> TensorMap {
    let names: Vec<&str> = map.names().collect();
    // An optimizer's entries half of the time: among them are the numbers.
    let own: Vec<&str> = names.iter().copied().filter(|name| name.starts_with("optimizer.")).collect();
    let name = if generator.bernoulli(0.5) { one_of(&own, generator) } else { one_of(&names, generator) };
    let (entry, number) = (map.get(name).unwrap(), one_of(&NUMBERS, generator));
    let shape = entry.shape();
    let other = match generator.below(8) {
        0 => None,
        1 => Some(Tensor::full([shape.iter().product()], number as f32).into()),
        2 => Some(Tensor::full(shape, number).into()),
        3 => Some(Tensor::full(shape, number as i64).into()),
        4 => Some(AnyTensor::Bytes(vec![1; shape.iter().product()])),
        5 => Some(map.get(one_of(&names, generator)).unwrap().clone()),
        _ => {
            let mut values = entry.cast::<f64>().to_vec();
            if !values.is_empty() {
                let at = generator.below(values.len());
                values[at] = number;
            }
            Some(Tensor::from_vec(values, &shape[..]).unwrap().into())
        }
    };
    let mut changed = TensorMap::new();
    names.iter().filter(|known| **known != name).for_each(|name| {
        changed.insert(*name, map.get(name).unwrap().clone());
    });
    let target = match generator.below(8) {
        0 => format!("{name}.more"),
        1 => one_of(&names, generator).to_string(),
        _ => name.to_string(),
    };
    other.into_iter().for_each(|other: AnyTensor| changed.insert(target.as_str(), other));
    changed
}

/// Damages checkpoints in every way; gives how many were read at all, and how many loads were accepted.
fn check<R: Rule>(options: R, cases: usize, seed: u64) -> (usize, usize) {
    let mut generator = Generator::from_seed(seed);
    let good = Run::new(options.clone(), &mut generator).unwrap().saved();
    let whole = good.to_bytes().unwrap();
    let mut run = Run::new(options, &mut generator).unwrap();
    let (mut read, mut accepted) = (0, 0);
    for case in 0..cases {
        let mut bytes = match case % 3 {
            0 => damage_entry(&good, &mut generator).to_bytes().unwrap(),
            _ => whole.clone(),
        };
        match case % 3 {
            0 => {}
            1 => damage_header(&mut bytes, &mut generator),
            _ => damage_bytes(&mut bytes, &mut generator),
        }
        let case = std::panic::AssertUnwindSafe(|| {
            let Ok(map) = TensorMap::from_bytes(&bytes) else { return };
            read += 1;
            let loaded = run.load(&map);
            accepted += loaded;
            if loaded > 0 {
                run.go_on(&mut generator);
            }
            // From where it was, or the next case would begin with extreme numbers.
            assert_eq!(run.load(&good), 2);
        });
        if let Err(panic) = std::panic::catch_unwind(case) {
            let path = std::env::temp_dir().join("wengert-damaged.safetensors");
            std::fs::write(&path, &bytes).unwrap();
            println!("{}, seed {seed}: the file is kept at {}", R::NAME, path.display());
            std::panic::resume_unwind(panic);
        }
    }
    println!("{}: {cases} damaged, {read} read, {accepted} loads of a module or an optimizer", R::NAME);
    (read, accepted)
}

/// Refused and accepted files are both among the cases, or they would say little.
fn check_all<R: Rule>(options: R, seed: u64) {
    let cases = super::deep_cases().unwrap_or(3000) / 3;
    let (read, accepted) = check(options, cases, seed);
    assert!(read > cases / 4 && read < cases * 9 / 10, "{read} of {cases} read");
    assert!(accepted > cases / 4 && accepted < cases * 2 * 9 / 10, "{accepted} of {cases} accepted");
}

#[test]
fn a_damaged_checkpoint_of_sgd_changes_nothing_or_can_be_gone_on_with() {
    check_all(SgdOptions::default().momentum(0.9), 1);
}

#[test]
fn a_damaged_checkpoint_of_adam_changes_nothing_or_can_be_gone_on_with() {
    check_all(AdamOptions::default().amsgrad(true), 2);
}

#[test]
fn a_damaged_checkpoint_of_rms_prop_changes_nothing_or_can_be_gone_on_with() {
    check_all(RmsPropOptions::default().momentum(0.9).centered(true), 3);
}
