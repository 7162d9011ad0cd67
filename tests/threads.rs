//! Threads change how long it takes and nothing else.

use wengert::prelude::*;
use wengert::{num_threads, set_num_threads};

struct Model {
    rnn: Lstm,
    norm: LayerNorm,
    head: Linear,
}

module!(Model { rnn, norm, head });

/// Losses, and parameters after some steps, of a model whose products and loops are long enough to be cut.
fn trained(threads: usize) -> Result<(Vec<f32>, Vec<f32>)> {
    set_num_threads(threads);
    assert_eq!(num_threads(), threads);
    manual_seed(7);
    let model = Model {
        rnn: Lstm::builder(64, 256).num_layers(2).dropout(0.2).build()?,
        norm: LayerNorm::new([256]),
        head: Linear::new(256, 1000)?,
    };
    let mut adam = Adam::new(model.parameters(), 1e-3)?;
    let x = Variable::new(Tensor::randn([6, 32, 64]));
    let classes: Vec<i64> = (0..6 * 32).map(|i| i * 37 % 1000).collect();
    let targets = Tensor::from(classes).reshape([6, 32])?;
    let mut losses = Vec::new();
    for _ in 0..3 {
        let (out, _) = model.rnn.forward(&x, None)?;
        let loss = cross_entropy(&model.head.forward(&model.norm.forward(&out)?)?, &targets)?;
        loss.backward()?;
        clip_grad_norm(&model.parameters(), 0.5)?;
        adam.step()?;
        adam.zero_grad();
        losses.push(loss.item()?);
    }
    Ok((losses, model.parameters().iter().flat_map(|parameter| parameter.to_vec()).collect()))
}

#[test]
fn training_gives_the_same_bits_for_any_number_of_threads() -> Result<()> {
    let alone = trained(1)?;
    assert!(alone.0[2] < alone.0[0]);
    for threads in [2, 3, 8] {
        assert!(trained(threads)? == alone, "{threads} threads");
    }
    Ok(())
}
