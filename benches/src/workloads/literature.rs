//! Training steps of the models among the examples, of the sizes they have there: `peephole`, `slstm`,
//! `time_gaps`, `attention`, `mixture`, `hypernetwork`, `maml`.

#[path = "../../../examples/attention_decoder.rs"]
#[allow(dead_code, reason = "a program of its own")]
mod attention_decoder;
#[path = "../../../examples/hypernetwork.rs"]
#[allow(dead_code, reason = "a program of its own")]
mod hypernetwork;
#[path = "../../../examples/maml.rs"]
#[allow(dead_code, reason = "a program of its own")]
mod maml;
#[path = "../../../examples/mixture_density.rs"]
#[allow(dead_code, reason = "a program of its own")]
mod mixture_density;
#[path = "../../../examples/peephole.rs"]
#[allow(dead_code, reason = "a program of its own")]
mod peephole;
#[path = "../../../examples/slstm.rs"]
#[allow(dead_code, reason = "a program of its own")]
mod slstm;
#[path = "../../../examples/time_gaps.rs"]
#[allow(dead_code, reason = "a program of its own")]
mod time_gaps;

use wengert::prelude::*;

use super::Workload;

/// A model with the data of one step.
pub struct Literature {
    /// What it is called.
    pub name: &'static str,
    state: TensorMap,
    parameters: Vec<Parameter>,
    /// The largest norm of the gradients.
    clip: Option<f64>,
    loss: Box<dyn Fn() -> Result<Variable>>,
}

impl Literature {
    /// A model in evaluation mode, if not `training`; `data` stands beside its parameters in a file.
    fn new<M: Module<Element = f32> + 'static>(
        name: &'static str,
        mut model: M,
        training: bool,
        data: TensorMap,
        loss: impl Fn(&M) -> Result<Variable> + 'static,
    ) -> Self {
        if !training {
            model.eval();
        }
        let mut state = data;
        model.named_parameters().into_iter().for_each(|(name, p)| state.insert(name, p.value()));
        Literature {
            name,
            state,
            parameters: model.parameters(),
            clip: Some(1.0),
            loss: Box::new(move || loss(&model)),
        }
    }

    fn unclipped(mut self) -> Self {
        self.clip = None;
        self
    }

    /// The step, with Adam.
    ///
    /// # Errors
    /// None, for these models.
    pub fn step(self) -> Result<Workload> {
        let mut adam = Adam::new(self.parameters.clone(), 1e-3)?;
        let mut step = move || -> Result<()> {
            adam.zero_grad();
            (self.loss)()?.backward()?;
            if let Some(most) = self.clip {
                clip_grad_norm(&self.parameters, most)?;
            }
            adam.step()
        };
        Ok(Workload::new(self.name, "step", move || step().expect("data of the model's")))
    }

    /// Parameters, data, the loss, and the norm of its gradient: what another program's are held against.
    ///
    /// # Errors
    /// None, for these models.
    pub fn numbers(mut self) -> Result<TensorMap> {
        let loss = (self.loss)()?;
        loss.backward()?;
        let norm = clip_grad_norm(&self.parameters, 1e9)?;
        self.state.insert("loss", loss.value());
        self.state.insert("norm", Tensor::scalar(norm));
        Ok(self.state)
    }
}

/// The names of all of them.
pub const NAMES: [&str; 7] =
    ["peephole", "slstm", "time_gaps", "attention", "mixture", "hypernetwork", "maml"];

/// The model of that name, with data of the same seed each time.
///
/// # Errors
/// If there is none of that name.
pub fn of(name: &'static str, training: bool) -> Result<Literature> {
    manual_seed(0);
    let mut data = TensorMap::new();
    Ok(match name {
        "peephole" => {
            let (model, batch) = (peephole::Model::new()?, peephole::batch(32)?);
            data.insert("events", batch.0.clone());
            data.insert("gaps", batch.1.clone());
            Literature::new(name, model, training, data, move |model| model.loss(&batch))
        }
        "slstm" => {
            let (model, batch) = (slstm::Model::new()?, slstm::batch(10, 32)?);
            data.insert("given", batch.0.clone());
            data.insert("parity", batch.1.clone());
            Literature::new(name, model, training, data, move |model| model.loss(&batch))
        }
        "time_gaps" => {
            let (model, batch) = (time_gaps::Model::new()?, time_gaps::sines(30, 16));
            ["x", "gaps", "next"]
                .iter()
                .zip(&batch)
                .for_each(|(name, part)| data.insert(*name, part.value()));
            Literature::new(name, model, training, data, move |model| model.loss(&batch)).unclipped()
        }
        "attention" => {
            let (model, strings) = (attention_decoder::Model::new(32)?, attention_decoder::strings(32));
            data.insert("strings", strings.clone());
            Literature::new(name, model, training, data, move |model| model.loss(&strings))
        }
        "mixture" => {
            let (model, series) =
                (mixture_density::Forecaster::new()?, mixture_density::series(21, 32)?.detach());
            data.insert("series", series.value());
            Literature::new(name, model, training, data, move |model| model.loss(&series))
        }
        "hypernetwork" => {
            Literature::new(name, hypernetwork::Model::new()?, training, data, |model| model.loss())
                .unclipped()
        }
        "maml" => {
            let model = maml::Model::new()?;
            let tasks = (0..8).map(|_| maml::task()).collect::<Result<Vec<_>>>()?;
            let all = |of: fn(&[maml::Points; 2]) -> &Tensor| {
                Tensor::stack(&tasks.iter().map(of).collect::<Vec<_>>(), 0)
            };
            data.insert("x", all(|task| &task[0].0));
            data.insert("y", all(|task| &task[0].1));
            data.insert("other_x", all(|task| &task[1].0));
            data.insert("other_y", all(|task| &task[1].1));
            let loss = move |model: &maml::Model| {
                let losses = tasks.iter().map(|task| model.loss_after(1, task));
                Ok(stack(&losses.collect::<Result<Vec<_>>>()?, 0).mean())
            };
            Literature::new(name, model, training, data, loss).unclipped()
        }
        _ => return Err(Error::argument("wengert-bench", "the model", format!("one of {NAMES:?}"), name)),
    })
}
