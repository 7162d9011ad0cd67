//! The one error type of the workspace.

use std::fmt;
use std::panic::Location;
use std::path::Path;
use std::sync::Arc;

/// An error of this library, with what was expected and what was got.
///
/// One rule says who returns it. What comes from outside the program, data, files, sizes, settings like a
/// probability or the targets of a loss, makes a `Result`: constructors, modules, views of tensors, readers.
/// Operations on variables, whose shapes the program itself has made, panic with the message and the caller's
/// line instead, as indexing does, so that a cell reads like its formula.
///
/// ```
/// use wengert_core::Tensor;
/// let error = Tensor::from_vec(vec![1.0f32, 2.0], [3]).unwrap_err();
/// assert_eq!(error.to_string(), "from_vec: expected 3 elements for shape [3], got 2");
/// ```
#[derive(Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A shape, width or extent that does not fit.
    #[error("{operation}: expected {expected}, got {got}")]
    Shape {
        /// The operation or function that refused.
        operation: &'static str,
        /// The shape that would have fitted, in words.
        expected: String,
        /// The shape that came.
        got: String,
    },
    /// An argument outside what is allowed.
    #[error("{operation}: {argument} must be {expected}, got {got}")]
    Argument {
        /// The operation or constructor that refused.
        operation: &'static str,
        /// The argument's name.
        argument: &'static str,
        /// The allowed values, in words.
        expected: String,
        /// The value that came.
        got: String,
    },
    /// Backward went through an operation whose saved values an earlier backward has freed.
    #[error(
        "backward through freed values: {operation} recorded at {location} has already been differentiated; \
         ask the first backward to retain the graph"
    )]
    Freed {
        /// The operation whose values are gone.
        operation: &'static str,
        /// The line that recorded that operation.
        location: &'static Location<'static>,
    },
    /// A value was to change in place while a recorded operation still needs it.
    #[error(
        "{operation}: the value {shape} is still needed by {holder} recorded at {location}{path}; run its \
         backward, detach or drop what depends on it first"
    )]
    InPlace {
        /// The operation that wanted to change the value.
        operation: &'static str,
        /// The value's shape, printed.
        shape: String,
        /// The operation that saved the value.
        holder: &'static str,
        /// The line that recorded that operation.
        location: &'static Location<'static>,
        /// The path of the module that recorded it, behind ` in `; empty outside one.
        path: String,
    },
    /// A derivative was asked for that goes back through what a [`FirstOrder`](crate::FirstOrder)'s
    /// backward gave.
    #[error(
        "{operation} recorded at {location}{path} has a derivative of first order only: its backward is \
         written in tensors; an Operation, whose pullback is written in variables, has every order"
    )]
    FirstOrderOnly {
        /// The operation.
        operation: &'static str,
        /// The line that recorded it.
        location: &'static Location<'static>,
        /// The path of the module that recorded it, behind ` in `; empty outside one.
        path: String,
    },
    /// A tensor's storage is shared with other handles and so can't change in place.
    #[error("{operation}: the storage of {shape} is shared with {holders} other handles; copy it first")]
    Shared {
        /// The operation that wanted to change the tensor.
        operation: &'static str,
        /// The value's shape, printed.
        shape: String,
        /// How many other handles hold the storage.
        holders: usize,
    },
    /// A hook returned a gradient of another shape than the one that it was given.
    #[error("the hook registered at {location} must return a gradient of shape {expected}, got {got}")]
    Hook {
        /// The line that registered the hook.
        location: &'static Location<'static>,
        /// The shape of the gradient that the hook was given, printed.
        expected: String,
        /// The shape of the gradient that the hook returned, printed.
        got: String,
    },
    /// Backward of something that is not a scalar needs a cotangent.
    #[error(
        "backward of a value of shape {shape}: only a scalar has an implicit cotangent, give one with \
         backward_with"
    )]
    NonScalar {
        /// The value's shape, printed.
        shape: String,
    },
    /// A value from which nothing recorded leads to a leaf that requires a gradient.
    #[error("{operation}: the value neither requires a gradient nor was computed from one that does")]
    NoGraph {
        /// The function that was asked for a gradient.
        operation: &'static str,
    },
    /// An input of `grad` does not influence the outputs.
    #[error(
        "grad: input {index} of shape {shape} was not used to compute the outputs; allow it with allow_unused"
    )]
    Unused {
        /// The input's place in the list.
        index: usize,
        /// The input's shape, printed.
        shape: String,
    },
    /// A tensor of these extents would have more elements than can be counted in an `isize`.
    #[error("{operation}: expected extents whose product is at most {}, got {shape}", isize::MAX)]
    Extents {
        /// The operation or function that was to make it.
        operation: &'static str,
        /// The extents, printed.
        shape: String,
    },
    /// The allocator refused memory.
    #[error("{operation}: there is no memory for {shape}, which takes {bytes} bytes")]
    Memory {
        /// The operation or function that needed it.
        operation: &'static str,
        /// The shape of what it was to hold, printed.
        shape: String,
        /// How many bytes were asked for.
        bytes: usize,
    },
    /// A NaN or an infinity, where [`detect_anomaly`](crate::detect_anomaly) looked for them.
    #[error("{value} in the {pass} of {operation} recorded at {location}{path}: {shapes}")]
    Anomaly {
        /// `forward` or `backward`.
        pass: &'static str,
        /// The value that was found: NaN or an infinity.
        value: f64,
        /// The operation that made it.
        operation: &'static str,
        /// The line that recorded that operation.
        location: &'static Location<'static>,
        /// The path of the module that recorded it, behind ` in `; empty outside one.
        path: String,
        /// The shapes involved, printed.
        shapes: String,
    },
    /// Values, as of a saved state, do not fit the model or optimizer; nothing was changed.
    #[error("{}", describe_mismatch(.missing, .unexpected, .misshapen))]
    Mismatch {
        /// Names that the target has and the source has not.
        missing: Vec<String>,
        /// Names that the source has and the target has not.
        unexpected: Vec<String>,
        /// Names with both shapes.
        misshapen: Vec<String>,
    },
    /// A file could not be read or written.
    #[error("{path}: {reason}")]
    File {
        /// The file.
        path: String,
        /// The reason, as the system or the format's reader said it.
        reason: String,
        /// The error that the reason comes from, if there is one.
        #[source]
        source: Option<Cause>,
    },
}

/// An error of the system or of a format's reader, behind [`Error::File`]; clones share it.
#[derive(Clone)]
pub struct Cause(Arc<dyn std::error::Error + Send + Sync>);

impl PartialEq for Cause {
    /// Errors are the same if they say the same.
    fn eq(&self, other: &Self) -> bool {
        self.0.to_string() == other.0.to_string()
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Cause {
    /// The message: what `main` and `unwrap` print is to be read by people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Cause {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}

impl Cause {
    /// The error itself, to be downcast.
    ///
    /// ```
    /// use wengert_core::{Error, TensorMap};
    /// let Err(Error::File { source: Some(cause), .. }) = TensorMap::load("no/such/file") else { panic!() };
    /// let io = cause.get_ref().downcast_ref::<std::io::Error>().unwrap();
    /// assert_eq!(io.kind(), std::io::ErrorKind::NotFound);
    /// assert_eq!(format!("{cause:?}"), io.to_string());
    /// ```
    pub fn get_ref(&self) -> &(dyn std::error::Error + Send + Sync + 'static) {
        &*self.0
    }
}

impl fmt::Debug for Error {
    /// The message: what `fn main() -> Result<()>` and `unwrap` print is to be read by people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The result of everything that can be refused.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// A shape that does not fit.
    pub fn shape(operation: &'static str, expected: impl ToString, got: impl ToString) -> Self {
        Error::Shape { operation, expected: expected.to_string(), got: got.to_string() }
    }

    /// An argument outside what is allowed.
    pub fn argument(
        operation: &'static str,
        argument: &'static str,
        expected: impl ToString,
        got: impl ToString,
    ) -> Self {
        Error::Argument { operation, argument, expected: expected.to_string(), got: got.to_string() }
    }

    /// A file that can't be used, for a reason in words.
    pub fn file(path: &Path, reason: impl ToString) -> Self {
        Error::File { path: path.display().to_string(), reason: reason.to_string(), source: None }
    }

    /// A file that can't be read or written because of an error, which becomes the source.
    ///
    /// ```
    /// use std::error::Error as _;
    /// use std::io::{self, ErrorKind};
    /// let error = wengert_core::Error::of_file("weights".as_ref(), io::Error::from(ErrorKind::NotFound));
    /// assert_eq!(error.to_string(), "weights: entity not found");
    /// assert!(error.source().is_some());
    /// ```
    pub fn of_file(path: &Path, error: impl std::error::Error + Send + Sync + 'static) -> Self {
        let (path, reason) = (path.display().to_string(), error.to_string());
        Error::File { path, reason, source: Some(Cause(Arc::new(error))) }
    }
}

fn describe_mismatch(missing: &[String], unexpected: &[String], misshapen: &[String]) -> String {
    let part = |what: &str, names: &[String]| match names {
        [] => String::new(),
        names => format!("\n  {what}: {}", names.join(", ")),
    };
    format!(
        "the values do not fit, nothing was changed{}{}{}",
        part("missing", missing),
        part("unexpected", unexpected),
        part("of another shape", misshapen)
    )
}

/// Unwraps what a primitive operation refused: its message, at the caller's line.
#[track_caller]
pub(crate) fn expect<T>(result: Result<T>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => crate::base::refusal::give_up(error),
    }
}
