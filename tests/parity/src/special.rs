//! Operations at special numbers, ours beside PyTorch's.
//!
//! `special.py` wrote a table for each type; `differences.csv` beside it lists what may differ, with the
//! reason. Whatever else differs is found here, and so is what is listed and no longer differs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use wengert::{Float, GradOptions, Tensor, Variable, grad};

use crate::case::{Failure, leaf};
use crate::special_op::result;

/// What is the same to one side and not to the other: type, operation, inputs, and whether value or a
/// gradient.
type Place = [String; 4];

/// The numbers of one place, ours and PyTorch's, as the tables write them.
struct Pair {
    ours: String,
    pytorch: String,
}

/// Prints what differs and is not listed, and what is listed and does not differ; gives how many places
/// were compared, and how many lines were printed.
pub fn compare(folder: &Path) -> Result<(usize, usize), Failure> {
    let mut found = BTreeMap::new();
    let compared = table::<f32>(&folder.join("f32.csv"), &mut found)?
        + table::<f64>(&folder.join("f64.csv"), &mut found)?;
    let listed = listed(&folder.join("differences.csv"))?;
    let mut printed = 0;
    for (place, Pair { ours, pytorch }) in &found {
        if !listed
            .get(place)
            .is_some_and(|pair| same_text(place, &pair.ours, ours) && pair.pytorch == *pytorch)
        {
            println!("{},{ours},{pytorch},", place.join(","));
            printed += 1;
        }
    }
    for place in listed.keys().filter(|place| !found.contains_key(*place)) {
        println!("no longer differs: {}", place.join(","));
        printed += 1;
    }
    Ok((compared, printed))
}

fn read(path: &Path) -> Result<Vec<Vec<String>>, Failure> {
    let malformed = |error: std::io::Error| Failure::Malformed(format!("{}: {error}", path.display()));
    let text = std::fs::read_to_string(path).map_err(malformed)?;
    Ok(text.lines().skip(1).map(|line| line.split(',').map(String::from).collect()).collect())
}

/// The accepted differences.
fn listed(path: &Path) -> Result<BTreeMap<Place, Pair>, Failure> {
    let mut found = BTreeMap::new();
    for line in read(path)? {
        let [types, operation, inputs, what, ours, pytorch, reason] = <[String; 7]>::try_from(line)
            .map_err(|line| Failure::Malformed(format!("difference {line:?}")))?;
        if reason.is_empty() {
            return Err(Failure::Malformed(format!(
                "{operation} of {inputs}: a difference without a reason"
            )));
        }
        for dtype in types.split(' ') {
            let place = [dtype, &operation, &inputs, &what].map(String::from);
            found.insert(place, Pair { ours: ours.clone(), pytorch: pytorch.clone() });
        }
    }
    Ok(found)
}

/// Computes a table again and notes what differs; gives how many places there are.
fn table<T: Float>(path: &Path, found: &mut BTreeMap<Place, Pair>) -> Result<usize, Failure> {
    let mut compared = 0;
    for line in read(path)? {
        let [operation, inputs, value, gradients] =
            <[String; 4]>::try_from(line).map_err(|line| Failure::Malformed(format!("case {line:?}")))?;
        let leaves: Vec<Variable<T>> = inputs.split('|').map(|row| leaf(elements(row))).collect();
        let out = result(&operation, &leaves.iter().collect::<Vec<_>>())?;
        let mut note = |what: &str, ours: Vec<T>, pytorch: &str| {
            compared += 1;
            let (expected, tolerance) = (elements::<T>(pytorch).to_vec(), Tolerance::of(&operation, what));
            if ours.len() != expected.len() || !ours.iter().zip(expected).all(|(&a, b)| tolerance.agree(a, b))
            {
                let place = [T::NAME, &operation, &inputs, what].map(String::from);
                found.insert(place, Pair { ours: written(&ours), pytorch: pytorch.to_string() });
            }
        };
        note("value", out.to_vec(), &value);
        for (k, (ours, pytorch)) in slopes(&out, &leaves)?.into_iter().zip(gradients.split('|')).enumerate() {
            note(&format!("gradient {k}"), ours, pytorch);
        }
    }
    Ok(compared)
}

/// The gradients of the operands, for the cotangent 1, 2, 3 ..; none of what has none.
fn slopes<T: Float>(out: &Variable<T>, leaves: &[Variable<T>]) -> Result<Vec<Vec<T>>, Failure> {
    if !out.requires_grad() {
        return Ok(leaves.iter().take(1).map(|_| Vec::new()).collect());
    }
    let cotangent = Variable::from(Tensor::from_fn(out.shape(), |i| T::from_f64(i as f64 + 1.0)));
    let options = GradOptions::default().allow_unused(true).cotangents(vec![cotangent]);
    let found = grad(&[out], &leaves.iter().collect::<Vec<_>>(), options)?;
    Ok(found.iter().map(Variable::to_vec).collect())
}

/// Numbers between spaces, some by name.
fn elements<T: Float>(row: &str) -> Tensor<T> {
    let elements: Vec<T> = row.split_whitespace().map(number).collect();
    let len = elements.len();
    Tensor::from_vec(elements, [len]).expect("as many as there are")
}

/// A number, or the name of one at the edge of the type.
pub fn number<T: Float>(name: &str) -> T {
    let (sign, size) = name.strip_prefix('-').map_or((1.0, name), |size| (-1.0, size));
    let short = T::NAME == "f32";
    let size = match size {
        "sub" if short => f32::from_bits(1).into(),
        "sub" => f64::from_bits(1),
        "tiny" => {
            if short {
                1e-30
            } else {
                1e-300
            }
        }
        "huge" => {
            if short {
                1e30
            } else {
                1e300
            }
        }
        "max" if short => f32::MAX.into(),
        "max" => f64::MAX,
        // Rounded once: what is short for an f32 is not the f32 for an f64.
        _ if short => size.parse::<f32>().map_or(f64::NAN, f64::from),
        _ => size.parse().unwrap_or(f64::NAN),
    };
    T::from_f64(sign * size)
}

fn written<T: Float>(elements: &[T]) -> String {
    let texts = elements.iter().map(|x| {
        let x = x.to_f64();
        if T::NAME == "f32" {
            short(x.abs(), format!("{:e}", x as f32), format!("{}", x as f32))
        } else {
            short(x.abs(), format!("{x:e}"), format!("{x}"))
        }
    });
    texts.collect::<Vec<_>>().join(" ").to_lowercase()
}

fn short(size: f64, scientific: String, plain: String) -> String {
    if size == 0.0 || (1e-4..1e7).contains(&size) || !size.is_finite() { plain } else { scientific }
}

/// How many units in the last place a value may be off, and a gradient, which is a formula of several
/// roundings.
const VALUE_ULPS: f64 = 4.0;
const GRADIENT_ULPS: f64 = 8.0;

/// What two numbers are compared beside.
#[derive(Clone, Copy)]
struct Tolerance {
    ulps: f64,
    /// The size of the numbers whose difference a result of this operation is: it is rounded as they are.
    size: f64,
    signed_zeros: bool,
}

impl Tolerance {
    fn of(operation: &str, what: &str) -> Self {
        let size = match operation {
            "softmax" | "log_softmax" => 1.0,
            // By the root of its epsilon.
            "layer_norm" => 316.0,
            _ => 0.0,
        };
        let is_value = what == "value";
        Tolerance { ulps: if is_value { VALUE_ULPS } else { GRADIENT_ULPS }, size, signed_zeros: is_value }
    }

    /// Equal but for a few roundings; NaN is NaN, and zeros of a value have their sign.
    fn agree<T: Float>(self, a: T, b: T) -> bool {
        let (a, b) = (a.to_f64(), b.to_f64());
        if a == b || !a.is_finite() || !b.is_finite() {
            let signs = !self.signed_zeros || a != 0.0 || a.is_sign_negative() == b.is_sign_negative();
            return a == b && signs || a.is_nan() && b.is_nan();
        }
        let (epsilon, least) = match T::NAME {
            "f32" => (f32::EPSILON.into(), f32::MIN_POSITIVE.into()),
            _ => (f64::EPSILON, f64::MIN_POSITIVE),
        };
        (a - b).abs() <= self.ulps * epsilon * a.abs().max(b.abs()).max(least).max(self.size)
    }
}

/// Whether two texts are of the same numbers at a place, up to what a machine's instructions round.
fn same_text([dtype, operation, _, what]: &Place, a: &str, b: &str) -> bool {
    fn same<T: Float>(tolerance: Tolerance, a: &str, b: &str) -> bool {
        let (a, b) = (elements::<T>(a).to_vec(), elements::<T>(b).to_vec());
        a.len() == b.len() && a.into_iter().zip(b).all(|(a, b)| tolerance.agree(a, b))
    }
    let tolerance = Tolerance::of(operation, what);
    if dtype == "f32" { same::<f32>(tolerance, a, b) } else { same::<f64>(tolerance, a, b) }
}

/// The reasons that are given for differences, and those that the page beside them explains: the first that
/// has none.
pub fn unexplained(folder: &Path) -> Result<Option<String>, Failure> {
    let page = std::fs::read_to_string(folder.join("README.md"));
    let page = page.map_err(|error| Failure::Malformed(format!("README.md: {error}")))?;
    let lines = read(&folder.join("differences.csv"))?;
    let reasons: BTreeSet<String> = lines.into_iter().filter_map(|mut line| line.pop()).collect();
    Ok(reasons.into_iter().find(|reason| !page.contains(&format!("**{reason}**"))))
}
