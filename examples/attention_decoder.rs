//! An encoder, and a decoder that looks back with additive attention (Bahdanau et al. 2014, arXiv
//! 1409.0473): strings of digits come out reversed. They are decoded greedily, and by a beam search that
//! reorders the rows of the decoder's state.
//!
//! `cargo run --release --example attention_decoder`

use wengert::prelude::*;

const LENGTH: usize = 5;
/// What the decoder sees before its first digit.
const START: i64 = 10;

/// Reads digits and writes them down again.
pub struct Model {
    digits: Embedding,
    encoder: Gru,
    decoder: LstmCell,
    of_memory: Linear,
    of_state: Linear,
    score: Linear,
    head: Linear,
}
module!(Model { digits, encoder, decoder, of_memory, of_state, score, head });

/// What was read (L, N, ..), and the part of its scores that no state changes.
type Memory = (Variable, Variable);
/// The decoder's hidden and cell state.
type States = (Variable, Variable);

impl Model {
    /// All widths are one.
    pub fn new(width: usize) -> Result<Self> {
        Ok(Model {
            digits: Embedding::new(11, width)?,
            encoder: Gru::builder(width, width).bidirectional(true).merge(Merge::Sum).build()?,
            decoder: LstmCell::new(2 * width, width)?,
            of_memory: Linear::new(width, width)?,
            of_state: Linear::without_bias(width, width)?,
            score: Linear::without_bias(width, 1)?,
            head: Linear::new(width, 10)?,
        })
    }

    fn read(&self, digits: &Tensor<i64>) -> Result<Memory> {
        let (memory, _) = self.encoder.forward(&self.digits.forward(digits)?, None)?;
        let keys = self.of_memory.forward(&memory)?;
        Ok((memory, keys))
    }

    /// Logits (N, 10) of the next digit, from the last one (N).
    fn step(
        &self,
        (memory, keys): &Memory,
        last: &Tensor<i64>,
        state: &States,
    ) -> Result<(Variable, States)> {
        let scores = self.score.forward(&(keys + self.of_state.forward(&state.0)?).tanh())?;
        let context = (scores.softmax(0) * memory).sum_dim(&[0]);
        let input = cat(&[&self.digits.forward(last)?, &context], -1);
        let (out, state) = self.decoder.forward(&input, Some(state))?;
        Ok((self.head.forward(&out)?, state))
    }

    /// The decoder is told the right digits (teacher forcing).
    pub fn loss(&self, digits: &Tensor<i64>) -> Result<Variable> {
        let (memory, size) = (self.read(digits)?, digits.shape()[1]);
        let (mut last, mut state) = (Tensor::full([size], START), self.decoder.zero_state(size));
        let mut losses = Vec::new();
        for t in (0..LENGTH).rev() {
            let (logits, next) = self.step(&memory, &last, &state)?;
            (last, state) = (digits.select(0, t)?, next);
            losses.push(cross_entropy(&logits, &last)?);
        }
        Ok(stack(&losses, 0).mean())
    }

    /// The likeliest strings that a beam of `width` finds for one string (L, 1), each with its
    /// log-likelihood; a beam of one is greedy.
    fn beam(&self, digits: &Tensor<i64>, width: usize) -> Result<Vec<(f32, Vec<i64>)>> {
        let memory = self.read(digits)?;
        let (mut last, mut state) = (Tensor::from([START]), self.decoder.zero_state(1));
        let (mut sums, mut strings) = (Tensor::zeros([1, 1]), vec![Vec::new()]);
        for _ in 0..LENGTH {
            let (logits, next) = self.step(&memory, &last, &state)?;
            let (best, places) = (logits.log_softmax(-1) + &sums).flatten(0, -1).topk(width, 0);
            // A place is a string so far and its next digit.
            let from = places.map(|place| place / 10);
            (last, state) = (places.map(|place| place % 10), next.index_select(0, &from));
            sums = best.value().unsqueeze(-1)?;
            let longer = |(from, digit): (i64, i64)| [&strings[from as usize][..], &[digit]].concat();
            strings = from.to_vec().into_iter().zip(last.to_vec()).map(longer).collect();
        }
        Ok(sums.to_vec().into_iter().zip(strings).collect())
    }
}

/// Strings of digits (L, N).
pub fn strings(size: usize) -> Tensor<i64> {
    Tensor::<f64>::uniform([LENGTH, size], 0.0, 10.0).map(|digit| digit as i64)
}

/// Trains for so many steps; gives the parts of new strings that come out reversed, greedily and by a beam
/// of 3.
pub fn run(steps: usize) -> Result<[f32; 2]> {
    manual_seed(0);
    let model = Model::new(32)?;
    let mut adam = Adam::new(model.parameters(), 5e-3)?;
    for step in 1..=steps {
        let loss = model.loss(&strings(32))?;
        loss.backward()?;
        clip_grad_norm(&model.parameters(), 1.0)?;
        adam.step()?;
        adam.zero_grad();
        if step % 50 == 0 {
            println!("step {step:3}: loss {:.3}", loss.item()?);
        }
    }
    let mut right = [0.0, 0.0];
    for n in 0..100 {
        let string = strings(1);
        let reversed: Vec<i64> = string.to_vec().into_iter().rev().collect();
        for (right, width) in right.iter_mut().zip([1, 3]) {
            let found = no_grad(|| model.beam(&string, width))?;
            *right += f32::from(found[0].1 == reversed) / 100.0;
            if n == 0 {
                println!("{:?} reversed by a beam of {width}:", string.to_vec());
                found.iter().for_each(|(likelihood, digits)| println!("  {digits:?} {likelihood:8.4}"));
            }
        }
    }
    let [greedy, beam] = right.map(|part: f32| 100.0 * part);
    println!("of new strings {greedy:.0} % come out right greedily, {beam:.0} % by the beam");
    Ok(right)
}

#[allow(dead_code, reason = "the tests run the example as a module")]
fn main() -> Result<()> {
    run(500).map(|_| ())
}
