//! The elementary functions, written once for both widths and both levels.
//!
//! [`elementary`] is expanded in the module of each float type, which supplies the constants. Every
//! function takes `FUSED`, which decides nothing but the meaning of `fma`. There are no branches, no
//! table and no conversion between integers and floats, so a loop over a slice becomes vector code
//! even at the lowest level of the instruction set; an edge case is a selection at the end.

/// Defines the functions of one float type.
///
/// In scope must be: `BIAS`, `MANTISSA` (bits of the stored mantissa), `MAGIC` (1.5 times 2 to the
/// `MANTISSA`: in a sum with it the last bit has weight 1), `LN2_HI` and `LN2_LO` (ln 2 in two parts,
/// the product of the first with an exponent being exact), `EXP_TAIL` (coefficients of
/// `(e^r - 1 - r) / r^2` for `|r| <= ln 2 / 2`), `EXP_RANGE` (where `exp` is surely 0, and infinite),
/// `FLAT` (beyond which `tanh` is 1 and `exp_m1(-x)` is -1), `TINY` (below which
/// `exp_m1`, `ln_1p` and `tanh` are the identity) and `ln_reduced`.
macro_rules! elementary {
    ($float:ident, $bits:ident) => {
        /// `a * b + c`, rounded once if `FUSED`.
        #[inline(always)]
        fn fma<const FUSED: bool>(a: $float, b: $float, c: $float) -> $float {
            if FUSED { a.mul_add(b, c) } else { a * b + c }
        }

        /// The polynomial with these coefficients, lowest power first, by Horner's rule.
        #[inline(always)]
        fn horner<const FUSED: bool, const N: usize>(x: $float, coefficients: [$float; N]) -> $float {
            let mut sum = coefficients[N - 1];
            let mut i = N - 1;
            while i > 0 {
                i -= 1;
                sum = fma::<FUSED>(sum, x, coefficients[i]);
            }
            sum
        }

        /// `x` between the bounds; a NaN stays.
        #[inline(always)]
        fn between(x: $float, low: $float, high: $float) -> $float {
            let x = if x < low { low } else { x };
            if x > high { high } else { x }
        }

        /// Splits `x` into `n ln 2 + r` with `|r| <= ln 2 / 2`; returns `r` and `n + offset` as the
        /// low bits of an integer.
        ///
        /// Adding `MAGIC` rounds to an integer, which then is to be read from the mantissa.
        #[inline(always)]
        fn reduce<const FUSED: bool>(x: $float, offset: $bits) -> ($float, $bits) {
            let magic = MAGIC + offset as $float;
            let shifted = fma::<FUSED>(x, std::$float::consts::LOG2_E, magic);
            let n = shifted - magic;
            let r = fma::<FUSED>(n, -LN2_LO, fma::<FUSED>(n, -LN2_HI, x));
            (r, shifted.to_bits())
        }

        /// As `reduce`, for where an absolute error of `n` times that of the constant ln 2 does no harm.
        ///
        /// Then a fused step needs no second part of ln 2. One that isn't needs it to be exact at all.
        #[inline(always)]
        fn reduce_roughly<const FUSED: bool>(x: $float, offset: $bits) -> ($float, $bits) {
            if !FUSED {
                return reduce::<FUSED>(x, offset);
            }
            let magic = MAGIC + offset as $float;
            let shifted = fma::<FUSED>(x, std::$float::consts::LOG2_E, magic);
            let r = fma::<FUSED>(shifted - magic, -std::$float::consts::LN_2, x);
            (r, shifted.to_bits())
        }

        /// `2^(biased - BIAS)`; bits of `biased` above the exponent's width are ignored.
        #[inline(always)]
        fn power_of_two(biased: $bits) -> $float {
            $float::from_bits(biased << MANTISSA)
        }

        /// `e^x` for `x <= high`, taking `high` for what is above it.
        ///
        /// The power of two is applied in two halves, since it may itself be out of range where the
        /// result isn't; only the second can round, so a subnormal result is rounded once.
        #[inline(always)]
        fn exp_up_to<const FUSED: bool>(x: $float, high: $float) -> $float {
            let (r, n) = reduce::<FUSED>(between(x, EXP_RANGE.0, high), 2 * BIAS);
            let tail = horner::<FUSED, _>(r, EXP_TAIL);
            let mantissa = fma::<FUSED>(fma::<FUSED>(tail, r, 1.0), r, 1.0);
            mantissa * power_of_two(n >> 1) * power_of_two(n - (n >> 1))
        }

        #[inline(always)]
        fn exp<const FUSED: bool>(x: $float) -> $float {
            exp_up_to::<FUSED>(x, EXP_RANGE.1)
        }

        /// `e^r - 1` for a reduced `r`.
        #[inline(always)]
        fn exp_m1_reduced<const FUSED: bool>(r: $float) -> $float {
            fma::<FUSED>(r * r, horner::<FUSED, _>(r, EXP_TAIL), r)
        }

        /// `e^x - 1 = 2 (s (e^r - 1) + (s - 1/2))` with `s = 2^(n - 1)`, which unlike `2^n` is finite
        /// wherever the result is.
        #[inline(always)]
        fn exp_m1<const FUSED: bool>(x: $float) -> $float {
            let (r, n) = reduce::<FUSED>(between(x, -2.0 * FLAT, EXP_RANGE.1), BIAS - 1);
            let s = power_of_two(n);
            let half = fma::<FUSED>(s, exp_m1_reduced::<FUSED>(r), s - 0.5);
            if x.abs() < TINY { x } else { half + half }
        }

        /// `m / (m + 2)` with `m = e^2x - 1`, which is accurate near 0, for `|x|`; the sign is put back.
        #[inline(always)]
        fn tanh<const FUSED: bool>(x: $float) -> $float {
            let y = x.abs();
            let y = if y > FLAT { FLAT } else { y };
            let (r, n) = reduce_roughly::<FUSED>(y + y, BIAS);
            let s = power_of_two(n);
            let m = fma::<FUSED>(s, exp_m1_reduced::<FUSED>(r), s - 1.0);
            let sign = x.to_bits() & (-0.0 as $float).to_bits();
            $float::from_bits((m / (m + 2.0)).to_bits() | sign)
        }

        /// `e^x / (1 + e^x)`: the numerator is the left tail; on the right the error of `e^x`
        /// cancels in the quotient.
        #[inline(always)]
        fn sigmoid<const FUSED: bool>(x: $float) -> $float {
            let z = exp_up_to::<FUSED>(x, 2.0 * FLAT);
            z / (1.0 + z)
        }

        /// Splits a positive normal `x` into `2^e m` with `m` between the square roots of 1/2 and 2;
        /// returns `m` and `e + BIAS`.
        #[inline(always)]
        fn split(x: $float) -> ($float, $bits) {
            let low = (std::$float::consts::FRAC_1_SQRT_2).to_bits();
            let one = (1.0 as $float).to_bits();
            let shifted = x.to_bits().wrapping_add(one - low);
            let mantissa = shifted & (((1 as $bits) << MANTISSA) - 1);
            ($float::from_bits(mantissa + low), shifted >> MANTISSA)
        }

        /// The number `biased - BIAS`, through the mantissa of a float whose last bit has weight 1.
        #[inline(always)]
        fn unbias(biased: $bits) -> $float {
            let unit = ((1 as $bits) << MANTISSA) as $float;
            $float::from_bits(unit.to_bits() | biased) - (unit + BIAS as $float)
        }

        /// `y`, the logarithm of a positive finite `x`, put right for every other `x`.
        #[inline(always)]
        fn ln_edges(x: $float, y: $float) -> $float {
            let y = if x == $float::INFINITY { x } else { y };
            let pole = if x == 0.0 { $float::NEG_INFINITY } else { $float::NAN };
            if x > 0.0 { y } else { pole }
        }

        #[inline(always)]
        fn ln<const FUSED: bool>(x: $float) -> $float {
            let subnormal = x < $float::MIN_POSITIVE;
            let lift = power_of_two(BIAS + MANTISSA);
            let (m, e) = split(if subnormal { x * lift } else { x });
            let e = unbias(e) - if subnormal { MANTISSA as $float } else { 0.0 };
            ln_edges(x, ln_reduced::<FUSED>(m - 1.0, e))
        }

        /// The logarithm of `1 + x`, with what is lost in that sum added to the reduced argument.
        #[inline(always)]
        fn ln_1p<const FUSED: bool>(x: $float) -> $float {
            let u = 1.0 + x;
            let (high, low) = if x < 1.0 { (1.0, x) } else { (x, 1.0) };
            let lost = low - (u - high);
            let (m, e) = split(u);
            // 2^-e as half of 2^(1 - e), which is zero rather than out of range at the greatest e.
            let inverse = power_of_two((2 * BIAS + 1).wrapping_sub(e));
            let f = fma::<FUSED>(0.5 * lost, inverse, m - 1.0);
            let y = ln_edges(u, ln_reduced::<FUSED>(f, unbias(e)));
            if x.abs() < TINY { x } else { y }
        }
    };
}

/// Implements `Real` for a number of one level, by the functions that [`elementary`] defined.
macro_rules! impl_real {
    ($number:ty, $float:ident, $fused:literal) => {
        impl Real for $number {
            type Mask = bool;

            #[inline(always)]
            fn lit(value: f64) -> Self {
                Self::wrap(value as $float)
            }

            #[inline(always)]
            fn lt(self, other: Self) -> bool {
                self.unwrap() < other.unwrap()
            }

            #[inline(always)]
            fn le(self, other: Self) -> bool {
                self.unwrap() <= other.unwrap()
            }

            #[inline(always)]
            fn eq(self, other: Self) -> bool {
                self.unwrap() == other.unwrap()
            }

            #[inline(always)]
            fn select(mask: bool, then: Self, otherwise: Self) -> Self {
                if mask { then } else { otherwise }
            }

            #[inline(always)]
            fn scale(self, factor: Self) -> Self {
                let x = self.unwrap();
                Self::wrap(if x == 0.0 { 0.0 } else { x * factor.unwrap() })
            }

            #[inline(always)]
            fn mul_add(self, a: Self, b: Self) -> Self {
                Self::wrap(fma::<$fused>(self.unwrap(), a.unwrap(), b.unwrap()))
            }

            #[cfg_attr(not(feature = "small"), inline(always))]
            #[cfg_attr(feature = "small", inline(never))]
            fn pow(self, exponent: Self) -> Self {
                Self::wrap($float::powf(self.unwrap(), exponent.unwrap()))
            }

            #[cfg_attr(not(feature = "small"), inline(always))]
            #[cfg_attr(feature = "small", inline(never))]
            fn atan2(self, x: Self) -> Self {
                Self::wrap($float::atan2(self.unwrap(), x.unwrap()))
            }

            impl_real!(@unary $float: [exp::<$fused>] exp, [exp_m1::<$fused>] exp_m1, [ln::<$fused>] ln,
                [ln_1p::<$fused>] ln_1p, [tanh::<$fused>] tanh, [sigmoid::<$fused>] sigmoid,
                [$float::sqrt] sqrt, [$float::abs] abs, [$float::sin] sin, [$float::cos] cos,
                [erf] erf, [ndtr] ndtr);
        }
    };
    (@unary $float:ident: $([$($function:tt)*] $method:ident),*) => {$(
        #[cfg_attr(not(feature = "small"), inline(always))]
        #[cfg_attr(feature = "small", inline(never))]
        fn $method(self) -> Self {
            Self::wrap(($($function)*)(self.unwrap()))
        }
    )*};
}

pub(super) use elementary;
pub(super) use impl_real;
