/// The sums of cotangents of `outputs` and of all that they were computed from; what `wants` refuses is
/// left out.
fn plain_sweep<T: Float>(
    outputs: &[(&Edge<T>, Variable<T>)],
    retain: bool,
    wants: &dyn Fn(&Edge<T>) -> bool,
) -> Result<Sums<T>> {
    let mut sums = Sums::default();
    outputs.iter().for_each(|(edge, cotangent)| sums.add(edge, cotangent.clone()));
    let edges: Vec<&Edge<T>> = outputs.iter().map(|(edge, _)| *edge).collect();
    for node in reachable(&edges).iter().rev() {
        let Some(cotangents) = sums.settled(node)? else { continue };
        let wanted = |input: &Option<Edge<T>>| input.as_ref().is_some_and(wants);
        // Such as where all leaves are gone, whose shapes a rule may ask for.
        if !node.inputs.iter().any(wanted) {
            continue;
        }
        let mut terms =
            Terms { wants: node.inputs.iter().map(wanted).collect(), terms: Vec::new(), refusal: None };
        let first = Wants::of(&node.inputs, wanted);
        with_saved(node, retain, |saved| {
            node.rule().pullback(saved, &cotangents, &mut Gradients::new(&mut terms, node, first));
        })?;
        if let Some(error) = terms.refusal.or_else(anomaly::found) {
            return Err(error);
        }
        for (i, term) in terms.terms {
            sums.add(node.inputs[i].as_ref().expect("only wanted inputs get terms"), term);
        }
    }
    Ok(sums)
}
