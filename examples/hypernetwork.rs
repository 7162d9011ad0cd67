//! A network that writes another one's weights (Ha et al. 2016, arXiv 1609.09106): for each of the sixteen
//! boolean functions of two bits it gives the parameters of an RNN that reads the bits one after the other
//! and then knows the function's value. The RNN has no weights of its own.
//!
//! `cargo run --release --example hypernetwork`

use wengert::prelude::*;

/// What the weights are written for; what its own were at the start is never used.
#[derive(Clone)]
struct Reader {
    rnn: Rnn,
    head: Linear,
}
module!(Reader { rnn, head });

/// Writes the reader's parameters.
pub struct Model {
    functions: Embedding,
    writer: Linear,
    bits: Embedding,
    reader: Reader,
}
module!(Model { functions, writer, bits } keep { reader });

impl Model {
    /// For a reader of 6 units.
    pub fn new() -> Result<Self> {
        let reader = Reader { rnn: Rnn::new(2, 6)?, head: Linear::new(6, 2)? };
        Ok(Model {
            functions: Embedding::new(16, 8)?,
            writer: Linear::new(8, reader.num_parameters())?,
            bits: Embedding::new(2, 2)?,
            reader,
        })
    }

    /// For each of the four pairs of bits how likely the value is to be 0, and to be 1.
    fn logits(&self, function: i64) -> Result<Variable> {
        let weights = self.writer.forward(&self.functions.forward(&Tensor::scalar(function))?)?;
        let pairs = self.bits.forward(&Tensor::from([[0i64, 0, 1, 1], [0, 1, 0, 1]]))?;
        self.reader.with_flat(&weights, |reader| {
            let (_, h) = reader.rnn.forward(&pairs, None)?;
            reader.head.forward(&h.select(0, 0))
        })
    }

    /// Over all functions.
    pub fn loss(&self) -> Result<Variable> {
        let losses = (0..16).map(|function| cross_entropy(&self.logits(function)?, &table(function)));
        Ok(stack(&losses.collect::<Result<Vec<_>>>()?, 0).mean())
    }
}

/// The values of a function, whose number is its truth table in binary.
fn table(function: i64) -> Tensor<i64> {
    Tensor::from([3, 2, 1, 0].map(|place| function >> place & 1))
}

/// Trains for so many steps; gives how many of the 64 entries of all truth tables are right.
pub fn run(steps: usize) -> Result<usize> {
    manual_seed(0);
    let model = Model::new()?;
    let mut adam = Adam::new(model.parameters(), 1e-2)?;
    for step in 1..=steps {
        let loss = model.loss()?;
        loss.backward()?;
        adam.step()?;
        adam.zero_grad();
        if step % 20 == 0 {
            println!("step {step:3}: loss {:.3}", loss.item()?);
        }
    }
    let mut right = 0;
    for function in 0..16 {
        let found = no_grad(|| model.logits(function))?.argmax(-1).to_vec();
        println!("{function:04b} as its RNN computes it: {found:?}");
        right += found.iter().zip(table(function).to_vec()).filter(|(found, value)| *found == value).count();
    }
    println!("{right} of 64 entries of the truth tables are right");
    Ok(right)
}

#[allow(dead_code, reason = "the tests run the example as a module")]
fn main() -> Result<()> {
    run(100).map(|_| ())
}
