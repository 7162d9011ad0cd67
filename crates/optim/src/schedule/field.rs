//! What a schedule is made of, saved, loaded and printed.

use wengert_core::{Result, Tensor, TensorMap};

use super::Schedule;
use crate::options::{OptionValue, option};

/// A value of a schedule.
pub(crate) trait Field {
    fn save(&self, name: &str, map: &mut TensorMap);
    /// Saves what does not change in a run.
    fn set_up(&self, name: &str, map: &mut TensorMap) {
        self.save(name, map);
    }
    fn load(&mut self, schedule: &'static str, name: &'static str, map: &TensorMap) -> Result<()>;
    fn show(&self) -> String;
}

macro_rules! number_fields {
    ($($type:ty)*) => {
        $(
            impl Field for $type {
                fn save(&self, name: &str, map: &mut TensorMap) {
                    map.insert_number(name, self.number());
                }

                fn load(&mut self, of: &'static str, name: &'static str, map: &TensorMap) -> Result<()> {
                    *self = option(of, name, map.number(name)?)?;
                    Ok(())
                }

                fn show(&self) -> String {
                    self.to_string()
                }
            }
        )*
    };
}

number_fields!(f64 u64 bool super::CyclicMode);

/// None is saved as NaN. It was as infinity before, so that an infinite number is saved as the largest one.
impl Field for Option<f64> {
    fn save(&self, name: &str, map: &mut TensorMap) {
        map.insert_number(name, self.map_or(f64::NAN, |number| number.min(f64::MAX)));
    }

    fn load(&mut self, _: &'static str, name: &'static str, map: &TensorMap) -> Result<()> {
        *self = match map.number(name)? {
            f64::MAX => Some(f64::INFINITY),
            number => Some(number).filter(|number| *number < f64::INFINITY),
        };
        Ok(())
    }

    fn show(&self) -> String {
        self.map_or("none".to_string(), |number| number.to_string())
    }
}

impl Field for Vec<u64> {
    fn save(&self, name: &str, map: &mut TensorMap) {
        map.insert(name, Tensor::from_fn([self.len()], |i| self[i] as f64));
    }

    fn load(&mut self, schedule: &'static str, name: &'static str, map: &TensorMap) -> Result<()> {
        let numbers = map.tensor::<f64>(name)?;
        *self = numbers.to_vec().into_iter().map(|x| option(schedule, name, x)).collect::<Result<_>>()?;
        Ok(())
    }

    fn show(&self) -> String {
        format!("{self:?}")
    }
}

impl Field for Box<dyn Schedule> {
    fn save(&self, name: &str, map: &mut TensorMap) {
        map.insert_all(&format!("{name}."), &self.state_dict());
    }

    fn set_up(&self, name: &str, map: &mut TensorMap) {
        map.insert_all(&format!("{name}."), &self.settings());
    }

    fn load(&mut self, _: &'static str, name: &'static str, map: &TensorMap) -> Result<()> {
        self.load_state_dict(&map.prefixed(&format!("{name}.")))
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Field for Vec<Box<dyn Schedule>> {
    fn save(&self, name: &str, map: &mut TensorMap) {
        for (i, schedule) in self.iter().enumerate() {
            map.insert_all(&format!("{name}.{i}."), &schedule.state_dict());
        }
    }

    fn set_up(&self, name: &str, map: &mut TensorMap) {
        for (i, schedule) in self.iter().enumerate() {
            map.insert_all(&format!("{name}.{i}."), &schedule.settings());
        }
    }

    fn load(&mut self, _: &'static str, name: &'static str, map: &TensorMap) -> Result<()> {
        let mut each = self.iter_mut().enumerate();
        each.try_for_each(|(i, schedule)| schedule.load_state_dict(&map.prefixed(&format!("{name}.{i}."))))
    }

    fn show(&self) -> String {
        let each: Vec<String> = self.iter().map(ToString::to_string).collect();
        format!("[{}]", each.join(", "))
    }
}
