//! A graph in Graphviz's language.

use std::fmt::Write as _;

use crate::graph::{Graph, GraphEdge, GraphNode, NodeKind};
use crate::text::dot;

/// A module with what is in it.
#[derive(Default)]
struct Cluster {
    name: String,
    nodes: Vec<usize>,
    inside: Vec<Cluster>,
}

impl Graph {
    /// The graph in Graphviz's language, to be given to `dot -Tsvg`: parameters are ellipses and operations
    /// boxes, a cluster for each module, shapes on the edges. Dashed edges lead back to an earlier step's
    /// place; dotted ones, if [asked for](Graph::gradients), show the way of the gradients.
    ///
    /// ```
    /// use wengert_core::{Tape, Tensor, Variable};
    /// use wengert_view::View;
    /// let x = Variable::new(Tensor::from([0.5f32])).requires_grad_(true);
    /// let dot = Tape::of(&x.sin()).graph().to_dot();
    /// assert!(dot.contains("n0 -> n1 [label=\"[1]\"]"));
    /// ```
    pub fn to_dot(&self) -> String {
        let mut out = String::from("digraph tape {\n");
        out.push_str("  graph [rankdir=TB, fontname=\"monospace\", bgcolor=\"transparent\"];\n");
        out.push_str("  node [fontname=\"monospace\", fontsize=11, shape=box, style=filled, ");
        out.push_str("fillcolor=\"#f3f4f6\", color=\"#6b7280\"];\n");
        out.push_str("  edge [fontname=\"monospace\", fontsize=9, color=\"#374151\"];\n");
        if let Some(remark) = self.remark() {
            let _ = writeln!(out, "  label={};", dot(&[remark.to_string()]));
        }
        let mut root = Cluster::default();
        for (place, node) in self.nodes.iter().enumerate() {
            root.find(node.path.split('.').filter(|name| !name.is_empty())).nodes.push(place);
        }
        self.write_cluster(&root, 1, &mut 0, &mut out);
        self.edges.iter().for_each(|edge| write_edge(edge, self.gradients, &mut out));
        out.push_str("}\n");
        out
    }

    /// What is in a cluster. Modules are few deep, so this may call itself.
    fn write_cluster(&self, cluster: &Cluster, indent: usize, number: &mut usize, out: &mut String) {
        let pad = "  ".repeat(indent);
        for &place in &cluster.nodes {
            let _ = writeln!(out, "{pad}n{place} [{}];", attributes(&self.nodes[place]));
        }
        for inner in &cluster.inside {
            let _ = writeln!(out, "{pad}subgraph cluster_{number} {{");
            let _ = writeln!(
                out,
                "{pad}  label={}; color=\"#9ca3af\"; style=rounded;",
                dot(std::slice::from_ref(&inner.name))
            );
            *number += 1;
            self.write_cluster(inner, indent + 1, number, out);
            let _ = writeln!(out, "{pad}}}");
        }
    }
}

impl Cluster {
    /// The module of this path; it is made if need be.
    fn find<'n>(&mut self, names: impl Iterator<Item = &'n str>) -> &mut Cluster {
        names.fold(self, |cluster, name| {
            let place = cluster.inside.iter().position(|inner| inner.name == name);
            let place = place.unwrap_or_else(|| {
                cluster.inside.push(Cluster { name: name.to_string(), ..Cluster::default() });
                cluster.inside.len() - 1
            });
            &mut cluster.inside[place]
        })
    }
}

fn attributes(node: &GraphNode) -> String {
    let label = dot(&node.texts());
    let style = match node.kind {
        NodeKind::Parameter => ", shape=ellipse, fillcolor=\"#fef3c7\", color=\"#b45309\"",
        NodeKind::Leaf => ", shape=ellipse, fillcolor=\"#dcfce7\", color=\"#15803d\"",
        NodeKind::Module => ", shape=box3d, fillcolor=\"#e0e7ff\", color=\"#4338ca\"",
        NodeKind::Operation => "",
    };
    let tooltip: Vec<String> = node.lines.iter().take(8).map(|number| format!("%{number}")).collect();
    let more = if node.lines.len() > 8 { " \u{2026}" } else { "" };
    let tooltip = dot(&[format!("{} {}{more}", node.path, tooltip.join(" ")).trim().to_string()]);
    format!("label={label}{style}, tooltip={tooltip}")
}

fn write_edge(edge: &GraphEdge, gradients: bool, out: &mut String) {
    let GraphEdge { from, to, .. } = edge;
    let times = if edge.count > 1 { format!(" \u{d7}{}", edge.count) } else { String::new() };
    let label = dot(&[format!("{}{times}", edge.label)]);
    let style = if edge.is_back { ", style=dashed, color=\"#1d4ed8\", constraint=false" } else { "" };
    let _ = writeln!(out, "  n{from} -> n{to} [label={label}{style}];");
    if gradients && edge.requires_grad {
        let gradient = "style=dotted, color=\"#dc2626\", constraint=false";
        let _ = writeln!(out, "  n{to} -> n{from} [{gradient}];");
    }
}
