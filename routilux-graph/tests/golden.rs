//! What the exporters write, byte for byte, is in `tests/golden/graphs` of the workspace. After a change that is meant, write
//! it anew and look at it: `GOLDEN=overwrite cargo test -p routilux-graph --all-features --test golden`. Then `scripts/check-exporters` asks
//! the tools whose formats they are.

#![allow(clippy::unwrap_used)]

mod flows;

use routilux_graph::Graph;
use std::path::PathBuf;

type Exporter = fn(&Graph) -> String;

/// The exporters, by the ends of their files' names.
const EXPORTERS: [(&str, Exporter); 6] = [
    ("svg", Graph::to_svg),
    ("rustdoc.html", Graph::to_rustdoc_svg),
    ("dot", Graph::to_dot),
    ("mmd", Graph::to_mermaid),
    ("d2", Graph::to_d2),
    ("txt", Graph::to_text),
];

fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/golden/graphs")
}

/// Compares what is written with the files, or writes the files.
fn compare(end: &str, exporter: Exporter) -> Vec<String> {
    let mut differ = Vec::new();
    for (name, graph) in flows::all() {
        let path = directory().join(format!("{name}.{end}"));
        let written = exporter(&graph);
        if std::env::var_os("GOLDEN").is_some_and(|what| what == "overwrite") {
            std::fs::create_dir_all(directory()).unwrap();
            std::fs::write(&path, &written).unwrap();
        }
        let known = std::fs::read_to_string(&path).unwrap_or_default();
        if written != known {
            let line = written.lines().zip(known.lines()).position(|(new, old)| new != old);
            differ.push(format!("{name}.{end}, line {}", line.map_or(0, |line| line + 1)));
        }
    }
    differ
}

#[test]
fn each_exporter_writes_what_it_wrote() {
    let differ: Vec<String> = EXPORTERS.iter().flat_map(|(end, exporter)| compare(end, *exporter)).collect();
    assert!(differ.is_empty(), "{differ:#?}; GOLDEN=overwrite writes the files anew");
}

#[cfg(feature = "json")]
#[test]
fn json_is_as_it_was_and_is_read_back() {
    let differ = compare("json", Graph::to_json);
    assert!(differ.is_empty(), "{differ:#?}; GOLDEN=overwrite writes the files anew");
    for (name, graph) in flows::all() {
        assert_eq!(Graph::from_json(&graph.to_json()).unwrap(), graph, "{name}");
    }
}

#[test]
fn lines_for_a_terminal_are_short() {
    for (name, graph) in flows::all() {
        for line in graph.to_text().lines() {
            assert!(line.chars().count() <= 100, "{name}: {line}");
        }
    }
}
