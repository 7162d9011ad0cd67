//! The same elements in other places, several times, or among others.

use crate::base::dims::{Dims, axes_of};
use crate::base::error::expect;
use crate::ops::registry::{Domain, Fitted, Listed, axis};
use crate::tape::Float;
use crate::tape::Variable;
use crate::tape::{Attribute, Attributes, Cotangents, Gradients, Operation, Outputs, Saved};
use crate::tensor::{Border, Shifts, Tensor, repeated, shifts};

/// Axes in reverse order; its own pullback.
#[derive(Clone)]
struct Flip {
    axes: Dims,
}

impl<T: Float> Operation<T> for Flip {
    const NAME: &'static str = "Flip";

    fn attributes(&self) -> Attributes {
        Attributes::none().dims("dims", &self.axes)
    }

    fn forward(&self, inputs: &[&Tensor<T>]) -> Outputs<Tensor<T>> {
        [inputs[0].flipped(&self.axes)].into()
    }

    fn pullback(&self, _: &Saved<'_, T>, cotangents: &Cotangents<T>, gradients: &mut Gradients<'_, T>) {
        gradients.add(0, self.clone().apply1(&[cotangents.only()]));
    }
}

/// Axes moved round in a circle.
struct Roll {
    shifts: Shifts,
}

impl<T: Float> Operation<T> for Roll {
    const NAME: &'static str = "Roll";

    fn attributes(&self) -> Attributes {
        let shifts = self.shifts.iter().map(|&(_, shift)| shift as i64).collect();
        let axes: Vec<usize> = self.shifts.iter().map(|&(axis, _)| axis).collect();
        Attributes::none().with("shifts", Attribute::Ints(shifts)).dims("dims", &axes)
    }

    fn forward(&self, inputs: &[&Tensor<T>]) -> Outputs<Tensor<T>> {
        [inputs[0].rolled(&self.shifts)].into()
    }

    fn pullback(&self, _: &Saved<'_, T>, cotangents: &Cotangents<T>, gradients: &mut Gradients<'_, T>) {
        let shape = cotangents.only().shape();
        let back = |&(axis, shift): &(usize, usize)| (axis, (shape[axis] - shift) % shape[axis].max(1));
        let back = Roll { shifts: self.shifts.iter().map(back).collect() };
        gradients.add(0, back.apply1(&[cotangents.only()]));
    }
}

/// A tensor with a border of one value.
struct Pad {
    border: Border,
    value: f64,
}

impl<T: Float> Operation<T> for Pad {
    const NAME: &'static str = "Pad";

    fn attributes(&self) -> Attributes {
        Attributes::none().ints("pad", &self.border.sides()).float("value", self.value)
    }

    fn forward(&self, inputs: &[&Tensor<T>]) -> Outputs<Tensor<T>> {
        [self.border.around(inputs[0], T::from_f64(self.value))].into()
    }

    fn pullback(&self, saved: &Saved<'_, T>, cotangents: &Cotangents<T>, gradients: &mut Gradients<'_, T>) {
        let shape = saved.input_dims(0);
        let starts = self.border.starts().enumerate();
        let part = starts.fold(cotangents.only().clone(), |part, (axis, start)| {
            part.narrow(axis as isize, start, shape[axis])
        });
        gradients.add(0, part);
    }
}

impl<T: Float> Variable<T> {
    /// The elements along axes `dims` in reverse order (`torch.flip`).
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let x = Variable::new(Tensor::from([[1.0f32, 2.0], [3.0, 4.0]]));
    /// assert_eq!(x.flip(&[0]).to_vec(), vec![3.0, 4.0, 1.0, 2.0]);
    /// ```
    #[doc(alias = "reverse")]
    #[track_caller]
    pub fn flip(&self, dims: &[isize]) -> Variable<T> {
        if dims.is_empty() {
            return self.clone();
        }
        Flip { axes: expect(axes_of("flip", dims, self.rank())) }.apply1(&[self])
    }

    /// The elements along each of `dims` moved by its shift, those pushed out at the end coming in at the
    /// front; without dims, of the flattened tensor (`torch.roll`).
    ///
    /// # Panics
    /// If there is not a shift for each axis.
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let x = Variable::new(Tensor::from([1.0f32, 2.0, 3.0]));
    /// assert_eq!(x.roll(&[1], &[0]).to_vec(), vec![3.0, 1.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn roll(&self, by: &[isize], dims: &[isize]) -> Variable<T> {
        if dims.is_empty() && by.len() == 1 {
            return self.reshape([self.numel()]).roll(by, &[0]).reshape(self.shape());
        }
        Roll { shifts: expect(shifts(self.shape(), by, dims)) }.apply1(&[self])
    }

    /// Copies side by side, `repeats` of them along each axis; more repeats than axes add axes in front
    /// (`torch.Tensor.repeat`).
    ///
    /// # Panics
    /// If there are fewer repeats than axes, or a tensor can't have so many elements.
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let x = Variable::new(Tensor::from([1.0f32, 2.0]));
    /// assert_eq!(x.repeat(&[2, 2]).to_vec(), vec![1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 1.0, 2.0]);
    /// ```
    #[doc(alias = "tile")]
    #[track_caller]
    pub fn repeat(&self, repeats: &[usize]) -> Variable<T> {
        let [apart, expanded, all] = expect(repeated(self.shape(), repeats));
        self.reshape(apart).expand(expanded).reshape(all)
    }

    /// `value` put before and behind the last axes: `pad` has two numbers for the last axis, then two for
    /// the one before it, and so on; a negative one takes elements away (`torch.nn.functional.pad`,
    /// mode `constant`).
    ///
    /// # Panics
    /// If `pad` has an odd length, names more axes than there are, takes away more than there is, or adds
    /// more than a tensor can have.
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let x = Variable::new(Tensor::from([[1.0f32, 2.0]]));
    /// assert_eq!(x.pad(&[1, 0], 9.0).to_vec(), vec![9.0, 1.0, 2.0]);
    /// assert_eq!(x.pad(&[0, -1, 1, 0], 0.0).to_vec(), vec![0.0, 1.0]);
    /// ```
    #[doc(alias = "ZeroPadding1D")]
    #[track_caller]
    pub fn pad(&self, pad: &[isize], value: f64) -> Variable<T> {
        let (kept, border) = expect(Border::of(self.shape(), pad));
        let mut inside = self.clone();
        for (axis, start, length) in kept {
            inside = inside.narrow(axis as isize, start, length);
        }
        match border {
            Some(border) => Pad { border, value }.apply1(&[&inside]),
            None => inside,
        }
    }
}

pub(super) fn operations<T: Float, L: Listed<T>>() -> Vec<L> {
    vec![
        L::new(
            "Flip",
            &[Domain::Any],
            &|choose, shape| {
                let first = axis(choose, shape)?;
                let axes: Vec<usize> =
                    (0..shape.len()).filter(|&axis| axis == first || choose(2) == 1).collect();
                Fitted::one(shape, Attributes::none().dims("dims", &axes))
            },
            &|attributes, v| vec![v[0].flip(&attributes.get_ints("dims"))],
        )
        .exact(),
        L::new(
            "Roll",
            &[Domain::Any],
            &|choose, shape| {
                let axis = axis(choose, shape)?;
                let shift = Attribute::Ints(vec![[1, -2, 5][choose(3)]]);
                Fitted::one(shape, Attributes::none().with("shifts", shift).dims("dims", &[axis]))
            },
            &|attributes, v| vec![v[0].roll(&attributes.get_ints("shifts"), &attributes.get_ints("dims"))],
        )
        .exact(),
        L::new(
            "Pad",
            &[Domain::Any],
            &|choose, shape| {
                let sides: Vec<usize> = shape.iter().flat_map(|_| [choose(3), choose(2)]).collect();
                let value = [0.0, 1.5][choose(2)];
                Fitted::one(shape, Attributes::none().ints("pad", &sides).float("value", value))
            },
            &|attributes, v| vec![v[0].pad(&attributes.get_ints("pad"), attributes.get_float("value"))],
        )
        .exact(),
    ]
}
