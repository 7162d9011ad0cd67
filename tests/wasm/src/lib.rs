//! A small LSTM trained with the library's own layers and optimizer: the same function natively and in
//! WebAssembly, where `train()` and `bits()` are all that is exported.

use std::cell::RefCell;

use wengert_core::{Tensor, Variable, manual_seed, with_plain};
use wengert_nn::{Linear, Lstm, Module};
use wengert_optim::{Adam, Optimizer};

/// Steps of training.
const STEPS: usize = 30;

/// The losses of all steps and the parameters in the end, as bits.
fn trained() -> Vec<u32> {
    manual_seed(0);
    let lstm = Lstm::builder(2, 8).num_layers(2).build().expect("sizes above 0");
    let head = Linear::new(8, 1).expect("sizes above 0");
    let parameters = [lstm.parameters(), head.parameters()].concat();
    let mut adam = Adam::new(parameters.clone(), 0.01).expect("a rate above 0");
    let x = Variable::new(Tensor::randn([6, 4, 2]));
    let target = Variable::new(Tensor::randn([4, 1]));
    let mut bits = Vec::new();
    for _ in 0..STEPS {
        let (output, _) = lstm.forward(&x, None).expect("a sequence that fits");
        let last = output.select(0, 5);
        let loss = (head.forward(&last).expect("a row of the right width") - &target).square().mean();
        loss.backward().expect("a fresh graph");
        adam.step().expect("gradients that fit");
        adam.zero_grad();
        bits.push(loss.item().expect("one element").to_bits());
    }
    bits.extend(parameters.iter().flat_map(|parameter| parameter.to_vec()).map(f32::to_bits));
    bits
}

/// The losses of all steps and the parameters in the end, as bits, by the plain sweep.
pub fn trained_plainly() -> Vec<u32> {
    with_plain(trained)
}

/// Losses and parameters as bits, as [`trained_plainly`] gives them, by the fast ways.
pub fn trained_fast() -> Vec<u32> {
    trained()
}

thread_local!(static BITS: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) });

/// Trains, plainly or by the fast ways; how many numbers there are behind `bits()`.
// SAFETY: no other function of this name is linked in.
#[unsafe(no_mangle)]
pub extern "C" fn train(plainly: u32) -> usize {
    BITS.set(if plainly == 1 { trained_plainly() } else { trained_fast() });
    BITS.with_borrow(Vec::len)
}

/// Where the numbers are.
// SAFETY: no other function of this name is linked in.
#[unsafe(no_mangle)]
pub extern "C" fn bits() -> *const u32 {
    BITS.with_borrow(|bits| bits.as_ptr())
}
