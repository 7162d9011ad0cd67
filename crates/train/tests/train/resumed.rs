//! A run whose process is killed again and again ends with the same bits as one that is left alone.

use std::path::Path;

use wengert_core::{Generator, Result, Tensor, Variable, manual_seed};
use wengert_nn::{Linear, Lstm, Module, State, cross_entropy, module};
use wengert_optim::schedule::{ReduceLrOnPlateau, Schedule};
use wengert_optim::{Adam, Averaged, Optimizer};
use wengert_train::*;

use crate::killed;

const STEPS: usize = 60;
const EVERY: usize = 4;

struct Model {
    lstm: Lstm,
    head: Linear,
}
module!(Model { lstm, head });

/// One of each piece that has a state.
struct Run {
    model: Model,
    adam: Adam,
    averaged: Averaged,
    plateau: ReduceLrOnPlateau,
    data: Generator,
    carried: (Variable, Variable),
    step: usize,
    loss: Mean,
    bits: BitsPerCharacter,
    accuracy: Accuracy,
    f1: F1,
    r2: R2,
    rate: ErrorRate,
    early: EarlyStopping,
    curve: Curve,
    log: CsvLog,
    progress: Progress,
}

impl Run {
    fn new(folder: &Path) -> Result<Self> {
        manual_seed(3);
        let lstm = Lstm::builder(2, 5).num_layers(2).dropout(0.3).build()?;
        let model = Model { lstm, head: Linear::new(5, 3)? };
        let zeros = || Variable::new(Tensor::zeros([2, 4, 5]));
        Ok(Run {
            adam: Adam::new(model.parameters(), 0.02)?,
            averaged: Averaged::ema(model.parameters(), 0.9)?,
            model,
            plateau: ReduceLrOnPlateau::new(0.02)?.factor(0.7)?.patience(2)?,
            data: Generator::from_seed(8),
            carried: (zeros(), zeros()),
            step: 0,
            loss: Mean::new(),
            bits: BitsPerCharacter::new(),
            accuracy: Accuracy::top(2)?,
            f1: F1::new(3)?,
            r2: R2::new(),
            rate: ErrorRate::words(),
            early: EarlyStopping::new(Mode::Min, 1000)?,
            curve: Curve::new("loss"),
            log: CsvLog::open(folder.join("log.csv"))?,
            progress: Progress::hidden(),
        })
    }

    fn kept(&mut self) -> Kept<'_> {
        Kept::new()
            .module("model", &self.model)
            .optimizer("adam", &mut self.adam)
            .part("averaged", &mut self.averaged)
            .schedule("plateau", &mut self.plateau)
            .generator("data", &mut self.data)
            .state("carried", &mut self.carried)
            .count("step", &mut self.step)
            .part("loss", &mut self.loss)
            .part("bits", &mut self.bits)
            .part("accuracy", &mut self.accuracy)
            .part("f1", &mut self.f1)
            .part("r2", &mut self.r2)
            .part("rate", &mut self.rate)
            .part("early", &mut self.early)
            .part("curve", &mut self.curve)
            .part("log", &mut self.log)
            .part("progress", &mut self.progress)
            .same("steps", STEPS)
    }

    fn train_step(&mut self) -> Result<f64> {
        self.adam.set_lr(self.plateau.lr(self.step as u64));
        let x = Tensor::from_fn([6, 4, 2], |_| self.data.uniform(-1.0, 1.0) as f32);
        let targets = Tensor::from_fn([6, 4], |_| self.data.below(3) as i64);
        let (out, state) = self.model.lstm.forward(&Variable::new(x), Some(&self.carried))?;
        let scores = self.model.head.forward(&out)?;
        let loss = cross_entropy(&scores, &targets)?;
        loss.backward()?;
        self.adam.step()?;
        self.averaged.update()?;
        self.adam.zero_grad();
        self.carried = state.detach();
        let value = f64::from(loss.item()?);
        let lengths = Lengths(&[6, 5, 2, 0]);
        self.loss.add(value, 24.0)?;
        self.bits.add(value, 24.0)?;
        self.accuracy.update(&scores.value(), &targets, lengths)?;
        self.f1.update(&scores.value(), &targets, lengths)?;
        let numbers = targets.cast::<f32>();
        self.r2.update(&scores.value().select(2, 0)?, &numbers, lengths)?;
        self.rate.update(&format!("{} words", value > 1.1), "true words");
        Ok(value)
    }

    fn run(&mut self, folder: &Path) -> Result<()> {
        let checkpoints = Checkpoints::new(folder.join("checkpoints"))?.keep_last(2)?.keep_best(Mode::Min);
        checkpoints.resume(&mut self.kept())?;
        while self.step < STEPS {
            let loss = self.train_step()?;
            self.step += 1;
            self.progress.expect(1);
            self.progress.advance(1);
            self.plateau.observe(loss);
            self.early.observe(loss);
            self.curve.push(self.step as u64, loss);
            self.log.row(self.step as u64, &[("loss", loss), ("rate", self.adam.lr())])?;
            if self.step.is_multiple_of(EVERY) {
                self.loss.reset();
                checkpoints.save(self.step as u64, loss, &self.kept())?;
            }
            killed::step_done(self.step);
        }
        Ok(())
    }
}

/// Trains on from where it is; no test unless the one below starts it.
#[test]
fn child() {
    let Some(folder) = killed::folder() else { return };
    Run::new(folder.as_ref()).unwrap().run(folder.as_ref()).unwrap();
}

#[test]
fn a_run_that_is_killed_again_and_again_ends_with_the_same_bits() {
    killed::check("resumed::child", EVERY, 20);
}
