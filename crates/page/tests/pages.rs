//! Pages as files, and what is refused.

use wengert_core::{Result, Tape, Tensor, Variable, record};
use wengert_page::{Page, playground};

fn loss() -> Variable<f64> {
    let x = Variable::new(Tensor::from([0.5, 2.0])).requires_grad_(true);
    record(|| (x.exp() * &x).sum())
}

/// The data in a page, as its script reads it.
fn data(page: &str) -> serde_json::Value {
    let text = page.split("id=\"data\" nonce=\"wengert\">").nth(1).unwrap();
    serde_json::from_str(text.split("</script>").next().unwrap()).unwrap()
}

#[test]
fn a_page_is_written_whole_and_nothing_is_left_beside_it() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("walk.html");
    let page = Page::of(&Tape::of(&loss()))?.title("first");
    page.to_html(&path)?;
    page.clone().title("second").to_html(&path)?;
    playground().to_html(folder.path().join("playground.html"))?;
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("<title>second</title>") && text.ends_with("</html>\n"));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    let refused = page.to_html(folder.path().join("nowhere/walk.html")).unwrap_err().to_string();
    assert!(refused.contains("nowhere"), "{refused}");
    Ok(())
}

#[test]
fn a_value_without_history_is_refused_in_words() {
    let without_gradient = record(|| Variable::new(Tensor::from([1.0, 2.0])).exp().sum());
    for value in [loss().detach(), without_gradient] {
        let refused = Page::of(&Tape::of(&value)).unwrap_err().to_string();
        assert!(refused.contains("no history"), "{refused}");
    }
}

#[test]
fn the_page_has_the_type_of_the_tape_and_asks_with_its_values() -> Result<()> {
    let single = Variable::new(Tensor::from([0.5f32])).requires_grad_(true);
    let page = data(&Page::of(&Tape::of(&record(|| single.exp().sum())))?.to_text());
    assert_eq!((&page["scene"]["type"], &page["request"]["type"]), (&"f32".into(), &"f32".into()));
    let tape = Tape::of(&loss());
    let page = data(&Page::of(&tape)?.to_text());
    assert_eq!(page["scene"]["type"], "f64");
    let back: Tape = serde_json::from_value(page["request"]["tape"].clone()).unwrap();
    assert_eq!(format!("{back:#}"), format!("{tape:#}"));
    assert_eq!(back.entries()[0].outputs[0].value, tape.entries()[0].outputs[0].value);
    assert!(page["engine"].as_str().unwrap().len() > 1000);
    Ok(())
}

#[test]
fn gradients_that_the_rules_do_not_give_are_told() -> Result<()> {
    let remarks = |x: &Variable<f64>| {
        let loss = record(|| (x.exp() * x).sum());
        loss.backward()?;
        let page = data(&Page::of(&Tape::of(&loss))?.to_text());
        Ok::<_, wengert_core::Error>(page["scene"]["remarks"].to_string())
    };
    let mut x = Variable::new(Tensor::from([0.5, 2.0])).requires_grad_(true);
    assert_eq!(remarks(&x)?, "[]");
    let added_up = remarks(&x)?;
    assert!(added_up.contains("those of %0") && added_up.contains("added up"), "{added_up}");
    x.zero_grad();
    x.register_hook(|grad| Some(grad * 2.0));
    assert!(remarks(&x)?.contains("hook"));
    Ok(())
}

#[test]
fn the_engine_is_left_out_where_nothing_can_be_edited() -> Result<()> {
    let wide = Variable::new(Tensor::<f64>::ones([65])).requires_grad_(true);
    let page = data(&Page::of(&Tape::of(&record(|| wide.exp().sum())))?.to_text());
    assert_eq!((&page["request"], &page["engine"]), (&serde_json::Value::Null, &"".into()));
    let x = Variable::new(Tensor::from([0.5f64])).requires_grad_(true);
    let long = record(|| (0..2100).fold(x.clone(), |y, _| y.sin()).sum());
    let page = data(&Page::of(&Tape::of(&long))?.to_text());
    assert_eq!(page["request"], serde_json::Value::Null);
    assert!(page["scene"]["remarks"][0].as_str().unwrap().contains("2102"));
    let svg = page["scene"]["drawings"]["rolled"]["svg"].as_str().unwrap();
    assert!(svg.contains("data-lines=\"1\"") && svg.len() < 20_000, "{svg}");
    Ok(())
}
