//! Recordings of which something is missing: their pages say what.

use std::path::Path;

use serde_json::json;
use wengert_core::{Result, Tape, Tensor, Variable, record};
use wengert_page::Page;

use crate::put;

pub fn write(folder: &Path) -> Result<()> {
    let x = || Variable::new(Tensor::from([0.5f64, 2.0])).requires_grad_(true);
    let tell = |name: &str, value: &Variable<f64>, words: &str| {
        put(
            folder,
            &format!("bad-{name}"),
            &Page::of(&Tape::of(value))?.title("A tape"),
            &json!({ "words": words }),
        )
    };

    let released = x().exp().sum();
    released.backward()?;
    tell("released", &released, "compute inside `record(|| ..)`")?;

    let mut hooked = x();
    hooked.register_hook(|grad| Some(grad * 2.0));
    let loss = record(|| hooked.exp().sum());
    loss.backward()?;
    tell("hook", &loss, "hook")?;

    let empty = Variable::new(Tensor::<f64>::zeros([0, 3])).requires_grad_(true);
    let loss = record(|| empty.exp().sum());
    loss.backward()?;
    tell("empty", &loss, "empty")?;

    let dropped = {
        let loss = record(|| x().exp().sum());
        Tape::of(&loss)
    };
    let page = Page::of(&dropped)?.title("A tape");
    put(folder, "bad-dropped", &page, &json!({ "words": "No gradient flows" }))
}
