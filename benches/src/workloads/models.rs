//! Whole training steps of language models.

use wengert::prelude::*;

use super::Workload;

/// Tokens in, scores of the next ones out.
pub struct LanguageModel {
    embedding: Embedding,
    rnn: Lstm,
    head: Linear,
}

module!(LanguageModel { embedding, rnn, head });

impl LanguageModel {
    /// A model of `tokens` tokens, with an embedding of width `width` and two layers of `hidden` units.
    ///
    /// # Errors
    /// If one of them is zero.
    pub fn new(tokens: usize, width: usize, hidden: usize) -> Result<Self> {
        Ok(LanguageModel {
            embedding: Embedding::new(tokens, width)?,
            rnn: Lstm::builder(width, hidden).num_layers(2).build()?,
            head: Linear::new(hidden, tokens)?,
        })
    }

    /// The mean cross-entropy of `targets` (L, N) after `inputs` (L, N).
    ///
    /// # Errors
    /// If a token is none of the model's.
    pub fn loss(&self, inputs: &Tensor<i64>, targets: &Tensor<i64>) -> Result<Variable> {
        let (out, _) = self.rnn.forward(&self.embedding.forward(inputs)?, None)?;
        cross_entropy(&self.head.forward(&out)?, targets)
    }
}

/// 65 characters, 512 units, 64 steps of 32 samples, with Adam.
pub fn characters(name: &'static str) -> Result<Workload> {
    let model = LanguageModel::new(65, 128, 512)?;
    let adam = Adam::new(model.parameters(), 1e-3)?;
    Ok(training(name, model, [64, 32], adam, || Ok(())))
}

/// 10,000 words, 200 units, 20 steps of 20 samples, with SGD and gradients kept to a norm of 5.
pub fn words(name: &'static str) -> Result<Workload> {
    let model = LanguageModel::new(10_000, 200, 200)?;
    let (sgd, parameters) = (Sgd::new(model.parameters(), 0.1)?, model.parameters());
    let clip = move || clip_grad_norm(&parameters, 5.0).map(drop);
    Ok(training(name, model, [20, 20], sgd, clip))
}

/// Forward, backward, what is done with the gradients, and the optimizer's step, on the same random tokens
/// each time.
fn training(
    name: &'static str,
    model: LanguageModel,
    shape: [usize; 2],
    mut optimizer: impl Optimizer + 'static,
    prepare: impl Fn() -> Result<()> + 'static,
) -> Workload {
    let tokens = model.embedding.weight.shape()[0] as f32;
    let draw = || Tensor::<f32>::rand(shape).map(|u| (u * tokens) as i64);
    let (inputs, targets) = (draw(), draw());
    let mut step = move || -> Result<()> {
        optimizer.zero_grad();
        model.loss(&inputs, &targets)?.backward()?;
        prepare()?;
        optimizer.step()
    };
    Workload::new(name, "step", move || step().expect("tokens of the model's and a scalar loss"))
}
