//! Derivatives written by hand, checked at random points: nothing here has to do with tensors or a tape.
//!
//! `cargo run --release --example check_derivative`

use wengert_check::{Property, tensor};

/// The log-likelihood of counts under a Poisson regression: the sum of `y_i (a + b t_i) - exp(a + b t_i)`.
const COUNTS: [(f64, f64); 6] = [(-2.0, 0.0), (-1.0, 1.0), (0.0, 1.0), (0.5, 3.0), (1.0, 2.0), (2.0, 9.0)];

fn log_likelihood(x: &[f64]) -> f64 {
    COUNTS.iter().map(|(t, y)| y * (x[0] + x[1] * t) - (x[0] + x[1] * t).exp()).sum()
}

fn score(x: &[f64]) -> [f64; 2] {
    COUNTS.iter().fold([0.0, 0.0], |[a, b], (t, y)| {
        let residual = y - (x[0] + x[1] * t).exp();
        [a + residual, b + residual * t]
    })
}

/// A vector rotated by a quaternion that need not have length 1; the arguments are w, x, y, z and the
/// vector.
fn rotate(q: &[f64]) -> [f64; 3] {
    let (w, u, v) = (q[0], [q[1], q[2], q[3]], [q[4], q[5], q[6]]);
    let norm = w * w + dot(u, u);
    let turned = cross(u, v);
    std::array::from_fn(|i| {
        ((w * w - dot(u, u)) * v[i] + 2.0 * dot(u, v) * u[i] + 2.0 * w * turned[i]) / norm
    })
}

/// Its Jacobian, 3 x 7. With `mistaken` the length is taken for a constant.
fn rotate_jacobian(q: &[f64], mistaken: bool) -> Vec<Vec<f64>> {
    let (w, u, v) = (q[0], [q[1], q[2], q[3]], [q[4], q[5], q[6]]);
    let norm = w * w + dot(u, u);
    let (value, turned) = (rotate(q), cross(u, v));
    let unit = |j: usize| std::array::from_fn(|i| f64::from(i == j));
    let in_norm = |i: usize, component: f64| if mistaken { 0.0 } else { 2.0 * component * value[i] / norm };
    let row = |i: usize| {
        let in_w = (2.0 * w * v[i] + 2.0 * turned[i]) / norm - in_norm(i, w);
        let in_u = (0..3).map(|j| {
            let e: [f64; 3] = unit(j);
            let inner =
                -2.0 * u[j] * v[i] + 2.0 * v[j] * u[i] + 2.0 * dot(u, v) * e[i] + 2.0 * w * cross(e, v)[i];
            inner / norm - in_norm(i, u[j])
        });
        let in_v = (0..3).map(|j| {
            let e: [f64; 3] = unit(j);
            ((w * w - dot(u, u)) * e[i] + 2.0 * u[j] * u[i] + 2.0 * w * cross(u, e)[i]) / norm
        });
        std::iter::once(in_w).chain(in_u).chain(in_v).collect()
    };
    (0..3).map(row).collect()
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn cross(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

/// Where a damped pendulum is after fifty leapfrog-like steps, and how that depends on where it starts, how
/// fast, and how much it is damped: the sensitivities are carried along with the state.
fn pendulum(x: &[f64]) -> ([f64; 2], [[f64; 3]; 2]) {
    const DT: f64 = 0.05;
    let (mut angle, mut speed, damping) = (x[0], x[1], x[2]);
    let (mut of_angle, mut of_speed) = ([1.0, 0.0, 0.0], [0.0, 1.0, 0.0]);
    for _ in 0..50 {
        for j in 0..3 {
            let direct = if j == 2 { -speed } else { 0.0 };
            of_speed[j] += DT * (direct - damping * of_speed[j] - angle.cos() * of_angle[j]);
            of_angle[j] += DT * of_speed[j];
        }
        speed += DT * (-damping * speed - angle.sin());
        angle += DT * speed;
    }
    ([angle, speed], [of_angle, of_speed])
}

/// What the checks say: of the log-likelihood, the rotation, the pendulum; and of the mistaken rotation.
pub fn run() -> [Result<(), String>; 4] {
    let property = || Property::new().cases(200).seed(1);
    let rotation = |mistaken| {
        property().run_derivative(
            |case| {
                case.input("w", tensor([1]).within(0.5, 2.0));
                case.input("u", tensor([3]));
                case.input("v", tensor([3]));
            },
            rotate,
            move |q: &[f64]| rotate_jacobian(q, mistaken),
        )
    };
    let likelihood = property().run_derivative(
        |case| {
            case.input("coefficients", tensor([2]));
        },
        log_likelihood,
        score,
    );
    let sensitivities = property().run_derivative(
        |case| {
            case.input("start", tensor([2]));
            case.input("damping", tensor([1]).within(0.0, 1.0));
        },
        |x: &[f64]| pendulum(x).0,
        |x: &[f64]| pendulum(x).1,
    );
    [likelihood, rotation(false), sensitivities, rotation(true)]
}

#[allow(dead_code, reason = "the tests run the example as a module")]
fn main() {
    let [likelihood, rotation, sensitivities, mistaken] = run();
    for (what, found) in [("log-likelihood", likelihood), ("rotation", rotation), ("pendulum", sensitivities)]
    {
        println!("{what}: {}", found.map_or_else(|text| text, |()| "all derivatives are right".to_string()));
    }
    println!("\nwith the quaternion's length taken for a constant:\n{}", mistaken.expect_err("it is found"));
}
