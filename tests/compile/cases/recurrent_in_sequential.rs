use wengert::prelude::*;

fn main() -> Result<()> {
    Sequential::new((Linear::new(1, 2)?, Lstm::new(2, 3)?));
    Ok(())
}
