//! Summaries of models: their trees, shapes, counts, and what a run leaves behind.

use wengert_core::{Result, Tensor, Variable, manual_seed, pool_bytes};
use wengert_nn::{
    BatchNorm1d, Dropout, Embedding, Forward, Linear, Lstm, Module, Relu, Sequential, Summary, Tanh, module,
    summary, summary_of,
};

#[derive(Clone)]
struct Tagger {
    embedding: Embedding,
    rnn: Lstm,
    head: Option<Linear>,
    absent: Option<Linear>,
}
module!(Tagger { embedding, rnn, head, absent });

impl Tagger {
    fn new() -> Self {
        Tagger {
            embedding: Embedding::new(11, 4).unwrap(),
            rnn: Lstm::builder(4, 8).bidirectional(true).build().unwrap(),
            head: Some(Linear::new(16, 3).unwrap()),
            absent: None,
        }
    }

    fn forward(&self, words: &Tensor<i64>) -> Result<Variable> {
        let (out, _) = self.rnn.forward(&self.embedding.forward(words)?, None)?;
        self.head.as_ref().expect("there").forward(&out)
    }
}

fn of_tagger(model: &Tagger) -> Summary {
    summary_of(model, || model.forward(&Tensor::from_fn([5, 2], |i| i as i64))).unwrap()
}

#[test]
fn a_recurrent_model_is_summed_up_module_by_module() {
    let found = of_tagger(&Tagger::new());
    let names: Vec<_> = found.rows().iter().map(|row| (row.name.as_str(), row.kind.as_str())).collect();
    let expected =
        [("", "Tagger"), ("embedding", "Embedding"), ("rnn", "Recurrent<LstmCell>"), ("head", "Linear")];
    assert_eq!(names, expected);
    let shapes: Vec<_> = found.rows().iter().map(|row| row.output.clone().unwrap()).collect();
    assert_eq!(shapes, [vec![5, 2, 3], vec![5, 2, 4], vec![5, 2, 16], vec![5, 2, 3]]);
    let counts: Vec<_> = found.rows().iter().map(|row| row.parameters).collect();
    let of_rnn = 2 * 32 * (4 + 8 + 2);
    assert_eq!(counts, [11 * 4 + of_rnn + 16 * 3 + 3, 44, of_rnn, 51]);
    assert!(found.rows().iter().all(|row| row.bytes == 4 * row.parameters && row.depth <= 1));
    let head = found.row("head").unwrap();
    assert_eq!(head.flops, 10 * 3 * (2 * 16 + 1));
    // Products of the layer: 10 rows of 32 gates from 4 inputs and 8 units, in two directions.
    let products = 2 * 10 * 32 * 2 * (4 + 8);
    let rnn = found.row("rnn").unwrap();
    assert!(rnn.flops >= products && rnn.flops < products + products / 2, "{} for {products}", rnn.flops);
    assert_eq!(found.total().flops, found.rows()[1..].iter().map(|row| row.flops).sum::<u64>());
    assert_eq!(found.total().kept_bytes, found.rows()[1..].iter().map(|row| row.kept_bytes).sum::<usize>());
    assert!(found.row("rnn").unwrap().kept_bytes >= 4 * (10 * 64 + 10 * 16), "gates and states");
}

#[test]
fn tied_parameters_count_once_and_frozen_ones_are_not_trainable() {
    let mut model = Tagger::new();
    let mut head = Linear::new(16, 3).unwrap();
    model.set_requires_grad("embedding", false).unwrap();
    head.bias = None;
    model.head = Some(head);
    let found = of_tagger(&model);
    assert_eq!(
        (found.row("embedding").unwrap().parameters, found.row("embedding").unwrap().trainable),
        (44, 0)
    );
    assert_eq!(found.total().trainable, found.total().parameters - 44);
    let linear = Linear::new(3, 3).unwrap();
    let twice = Sequential::new((linear.clone(), Relu::new(), linear));
    let found = summary(&twice, &Variable::new(Tensor::ones([2, 3]))).unwrap();
    let counts: Vec<_> = found.rows().iter().map(|row| row.parameters).collect();
    assert_eq!(counts, [12, 12, 0, 12]);
    assert!(found.rows().iter().all(|row| row.calls == 1));
}

struct Again {
    layer: Linear,
    norm: BatchNorm1d,
    dropout: Dropout,
}
module!(Again { layer, norm, dropout });

impl Forward for Again {
    fn forward(&self, x: &Variable) -> Result<Variable> {
        let x = self.layer.forward(&self.layer.forward(x)?)?;
        self.dropout.forward(&self.norm.forward(&x)?)
    }
}

fn again() -> Again {
    Again {
        layer: Linear::new(3, 3).unwrap(),
        norm: BatchNorm1d::new(3).unwrap(),
        dropout: Dropout::new(0.5).unwrap(),
    }
}

#[test]
fn a_module_that_is_called_twice_counts_twice_and_a_run_leaves_no_trace() {
    let model = again();
    let x = Variable::new(Tensor::from_fn([4, 3], |i| i as f32));
    manual_seed(5);
    let expected = Tensor::<f32>::rand([3]).to_vec();
    manual_seed(5);
    let found = summary(&model, &x).unwrap();
    assert_eq!(Tensor::<f32>::rand([3]).to_vec(), expected, "the generator is where it was");
    assert_eq!(model.named_buffers()[2].1.tensor().to_vec(), [0.0]);
    assert_eq!(model.named_buffers()[0].1.tensor().to_vec(), [0.0; 3]);
    assert!(model.parameters().iter().all(|parameter| parameter.grad().is_none()));
    let layer = found.row("layer").unwrap();
    assert_eq!((layer.calls, layer.parameters, layer.flops), (2, 12, 2 * 4 * 3 * (2 * 3 + 1)));
    assert_eq!(found.row("norm").unwrap().bytes, 4 * (6 + 6) + 8);
    assert!(
        found.to_string().contains("  layer    Linear x2")
            || found.to_string().contains("  layer  Linear x2")
    );
}

#[test]
fn operations_are_counted_though_nothing_is_trained() {
    let model = Sequential::new((Linear::new(3, 4).unwrap(), Tanh::new()));
    model.set_requires_grad("0", false).unwrap();
    let found = summary(&model, &Variable::new(Tensor::ones([2, 3]))).unwrap();
    assert_eq!(found.total().flops, 2 * 4 * (2 * 3 + 1) + 8);
    assert_eq!((found.total().kept_bytes, found.total().trainable), (0, 0), "nothing goes back");
    assert_eq!(found.row("1").unwrap().output, Some(vec![2, 4]));
}

#[test]
fn kept_bytes_are_what_the_graph_holds() {
    // One layer after the other, so that all that is kept is an output of one: 1000 numbers each.
    let model = Sequential::new((Tanh::new(), Tanh::new(), Tanh::new()));
    let x = Variable::new(Tensor::ones([1000])).requires_grad_(true);
    let found = summary(&model, &x).unwrap();
    let each: Vec<_> = found.rows().iter().map(|row| row.kept_bytes).collect();
    assert!(each[1..].iter().all(|&bytes| (4000..8200).contains(&bytes)), "{each:?}");
    assert_eq!(each[0], each[1..].iter().sum::<usize>());
    let _ = pool_bytes();
}

#[test]
fn a_forward_that_fails_is_an_error_and_leaves_no_trace() {
    let model = again();
    let error = summary(&model, &Variable::new(Tensor::ones([4, 2]))).unwrap_err();
    assert!(error.to_string().starts_with("Linear: expected"));
    let found = summary(&model, &Variable::new(Tensor::ones([4, 3]))).unwrap();
    assert_eq!(found.row("layer").unwrap().calls, 2);
    assert_eq!(found.total().output, Some(vec![4, 3]));
}
