//! Gradient checks.

use wengert::prelude::*;
use wengert_check::Gradcheck;

use super::Workload;

/// A gradcheck and a gradgradcheck of an LSTM(4, 4) on three steps of one sample, in f64, in the input and
/// all parameters.
pub fn checks(name: &'static str) -> Result<[Workload; 2]> {
    let of_order = |variant, order| -> Result<Workload> {
        let lstm = Lstm::new(4, 4)?.cast::<f64>();
        let x = Variable::new(Tensor::randn([3, 1, 4])).requires_grad_(true);
        let check = move || {
            Gradcheck::new().check_module_order(order, &lstm, &[&x]).expect("an LSTM has right gradients");
        };
        Ok(Workload::new(name, variant, check))
    };
    Ok([of_order("first", 1)?, of_order("second", 2)?])
}
