//! Parameters that some threads read while another one changes them: nobody hangs, and nobody sees half a
//! change.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::thread;
use std::time::Duration;

use wengert_core::{
    Cotangents, Gradients, Operation, Outputs, Parameter, Pointwise, Saved, Tensor, cat, no_grad, pointwise,
};

use crate::V;

type P = Parameter<f64>;

fn parameter(value: f64) -> P {
    Parameter::new(Tensor::full([16, 16], value))
}

/// What `f` gives; a failure if it hangs.
#[track_caller]
fn finishes<R: Send + 'static>(f: impl FnOnce() -> R + Send + 'static) -> R {
    let (sender, receiver) = mpsc::channel();
    let run = thread::spawn(move || sender.send(f()));
    match receiver.recv_timeout(Duration::from_secs(120)) {
        Ok(result) => result,
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("it hangs"),
        Err(mpsc::RecvTimeoutError::Disconnected) => std::panic::resume_unwind(run.join().unwrap_err()),
    }
}

fn message(f: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(f)).expect_err("it panics");
    payload
        .downcast_ref::<String>()
        .cloned()
        .or(payload.downcast_ref::<&str>().map(|s| s.to_string()))
        .unwrap()
}

/// `read` again and again on two threads while a third one sets and steps the parameter.
fn while_it_changes(read: fn(&P) -> V) {
    finishes(move || {
        let (p, running) = (parameter(1.0), AtomicBool::new(true));
        thread::scope(|s| {
            let readers = [(); 2].map(|()| {
                s.spawn(|| {
                    for _ in 0..1000 {
                        let values = no_grad(|| read(&p)).to_vec();
                        assert!(values.iter().all(|&v| v == values[0]), "half of a change");
                    }
                })
            });
            s.spawn(|| {
                for step in 0.. {
                    if !running.load(Ordering::Relaxed) {
                        break;
                    }
                    if step % 2 == 0 {
                        p.set_value(Tensor::full([16, 16], 1.0)).unwrap();
                    } else {
                        p.update("step", |values| values.iter_mut().for_each(|v| *v += 1.0)).unwrap();
                    }
                }
            });
            let read = readers.map(|reader| reader.join());
            running.store(false, Ordering::Relaxed);
            read.into_iter().for_each(|read| read.unwrap());
        });
    });
}

pointwise! { struct Thrice; fn eval(a, b, c) -> 2 { [a * b * c, a] } }

#[test]
fn an_operation_reads_one_parameter_several_times_while_another_thread_changes_it() {
    while_it_changes(|p| &**p * &**p);
    while_it_changes(|p| p.matmul(p));
    while_it_changes(|p| p.linear(p, Some(p)));
    while_it_changes(|p| Thrice.apply([p, p, p])[0].clone());
}

#[test]
fn both_parts_of_a_join_are_whole() {
    while_it_changes(|p| {
        let joined = cat(&[p, p], 0);
        let [above, below] = joined.parts(0);
        assert!(above.to_vec().iter().all(|v| *v == above.to_vec()[0]));
        below
    });
}

/// The input as it was; sets it to another one meanwhile.
struct SetsItsInput(P);

impl Operation<f64> for SetsItsInput {
    const NAME: &'static str = "SetsItsInput";
    fn forward(&self, inputs: &[&Tensor<f64>]) -> Outputs<Tensor<f64>> {
        self.0.set_value(Tensor::full([16, 16], 5.0)).unwrap();
        self.0.update("step", |values| values.iter_mut().for_each(|v| *v += 1.0)).unwrap();
        [inputs[0].map(|x| x)].into()
    }
    fn pullback(&self, _: &Saved<'_, f64>, c: &Cotangents<f64>, gradients: &mut Gradients<'_, f64>) {
        gradients.add(0, c.only().clone());
    }
}

#[test]
fn an_operation_may_change_its_own_input_and_sees_what_it_was() {
    let (seen, after) = finishes(|| {
        let p = parameter(1.0);
        (SetsItsInput(p.clone()).apply1(&[&p]).to_vec()[0], p.to_vec()[0])
    });
    assert_eq!((seen, after), (1.0, 6.0));
}

#[test]
fn a_parameter_that_is_asked_for_inside_its_own_update_is_a_panic() {
    let uses: [fn(&P); 4] = [
        |p| drop(p.to_vec()),
        |p| drop(&**p * 2.0),
        |p| p.set_value(Tensor::zeros([16, 16])).unwrap(),
        |p| p.update("inner", |_| {}).unwrap(),
    ];
    for of in uses {
        let (text, after) = finishes(move || {
            let p = parameter(1.0);
            let text = message(|| {
                p.update("step", |values| {
                    values.fill(3.0);
                    of(&p);
                })
                .unwrap();
            });
            (text, p.to_vec()[7])
        });
        assert!(text.contains("asked for inside the closure of the `Parameter::update`"), "{text}");
        assert_eq!(after, 3.0, "the elements are as the closure left them");
    }
}

#[test]
fn of_two_updates_that_ask_for_each_others_parameter_one_is_a_panic() {
    finishes(|| {
        let (a, b) = (parameter(1.0), parameter(2.0));
        let both = Arc::new(Barrier::new(2));
        let crossing = |own: P, other: P| {
            let both = Arc::clone(&both);
            thread::spawn(move || {
                own.update("step", |values| {
                    both.wait();
                    values[0] = other.to_vec()[0];
                })
                .unwrap();
            })
        };
        let threads = [crossing(a.clone(), b.clone()), crossing(b.clone(), a.clone())];
        let went_well = threads.map(|thread| thread.join().is_ok());
        assert_ne!(went_well[0], went_well[1]);
        // Both are there again.
        assert_eq!((a.to_vec()[1], b.to_vec()[1]), (1.0, 2.0));
    });
}

#[test]
fn a_read_inside_another_parameters_update_waits_for_what_comes_back() {
    let read = finishes(|| {
        let (a, b) = (parameter(1.0), parameter(2.0));
        let (started, begun) = mpsc::channel();
        let slow = a.clone();
        let thread = thread::spawn(move || {
            slow.update("slow", |values| {
                started.send(()).unwrap();
                thread::sleep(Duration::from_millis(50));
                values.fill(9.0);
            })
            .unwrap();
        });
        begun.recv().unwrap();
        b.update("step", |values| values[0] = a.to_vec()[0]).unwrap();
        thread.join().unwrap();
        b.to_vec()[0]
    });
    assert_eq!(read, 9.0);
}

#[test]
fn a_parameter_changes_in_place_where_nobody_reads_it() {
    let p = parameter(1.0);
    let before = p.value().storage_id();
    drop(no_grad(|| &*p * &*p));
    p.update("step", |values| values.fill(2.0)).unwrap();
    assert_eq!(p.value().storage_id(), before);
    let kept = p.value();
    p.update("step", |values| values.fill(3.0)).unwrap();
    assert_eq!((kept.to_vec()[0], p.to_vec()[0]), (2.0, 3.0));
}
