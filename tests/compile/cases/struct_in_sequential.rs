use wengert::prelude::*;

struct Head {
    linear: Linear,
}
module!(Head { linear });

fn main() -> Result<()> {
    Sequential::new((Head { linear: Linear::new(1, 2)? }, Linear::new(2, 3)?));
    Ok(())
}
