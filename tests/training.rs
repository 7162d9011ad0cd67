//! What a whole training must keep true.

use wengert::prelude::*;
use wengert::{live_nodes, pool_bytes};

struct Model {
    rnn: Lstm,
    head: Linear,
}
module!(Model { rnn, head });

fn model() -> Result<Model> {
    Ok(Model { rnn: Lstm::builder(4, 8).num_layers(2).dropout(0.2).build()?, head: Linear::new(8, 3)? })
}

/// One step of training with the state carried on; the gradient is recorded too if `create_graph`.
fn step(
    model: &Model,
    adam: &mut Adam,
    state: &mut Option<(Variable, Variable)>,
    create_graph: bool,
) -> Result<f32> {
    let x = Variable::new(Tensor::randn([5, 2, 4]));
    let (out, next) = model.rnn.forward(&x, state.as_ref())?;
    let loss = model.head.forward(&out)?.square().mean();
    loss.backward_options(None, &GradOptions::default().create_graph(create_graph))?;
    if create_graph {
        // A recorded gradient needs the weights, so nothing may change them while it lives.
        model
            .parameters()
            .iter()
            .for_each(|parameter| parameter.set_grad(parameter.grad().map(|grad| grad.detach())));
    }
    let value = loss.item()?;
    drop((loss, out));
    *state = Some(next.detach());
    drop(next);
    adam.step()?;
    adam.zero_grad();
    Ok(value)
}

#[test]
fn nodes_and_memory_stay_where_they_are() -> Result<()> {
    for create_graph in [false, true] {
        manual_seed(1);
        let model = model()?;
        let mut adam = Adam::new(model.parameters(), 1e-3)?;
        let mut state = None;
        let mut after = |steps: usize| -> Result<(isize, usize)> {
            (0..steps).try_for_each(|_| step(&model, &mut adam, &mut state, create_graph).map(|_| ()))?;
            Ok((live_nodes(), pool_bytes()))
        };
        let early = after(10)?;
        assert_eq!(after(990)?, early, "create_graph {create_graph}");
    }
    Ok(())
}

/// The bits of all parameters after some steps from one seed.
fn train_from(seed: u64) -> Vec<u32> {
    manual_seed(seed);
    let model = model().unwrap();
    let mut adam = Adam::new(model.parameters(), 1e-2).unwrap();
    let mut state = None;
    for _ in 0..20 {
        step(&model, &mut adam, &mut state, false).unwrap();
    }
    model.parameters().iter().flat_map(|parameter| parameter.to_vec()).map(f32::to_bits).collect()
}

#[test]
fn two_threads_train_to_the_same_bits_as_one_after_the_other() {
    let alone = [train_from(3), train_from(4)];
    let together = [3, 4].map(|seed| std::thread::spawn(move || train_from(seed))).map(|t| t.join().unwrap());
    assert_eq!(alone, together);
    assert_ne!(alone[0], alone[1]);
}

#[test]
fn modules_are_send_and_sync() {
    fn check<M: Send + Sync>() {}
    check::<Rnn>();
    check::<Lstm<f64>>();
    check::<Gru>();
    check::<Model>();
    check::<Adam>();
}
